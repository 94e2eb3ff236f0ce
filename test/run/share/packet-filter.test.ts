// Which programs make and remove the rules of a link, and what is said when they fail.

import { expect, test } from "bun:test";
import { thisMachine } from "../../../src/applets/this-machine.ts";
import type { FirewallTools } from "../../../src/run/host/firewall.ts";
import type { ToolResult } from "../../../src/run/host/processes.ts";
import { PacketFilter } from "../../../src/run/share/packet-filter.ts";
import type { Sharing } from "../../../src/run/share/sharing.ts";

const SHARING: Sharing = {
  family: 4,
  ifname: "ppp0",
  index: 7,
  our: "10.9.0.1",
  peer: "10.9.0.2",
  from: "10.9.0.2",
  isReachable: false,
  mostFlows: 8192,
  destinations: [],
  isLimited: false,
  isOwnOpen: true,
  loopback: false,
  forwards: [],
};
const NFT = "/usr/sbin/nft";
const IPTABLES = "/sbin/iptables";

/** `fails` says what a command complains about. */
function scene(
  tools: Partial<FirewallTools>,
  fails: (command: string, input: string) => string | undefined = () => undefined,
) {
  const asked: string[] = [];
  const said: string[] = [];
  const runTool = async (argv: readonly string[], input: string): Promise<ToolResult> => {
    const command = argv.join(" ");
    asked.push(command);
    const complaint = fails(command, input);
    return { exitCode: complaint === undefined ? 0 : 1, output: "", complaint: complaint ?? "" };
  };
  const all = { nft: undefined, iptables: [], firewallCmd: undefined, ...tools };
  const machine = {
    network: { ...thisMachine.network, firewallTools: () => all },
    processes: { ...thisMachine.processes, runTool },
  };
  return { asked, said, filter: new PacketFilter(machine, (level, text) => void said.push(`${level} ${text}`)) };
}

test("nft comes first, and iptables where it fails", async () => {
  const both = { nft: NFT, iptables: [IPTABLES] };
  expect(await scene(both).filter.make(SHARING)).toBe("nft's table ip nullmodem-7");
  const { filter, asked, said } = scene(both, (command) =>
    command.startsWith(NFT) ? "netlink: Error: cache initialization failed: Protocol not supported\n" : undefined,
  );
  expect(await filter.make(SHARING)).toBe("iptables");
  expect(asked).toContain(`${IPTABLES}-restore --noflush -w 50`);
  expect(said).toEqual(["warn share: nft failed: netlink: Error: cache initialization failed: Protocol not supported"]);
});

test("what a kernel lacks is done without, and told of", async () => {
  const { filter, said } = scene({ nft: NFT }, (_, input) =>
    input.includes("ct helper") ? "Error: Could not process rule: Operation not supported\n" : undefined,
  );
  expect(await filter.make(SHARING)).toBe("nft's table ip nullmodem-7");
  expect(said).toEqual([
    "info share: the rules go without what this kernel lacks: Error: Could not process rule: Operation not supported",
  ]);
});

test("an iptables-restore that cannot wait for the lock is asked without that", async () => {
  const { filter, asked, said } = scene({ iptables: [IPTABLES] }, (command) =>
    command.includes(" -w ") ? `${IPTABLES}-restore: unrecognized option '-w'\n` : undefined,
  );
  expect(await filter.make(SHARING)).toBe("iptables");
  expect(asked.at(-1)).toBe(`${IPTABLES}-restore --noflush`);
  expect(said).toEqual([]);
});

test("what cannot be made is said, and what cannot be run too", async () => {
  const none = scene({});
  expect(await none.filter.make(SHARING)).toBeUndefined();
  expect(none.said).toEqual(["error share: neither nft nor iptables is installed (Debian: apt-get install nftables)"]);
  const broken = scene({ nft: NFT }, () => {
    throw new Error("Permission denied");
  });
  expect(await broken.filter.make(SHARING)).toBeUndefined();
  expect(broken.said).toEqual(["warn share: nft failed: Error: Permission denied"]);
});

test("what rules were part of is named when they are removed", async () => {
  const removal = (table: string) => ({ parts: [`nft's table ${table} nullmodem-7`], isComplete: true });
  expect(await scene({ nft: NFT }).filter.remove(SHARING)).toEqual(removal("ip"));
  expect(await scene({ nft: NFT }).filter.remove({ ...SHARING, family: 6 })).toEqual(removal("ip6"));
});

test("rules that are gone are not missed, and those that cannot be removed are", async () => {
  const gone = scene({ nft: NFT }, () => "Error: Could not process rule: No such file or directory");
  expect(await gone.filter.remove(SHARING)).toEqual({ parts: [], isComplete: true });
  expect(gone.said).toEqual([]);
  const busy = scene({ nft: NFT }, () => "Error: Could not process rule: Device or resource busy");
  expect(await busy.filter.remove(SHARING)).toEqual({ parts: [], isComplete: false });
  expect(busy.said).toEqual(["warn share: nft failed: Error: Could not process rule: Device or resource busy"]);
});
