// poff(1) as in Debian: stops or signals the pppd of a provider, the only pppd, or all of them.

import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { constants } from "node:os";
import { basename } from "node:path";
import { errno, ESRCH, libc, strerror } from "../os/ffi/libc.ts";
import { readHead } from "../os/ffi/small-file.ts";
import { ponOptions } from "./pon.ts";
import { runDirectories } from "./run-directory.ts";

export interface Process {
  readonly pid: number;
  readonly parent: number;
  /** The file that it executes. Undefined when we may not know it. */
  readonly file: string | undefined;
  /** argv, starting with the name. */
  readonly words: readonly string[];
}

/** The services of the machine that poff uses. Tests supply their own. */
export interface PoffHost {
  processes(): Process[];
  /** The text of a file in the folder of pid files. Undefined when there is none. */
  pidFile(name: string): string | undefined;
  /** Returns 0 or errno. */
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

/** Runs poff with the arguments after its name. Returns the exit code. */
export async function poff(argv: readonly string[], host: PoffHost = THIS_HOST): Promise<number> {
  const { flags, names } = splitFlags(argv[0] === "--help" ? ["-h"] : argv);
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

/** Collects option letters as getopts(1) does, up to the first word that is no option. */
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
    // The process has ended meanwhile.
    return error === 0 || error === ESRCH ? [] : [`poff: cannot signal pppd (pid ${pid}): ${strerror(error)}`];
  });
  for (const failure of failures) host.complain(failure);
  if (failures.length === meant.length) host.say(`poff: kill failed.  None ${done}.`);
  return failures.length === 0 ? 0 : 1;
}

/** Finds pppds by `call NAME`, otherwise by the pid file of `linkname NAME` or of the interface NAME. */
function ofProvider(running: readonly Pppd[], provider: string, host: PoffHost): readonly Pppd[] {
  const called = running.filter(({ options }) =>
    options.some((word, at) => word === "call" && options[at + 1] === provider),
  );
  if (called.length > 0 || provider.includes("/")) return called;
  const pids = [`ppp-${provider}.pid`, `${provider}.pid`].map((name) => parseInt(host.pidFile(name) ?? "", 10));
  return running.filter(({ pid }) => pids.includes(pid));
}

interface Pppd {
  readonly pid: number;
  readonly parent: number;
  readonly ours: boolean;
  /** Its command line as options of pppd. */
  readonly options: readonly string[];
}

/** The running pppds. Of the processes of one link, only the one to signal. */
function pppds(processes: readonly Process[]): Pppd[] {
  const found = processes.flatMap(asPppd);
  const isChild = (child: Pppd, parent: Pppd): boolean =>
    child.parent === parent.pid &&
    child.options.length === parent.options.length &&
    child.options.every((word, at) => word === parent.options[at]);
  // A pppd may have a child with the same words. The real pppd keeps the link, and its child (charshunt) carries its
  // bytes. Our pppd waits in the foreground (updetach) until its child has brought up the link.
  return found.filter((pppd) =>
    pppd.ours ? !found.some((other) => isChild(other, pppd)) : !found.some((other) => isChild(pppd, other)),
  );
}

/** Empty when the process is not a pppd, neither the real one nor ours. */
function asPppd({ pid, parent, file, words: [name = "", ...rest] }: Process): Pppd[] {
  // The name of a login shell begins with a dash.
  const called = basename(name).replace(/^-/, "");
  const executed = basename((file ?? called).replace(/ \(deleted\)$/, ""));
  // A Debian diversion calls the real program "pppd.distrib".
  const ours = !/^pppd(\.|$)/.test(executed);
  const options = ours ? ourOptions(executed, called, rest) : rest;
  return options === undefined ? [] : [{ pid, parent, ours, options }];
}

/** The options on a command line of our pppd, compiled or run from sources. Undefined when it is not pppd. */
function ourOptions(executed: string, called: string, rest: readonly string[]): readonly string[] | undefined {
  if (executed.startsWith("nullmodem")) {
    const [first = "", ...more] = rest;
    return appletOptions(called, rest) ?? appletOptions(first, more);
  }
  if (!executed.startsWith("bun")) return undefined;
  const [script, applet = "", ...more] = rest.slice(rest.findIndex((word) => basename(word) === "main.ts"));
  return script !== undefined && basename(script) === "main.ts" ? appletOptions(applet, more) : undefined;
}

function appletOptions(applet: string, words: readonly string[]): readonly string[] | undefined {
  switch (applet) {
    case "pppd":
      return words;
    case "pon":
      return ponOptions(words);
    default:
      return undefined;
  }
}

const PROC = "/proc";
/** Room for a number and the name of an interface. */
const PID_FILE_SIZE = 64;

const THIS_HOST: PoffHost = {
  processes: () =>
    readdirSync(PROC).flatMap((name) => {
      if (!/^\d+$/.test(name)) return [];
      try {
        // A zombie and a kernel thread have no words.
        const words = readFileSync(`${PROC}/${name}/cmdline`, "utf8").split("\0").slice(0, -1);
        return words.length === 0 ? [] : [{ pid: Number(name), parent: parentOf(name), file: fileOf(name), words }];
      } catch {
        return []; // the process ended meanwhile
      }
    }),
  pidFile: (name) =>
    runDirectories()
      .map((directory) => pidFileIn(directory, name))
      .find((text) => text !== undefined),
  kill: (pid, signal) => (libc.kill(pid, signal) < 0 ? errno() : 0),
  say: console.log,
  complain: console.error,
};

function pidFileIn(directory: string, name: string): string | undefined {
  try {
    return Buffer.from(readHead(`${directory}/${name}`, PID_FILE_SIZE)).toString();
  } catch {
    return undefined;
  }
}

function parentOf(pid: string): number {
  // The name is in parentheses and may contain some itself. The state and the parent follow it.
  const stat = readFileSync(`${PROC}/${pid}/stat`, "latin1");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
}

function fileOf(pid: string): string | undefined {
  try {
    return readlinkSync(`${PROC}/${pid}/exe`);
  } catch {
    return undefined; // the process belongs to another user
  }
}
