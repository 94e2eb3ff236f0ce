// Two things beside the link of a session: the file of echo times, and the time of the next call.

import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { u32 } from "../../src/bytes/be.ts";
import { closeMachines, openMachine } from "../kit/machine.ts";
import { PATIENCE_MS } from "../kit/patience.ts";
import { Program } from "../kit/program.ts";
import { missing, pppdPath, Scene, titled, until } from "./scene.ts";

setDefaultTimeout(2 * PATIENCE_MS);
const on = (name: string, play: () => Promise<void>): void => test.skipIf(missing !== undefined)(titled(name), play);

let end: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(end.map((one) => one()));
  end = [];
  await closeMachines();
});

on("lcp-rtt-file is written while the link is up, and says when it is down", async () => {
  const scene = await Scene.open();
  end.push(() => scene.close());
  scene.far.answer();
  const pppd = scene.pppd(["10.0.0.1:10.0.0.2", "lcp-echo-interval", "1", "lcp-rtt-file", "/run/rtt"]);
  const path = scene.machine.path("/run/rtt");
  const word = (at: number): number => u32(readFileSync(path), 4 * at);
  await until("two echoes are in the file", () => existsSync(path) && word(2) >= 4);
  const [magic, status, , interval] = [0, 1, 2, 3].map(word);
  expect([magic, status, interval]).toEqual([0x19450425, 1, 1]);
  // The first element is the second: its time, the number of echoes lost before it, and microseconds.
  expect(Math.abs(word(6) - Date.now() / 1000)).toBeLessThan(PATIENCE_MS / 1000);
  expect(word(7) & 0xffffff).toBeWithin(1, 0xffffff);
  const first = [word(6), word(7)];
  pppd.kill();
  expect(await pppd.exit()).toBe(5);
  expect([word(0), word(1), word(6), word(7)]).toEqual([0x19450425, 0, ...first]);
});

// The link's program is another pppd on standard input and output. Each time its pid is in /run/inner.
const INNER = `echo $$ >/run/inner; exec "$0" notty logfd 2 noauth noipv6 noccp lcp-restart 1`;
const OUTER = ["noauth", "nodetach", "noipv6", "noccp", "lcp-restart", "1", "persist", "holdoff", "1000000"];

on("after a hang-up the next call does not wait for holdoff", async () => {
  const machine = await openMachine("session");
  const words = ["10.0.0.1:10.0.0.2", "pty", INNER.replace("$0", pppdPath())];
  const pppd = new Program([pppdPath(), ...OUTER, ...words], { machine });
  end.push(() => pppd.stop());
  let up = await pppd.waitFor("remote IP address");
  for (let times = 0; times < 2; times++) {
    process.kill(Number(readFileSync(machine.path("/run/inner"), "utf8")), "SIGKILL");
    const hangup = await pppd.waitFor("Modem hangup", { after: up });
    up = await pppd.waitFor("remote IP address", { after: hangup });
  }
  pppd.kill();
  expect(await pppd.exit()).toBe(5);
});
