// `nullmodem serve` with two ports at once: our pppd with `join` at one cable, and Debian's chat, which plays Windows, with a
// pppd at the other.

import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { type Cable, openCable } from "../kit/cable.ts";
import { closeMachines, type Machine, machinesMissing, openMachine, tunMissing } from "../kit/machine.ts";
import { PATIENCE_MS } from "../kit/patience.ts";
import { built, Program } from "../kit/program.ts";

setDefaultTimeout(2 * PATIENCE_MS);

const CHAT = "/usr/sbin/chat";
const OPTIONS = ["nodetach", "noauth", "local", "noipv6", "noccp"];
const UP = "remote IP address";

const missing =
  machinesMissing() ?? tunMissing() ?? (existsSync(CHAT) ? undefined : "chat is not installed (Debian package ppp)");

let programs: Program[] = [];
let cables: Cable[] = [];
afterEach(async () => {
  await Promise.all(programs.map((program) => program.stop()));
  programs = [];
  await closeMachines();
  await Promise.all(cables.map((cable) => cable.close()));
  cables = [];
});

function run(machine: Machine, ...words: readonly string[]): Program {
  const program = new Program(words, { machine });
  programs.push(program);
  return program;
}

const NAME = "two ports in one process, each with a link of its own, and nothing is left when it ends";
test.skipIf(missing !== undefined)(missing === undefined ? NAME : `${NAME} [skipped: ${missing}]`, async () => {
  cables = await Promise.all([openCable({ baud: "ports" }), openCable({ baud: 115200 })]);
  const [one, two] = cables;
  const [near, joins, windows] = await Promise.all([
    openMachine("near", { ttys: { ttyS0: one!.a, ttyS1: two!.a } }),
    openMachine("joins", { ttys: { ttyS0: one!.b } }),
    openMachine("windows", { ttys: { ttyS0: two!.b } }),
  ]);
  const server = run(near, built("nullmodem"), "serve", "/dev/ttyS0", "ttyS[1-9]", "--", "noipv6");
  await Promise.all([server.waitFor("ttyS0: waiting for a caller"), server.waitFor("ttyS1: waiting for a caller")]);
  const first = run(joins, built("pppd"), "/dev/ttyS0", ...OPTIONS, "join", "address-pair", "0");
  const connect = `exec ${CHAT} -v '' 'CLIENT\\c' CLIENTSERVER`;
  const second = run(windows, built("pppd"), "/dev/ttyS0", "115200", ...OPTIONS, "noipdefault", "connect", connect);
  await Promise.all([first.waitFor(UP), second.waitFor(UP)]);
  await Promise.all([
    server.waitFor(/^ttyS0: link up on ppp\d: 192\.168\.0\.1 here, 192\.168\.1\.1 there$/m),
    server.waitFor(/^ttyS1: link up on ppp\d: 192\.168\.102\.1 here, 192\.168\.102\.2 there$/m),
  ]);
  expect(server.text).toMatch(/^ttyS1: Recognised Windows, which called CLIENT/m);
  const pings = await Promise.all([
    joins.run("ping", "-c", "1", "-W", "60", "192.168.0.1"),
    windows.run("ping", "-c", "1", "-W", "60", "192.168.102.1"),
  ]);
  expect(pings.map(({ status }) => status)).toEqual([0, 0]);
  second.kill();
  await server.waitFor(/^ttyS1: link down: the other end has ended it \(after /m);
  server.kill();
  expect(await server.exit()).toBe(5);
  expect(server.text).toMatch(/^ttyS0: link down: on request/m);
  await Promise.all([first.exit(), second.exit()]);
  const left = await near.run("sh", "-c", "ip -o link | grep ppp; ls /var/lock /run | grep -E 'LCK|^ppp'");
  expect(left.stdout).toBe("");
});

const WRONG = "when the options of every port are wrong, it says so and ends with code 2";
test.skipIf(missing !== undefined)(missing === undefined ? WRONG : `${WRONG} [skipped: ${missing}]`, async () => {
  const machine = await openMachine("near");
  const server = run(machine, built("nullmodem"), "serve", "0.0.0.0:5000", "ttyS9", "--", "nosuchword");
  expect(await server.exit()).toBe(2);
  expect(server.text).toContain("0.0.0.0:5000: unrecognized option 'nosuchword'");
  expect(server.text).toContain("ttyS9: unrecognized option 'nosuchword'");
});
