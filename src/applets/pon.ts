// pon(1) as in Debian: `pon NAME …` runs `pppd call NAME …`.

import { accessSync, closeSync, constants as access, existsSync, openSync } from "node:fs";
import { OptionError } from "../options/error.ts";
import { outlive } from "../os/process/exec-in-place.ts";
import { reasonOf } from "../os/ffi/libc.ts";
import { takeConfigDir } from "./config-dir.ts";

const DEFAULT_PROVIDER = "provider";

const USAGE = `\
Usage: pon [-q|--quick] [provider [pppd options]]
  -q, --quick   hang up when the ip-up scripts have run

Starts pppd with the options in /etc/ppp/peers/PROVIDER; what follows the name
is handed to pppd after them. Without a name, /etc/ppp/ppp_on_boot is run when it
may be executed, else the provider is 'provider'.`;

/** The files and outputs that pon uses. Tests supply their own. */
export interface PonHost {
  /** "/etc/ppp" */
  readonly etc: string;
  /** The folder for the mark of `--quick`, which Debian's ip-up reads. */
  readonly run: string;
  say(text: string): void;
  complain(text: string): void;
  /** Runs a program to its end. Returns its exit code. */
  runScript(path: string): Promise<number>;
}

const THIS_HOST: Omit<PonHost, "etc"> = {
  run: "/var/run",
  say: console.log,
  complain: console.error,
  // A shell also runs scripts that do not begin with #!.
  runScript: (path) =>
    outlive(() => Bun.spawn(["/bin/sh", "-c", 'exec "$0"', path], { stdio: ["inherit", "inherit", "inherit"] })),
};

/** Runs pon with the arguments after its name. Returns the exit code of the program it ran, or 1. */
export async function pon(
  argv: readonly string[],
  pppd: (argv: string[]) => Promise<number>,
  givenHost?: PonHost,
): Promise<number> {
  try {
    const { etc, words } = takeConfigDir(argv);
    const host = givenHost ?? { ...THIS_HOST, etc };
    return await ponWith(words, argv.slice(0, argv.length - words.length), pppd, host);
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    for (const line of error.lines) (givenHost ?? THIS_HOST).complain(`pon: ${line}`);
    return 1;
  }
}

/** `before` are options that come before the others. */
async function ponWith(
  argv: readonly string[],
  before: readonly string[],
  pppd: (argv: string[]) => Promise<number>,
  host: PonHost,
): Promise<number> {
  const { etc, run, say, complain } = host;
  const { flags, provider: named } = split(argv);
  if (flags.some((flag) => flag !== "-q" && flag !== "--quick")) {
    say(USAGE);
    return 0;
  }
  // If the folder does not exist, the message about the missing file is the helpful one.
  if (existsSync(`${etc}/peers`) && !may(access.R_OK, `${etc}/peers`)) {
    say("Error: only members of the 'dip' group can use this command.");
    return 1;
  }
  const onBoot = `${etc}/ppp_on_boot`;
  if (named === undefined && may(access.X_OK, onBoot)) {
    if (flags.length > 0) markQuick(`${run}/ppp-quick`, complain);
    return host.runScript(onBoot);
  }
  const provider = named ?? DEFAULT_PROVIDER;
  if (!existsSync(`${etc}/peers/${provider}`)) {
    say(
      `The file ${etc}/peers/${provider} does not exist. Please create it or use\n` +
        `a command line argument to use another file in the ${etc}/peers/ directory.`,
    );
    return 1;
  }
  if (flags.length > 0) markQuick(`${run}/ppp-quick`, complain);
  return pppd([...before, ...ponOptions(argv)]);
}

/** Translates pon's arguments to pppd's options. */
export function ponOptions(argv: readonly string[]): string[] {
  const { provider = DEFAULT_PROVIDER, words } = split(argv);
  return ["call", provider, ...words];
}

function split(argv: readonly string[]): { flags: string[]; provider: string | undefined; words: string[] } {
  const end = argv.findIndex((word) => !word.startsWith("-"));
  const at = end < 0 ? argv.length : end;
  // An empty name is no name. It stays in the arguments, and pppd reports it.
  const provider = argv[at] || undefined;
  return { flags: argv.slice(0, at), provider, words: argv.slice(provider === undefined ? at : at + 1) };
}

function may(mode: number, path: string): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

function markQuick(path: string, complain: PonHost["complain"]): void {
  try {
    closeSync(openSync(path, "a"));
  } catch (error) {
    complain(`pon: cannot touch '${path}': ${reasonOf(error)}`);
  }
}
