// poff(1), as Debian has it: stops or signals the pppd of a provider, the only one there is, or all.

import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { constants } from "node:os";
import { basename } from "node:path";
import { errno, ESRCH, libc, strerror } from "../os/libc.ts";

export interface Process {
  readonly pid: number;
  readonly parent: number;
  /** The file it executes; undefined when we may not know. */
  readonly file: string | undefined;
  /** argv, the name first. */
  readonly words: readonly string[];
}

/** What poff needs of the machine; tests hand in their own. */
export interface PoffHost {
  processes(): Process[];
  /** The text of a file in the folder of pid files, undefined when there is none. */
  pidFile(name: string): string | undefined;
  /** 0, or errno. */
  kill(pid: number, signal: number): number;
  say(text: string): void;
  complain(text: string): void;
}

const VERSION = "poff: 1.8 (nullmodem)";

const USAGE = `\
usage: poff [option] [provider]
options:
  -r        pppd drops the line and dials again
  -d        switch pppd's debug option on or off
  -c        pppd negotiates compression again
  -a        stop all pppds; a provider is ignored
  -h        show this and exit
  -v        show the version and exit
  none      stop pppd

One option at most. Without a provider there must be exactly one pppd, or -a;
with one, the pppd that was started for it ('pon PROVIDER', 'pppd call
PROVIDER') is meant, or the one with that linkname or interface.`;

const SIGNALS: Readonly<Record<string, NodeJS.Signals>> = { r: "SIGHUP", d: "SIGUSR1", c: "SIGUSR2" };

/** Runs poff with the arguments after its name; the exit code. */
export async function poff(argv: readonly string[], host: PoffHost = THIS_HOST): Promise<number> {
  const { flags, names } = splitFlags(argv);
  const [flag, second] = flags;
  const known = flags.map((letter) => "rdcavh".includes(letter));
  if (second !== undefined) {
    host.say(`poff: Illegal option -- ${known[1] ? "" : second}.`);
    return 1;
  }
  if (flag !== undefined && !known[0]) {
    host.complain(`Illegal option -${flag}`);
    return 1;
  }
  if (flag === "v" || flag === "h") {
    host.say(flag === "v" ? VERSION : USAGE);
    return 0;
  }
  return signalPppd(flag, flag === "a" ? undefined : names[0], host);
}

/** Letters as getopts(1) finds them, up to the first word that is none. */
function splitFlags(argv: readonly string[]): { flags: string[]; names: readonly string[] } {
  const end = argv.findIndex((word) => !word.startsWith("-") || word === "-" || word === "--");
  const flagWords = end < 0 ? argv : argv.slice(0, end);
  const names = end < 0 ? [] : argv.slice(argv[end] === "--" ? end + 1 : end);
  return { flags: flagWords.flatMap((word) => [...word.slice(1)]), names };
}

function signalPppd(flag: string | undefined, provider: string | undefined, host: PoffHost): number {
  const signal = SIGNALS[flag ?? ""] ?? "SIGTERM";
  const done = signal === "SIGTERM" ? "stopped" : "signalled";
  const running = pppds(host.processes());
  if (running.length === 0) {
    host.say(`poff: No pppd is running.  None ${done}.`);
    return 1;
  }
  if (provider === undefined && flag !== "a" && running.length > 1) {
    host.say(`poff: More than one pppd running and no -a option and \nno arguments supplied. Nothing ${done}.`);
    return 1;
  }
  const meant = provider === undefined ? running : ofProvider(running, provider, host);
  if (meant.length === 0) {
    host.say(`poff: I could not find a pppd process for provider '${provider}'. None ${done}.`);
    return 1;
  }
  const failures = meant.flatMap(({ pid }) => {
    const error = host.kill(pid, constants.signals[signal]);
    // It ended by itself meanwhile.
    return error === 0 || error === ESRCH ? [] : [`poff: cannot signal pppd (pid ${pid}): ${strerror(error)}`];
  });
  for (const failure of failures) host.complain(failure);
  if (failures.length === meant.length) host.say(`poff: kill failed.  None ${done}.`);
  return failures.length === 0 ? 0 : 1;
}

/** By `call NAME`, else by `linkname NAME` or the interface NAME, for which pppd leaves its pid in a file. */
function ofProvider(running: readonly Pppd[], provider: string, host: PoffHost): readonly Pppd[] {
  const called = running.filter(({ options }) =>
    options.some((word, at) => word === "call" && options[at + 1] === provider),
  );
  if (called.length > 0 || provider.includes("/")) return called;
  const pids = [`ppp-${provider}.pid`, `${provider}.pid`].map((name) => parseInt(host.pidFile(name) ?? "", 10));
  return running.filter(({ pid }) => pids.includes(pid));
}

export interface Pppd {
  readonly pid: number;
  /** Its command line as pppd's options. */
  readonly options: readonly string[];
}

/** The pppds among the processes, a link's pppd once. */
export function pppds(processes: readonly Process[]): Pppd[] {
  const found = processes.flatMap((process) => {
    const options = pppdOptions(process);
    return options === undefined ? [] : [{ ...process, options }];
  });
  type Found = (typeof found)[number];
  const sameWords = (one: Found, other: Found): boolean =>
    one.words.length === other.words.length && one.words.every((word, at) => word === other.words[at]);
  // pppd's own children carry its words: the real one's charshunt, and ours while the foreground waits for the link
  // (updetach). A signal for the parent reaches them.
  return found.filter((process) => !found.some((other) => other.pid === process.parent && sameWords(process, other)));
}

/** A process's options for pppd, or undefined when it is not a pppd, the real one or ours. */
function pppdOptions({ file, words }: Process): readonly string[] | undefined {
  const [name = "", ...rest] = words;
  // A login shell has a dash before its name.
  const called = basename(name).replace(/^-/, "");
  const executed = basename((file ?? called).replace(/ \(deleted\)$/, ""));
  // "pppd.distrib" is what a diversion calls it.
  if (/^pppd(\.|$)/.test(executed)) return rest;
  if (!/^(nullmodem|bun)/.test(executed)) return undefined;
  return appletOptions(called, rest);
}

/** `called` is a name of our executable, or of the Bun that runs our sources. */
function appletOptions(called: string, rest: readonly string[]): readonly string[] | undefined {
  if (called === "pppd") return rest;
  if (called === "pon") {
    const [provider = "provider", ...more] = rest.filter((word, at) => !isPonFlag(rest, at));
    return ["call", provider, ...more];
  }
  const script = called.startsWith("nullmodem") ? -1 : rest.findIndex((word) => basename(word) === "main.ts");
  if (script < 0 && !called.startsWith("nullmodem")) return undefined;
  const [applet, ...words] = rest.slice(script + 1);
  return applet === "pppd" || applet === "pon" ? appletOptions(applet, words) : undefined;
}
