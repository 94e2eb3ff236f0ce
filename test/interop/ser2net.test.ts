// A serial port on another host: Debian's ser2net with RFC 2217, and a port of another speed behind it, which `socket` sets.

import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { type Cable, openCable } from "../kit/cable.ts";
import { closeMachines, machinesMissing, openMachine, tunMissing } from "../kit/machine.ts";
import { PATIENCE_MS } from "../kit/patience.ts";
import { built, Program } from "../kit/program.ts";

setDefaultTimeout(2 * PATIENCE_MS);

const CONFIG = `%YAML 1.1
---
connection: &con0
  accepter: telnet(rfc2217),tcp,127.0.0.1,7000
  connector: serialdev,/dev/ttyS1,9600n81,local
`;
const OPTIONS = ["nodetach", "noauth", "local", "noipv6", "noccp", "asyncmap", "0"];

let programs: Program[] = [];
let cable: Cable | undefined;
afterEach(async () => {
  await Promise.all(programs.map((program) => program.stop()));
  programs = [];
  await closeMachines();
  await cable?.close();
  cable = undefined;
});

const why =
  machinesMissing() ??
  tunMissing() ??
  (Bun.which("ser2net") ? undefined : "ser2net is not installed (Debian package ser2net)");

test.skipIf(why !== undefined)(
  `socket sets a port behind ser2net${why === undefined ? "" : ` [skipped: ${why}]`}`,
  async () => {
    // Octets are damaged where the two ports have different speeds.
    cable = await openCable({ baud: "ports" });
    const [near, far] = await Promise.all([
      openMachine("near", { ttys: { ttyS1: cable.a }, files: { "/etc/ser2net.yaml": CONFIG } }),
      openMachine("far", { ttys: { ttyS0: cable.b } }),
    ]);
    const run = (machine: typeof near, ...words: readonly string[]): Program => {
      const program = new Program(words, { machine });
      programs.push(program);
      return program;
    };
    // ser2net asks for addresses in a way that finds none on a machine that has only 127.0.0.1.
    await near.run("ip", "address", "add", "10.99.0.1/32", "dev", "lo");
    const server = run(near, "ser2net", "-n", "-c", "/etc/ser2net.yaml");
    const peer = run(far, built("pppd"), "/dev/ttyS0", "57600", ...OPTIONS, "10.0.0.2:10.0.0.1");
    const words = ["socket", "127.0.0.1:7000", "57600", ...OPTIONS, "persist", "holdoff", "1", "maxfail", "0"];
    const ours = run(near, built("pppd"), ...words);
    await Promise.all([ours.waitFor("remote IP address 10.0.0.2"), peer.waitFor("remote IP address 10.0.0.1")]);
    // With -c alone, ping waits for the last answers only twice as long as one took.
    const ping = await far.run("ping", "-c", "3", "-w", "60", "-i", "0.05", "-p", "ff0d00ff0afffbfa", "10.0.0.1");
    expect(ping.stdout).toMatch(/ [3-9] received/);
    ours.kill();
    expect(await ours.exit()).toBe(5);
    expect(server.status).toBeUndefined();
  },
);
