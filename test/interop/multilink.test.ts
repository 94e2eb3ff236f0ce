// Two cables in one bundle, with one process on each side: twice the speed, and a cable that is pulled out makes it
// only slower.

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { type Cable, openCable } from "../kit/cable.ts";
import type { Status } from "../../src/run/live/published-status.ts";
import { closeMachines, type Machine, machinesMissing, openMachine, tunMissing } from "../kit/machine.ts";
import { built, Program } from "../kit/program.ts";
import { receive, send } from "../kit/transfer.ts";

setDefaultTimeout(120_000);
const skip = machinesMissing() ?? tunMissing();
const on = (name: string): string => (skip === undefined ? name : `${name} [skipped: ${skip}]`);

const BAUD = 230400;
const SIZE = 200_000;
/** Ten bits an octet. TCP gets all of a packet except its headers. */
const LINE = BAUD / 10;
const OPTIONS = `${BAUD} noauth local nodetach noccp novj noipv6 persist holdoff 0 lcp-echo-interval 1 lcp-echo-failure 2`;

interface Side {
  readonly machine: Machine;
  readonly program: Program;
}

const PATH = `${dirname(skip === undefined ? built() : "/")}:/usr/sbin:/usr/bin:/sbin:/bin`;

async function start(name: string, lines: readonly string[], options: string): Promise<Side> {
  const ttys = Object.fromEntries(lines.map((line, at) => [`ttyS${at}`, line]));
  const machine = await openMachine(name, { ttys });
  const [first, ...more] = lines.map((_, at) => `/dev/ttyS${at}`);
  const words = `pppd ${first} ${OPTIONS} ${options} ${more.map((device) => `mpdevice ${device}`).join(" ")}`;
  return { machine, program: new Program(words.split(/ +/), { machine, env: { PATH } }) };
}

/** Copies noise from server to client. Returns octets a second. */
async function copy(server: Side, client: Side): Promise<number> {
  const noise = randomBytes(SIZE);
  const sum = new Bun.CryptoHasher("sha256").update(noise).digest("hex");
  writeFileSync(server.machine.path("/run/noise"), noise);
  const shell = (side: Side, script: string) => side.machine.run("env", `PATH=${PATH}`, "sh", "-c", script);
  const got = shell(client, `cd $(mktemp -d); ${receive(5000, "got")}; sha256sum got; rm -r $PWD`);
  const began = performance.now();
  await shell(server, `cd /run; ${send("10.0.0.2", 5000, "noise")}`);
  expect((await got).stdout.split(" ")[0]).toBe(sum);
  return (SIZE * 1000) / (performance.now() - began);
}

afterAll(closeMachines);

test.skipIf(skip !== undefined)(on("two cables carry nearly twice what one does, and one goes on alone"), async () => {
  const cables: Cable[] = await Promise.all([openCable({ baud: BAUD }), openCable({ baud: BAUD })]);
  const rates: Record<string, number> = {};
  try {
    const server = await start(
      "bundler",
      cables.map(({ a }) => a),
      "multilink 10.0.0.1:10.0.0.2",
    );
    const client = await start(
      "bundled",
      cables.map(({ b }) => b),
      "multilink",
    );
    const sides = [server, client];
    for (const { program } of sides) {
      await program.waitFor("remote IP address");
      await program.waitFor("Link attached to ppp0");
    }
    rates["two cables"] = await copy(server, client);
    expect(rates["two cables"]).toBeGreaterThan(1.6 * LINE);

    const [ours, peers] = await Promise.all(
      sides.map(async ({ machine }) => {
        const { stdout } = await machine.run("env", `PATH=${PATH}`, "nullmodem", "status", "--json");
        return (JSON.parse(stdout) as Status[])[0]!;
      }),
    );
    expect(ours!.lines.map(({ device }) => device).sort()).toEqual(["/dev/ttyS0", "/dev/ttyS1"]);
    // The bundle counts whole packets, however they were cut.
    expect(peers!.counters.received).toEqual(ours!.counters.sent);
    expect(ours!.counters.sent.bytes).toBeGreaterThan(SIZE);

    await cables[1]!.cut();
    for (const { program } of sides) await program.waitFor("Link lost from ppp0, 1 left");
    rates["one of them cut"] = await copy(server, client);
    expect(rates["one of them cut"]).toBeLessThan(LINE);
    expect(rates["one of them cut"]).toBeGreaterThan(0.75 * LINE);

    const attached = await Promise.all(sides.map(({ program }) => program.waitFor("Link attached to ppp0")));
    await cables[1]!.mend();
    for (const [at, { program }] of sides.entries())
      await program.waitFor("Link attached to ppp0", { after: attached[at]!, within: 20_000 });
    rates["mended"] = await copy(server, client);
    expect(rates["mended"]).toBeGreaterThan(1.6 * LINE);

    client.program.kill();
    expect(await client.program.exit(20_000)).toBe(5);
    server.program.kill();
    // The peer answers no Terminate-Request any more, which pppd calls a hangup.
    expect([5, 16]).toContain(await server.program.exit(20_000));
    for (const { machine, program } of sides) {
      expect(machine.interfaces()).toEqual([]);
      // The first link's network phase was the only one: it did not end when a cable was pulled out.
      expect(program.lines.filter(({ text }) => text.startsWith("remote IP address")).length).toBe(1);
    }
  } finally {
    await Promise.all(cables.map((cable) => cable.close()));
  }
  const shares = Object.entries(rates).map(([what, rate]) => `${what} ${(rate / LINE).toFixed(2)}`);
  console.log(`multilink, ${SIZE} octets of noise over TCP, in units of one line's octets: ${shares.join(", ")}`);
});
