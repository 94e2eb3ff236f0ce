// Parameters of a real kernel, in a network namespace: what sessions switch over is as it was before when they end.

import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { thisMachine } from "../../../src/applets/this-machine.ts";
import { undoLeftOver } from "../../../src/run/packets/left-over.ts";
import { switchOn, switchOver } from "../../../src/run/packets/switched-parameter.ts";
import { enterNetns, ip, noNetns } from "../../kit/netns.ts";

const { network } = thisMachine;
const FORWARDING4 = "net/ipv4/ip_forward";
const FORWARDING6 = "net/ipv6/conf/all/forwarding";
const folder = mkdtempSync(join(tmpdir(), "nullmodem-switched-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** All parameters of all interfaces. */
function parameters(): Map<string, string> {
  const found = new Map([[FORWARDING4, network.readSysctl(FORWARDING4)!]]);
  for (const conf of ["net/ipv4/conf", "net/ipv6/conf"])
    for (const name of readdirSync(`/proc/sys/${conf}`))
      for (const parameter of readdirSync(`/proc/sys/${conf}/${name}`, { withFileTypes: true }).filter((one) =>
        one.isFile(),
      ))
        try {
          const path = `${conf}/${name}/${parameter.name}`;
          found.set(path, readFileSync(`/proc/sys/${path}`, "latin1").trimEnd());
        } catch {
          // Nobody may read stable_secret until it is set.
        }
  return found;
}

const set = (...changes: readonly (readonly [sysctl: string, value: string])[]): void => {
  for (const [sysctl, value] of changes) expect(network.writeSysctl(sysctl, value)).toBe(true);
};

describe.skipIf(noNetns !== undefined)(`in a namespace${noNetns === undefined ? "" : ` [skipped: ${noNetns}]`}`, () => {
  let leave: () => void;
  beforeEach(() => {
    leave = enterNetns();
    // A new namespace has what the machine's own has.
    writeFileSync("/proc/sys/net/ipv4/ip_forward", "0");
    ip("link", "add", "v0", "type", "veth", "peer", "name", "v1");
  });
  afterEach(() => leave());

  const HARDENED = [
    ["net/ipv4/conf/all/accept_redirects", "0"],
    ["net/ipv4/conf/v0/forwarding", "1"],
    ["net/ipv4/conf/default/forwarding", "1"],
    ["net/ipv6/conf/v0/forwarding", "1"],
    ["net/ipv6/conf/default/forwarding", "1"],
  ] as const;

  test.each([
    ["nothing is set", []],
    ["the administrator has set some", HARDENED],
  ] as const)("%s: each parameter of each interface is as it was, also after a SIGKILL", (_, changes) => {
    set(...changes);
    const before = parameters();
    const switched = [FORWARDING4, FORWARDING6].map((sysctl) => switchOn(thisMachine, folder, sysctl));
    expect(switched.map(({ isOn }) => isOn)).toEqual([true, true]);
    expect(["v0", "lo", "default"].map((name) => network.readSysctl(`net/ipv4/conf/${name}/forwarding`))).toEqual([
      "1",
      "1",
      "1",
    ]);
    expect(network.readSysctl("net/ipv4/conf/all/accept_redirects")).toBe("0");
    for (const { undo } of switched) undo();
    expect([...parameters()]).toEqual([...before]);

    const program = `
      import { thisMachine } from ${JSON.stringify(join(import.meta.dir, "../../../src/applets/this-machine.ts"))};
      import { switchOn } from ${JSON.stringify(join(import.meta.dir, "../../../src/run/packets/switched-parameter.ts"))};
      for (const sysctl of ${JSON.stringify([FORWARDING4, FORWARDING6])}) switchOn(thisMachine, ${JSON.stringify(folder)}, sysctl);
      process.kill(process.pid, "SIGKILL");`;
    Bun.spawnSync([process.execPath, "-e", program]);
    expect([network.readSysctl(FORWARDING4), network.readSysctl(FORWARDING6)]).toEqual(["1", "1"]);
    expect(readdirSync(folder)).toHaveLength(2);
    const said: string[] = [];
    undoLeftOver(
      thisMachine,
      folder,
      (_, text) => void said.push(text),
      () => {},
    );
    expect([...parameters()]).toEqual([...before]);
    expect(said.sort()).toEqual([
      "net.ipv4.ip_forward is 0 again, which a killed pppd had changed",
      "net.ipv6.conf.all.forwarding is 0 again, which a killed pppd had changed",
    ]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("the last of two sessions puts back what the first has found", () => {
    set(...HARDENED);
    const before = parameters();
    const [first, second] = [1, 2].map(() => switchOn(thisMachine, folder, FORWARDING4));
    first!.undo();
    expect(network.readSysctl(FORWARDING4)).toBe("1");
    second!.undo();
    expect([...parameters()]).toEqual([...before]);
  });

  test("what somebody else sets meanwhile stays", () => {
    set(...HARDENED);
    const one = switchOn(thisMachine, folder, FORWARDING4);
    set(["net/ipv4/conf/v0/forwarding", "0"], ["net/ipv4/conf/all/accept_redirects", "1"]);
    one.undo();
    expect(network.readSysctl(FORWARDING4)).toBe("0");
    expect(network.readSysctl("net/ipv4/conf/v0/forwarding")).toBe("0");
    expect(network.readSysctl("net/ipv4/conf/all/accept_redirects")).toBe("1");
    expect(network.readSysctl("net/ipv4/conf/default/forwarding")).toBe("1");

    const accept = "net/ipv6/conf/v0/accept_ra";
    const other = switchOver(thisMachine, folder, { name: "accept_ra-v0", sysctl: accept, from: "1", to: "2" });
    expect(network.readSysctl(accept)).toBe("2");
    set([accept, "0"]);
    other.undo();
    expect(network.readSysctl(accept)).toBe("0");
    expect(readdirSync(folder)).toEqual([]);
  });
});
