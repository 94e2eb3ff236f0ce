// plog(1) as in Debian: shows the end of pppd's log by tail(1), with tail's options, or of the journal where there is
// no log file.

import { existsSync, statSync } from "node:fs";
import { constants } from "node:os";
import { decoded, encoded, inert } from "../bytes/text.ts";
import { hasCode, reasonOf } from "../os/ffi/libc.ts";
import { outlive } from "../os/process/exec-in-place.ts";
import { print } from "../os/log/print.ts";

/** The logs and their readers on this machine. Tests supply their own. */
export interface PlogHost {
  /** pppd's own log: shown as it is when there is anything in it. */
  readonly pppLog: string;
  /** Logs of the whole system. The first one that exists is used. */
  readonly systemLogs: readonly string[];
  readonly journalctl: string | undefined;
  /** True when standard output is a terminal. */
  readonly isTerminal: boolean;
  /** Rejects when the text cannot be written. */
  print(text: Uint8Array): Promise<void>;
  complain(text: string): void;
}

const EXIT_PIPE = 128 + constants.signals.SIGPIPE;

/** Runs plog with the arguments after its name. Returns the exit code. */
export async function plog(argv: readonly string[], host: PlogHost = thisHost()): Promise<number> {
  const { pppLog, systemLogs, journalctl, complain } = host;
  if ((statSync(pppLog, { throwIfNoEntry: false })?.size ?? 0) > 0) return run(["tail", ...argv, pppLog], host);
  const log = systemLogs.find((path) => existsSync(path));
  if (log !== undefined) return run(["tail", ...argv, log], host, PPP_LINE);
  if (journalctl === undefined) {
    complain(`plog: there is no ${[pppLog, ...systemLogs].join(", ")} and no journal`);
    return 1;
  }
  const options = journalOptions(argv);
  if (typeof options === "string") {
    complain(`plog: the journal cannot be shown with '${options}': give -n LINES or -f`);
    return 1;
  }
  return run([journalctl, "--quiet", "--no-pager", "-t", "pppd", "-t", "chat", ...options], host, PPP_LINE);
}

const DEFAULT_LINES = "10";

/** Translates tail's options to journalctl's. Returns the word that has no counterpart as a string. */
function journalOptions(argv: readonly string[]): string[] | string {
  let lines = DEFAULT_LINES;
  const others: string[] = [];
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index]!;
    const number = /^(?:-n?|--lines=)(\d+)$/.exec(word)?.[1];
    if (number !== undefined) lines = number;
    else if (word === "-n" || word === "--lines") {
      const next = argv[++index];
      if (next === undefined || !/^-?\d+$/.test(next)) return next ?? word;
      lines = next.replace("-", "");
    } else if (/^(-[fF]|--follow(=\w+)?)$/.test(word)) others.push("--follow");
    else if (!/^(-q|--quiet|--silent)$/.test(word)) return word;
  }
  return [`--lines=${lines}`, ...others];
}

const PPP_LINE = / (pppd|chat)\[/;
const ANY_LINE = /^/;

/**
 * Runs a program that prints log lines. Prints all of them, or those `wanted` with grep's exit code (1: no such line).
 */
async function run(command: readonly string[], host: PlogHost, wanted?: RegExp): Promise<number> {
  const isRead = wanted !== undefined || host.isTerminal;
  let child: Bun.Subprocess<"inherit", "pipe" | "inherit", "inherit"> | undefined;
  const ended = outlive(
    () => (child = Bun.spawn([...command], { stdio: ["inherit", isRead ? "pipe" : "inherit", "inherit"] })),
  );
  if (child === undefined) {
    const error: unknown = await ended.catch((reason: unknown) => reason);
    if (!hasCode(error, "ENOENT")) throw error;
    host.complain(`plog: ${command[0]}: not found`);
    return 127;
  }
  try {
    const found = child.stdout === undefined || (await printLines(child.stdout, wanted ?? ANY_LINE, host));
    const code = await ended;
    return wanted === undefined || code > 128 ? code : found ? 0 : 1;
  } catch (error) {
    child.kill();
    if (hasCode(error, "EPIPE")) return EXIT_PIPE;
    host.complain(`plog: write error: ${reasonOf(error)}`);
    return 1;
  }
}

/**
 * Prints the lines that match. True if there were any. Uses Latin-1, so every byte is kept, except that a terminal gets
 * no control characters from the log.
 */
async function printLines(stream: ReadableStream<Uint8Array>, wanted: RegExp, host: PlogHost): Promise<boolean> {
  let found = false;
  const print = async (lines: readonly string[]): Promise<void> => {
    const shown = lines.filter((line) => wanted.test(line)).map((line) => (host.isTerminal ? shownLine(line) : line));
    const text = shown.map((line) => `${line}\n`).join("");
    if (text === "") return;
    found = true;
    await host.print(Buffer.from(text, "latin1"));
  };
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + Buffer.from(chunk).toString("latin1")).split("\n");
    rest = lines.pop() ?? "";
    await print(lines);
  }
  if (rest !== "") await print([rest]);
  return found;
}

function shownLine(line: string): string {
  return encoded(decoded(line).split("\t").map(inert).join("\t"));
}

function thisHost(): PlogHost {
  return {
    pppLog: "/var/log/ppp.log",
    systemLogs: ["/var/log/syslog", "/var/log/messages"],
    journalctl: Bun.which("journalctl") ?? undefined,
    isTerminal: process.stdout.isTTY === true,
    print: async (text) => print(text),
    complain: (text) => console.error(text),
  };
}
