// Runs the virtual null-modem cable (scripts/cable.ts) as a separate process, so that it goes on while the test is
// busy.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WireStats } from "./wire.ts";

export interface CableOptions {
  /** Bits a second, 8N1. 0 or left out: without limit. "ports": as the programs at both ends set them. */
  readonly baud?: number | "ports";
  /** The probability that a bit flips, and that a byte is lost. */
  readonly ber?: number;
  readonly drop?: number;
  readonly seed?: number;
  /** With the ports' speeds: above this one, the cable damages what it carries. */
  readonly "clean-to"?: number;
}

export interface CableStats {
  readonly ab: WireStats;
  readonly ba: WireStats;
}

export interface Cable {
  /**
   * The two terminals, /dev/pts/N. The test need not hold them open. Octets that arrive while no program has one open
   * are lost.
   */
  readonly a: string;
  readonly b: string;
  cut(): Promise<void>;
  mend(): Promise<void>;
  /** The damage from now on. {} ends it. */
  damage(options: Pick<CableOptions, "ber" | "drop" | "seed">): Promise<void>;
  /** Hangs up this terminal for good. */
  hangUp(end: "a" | "b"): Promise<void>;
  stats(): Promise<CableStats>;
  close(): Promise<void>;
}

const SCRIPT = join(import.meta.dir, "../../scripts/cable.ts");

export async function openCable(options: CableOptions = {}): Promise<Cable> {
  const folder = mkdtempSync(join(tmpdir(), "nullmodem-cable-"));
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = Bun.spawn([process.execPath, SCRIPT, ...flags, join(folder, "a"), join(folder, "b")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const answers = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const answer = async (): Promise<string> => {
    while (!text.includes("\n")) {
      const { value, done } = await answers.read();
      if (done) throw new Error(`the cable ended with status ${await child.exited}`);
      text += value;
    }
    const end = text.indexOf("\n");
    const line = text.slice(0, end);
    text = text.slice(end + 1);
    return line;
  };
  // One command at a time: answers have no name.
  let last: Promise<unknown> = Promise.resolve();
  const ask = (command: string): Promise<string> => {
    const turn = last.then(async () => {
      child.stdin.write(`${command}\n`);
      await child.stdin.flush();
      const line = await answer();
      if (line.startsWith("error")) throw new Error(`cable: ${line}`);
      return line;
    });
    last = turn.catch(() => {});
    return turn;
  };

  const [word, a, b] = (await answer()).split(" ");
  if (word !== "ready" || a === undefined || b === undefined) throw new Error("the cable did not say ready");
  return {
    a,
    b,
    cut: async () => void (await ask("cut")),
    mend: async () => void (await ask("mend")),
    damage: async ({ ber = 0, drop = 0, seed = 1 }) => void (await ask(`damage ${ber} ${drop} ${seed}`)),
    hangUp: async (end) => void (await ask(`hangup ${end}`)),
    stats: async () => JSON.parse(await ask("stats")) as CableStats,
    close: async () => {
      child.stdin.end();
      await child.exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
