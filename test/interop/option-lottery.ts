// Random option files and command lines: words of the recorded cases in other combinations, orders and spellings, on
// the command line and in options, options.ttyS0, ~/.ppprc, peers and `file`, for root and for an ordinary user.

import type { OptionCase } from "../../scripts/option-cases.ts";
import type { RecordedCase } from "../../scripts/record-options.ts";
import type { Rng } from "../kit/rng.ts";
import { differenceOf } from "./option-differences.ts";

/** An option and its argument, one char a byte. */
type Phrase = readonly string[];

/** The recorded cases begin with the device, dump and dryrun. */
const FIXED_WORDS = 3;
const ADDRESSES: readonly Phrase[] = [
  ["10.0.0.1:10.0.0.2"],
  ["10.9.9.9:"],
  [":arthur"],
  ["115200"],
  ["9600"],
  ["/dev/ttyS0"],
];
/** demand needs link-local addresses when IPv6 is on, and -all changes how a dump shows earlier options. */
const ALONE_ONLY = new Set(["demand", "-all"]);
const SECRETS = ["* * x *\n", "# none\n", 'zaphod * x 10.0.0.1\n* ford "y z" *\n', '"" * x *\n'];

const isDump = ({ stdout }: RecordedCase): boolean => stdout.startsWith("pppd options in effect:");

export class Lottery {
  readonly #good: readonly Phrase[];
  readonly #bad: readonly Phrase[];
  readonly #rng: Rng;

  /**
   * Draws from the recorded cases of single options, except those that differ on purpose and the words in `without`.
   */
  constructor(recorded: readonly RecordedCase[], rng: Rng, without: readonly RegExp[] = []) {
    const single = recorded.filter(
      (one) => one.name.startsWith(one.args[FIXED_WORDS] ?? "\n") && one.files === undefined && one.args[0] === "ttyS0",
    );
    const alike = single.filter(
      (one) => differenceOf(one) === undefined && !ALONE_ONLY.has(one.args[FIXED_WORDS] ?? ""),
    );
    const phrases = (of: readonly RecordedCase[]): Phrase[] =>
      of
        .map(({ args }) => args.slice(FIXED_WORDS))
        .filter((phrase) => !without.some((words) => words.test(phrase.join(" "))));
    this.#good = [...phrases(alike.filter(isDump)), ...ADDRESSES];
    this.#bad = phrases(alike.filter((one) => !isDump(one)));
    this.#rng = rng;
  }

  draw(number: number): OptionCase {
    const rng = this.#rng;
    const user = rng.chance(0.25);
    const home = user ? "/home/zaphod" : "/root";
    const args = ["ttyS0", "dump", "dryrun", ...this.#phrases(5).flat()];
    const files: Record<string, string> = {};
    const maybe = (path: string, chance: number, most: number): void => {
      if (rng.chance(chance)) files[path] = this.#file(this.#phrases(most));
    };
    maybe("options", 0.7, 6);
    maybe("options.ttyS0", 0.5, 4);
    maybe(`${home}/.ppprc`, 0.3, 3);
    maybe("/tmp/more", 0.3, 4);
    maybe("peers/kit", 0.3, 5);
    if (files["/tmp/more"] !== undefined) this.#insert(args, ["file", "/tmp/more"]);
    if (files["peers/kit"] !== undefined) this.#insert(args, ["call", "kit"]);
    for (const name of ["pap-secrets", "chap-secrets"]) if (rng.chance(0.5)) files[name] = rng.pick(SECRETS);
    return { name: `drawn ${number}`, args, files, ...(user ? { user } : {}) };
  }

  /** Most are valid, because an error ends the reading. */
  #phrases(most: number): Phrase[] {
    const rng = this.#rng;
    return Array.from({ length: rng.below(most + 1) }, () => rng.pick(rng.chance(0.02) ? this.#bad : this.#good));
  }

  /** A phrase that is put into the command line would have to know where others begin. So it is put at an end. */
  #insert(args: string[], phrase: Phrase): void {
    args.splice(this.#rng.chance(0.5) ? FIXED_WORDS : args.length, 0, ...phrase);
  }

  #file(phrases: readonly Phrase[]): string {
    const rng = this.#rng;
    const parts = phrases.map((phrase) => {
      const words = phrase.map((word) => this.#spelt(word));
      const between = rng.pick([" ", " ", "\t", "\n", "  # why\n", " \\\n "]);
      return `${rng.pick(["", "", " ", "# a comment 'with a quote\n", "\n"])}${words.join(between)}`;
    });
    return parts.join(rng.pick(["\n", "\n", " ", "\r\n", "\n\n"])) + rng.pick(["\n", "\n", "", " # end"]);
  }

  /** The same word in one of the spellings that a file permits. */
  #spelt(word: string): string {
    const rng = this.#rng;
    const ways = [
      () => `"${word.replace(/["\\]/g, "\\$&")}"`,
      () => `'${word.replace(/['\\]/g, "\\$&")}'`,
      () => [...word].map((char) => (rng.chance(0.2) ? this.#escaped(char) : this.#plain(char))).join(""),
    ];
    const needsQuotes = word === "" || /[\s"'#\\]/.test(word);
    return rng.chance(0.3) || needsQuotes ? rng.pick(word === "" ? ways.slice(0, 2) : ways)() : word;
  }

  #plain(char: string): string {
    return /[\s"'#\\]/.test(char) ? (char === "\n" ? "\\n" : `\\${char}`) : char;
  }

  /** In octal, which following characters do not affect. */
  #escaped(char: string): string {
    return `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`;
  }
}
