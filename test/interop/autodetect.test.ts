// A port with autodetect, and the callers it is for: Debian's chat as Windows and as a modem program, wvdial, a pppd that
// begins at once, and a pppd that comes by TCP.

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

const here = machinesMissing() ?? tunMissing();
const chatMissing = here ?? (existsSync(CHAT) ? undefined : "chat is not installed (Debian package ppp)");
const wvdialMissing = here ?? (Bun.which("wvdial") ? undefined : "wvdial is not installed (Debian package wvdial)");
const on = (name: string, missing: string | undefined, play: () => Promise<void>): void =>
  test.skipIf(missing !== undefined)(missing === undefined ? name : `${name} [skipped: ${missing}]`, play);

let programs: Program[] = [];
let cable: Cable | undefined;
afterEach(async () => {
  await Promise.all(programs.map((program) => program.stop()));
  programs = [];
  await closeMachines();
  await cable?.close();
  cable = undefined;
});

function run(machine: Machine, ...words: readonly string[]): Program {
  const program = new Program(words, { machine });
  programs.push(program);
  return program;
}

interface Scene {
  readonly server: Program;
  readonly caller: Machine;
}

/** A port with autodetect that waits, and a machine at the other end of its cable. */
async function openScene(files: Readonly<Record<string, string>> = {}): Promise<Scene> {
  cable = await openCable({ baud: 115200 });
  const [near, caller] = await Promise.all([
    openMachine("near", { ttys: { ttyS1: cable.a } }),
    openMachine("far", { ttys: { ttyS0: cable.b }, files }),
  ]);
  const server = run(near, built("pppd"), "/dev/ttyS1", "115200", ...OPTIONS, "autodetect", "10.0.0.1:10.0.0.2");
  await server.waitFor("Waiting for a caller on /dev/ttyS1");
  return { server, caller };
}

/** A caller with pppd: the link comes up, and ends in good order. */
async function calls(words: readonly string[], recognised: string): Promise<void> {
  const { server, caller } = await openScene();
  const client = run(caller, built("pppd"), "/dev/ttyS0", "115200", ...OPTIONS, ...words);
  await Promise.all([client.waitFor(UP), server.waitFor(UP)]);
  expect(server.text).toContain(`\n${recognised}\n`);
  client.kill();
  expect([await client.exit(), await server.exit()]).toEqual([5, 16]);
}

on("a pppd that begins PPP at once", here, () => calls([], "Recognised PPP"));

on("Debian's chat plays Windows: CLIENT, and waits for CLIENTSERVER", chatMissing, () =>
  calls(["connect", `exec ${CHAT} -v '' 'CLIENT\\c' CLIENTSERVER`], "Recognised Windows, which called CLIENT"),
);

on("Debian's chat prepares a modem and dials", chatMissing, () =>
  calls(
    [
      "connect",
      `exec ${CHAT} -v ABORT ERROR ABORT 'NO CARRIER' '' ATZ OK 'AT&F&C1&D2X4' OK ATDT777 'CONNECT 115200' '\\c'`,
    ],
    "Recognised a modem program, which dialled",
  ),
);

const WVDIAL = `[Dialer Defaults]
Modem = /dev/ttyS0
Baud = 115200
Phone = 777
Username = zaphod
Password = gargleBlaster
Carrier Check = no
Stupid Mode = yes
New PPPD = no
Auto Reconnect = no
PPPD Path = PPPD
PPPD Option = nodetach
`;

on("wvdial dials, and its pppd has the link", wvdialMissing, async () => {
  const { server, caller } = await openScene({
    "/etc/wvdial.conf": WVDIAL.replace("PPPD Path = PPPD", `PPPD Path = ${built("pppd")}`),
    "/etc/ppp/peers/wvdial": "noauth\nname wvdial\n",
    "/etc/ppp/options": "local\nnoipv6\n",
  });
  const wvdial = run(caller, "wvdial");
  // wvdial 1.61 may abort as soon as its pppd runs (an assertion about its own stack). The pppd goes on.
  await wvdial.waitFor(/Pid of pppd/);
  await server.waitFor(UP);
  expect(server.text).toContain("\nRecognised a modem program, which dialled\n");
  server.kill();
  expect(await server.exit()).toBe(5);
});

on("a caller by TCP dials, and is served on the loopback address without auth", chatMissing, async () => {
  const machine = await openMachine("near");
  await machine.run("ip", "link", "set", "lo", "up");
  const words = [...OPTIONS, "socket-listen", "127.0.0.1:5000", "autodetect", "10.0.0.1:10.0.0.2"];
  const server = run(machine, built("pppd"), ...words);
  await server.waitFor("Waiting for a call on 127.0.0.1:5000");
  const connect = `exec ${CHAT} '' 'ATDT5' CONNECT '\\c'`;
  const client = run(machine, built("pppd"), ...OPTIONS, "socket", "127.0.0.1:5000", "connect", connect);
  await Promise.all([client.waitFor(UP), server.waitFor(UP)]);
  expect(server.text).toContain("\nRecognised a modem program, which dialled\n");
  client.kill();
  expect([await client.exit(), await server.exit()]).toEqual([5, 16]);
  const refused = run(machine, built("pppd"), ...OPTIONS, "socket-listen", "5000", "autodetect");
  expect(await refused.exit()).toBe(2);
  await refused.waitFor("socket-listen 5000 needs auth");
});
