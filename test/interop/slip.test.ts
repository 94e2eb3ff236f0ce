// SLIP and CSLIP with slirp (Debian package) at the other end: it answers pings, and carries TCP to this machine's own host.

import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { closeMachines, machinesMissing, openMachine, tunMissing } from "../kit/machine.ts";
import { PATIENCE_MS } from "../kit/patience.ts";
import { built, Program } from "../kit/program.ts";

setDefaultTimeout(2 * PATIENCE_MS);

const SIZE = 20_000;

let programs: Program[] = [];
afterEach(async () => {
  await Promise.all(programs.map((program) => program.stop()));
  programs = [];
  await closeMachines();
});

const missing = ["slirp-fullbolt", "socat"].filter((tool) => Bun.which(tool) === null);
const why =
  machinesMissing() ?? tunMissing() ?? (missing.length === 0 ? undefined : `${missing.join(" and ")} not installed`);

for (const [word, slirp] of [
  ["slip", "slirp-fullbolt 'mtu 1006'"],
  ["cslip", "slirp-fullbolt 'mtu 1006' compress"],
] as const)
  test.skipIf(why !== undefined)(`${word} with slirp${why === undefined ? "" : ` [skipped: ${why}]`}`, async () => {
    const machine = await openMachine("near");
    const run = (...words: readonly string[]): Program => {
      const program = new Program(words, { machine });
      programs.push(program);
      return program;
    };
    run("socat", "TCP-LISTEN:7000,bind=127.0.0.1,fork", "EXEC:cat");
    const pppd = run(built("pppd"), "pty", slirp, word, "nodetach", "noauth", "local", "10.0.2.15:10.0.2.2");
    await pppd.waitFor("remote IP address 10.0.2.2");
    const ping = await machine.run(
      "ping",
      "-c",
      "2",
      "-w",
      "60",
      "-i",
      "0.05",
      "-s",
      "900",
      "-p",
      "c0dbdcdd",
      "10.0.2.2",
    );
    expect(ping.stdout).toMatch(/ [2-9] received/);
    const copy = `head -c ${SIZE} /dev/zero | tr '\\000' '\\300' | socat -t 5 - TCP:10.0.2.2:7000 | tr -d -c '\\300' | wc -c`;
    expect((await machine.run("sh", "-c", copy)).stdout.trim()).toBe(String(SIZE));
    const { stdout } = await machine.run(built("pppstats"), "-v");
    const columns = stdout.split("\n")[1]!.replace("|", " ").trim().split(/ +/).map(Number);
    // VJCOMP in and out.
    expect([columns[2]! > 10, columns[9]! > 10]).toEqual(word === "cslip" ? [true, true] : [false, false]);
    pppd.kill();
    expect(await pppd.exit()).toBe(5);
  });
