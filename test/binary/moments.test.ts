// SIGTERM at every moment of the first second: pppd ends, and so does every program that it has started.

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { type Machine, openMachine } from "../kit/machine.ts";
import { PATIENCE_MS } from "../kit/patience.ts";
import { Program } from "../kit/program.ts";
import { missing, pppdPath, titled, until } from "./scene.ts";

setDefaultTimeout(6 * PATIENCE_MS);
const on = (name: string, play: () => Promise<void>): void => test.skipIf(missing !== undefined)(titled(name), play);

/** test/simulation/endings.test.ts has more of them. Here the family of each script counts. */
const MOMENTS = 100;
const AT_ONCE = 10;

let machine: Machine | undefined;
afterAll(() => machine?.close());

const hook = (name: string): readonly [string, string] => [
  `/etc/ppp/${name}`,
  "#!/bin/sh\nPATH=/usr/bin:/bin; sleep 0.1\n",
];

/** A script that writes its pid to a file. */
const WORDS: readonly ((nth: string) => string[])[] = [
  (nth) => ["nodetach", "silent", "pty", `sleep ${nth}; :`],
  (nth) => ["updetach", "silent", "pty", `sleep ${nth}; :`],
  (nth) => ["nodetach", "pty", `exec sleep ${nth}`, "connect", `sleep ${nth}; sleep ${nth}`],
  (nth) => ["updetach", "pty", `exec sleep ${nth}`, "connect", `sh -c 'sleep ${nth}; :'; :`],
  (nth) => ["nodetach", "persist", "pty", `exec sleep ${nth}`, "init", `sleep ${nth}; :`],
];

async function endedAt(where: Machine, moment: number): Promise<number> {
  const words = WORDS[moment % WORDS.length]!(`1000.${moment}`);
  const program = new Program([pppdPath(), "noauth", "child-timeout", "1", ...words], { machine: where });
  await Bun.sleep((moment * 1000) / MOMENTS);
  program.kill("SIGTERM");
  return program.exit(PATIENCE_MS);
}

on("a signal at any moment of the first second ends pppd with all that it has started", async () => {
  const where = (machine = await openMachine("moments", { files: Object.fromEntries([hook("net-init")]) }));
  const codes = new Map<number, number>();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < MOMENTS) {
      // The moments, in an order that mixes short and long ones.
      const moment = (next++ * 7) % MOMENTS;
      const code = await endedAt(where, moment);
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  // 8 and 18: the signal ended the connect or the init script. Before pppd has its handlers, the signal itself ends it
  // (143), and no script runs yet.
  expect([...codes.keys()].filter((code) => ![5, 8, 18, 143].includes(code))).toEqual([]);
  await until("all are gone", () => where.processes().length === 0).catch(() => {});
  expect(where.processes().map(({ command }) => command)).toEqual([]);
});

for (const [signal, words, code] of [
  ["SIGTERM", [], 5],
  ["SIGHUP", [], 5],
  ["SIGHUP", ["persist", "maxfail", "1"], 5],
] as const)
  on(
    `a script that takes no notice of ${[signal, ...words].join(" ")} is the last one: none is started after it`,
    async () => {
      const where = (machine ??= await openMachine("moments"));
      const deaf = "trap '' TERM HUP; echo deaf >&2; until [ -e /run/go ]; do sleep 0.05; done; rm /run/go";
      const scripts = ["init", deaf, "connect", "echo connects >&2; sleep 1000"];
      const program = new Program([pppdPath(), "noauth", "nodetach", "pty", "exec sleep 1000", ...scripts, ...words], {
        machine: where,
      });
      await program.waitFor("deaf");
      program.kill(signal);
      await program.waitFor(signal === "SIGTERM" ? "Terminating on signal 15" : "Hangup (SIGHUP)");
      await Bun.write(where.path("/run/go"), "");
      expect(await program.exit(PATIENCE_MS)).toBe(code);
      expect(program.text).not.toContain("connects");
    },
  );
