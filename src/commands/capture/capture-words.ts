// The words of `nullmodem capture`.

import { defineCommand } from "citty";
import { sizeOf } from "../../options/table/files-rows.ts";
import type { Captured } from "../../run/live/capture-wish.ts";
import { usageText } from "../usage-text.ts";

export const CAPTURE_COMMAND = defineCommand({
  meta: { name: "nullmodem capture", description: "Show the packets of a running link to Wireshark, as pcapng" },
  args: {
    link: {
      type: "positional",
      description: "an interface (ppp0), a linkname or a device (ttyS0)",
      required: true,
    },
    decompressed: { type: "boolean", description: "data as the interface has it, without compression" },
    both: {
      type: "boolean",
      description: "both, as two interfaces",
    },
    since: { type: "string", description: "first what is still kept of this time: 30s, 5m", valueHint: "TIME" },
    file: { type: "string", description: "write to a file, and not to standard output", valueHint: "FILE" },
    rotate: { type: "string", description: "begin another file at this size: 10M", valueHint: "SIZE" },
    keep: { type: "string", description: "keep so many files: FILE, FILE.1 and so on (default 5)", valueHint: "N" },
  },
});

const AFTER = `  nullmodem capture ppp0 | wireshark -k -i -
  nullmodem capture ppp0 | tshark -r -

It goes on over all attempts of the session. Passwords of PAP are stars, unless the
link has the option show-password. Of what is kept for --since, control packets are
whole, and IP packets have their headers only.

Exit codes: 0 when the session has ended, 1 when there is no such link or the file
cannot be written, 2 for wrong words.
`;

export async function captureUsage(): Promise<string> {
  return await usageText(CAPTURE_COMMAND, AFTER);
}

export interface CaptureWords {
  readonly link: string;
  readonly packets: Captured;
  /** Seconds. */
  readonly since: number;
  /** Undefined: standard output. */
  readonly file: string | undefined;
  /** Infinity: the file is never too large. */
  readonly size: number;
  readonly keep: number;
}

const MOST_FILES = 1000;
const SMALLEST = 1024;
const KEPT_FILES = 5;
const UNITS: Readonly<Record<string, number>> = { "": 1, s: 1, m: 60, h: 3600 };
const LONGEST_SECONDS = 999_999_999;

/** A text is what is wrong with the words; "" means that help is asked for. */
export function captureWords(argv: readonly string[]): CaptureWords | string {
  const links: string[] = [];
  const values = new Map<string, string>();
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!;
    if (word === "--help" || word === "-h") return "";
    if (!word.startsWith("-")) {
      links.push(word);
      continue;
    }
    const [, name = "", given] = /^--([a-z]+)(?:=(.*))?$/.exec(word) ?? [];
    const isFlag = name === "decompressed" || name === "both";
    if (!(name in CAPTURE_COMMAND.args!) || name === "link" || (isFlag && given !== undefined))
      return `there is no option ${JSON.stringify(word)}`;
    const value = isFlag ? name : (given ?? argv[++at]);
    if (value === undefined || value === "") return `--${name} needs a value`;
    values.set(name, value);
  }
  const [link, ...others] = links;
  if (link === undefined) return "which link? See nullmodem ctl";
  if (others.length > 0) return "capture takes one link at a time; the lines of a bundle are one link";
  return wordsOf(link, values);
}

function wordsOf(link: string, values: ReadonlyMap<string, string>): CaptureWords | string {
  const isBoth = values.has("both");
  if (isBoth && values.has("decompressed")) return "--both has the packets of --decompressed too";
  const since = secondsOf(values.get("since") ?? "0");
  if (since === undefined) return `--since takes a time such as 30s or 5m, not ${JSON.stringify(values.get("since"))}`;
  const file = values.get("file");
  const [rotate, kept] = [values.get("rotate"), values.get("keep")];
  if (file === undefined && (rotate !== undefined || kept !== undefined)) return "--rotate and --keep go with --file";
  const size = rotate === undefined ? Infinity : sizeOf(rotate);
  if (size === undefined || size < SMALLEST) return `--rotate takes a size such as 10M, not ${JSON.stringify(rotate)}`;
  if (kept !== undefined && rotate === undefined) return "--keep goes with --rotate";
  const keep = Number(kept ?? KEPT_FILES);
  if (!Number.isInteger(keep) || keep < 1 || keep > MOST_FILES)
    return `--keep takes a number from 1 to ${MOST_FILES}, not ${JSON.stringify(kept)}`;
  const packets = isBoth ? "both" : values.has("decompressed") ? "decompressed" : "line";
  return { link, packets, since, file, size, keep };
}

/** "30s", "5m", "1h" or a number of seconds. */
function secondsOf(text: string): number | undefined {
  const [, number, unit = ""] = /^(\d{1,9})([smh]?)$/.exec(text) ?? [];
  return number === undefined ? undefined : Math.min(Number(number) * UNITS[unit]!, LONGEST_SECONDS);
}
