// The kernel's forwarding with real packets: a laptop, this machine and the outside are three network namespaces. nft and both kinds
// of iptables make the rules.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { thisMachine } from "../../../src/applets/this-machine.ts";
import { parsePrefix } from "../../../src/bytes/prefix.ts";
import { KernelSharing } from "../../../src/run/share/kernel-sharing.ts";
import type { FirewallTools } from "../../../src/run/host/firewall.ts";
import type { Sharing } from "../../../src/run/share/sharing.ts";
import { Destinations } from "../../../src/stack/destinations.ts";
import { noNetns } from "../../kit/netns.ts";
import {
  call,
  callFromServer,
  LAPTOP,
  missingPrograms,
  OUTSIDE,
  SERVER,
  SERVER_OUTSIDE,
  threeNetworks,
  type ThreeNetworks,
} from "../../kit/three-networks.ts";

const missing = noNetns ?? missingPrograms("ip", "socat", "nft", "iptables-nft", "iptables-legacy", "nsenter", "ss");
const FORWARDING = "net/ipv4/ip_forward";

const destinations = (allowed: string[], denied: string[]): Sharing["destinations"] =>
  new Destinations(
    allowed.map((text) => parsePrefix(text)!),
    denied.map((text) => parsePrefix(text)!),
  ).rules(4);

function tool(...argv: [string, ...string[]]): string {
  const { stdout, stderr, exitCode } = Bun.spawnSync(argv, { env: { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` } });
  if (exitCode !== 0) throw new Error(`${argv.join(" ")}: ${stderr.toString()}`);
  return stdout.toString();
}

/** All rules of all kinds. Counters are left out. */
function allRules(): string {
  return [["nft", "list", "ruleset"], ["iptables-legacy-save"]]
    .map((argv) =>
      tool(...(argv as [string]))
        .replace(/^#.*\n/gm, "")
        .replace(/\[\d+:\d+\]/g, ""),
    )
    .join("");
}

describe.skipIf(missing !== undefined)(`the kernel's way${missing === undefined ? "" : ` (${missing})`}`, () => {
  let networks: ThreeNetworks;
  const folder = mkdtempSync(join(tmpdir(), "nullmodem-share-"));
  let index = 0;

  beforeAll(async () => {
    networks = await threeNetworks();
    index = thisMachine.network.interfaces.find("ppp0")!.index;
    // The outside knows no way to the laptop, and takes no connection whose segments the cable does not take.
    await networks.outside.run(
      "nft",
      "add table ip small; add chain ip small in { type filter hook input priority 0; }; add rule ip small in tcp flags & syn == syn tcp option maxseg size 537-65535 drop",
    );
  });
  afterAll(async () => {
    await networks.close();
    rmSync(folder, { recursive: true });
  });

  function scene(tools: Partial<FirewallTools>) {
    const said: string[] = [];
    const waits: Promise<unknown>[] = [];
    const network = {
      ...thisMachine.network,
      firewallTools: (): FirewallTools => ({ nft: undefined, iptables: [], firewallCmd: undefined, ...tools }),
    };
    const sharing = new KernelSharing({
      machine: { ...thisMachine, network },
      directory: folder,
      log: (_, text) => void said.push(text),
      wait: (done) => void waits.push(done),
    });
    const base: Sharing = {
      family: 4,
      ifname: "ppp0",
      index,
      our: SERVER,
      peer: LAPTOP,
      from: LAPTOP,
      destinations: destinations([], []),
      isLimited: false,
      forwards: [],
    };
    return {
      said,
      settled: () => Promise.all(waits.splice(0)),
      start: (changes: Partial<Sharing> = {}) => sharing.start({ ...base, ...changes }),
      end: () => sharing.end(4),
    };
  }

  const NFT = "/usr/sbin/nft";
  const IPTABLES = ["/usr/sbin/iptables-nft", "/usr/sbin/iptables-legacy"];
  const WAYS: readonly (readonly [string, Partial<FirewallTools>])[] = [
    ["nft", { nft: NFT, iptables: IPTABLES }],
    ["iptables-nft", { iptables: [IPTABLES[0]!] }],
    ["iptables-legacy", { iptables: [IPTABLES[1]!] }],
  ];

  for (const [name, tools] of WAYS)
    test(`${name}: masquerade, MSS, limits and forwards work, and nothing is left`, async () => {
      const { said, settled, start, end } = scene(tools);
      const { laptop, outside } = networks;
      if (name === "nft") expect(await call(laptop, OUTSIDE, 80, 1)).toBe("");
      const before = allRules();

      start();
      await settled();
      expect(thisMachine.network.readSysctl(FORWARDING)).toBe("1");
      expect(await call(laptop, OUTSIDE)).toBe(SERVER_OUTSIDE);
      expect(await call(outside, SERVER_OUTSIDE, 8080)).toBe("");

      start({
        forwards: [{ protocol: "tcp", address: undefined, port: 8080, toPort: 80 }],
        destinations: destinations([], ["192.0.2.0/24"]),
        isLimited: true,
      });
      await settled();
      expect(await call(laptop, OUTSIDE)).toBe("");
      expect(await call(outside, SERVER_OUTSIDE, 8080)).toBe(SERVER);
      expect(await callFromServer(SERVER_OUTSIDE, 8080)).toBe(SERVER);

      end();
      await settled();
      expect(said.filter((line) => line.includes("failed"))).toEqual([]);
      expect(thisMachine.network.readSysctl(FORWARDING)).toBe("0");
      expect(withoutEmpty(allRules())).toBe(withoutEmpty(before));
      expect(readdirSync(folder)).toEqual([]);
    });
});

/** The kinds of iptables make their built-in tables and chains when they are first used, and keep them. */
function withoutEmpty(rules: string): string {
  return rules
    .replace(/^\*\w+\n(?::\w+ ACCEPT *\n)*COMMIT\n/gm, "")
    .replace(/^\tchain \w+ \{\n\t\ttype \w+ hook \w+ priority [\w -]+; policy accept;\n\t\}\n\n?/gm, "")
    .replace(/^table ip \w+ \{\n\}\n/gm, "");
}
