// Our chat and Debian's 2.4.9, each on a pty with the same far end: same bytes, exit code, messages and file.

import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { USAGE } from "../../src/chat/command.ts";
import { IFLAG } from "../../src/os/serial/termios.ts";
import { play, type Scene, type Seen } from "../kit/far-end.ts";
import { SCENES, type Compared } from "./chat-scenes.ts";

const REAL = "/usr/sbin/chat";
const OURS = [process.execPath, join(import.meta.dir, "../kit/chat-main.ts")];
const skipped = existsSync(REAL) ? "" : ` [skipped: no ${REAL}, install Debian's ppp]`;

/** The number of pairs at a time. They mostly wait. */
const AT_ONCE = 6;

/** Everything that must be equal, with dates and the program's name masked. */
function comparable({ sent, code, stderr, report, before, during, after }: Seen, compared: Compared) {
  const settled = after === undefined ? "hung up" : JSON.stringify(after) === JSON.stringify(before);
  return {
    sent: compared === "not the count" ? sent.replace(/(y)y+/g, "$1…") : sent,
    code,
    stderr: masked(stderr, compared),
    report: report === undefined ? undefined : masked(report, compared),
    // Our chat keeps the eighth bit for the program that reads next.
    during: during.map((settings) => ({ ...settings, iflag: settings.iflag | IFLAG.ISTRIP })),
    settled,
  };
}

function masked(text: string, compared: Compared): string {
  const usual = text
    .replace(/(?<=^chat: {2})[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d /gm, "DATE ")
    .replace(`Usage: ${REAL} `, USAGE.slice(0, "Usage: chat ".length));
  // On a busy machine the real chat may look at its write before it sees the alarm.
  if (compared === "not the count") return usual.replace("-- write failed: Success", "-- write timed out");
  // When a pty hangs up, a read that waits fails, and a later read finds the end of the file.
  return compared === "hangup" ? usual.replaceAll("warning: read() on stdin returned 0\n", "") : usual;
}

let running = 0;
const queue: (() => void)[] = [];

async function inTurn<T>(run: () => Promise<T>): Promise<T> {
  if (running >= AT_ONCE) await new Promise<void>((resolve) => queue.push(resolve));
  running++;
  try {
    return await run();
  } finally {
    running--;
    queue.shift()?.();
  }
}

const both = (scene: Scene) => inTurn(() => Promise.all([play([REAL], scene), play(OURS, scene)]));

for (const { name, compared = "all", ...scene } of SCENES) {
  test.concurrent.skipIf(skipped !== "")(`${name}${skipped}`, async () => {
    const [real, ours] = await both(scene);
    expect(real.code).not.toBeNull();
    expect(comparable(ours, compared)).toEqual(comparable(real, compared));
    // test/chat tests the time of a script, in simulated time.
  });
}

describe.skipIf(skipped !== "")(`what ours does otherwise, on purpose${skipped}`, () => {
  test.concurrent("usage leaves the line as it was", async () => {
    const [real, ours] = await both({ argv: ["-f", "%FILE%", "word"], file: "'' x" });
    expect([real.code, ours.code]).toEqual([1, 1]);
    expect(real.after).not.toEqual(real.before);
    expect(ours.after).toEqual(ours.before);
  });

  test.concurrent("what follows the last match keeps its eighth bit", async () => {
    const scene = { argv: ["-t", "3", "", "a", "OK"], far: [{ on: "a\r", look: true as const, say: "OK" }] };
    const [real, ours] = await both(scene);
    const strips = ({ during }: Seen) => during.map(({ iflag }) => (iflag & IFLAG.ISTRIP) !== 0);
    expect([strips(real), strips(ours)]).toEqual([[true], [false]]);
  });

  test.concurrent("a report line beyond 256 bytes", async () => {
    const text = `AB${"z".repeat(500)}`;
    const [real, ours] = await both({
      argv: ["-t", "3", "REPORT", "AB", "OK"],
      far: [{ on: "", say: `${text}\nOK` }],
    });
    expect(real.code).toBeNull();
    expect(ours.code).toBe(0);
    expect(ours.stderr).toEndWith(` ${text}\n`);
  });

  test.concurrent("a signal while the report line is awaited loses neither the line nor the settings", async () => {
    const [real, ours] = await both({
      argv: ["-s", "-t", "3", "REPORT", "CONN", "OK", "x"],
      far: [
        { on: "", say: "CONN 1 OK" },
        { on: "x\r", afterMs: 100, signal: "SIGTERM" },
      ],
    });
    expect([real.code, ours.code]).toEqual([2, 2]);
    expect(real.stderr).toBe("SIGTERM\n");
    expect(ours.stderr).toMatch(/^SIGTERM\nchat: {2}.* CONN 1 OK\n$/);
    expect(ours.after).toEqual(ours.before);
  });

  test.concurrent("-E may make a word longer than it was", async () => {
    const scene = { argv: ["-s", "-t", "3", "-E", "ABORT", "$A", "OK"], env: { A: "BUSY LINE" } };
    const [real, ours] = await both({ ...scene, far: [{ on: "", say: "BUSY LINE" }] });
    expect([real.code, real.stderr]).toEqual([1, "Illegal or too-long ABORT string ('$A')\n"]);
    expect([ours.code, ours.stderr]).toEqual([4, "Failed (BUSY LINE)\n"]);
  });

  test.concurrent("a folder is no script", async () => {
    const [real, ours] = await both({ argv: ["-s", "-f", "/"] });
    expect([real.code, real.stderr]).toEqual([0, ""]);
    expect([ours.code, ours.stderr]).toEqual([1, "/ -- read error\n"]);
    const [realAt, oursAt] = await both({ argv: ["-s", "", "@/"] });
    expect([realAt.code, realAt.sent]).toEqual([0, "\r"]);
    expect([oursAt.code, oursAt.sent, oursAt.stderr]).toEqual([1, "", "/ -- read error\n"]);
  });

  test.concurrent("pipes will do", () => {
    const run = (program: readonly string[]) =>
      Bun.spawnSync(["/bin/sh", "-c", `printf OK | ${program.join(" ")} -s OK ATDT`], { stderr: "pipe" });
    const [real, ours] = [run([REAL]), run(OURS)];
    expect(real.exitCode).toBe(2);
    expect(real.stderr.toString()).toStartWith("Can't get terminal parameters: ");
    expect([ours.exitCode, ours.stdout.toString(), ours.stderr.toString()]).toEqual([0, "ATDT\r", ""]);
  });
});

test.skipIf(skipped !== "")(`stdin that is no line${skipped}`, () => {
  for (const redirection of ["</dev/null", "</etc/passwd", "</dev/zero"]) {
    for (const flags of ["", "-s", "-s -f /nonexistent"]) {
      const run = (program: readonly string[]) => {
        const command = `exec ${program.join(" ")} ${flags} ${redirection}`;
        const { exitCode, stderr } = Bun.spawnSync(["/bin/sh", "-c", command], { stderr: "pipe" });
        return { exitCode, stderr: stderr.toString() };
      };
      const real = run([REAL]);
      expect(real.exitCode).toBe(2);
      expect(run(OURS)).toEqual(real);
    }
  }
});
