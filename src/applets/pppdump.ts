// pppdump(8): shows what a `record` file holds.

import { readFileSync } from "node:fs";
import { strerror } from "../os/libc.ts";
import { print } from "../os/print.ts";
import { Dump, type DumpOptions } from "../record/dump.ts";
import { readRecord } from "../record/pppdump-file.ts";

const USAGE = "Usage: pppdump [-h | -p[d]] [-r] [-m mru] [-a] [file ...]";
const DEFAULT_MRU = 1500;
/** Text is written out when so much of it has gathered. */
const CHUNK = 1 << 16;

interface Command {
  options: DumpOptions;
  decompress: boolean;
  files: string[];
}

/** Runs pppdump with the arguments after its name; the exit code. */
export async function pppdump(argv: readonly string[], say: (text: string) => void = print): Promise<number> {
  const command = parseArguments(argv);
  if (typeof command === "string") {
    console.error(`pppdump: ${command}\n${USAGE}`);
    return 1;
  }
  if (command.decompress && command.options.view === "packets")
    console.error("pppdump: -d does nothing yet: compressed packets are shown as they are");
  const dump = new Dump(command.options);
  // No name: standard input.
  for (const name of command.files.length > 0 ? command.files : [undefined]) {
    let file: Uint8Array;
    try {
      file = name === undefined ? await Bun.stdin.bytes() : readFileSync(name);
    } catch (error) {
      console.error(`${name ?? "stdin"}: ${reason(error)}`);
      return 1;
    }
    if (!(await show(dump, file, say))) return 1;
  }
  return 0;
}

/** False when nobody reads our output any more. */
async function show(dump: Dump, file: Uint8Array, say: (text: string) => void): Promise<boolean> {
  let text = "";
  try {
    for (const item of readRecord(file)) {
      text += dump.item(item);
      if (text.length < CHUNK) continue;
      say(text);
      text = "";
    }
    say(text);
    return true;
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error) || error.code !== "EPIPE") throw error;
    return false;
  }
}

function reason(error: unknown): string {
  const number = error instanceof Error && "errno" in error ? Number(error.errno) : 0;
  return number === 0 ? String(error) : strerror(Math.abs(number));
}

/** The command, or what is wrong with it, as getopt(3) says it. */
function parseArguments(argv: readonly string[]): Command | string {
  const options: DumpOptions = {
    view: "text",
    reverse: false,
    absolute: false,
    mru: DEFAULT_MRU,
    dateText,
    clockText,
  };
  const command: Command = { options, decompress: false, files: [] };
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index]!;
    if (word === "--") {
      command.files.push(...argv.slice(index + 1));
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      command.files.push(word);
      continue;
    }
    for (let at = 1; at < word.length; at++) {
      const flag = word[at]!;
      if (flag === "m") {
        // The number is the rest of the word, or the next word.
        const number = word.slice(at + 1) || argv[++index];
        if (number === undefined) return "option requires an argument -- 'm'";
        options.mru = parseInt(number, 10) || 0;
        break;
      }
      if (!setFlag(command, flag)) return `invalid option -- '${flag}'`;
    }
  }
  return command;
}

function setFlag(command: Command, flag: string): boolean {
  const { options } = command;
  switch (flag) {
    case "h":
      // -p outdoes -h, whichever comes first.
      if (options.view === "text") options.view = "hex";
      return true;
    case "p":
      options.view = "packets";
      return true;
    case "d":
      command.decompress = true;
      return true;
    case "r":
      options.reverse = true;
      return true;
    case "a":
      options.absolute = true;
      return true;
    default:
      return false;
  }
}

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function dateText(seconds: number): string {
  const date = new Date(seconds * 1000);
  const day = `${date.getDate()}`.padStart(2, " ");
  return `${DAYS[date.getDay()]} ${MONTHS[date.getMonth()]} ${day} ${clockText(seconds)} ${date.getFullYear()}`;
}

function clockText(seconds: number): string {
  const date = new Date(seconds * 1000);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((n) => `${n}`.padStart(2, "0")).join(":");
}
