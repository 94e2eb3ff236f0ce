// Which zone of firewalld a link's interface goes into, as firewall-cmd answers.

import { expect, test } from "bun:test";
import type { ToolResult } from "../../../src/run/host/processes.ts";
import type { Machine } from "../../../src/run/machine.ts";
import { Firewalld } from "../../../src/run/share/firewalld.ts";
import { KernelSharing } from "../../../src/run/share/kernel-sharing.ts";
import type { Sharing } from "../../../src/run/share/sharing.ts";
import { SystemTools } from "../../../src/run/share/system-tools.ts";

const FIREWALL_CMD = "/usr/bin/firewall-cmd";
const said = (output: string): ToolResult => ({ exitCode: 0, output: `${output}\n`, complaint: "" });
const failed = (exitCode: number, complaint: string): ToolResult => ({
  exitCode,
  output: "",
  complaint: `${complaint}\n`,
});
const NO_ZONE = failed(2, "no zone");
const TIMED_OUT = failed(143, "");
const NO_BUS = failed(1, "Error: DBUS_ERROR: Failed to connect to socket");
const WRONG_WORD = failed(2, "usage: see firewall-cmd man page\nfirewall-cmd: error: unrecognized arguments");

/** A firewall-cmd that answers these questions so, and the lines of the log. */
function firewalldThat(answers: Readonly<Record<string, ToolResult>>) {
  const log: string[] = [];
  const runTool = async ([, ...words]: readonly string[]): Promise<ToolResult> => answers[words.join(" ")] ?? NO_ZONE;
  const tools = new SystemTools({ runTool }, (_, text) => void log.push(text));
  return { firewalld: new Firewalld(tools, FIREWALL_CMD), log };
}

const OWN = "--get-zone-of-interface=ppp0";
const OUTER = "--get-zone-of-interface=eth0";
const LIST = "--zone=home --list-all";
const home = (masquerade: string, forward?: string): Record<string, ToolResult> => ({
  [OUTER]: said("home"),
  [LIST]: said(
    `home\n  target: default\n${forward === undefined ? "" : `  forward: ${forward}\n`}  masquerade: ${masquerade}`,
  ),
  "--get-zones": said("home public trusted"),
});
const withShared = { "--get-zones": said("nm-shared public trusted") };

test.each<[what: string, answers: Record<string, ToolResult>, zone: string | undefined]>([
  ["a zone that masquerades and forwards", home("yes", "yes"), "home"],
  ["a zone of an old firewalld that masquerades", home("yes"), "home"],
  ["a zone that only forwards", home("no", "yes"), "home"],
  ["a zone that only forwards, and NetworkManager has its zone", { ...home("no", "yes"), ...withShared }, "nm-shared"],
  ["a zone that does not forward", home("yes", "no"), "trusted"],
  ["no zone", { "--get-zones": said("public trusted") }, "trusted"],
  ["no zone, and NetworkManager has its zone", withShared, "nm-shared"],
  ["a zone of its own choice for ppp0", { ...withShared, [OWN]: said("work") }, undefined],
])("the outer interface has %s: %j", async (_, answers, zone) => {
  const { firewalld, log } = firewalldThat(answers);
  expect([await firewalld.zoneFor("ppp0", "eth0"), log]).toEqual([zone, []]);
});

test.each([OWN, OUTER, LIST, "--get-zones"])(
  "when %s fails there is no zone, and the log says why",
  async (question) => {
    for (const failure of [TIMED_OUT, NO_BUS, WRONG_WORD]) {
      const { firewalld, log } = firewalldThat({ ...home("no", "no"), [question]: failure });
      expect(await firewalld.zoneFor("ppp0", "eth0")).toBeUndefined();
      expect(log).toEqual([expect.stringContaining("share: firewall-cmd failed")]);
    }
  },
);

test("an interface that is another's by now stays where it is", async () => {
  const { firewalld, log } = firewalldThat({
    [OWN]: said("home"),
    "--zone=home --remove-interface=ppp0": said("success"),
  });
  expect(await firewalld.remove("home", "ppp0", () => false)).toBe("not in the zone");
  expect(await firewalld.remove("home", "ppp0", () => true)).toBe("removed");
  expect(log).toEqual([]);
});

/** A machine where forwarding is on. `zones` has the interfaces that are in a zone. */
function sharingBeside(zones: Map<string, string>) {
  const log: string[] = [];
  const runTool = async ([program, ...words]: readonly string[]): Promise<ToolResult> => {
    if (program !== FIREWALL_CMD) return words[0] === "-j" ? failed(1, "") : said("");
    const [, zone = "", step = "", ifname = ""] =
      /^--zone=(\S+) --(add|remove)-interface=(\S+)$/.exec(words.join(" ")) ?? [];
    if (step === "add") zones.set(ifname, zone);
    if (step === "remove") zones.delete(ifname);
    if (step !== "") return said("success");
    if (words[0] === "--get-zones") return said("public trusted");
    const found = zones.get(words[0]!.replace("--get-zone-of-interface=", ""));
    return found === undefined ? NO_ZONE : said(found);
  };
  const machine = {
    descriptors: {},
    files: { list: () => [] },
    network: {
      readSysctl: () => "1",
      writeSysctl: () => true,
      firewallTools: () => ({ nft: "/usr/sbin/nft", iptables: [], firewallCmd: FIREWALL_CMD }),
      routes: { defaults: () => [], defaults6: () => [], through: () => 7 },
    },
    processes: { pid: 1, runTool, share: () => ({ isFirst: true, record: "", release: (undo: () => void) => undo() }) },
  } as unknown as Machine;
  const sharing = new KernelSharing({
    machine,
    directory: "/run",
    log: (_, text) => void log.push(text),
    wait: () => {},
    lost: () => {},
  });
  const base = {
    index: 7,
    destinations: [],
    isLimited: false,
    isOwnOpen: true,
    loopback: false,
    forwards: [],
    isReachable: false,
    mostFlows: 8192,
  };
  const of = (family: 4 | 6, ifname: string): Sharing =>
    family === 4
      ? { ...base, family, ifname, our: "10.0.0.1", peer: "10.0.0.2", from: "10.0.0.2" }
      : { ...base, family, ifname, our: "fd00::1", peer: "fd00::2", from: "fd00::/64" };
  return { log, sharing, of };
}

test("an interface with both families that is renamed is in its zone under the new name, and the log says what trusted opens", async () => {
  const zones = new Map<string, string>();
  const { log, sharing, of } = sharingBeside(zones);
  for (const family of [4, 6] as const) expect(await sharing.start(of(family, "ppp0"))).toBe(true);
  expect([...zones]).toEqual([["ppp0", "trusted"]]);
  expect(log).toContain(
    "share: ppp0 is in firewalld's zone trusted, where the peer reaches all services of this machine",
  );
  for (const family of [4, 6] as const) expect(await sharing.start(of(family, "uplink"))).toBe(true);
  expect([...zones]).toEqual([["uplink", "trusted"]]);
  sharing.end(4);
  sharing.end(6);
  await sharing.start(of(4, "not a name"));
  expect([...zones]).toEqual([]);
});
