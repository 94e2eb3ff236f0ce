// The output of a guest as lines with times. A test waits for a line with certain text.

import { PATIENCE_MS } from "../patience.ts";
import type { Line } from "../program.ts";

export class Journal {
  readonly lines: Line[] = [];
  readonly #startedAt = performance.now();
  #ended: string | undefined;
  #wake: () => void = () => {};
  #changed = new Promise<void>((resolve) => (this.#wake = resolve));

  /** Adds "[seconds] text". */
  say(text: string, stream: Line["stream"] = "err"): void {
    const at = performance.now() - this.#startedAt;
    this.lines.push({ at, stream, text: `[${(at / 1000).toFixed(3).padStart(8)}] ${text}` });
    this.#tell();
  }

  /** The output has ended, for this reason. */
  end(why: string): void {
    this.#ended ??= why;
    this.#tell();
  }

  get text(): string {
    return this.lines.map(({ text }) => `${text}\n`).join("");
  }

  /** The first matching line, past or within the time. With `after`, only later lines count. */
  async waitFor(pattern: RegExp | string, limits: { within?: number; after?: Line } = {}): Promise<Line> {
    const { within = PATIENCE_MS, after } = limits;
    const deadline = performance.now() + within;
    let from = after === undefined ? 0 : this.lines.indexOf(after) + 1;
    for (;;) {
      for (; from < this.lines.length; from++) {
        const line = this.lines[from]!;
        if (typeof pattern === "string" ? line.text.includes(pattern) : pattern.test(line.text)) return line;
      }
      const left = deadline - performance.now();
      if (this.#ended !== undefined || left <= 0)
        throw new Error(`no line ${pattern}: ${this.#ended ?? `not within ${within} ms`}; it said:\n${this.text}`);
      await Promise.race([this.#changed, Bun.sleep(left)]);
    }
  }

  #tell(): void {
    const wake = this.#wake;
    this.#changed = new Promise((resolve) => (this.#wake = resolve));
    wake();
  }
}
