// A port on TCP with autodetect, called through Debian's telnet and socat: all 256 octets get through, both ways.

import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { closeMachines, machinesMissing, openMachine, tunMissing } from "../kit/machine.ts";
import { PATIENCE_MS } from "../kit/patience.ts";
import { built, Program } from "../kit/program.ts";

setDefaultTimeout(2 * PATIENCE_MS);

const OPTIONS = ["nodetach", "noauth", "local", "noipv6", "noccp", "asyncmap", "0"];
const UP = "remote IP address";

let programs: Program[] = [];
afterEach(async () => {
  await Promise.all(programs.map((program) => program.stop()));
  programs = [];
  await closeMachines();
});

const TELNET = "telnet -8 -E -- 127.0.0.1 -5000";
/** telnet negotiates on such a port only when a "-" is before its number. It would change a terminal that it gets. */
for (const [tool, command, connect, recognised] of [
  ["telnet", ["socat", "-", `EXEC:${TELNET}`], ["connect", "chat '' ATDT5 CONNECT '\\c'"], "telnet, and answer it"],
  ["socat", ["socat", "-", "TCP:127.0.0.1:5000"], [], "PPP"],
] as const) {
  const why =
    machinesMissing() ??
    tunMissing() ??
    (Bun.which(tool) && Bun.which("socat") ? undefined : `${tool} or socat is not installed`);
  test.skipIf(why !== undefined)(`${tool} carries PPP${why === undefined ? "" : ` [skipped: ${why}]`}`, async () => {
    const [near, far] = await Promise.all([openMachine("near"), openMachine("far")]);
    const run = (machine: typeof near, ...words: readonly string[]): Program => {
      const program = new Program([built("pppd"), ...OPTIONS, ...words], { machine });
      programs.push(program);
      return program;
    };
    const server = run(near, "socket-listen", "127.0.0.1:5000", "autodetect", "10.0.0.1:10.0.0.2");
    await server.waitFor("Waiting for a call on 127.0.0.1:5000");
    const called = near.argv(command).map((word) => `'${word}'`);
    const client = run(far, "pty", called.join(" "), ...connect);
    await Promise.all([client.waitFor(UP), server.waitFor(UP)]);
    expect(server.text).toContain(`\nRecognised ${recognised}\n`);
    // ff, which telnet doubles; 0d 00, which telnet shortens; and the codes of telnet's commands.
    // With -c alone, ping waits for the last answers only twice as long as one took.
    const ping = await far.run(
      "ping",
      "-c",
      "3",
      "-w",
      "60",
      "-i",
      "0.01",
      "-p",
      "ff0d00ff0d0afffbfffdfffffffa2c01",
      "10.0.0.1",
    );
    expect(ping.stdout).toMatch(/ ([3-9]|\d\d+) received/);
    client.kill();
    expect([await client.exit(), await server.exit()]).toEqual([5, 16]);
  });
}
