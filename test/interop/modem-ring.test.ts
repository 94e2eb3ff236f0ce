// A port with modem-ring calls the real mgetty, which takes it for a modem: it prepares it, answers RING with ATA, and starts
// pppd for the caller.

import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync } from "node:fs";
import { type Cable, openCable } from "../kit/cable.ts";
import { closeMachines, type Machine, machinesMissing, openMachine, tunMissing } from "../kit/machine.ts";
import { PATIENCE_MS } from "../kit/patience.ts";
import { built, Program } from "../kit/program.ts";

setDefaultTimeout(2 * PATIENCE_MS);

const OPTIONS = "noauth\nlocal\nnoipv6\nnoccp\n10.0.0.1:10.0.0.2\n";
const CONFIG = `port ttyS1
  speed 115200
  data-only y
  modem-type data
  toggle-dtr n
  ignore-carrier y
  init-chat "" ATZ OK
  rings 1
`;

let programs: Program[] = [];
let cable: Cable | undefined;
afterEach(async () => {
  await Promise.all(programs.map((program) => program.stop()));
  programs = [];
  await closeMachines();
  await cable?.close();
  cable = undefined;
});

const mgetty = Bun.which("mgetty", { PATH: `${process.env["PATH"]}:/usr/sbin` });
const root = process.getuid?.() === 0 ? undefined : "needs root, for mgetty";
const why =
  root ?? machinesMissing() ?? tunMissing() ?? (mgetty ? undefined : "mgetty is not installed (Debian package mgetty)");

test.skipIf(why !== undefined)(`mgetty answers RING${why === undefined ? "" : ` [skipped: ${why}]`}`, async () => {
  cable = await openCable({ baud: 115200 });
  const files = {
    "/etc/ppp/options": "",
    "/etc/ppp/options.call": OPTIONS,
    "/etc/mgetty/mgetty.config": CONFIG,
    "/etc/mgetty/login.config": `/AutoPPP/ - a_ppp ${built("pppd")} file /etc/ppp/options.call\n* - - /bin/login @\n`,
    "/var/log/mgetty/README": "",
  };
  const [near, far] = await Promise.all([
    openMachine("near", { ttys: { ttyS1: cable.a }, files }),
    openMachine("far", { ttys: { ttyS0: cable.b } }),
  ]);
  chmodSync(near.path("/etc/mgetty/login.config"), 0o600);
  const run = (machine: Machine, ...words: readonly string[]): Program => {
    const program = new Program(words, { machine });
    programs.push(program);
    return program;
  };
  const words = ["/dev/ttyS0", "115200", "nodetach", "noauth", "local", "noipv6", "noccp"];
  const client = run(far, built("pppd"), ...words, "autodetect", "modem", "modem-ring");
  await client.waitFor("Waiting for a caller");
  const getty = run(near, mgetty!, "ttyS1");
  await client.waitFor("Recognised a modem program, which answered");
  await client.waitFor("remote IP address 10.0.0.1");
  client.kill();
  expect(await client.exit()).toBe(5);
  await getty.exit();
});
