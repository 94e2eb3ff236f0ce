// nullmodem join on a cable whose ports have real speeds: with our own port that looks for the speed too, with the real pppd,
// with Debian's chat as Windows and as a login prompt.

import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { closeFd, O, openFd } from "../../src/os/ffi/libc.ts";
import { readTermios, setSpeed, writeTermios } from "../../src/os/serial/termios.ts";
import { type Cable, openCable } from "../kit/cable.ts";
import { Lab, missing } from "../kit/lab.ts";
import { closeMachines, type Machine, machinesMissing, openMachine, tunMissing } from "../kit/machine.ts";
import { PATIENCE_MS } from "../kit/patience.ts";
import { built, Program } from "../kit/program.ts";

setDefaultTimeout(3 * PATIENCE_MS);

const CHAT = "/usr/sbin/chat";
const OPTIONS = ["nodetach", "noauth", "local", "noipv6", "noccp"];
const UP = "remote IP address";

const here = machinesMissing() ?? tunMissing();
const chatMissing = here ?? (existsSync(CHAT) ? undefined : "chat is not installed (Debian package ppp)");
const labMissing = here ?? missing();
const on = (name: string, missing: string | undefined, play: () => Promise<void>): void =>
  test.skipIf(missing !== undefined)(missing === undefined ? name : `${name} [skipped: ${missing}]`, play);

let programs: Program[] = [];
let lab: Lab | undefined;
let cable: Cable | undefined;
afterEach(async () => {
  await Promise.all(programs.map((program) => program.stop()));
  programs = [];
  await lab?.stop();
  lab = undefined;
  await closeMachines();
  await cable?.close();
  cable = undefined;
});

function run(machine: Machine, ...words: readonly string[]): Program {
  const program = new Program(words, { machine });
  programs.push(program);
  return program;
}

/** Two machines with a cable whose ports have speeds. */
async function openBoth(): Promise<{ near: Machine; far: Machine }> {
  cable = await openCable({ baud: "ports" });
  const [near, far] = await Promise.all([
    openMachine("near", { ttys: { ttyS0: cable.a } }),
    openMachine("far", { ttys: { ttyS1: cable.b } }),
  ]);
  return { near, far };
}

function joins(machine: Machine, ...words: readonly string[]): Program {
  return run(machine, built(), "join", "ttyS0", ...words);
}

/** What it said that it sees. */
function seen(program: Program): string[] {
  return program.lines.map(({ text }) => text).filter((text) => /^(Heard (?!another)|The )/.test(text));
}

on("two ends that look for each other, started in either order, and they end well", here, async () => {
  const { near, far } = await openBoth();
  const server = [built("pppd"), "/dev/ttyS1", ...OPTIONS, "autodetect", "find-speed", "10.9.0.1:10.9.0.2"];
  // Measured: 0.7 s of at most 5, and 0.2 s of at most 1 where the speeds agree. A busy machine takes longer.
  const waiting = run(far, ...server, "19200");
  await waiting.waitFor("Waiting for a caller");
  const joining = joins(near);
  const began = await joining.waitFor("Looking for the other end");
  expect((await joining.waitFor(UP)).at - began.at).toBeLessThan(10_000);
  expect(seen(joining)).toEqual(["Heard PPP at 19200"]);
  joining.kill();
  expect([await joining.exit(), await waiting.exit()]).toEqual([5, 16]);
  const memories = await Promise.all([near, far].map((machine) => machine.run("cat", "/var/lib/nullmodem-speeds")));
  expect(memories.map(({ stdout }) => stdout)).toEqual(["%2Fdev%2FttyS0 19200\n", "%2Fdev%2FttyS1 19200\n"]);

  const earlier = joins(near);
  await earlier.waitFor("Looking for the other end of /dev/ttyS0 at 19200, 115200");
  const later = run(far, built(), "serve", "ttyS1");
  await Promise.all([later.waitFor("link up on ppp0: 192.168.0.1 here, 192.168.1.1 there"), earlier.waitFor(UP)]);
  for (const one of [earlier, later]) one.kill();
  expect([await earlier.exit(), await later.exit()]).toEqual([5, 5]);
});

on("the real pppd with the HOWTO's silent port, at a speed of its own", labMissing, async () => {
  cable = await openCable({ baud: "ports" });
  const near = await openMachine("near", { ttys: { ttyS0: cable.a } });
  lab = await Lab.run({ attach: cable.b });
  // The guest's port has the speed of its terminal here.
  const fd = openFd(cable.b, O.RDWR | O.NOCTTY | O.NONBLOCK);
  const termios = readTermios(fd);
  setSpeed(termios, 38400);
  writeTermios(fd, termios, "now");
  closeFd(fd);
  await lab.start("pppd /dev/ttyS1 38400 nodetach noauth local silent 192.168.0.1:192.168.1.2");
  await lab.waitFor("Connect:");
  const joining = joins(near);
  await joining.waitFor("remote IP address 192.168.0.1");
  expect(joining.text).toContain("local  IP address 192.168.1.2");
  expect(seen(joining)).toEqual(["Heard PPP at 38400"]);
});

on("Debian's chat plays a Windows that answers", chatMissing, async () => {
  const { near, far } = await openBoth();
  const connect = `exec ${CHAT} TIMEOUT 60 CLIENT 'CLIENTSERVER\\c'`;
  const windows = run(
    far,
    built("pppd"),
    "/dev/ttyS1",
    "57600",
    ...OPTIONS,
    "connect",
    connect,
    "silent",
    "10.9.0.1:10.9.0.2",
  );
  const joining = joins(near);
  await Promise.all([joining.waitFor(UP), windows.waitFor(UP)]);
  expect(seen(joining)).toEqual(["Heard Windows at 57600: it answers CLIENT with CLIENTSERVER"]);
});

on("Debian's chat plays a login prompt", chatMissing, async () => {
  const { near, far } = await openBoth();
  const script = [
    "TIMEOUT 60 '\\r' '\\r\\nfar login: \\c' 'zaphod\\r' 'Password: \\c' 'gargleBlaster\\r' '\\r\\nWelcome\\c'",
  ];
  const login = run(
    far,
    built("pppd"),
    "/dev/ttyS1",
    "9600",
    ...OPTIONS,
    "connect",
    `exec ${CHAT} ${script}`,
    "10.9.0.1:10.9.0.2",
  );
  await near.run("sh", "-c", "echo gargleBlaster >/run/password");
  const joining = joins(near, "--speed", "9600", "--user", "zaphod", "--password-file", "/run/password");
  await Promise.all([joining.waitFor(UP), login.waitFor(UP)]);
  expect(seen(joining).slice(-3)).toEqual([
    "Heard a login prompt at 9600; the user is zaphod",
    "The password is sent",
    "The login is done; PPP begins",
  ]);
  expect(joining.text).not.toContain("gargle");
});
