// pppdump(8): shows the content of a `record` file. With an option of our own, converts it to a capture for Wireshark.

import { readFileSync } from "node:fs";
import { closeFd, hasCode, libc, Memory, O, openFd, OsError, reasonOf } from "../os/ffi/libc.ts";
import { print } from "../os/log/print.ts";
import { Capture } from "../record/capture.ts";
import { Dump, type DumpOptions } from "../record/record-dump.ts";
import { readRecord, type RecordItem } from "../record/pppdump-file.ts";

/** The real program's usage, letter for letter. Our option `--pcapng` is not in it. */
const USAGE = "Usage: pppdump [-h | -p[d]] [-r] [-m mru] [-a] [file ...]";
const DEFAULT_MRU = 1500;
/** Output is written in pieces of this size. */
const CHUNK = 1 << 16;

interface Command {
  options: DumpOptions;
  /** The file for the capture; "-": standard output. */
  capture: string | undefined;
  files: string[];
}

/** Runs pppdump with the arguments after its name. Returns the exit code. */
export async function pppdump(argv: readonly string[], say: (text: string) => void = print): Promise<number> {
  const command = parseArguments(argv);
  if (typeof command === "string") {
    console.error(`pppdump: ${command}\n${USAGE}`);
    return 1;
  }
  if (command.capture !== undefined) return await makeCapture(command, command.capture);
  const dump = new Dump(command.options);
  let text = "";
  const write = (item: RecordItem): void => {
    text += dump.item(item);
    if (text.length < CHUNK) return;
    say(text);
    text = "";
  };
  const end = (): void => {
    say(text);
    text = "";
  };
  return await eachFile(command.files, write, end);
}

async function makeCapture({ options, files }: Command, path: string): Promise<number> {
  const capture = new Capture(options);
  let fd = -1;
  try {
    if (path !== "-") fd = openFd(path, O.WRONLY | O.CREAT | O_TRUNC, 0o666);
    const put = fd < 0 ? print : (bytes: Uint8Array): void => writeAll(fd, bytes, path);
    put(capture.header());
    const { counts } = capture;
    const write = (item: RecordItem): void => {
      const blocks = capture.item(item);
      if (blocks.length > 0) put(Buffer.concat(blocks));
    };
    const code = await eachFile(files, write, () => {});
    if (counts.nonsense > 0)
      console.error(
        `pppdump: ${plural(counts.nonsense, "octet")} that ${counts.nonsense === 1 ? "is" : "are"} no record`,
      );
    if (counts.cut > 0) console.error("pppdump: the record ends in the middle of an item");
    if (counts.badFrames > 0) console.error(`pppdump: ${plural(counts.badFrames, "bad frame")} left out`);
    if (code === 0 && counts.packets === 0) console.error("pppdump: no packets in it");
    return code;
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
    if (error.code !== "EPIPE") console.error(`${path}: ${reasonOf(error)}`);
    return 1;
  } finally {
    if (fd >= 0) closeFd(fd);
  }
}

const O_TRUNC = 0o1000;

function writeAll(fd: number, bytes: Uint8Array, path: string): void {
  const memory = new Memory(bytes.length + 1);
  memory.bytes.set(bytes);
  for (let at = 0; at < bytes.length;) {
    const put = libc.write(fd, memory.at(at), bytes.length - at);
    if (put < 0) throw new OsError("write", path);
    at += put;
  }
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

/**
 * Passes all items of the files, or of standard input, to `write`. Calls `end` after each file. Returns the exit code.
 */
async function eachFile(names: readonly string[], write: (item: RecordItem) => void, end: () => void): Promise<number> {
  for (const name of names.length > 0 ? names : [undefined]) {
    let file: Uint8Array;
    try {
      file = name === undefined ? await Bun.stdin.bytes() : readFileSync(name);
    } catch (error) {
      console.error(`${name ?? "stdin"}: ${reasonOf(error)}`);
      return 1;
    }
    try {
      for (const item of readRecord(file)) write(item);
      end();
    } catch (error) {
      // The reader of our output is gone.
      if (hasCode(error, "EPIPE")) return 1;
      throw error;
    }
  }
  return 0;
}

/** The command, or an error message like getopt(3)'s. */
function parseArguments(argv: readonly string[]): Command | string {
  const options: DumpOptions = {
    view: "text",
    reverse: false,
    decompress: false,
    absolute: false,
    mru: DEFAULT_MRU,
    dateText,
    clockText,
  };
  const command: Command = { options, capture: undefined, files: [] };
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
    if (word === CAPTURE || word.startsWith(`${CAPTURE}=`)) {
      command.capture = word === CAPTURE ? argv[++index] : word.slice(CAPTURE.length + 1);
      if (!command.capture) return `option '${CAPTURE}' requires an argument`;
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
      if (!setFlag(options, flag)) return `invalid option -- '${flag}'`;
    }
  }
  return command;
}

const CAPTURE = "--pcapng";

function setFlag(options: DumpOptions, flag: string): boolean {
  switch (flag) {
    case "h":
      // -p overrides -h in either order.
      if (options.view === "text") options.view = "hex";
      return true;
    case "p":
      options.view = "packets";
      return true;
    case "d":
      options.decompress = true;
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
