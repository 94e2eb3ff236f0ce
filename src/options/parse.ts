// From the words of all sources to a Config: pppd's order of files and command line. Reads through the host it is handed and
// prints nothing.

import { encoded } from "../bytes/text.ts";
import { type Config, type ConfigTable, type Draft, draftOf, finished } from "./config.ts";
import { OptionError } from "./error.ts";
import type { OptionHost } from "./host.ts";
import { noDeviceOption } from "./no-device.ts";
import { readCommandLine, readFile, readSecretWords } from "./read.ts";
import { COMMAND_LINE, FILE, type Reading, SECRETS, type Source } from "./source.ts";
import { OPTIONS } from "./table.ts";

/**
 * Reads /etc/ppp/options, ~/.ppprc, the command line and options.TTY. Throws OptionError, or OptionExit for --version
 * and --help. What must be consistent is looked at later, by checkOptions.
 */
export function parseOptions(argv: readonly string[], host: OptionHost, table: ConfigTable = OPTIONS): Config {
  const draft: Draft = {
    ...table.defaults(host.etc),
    given: {},
    facts: {
      hostname: host.hostname,
      privileged: host.privileged,
      authRequired: false,
      authByDefault: false,
      authProtocols: [],
    },
  };
  const absent: OptionError[] = [];
  try {
    readSources({ table, host, draft }, argv, absent);
  } finally {
    // Without `persist` the word is the first error, as in pppd, whatever came of the words after it.
    const waits = draft.persist || (draft.demand && draft.given["persist"] === undefined);
    if (absent[0] !== undefined && !waits) throw absent[0];
  }
  return finished(draft);
}

function readSources(reading: Reading, argv: readonly string[], absent: OptionError[]): void {
  const { host, draft } = reading;
  const { facts } = draft;
  const file: Source = {
    absent,
    name: "",
    priority: FILE,
    privileged: true,
    depth: 0,
    deviceFixed: false,
    started: false,
  };
  const options = `${host.etc}/options`;
  readFile(reading, { ...file, name: options }, options, "root", facts.privileged ? "absent ok" : "must exist");
  if (host.home !== undefined) {
    const own = `${host.home}/.ppprc`;
    readFile(reading, { ...file, name: own, privileged: facts.privileged }, own, "user", "absent ok");
  }
  const line: Source = { ...file, name: "command line", priority: COMMAND_LINE, privileged: facts.privileged };
  readCommandLine(
    reading,
    line,
    argv.map((word) => encoded(word)),
  );
  if (draft.showOptions) return;
  settleDevice(draft, host);
  if (draft.device === undefined) return;
  const tty = ttyName(draft.device);
  const path = `${host.etc}/options.${tty}`;
  if (tty !== "" && tty !== "tty") {
    readFile(reading, { ...file, name: path, deviceFixed: true }, path, "root", "absent ok");
  }
}

/**
 * The options as the words after `--` in a peer's line of a secrets file have them. `trouble` is what is wrong with a word:
 * those in front of it count, those behind it do not.
 */
export function withPeerOptions(
  config: Config,
  words: readonly string[],
  host: OptionHost,
): { config: Config; trouble: string | undefined } {
  const draft = draftOf(config);
  const name = "secrets file";
  const source: Source = { name, priority: SECRETS, privileged: true, depth: 0, deviceFixed: true, started: true };
  let trouble: string | undefined;
  try {
    readSecretWords({ table: OPTIONS, host, draft }, source, words);
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    trouble = error.message;
  }
  return { config: finished(draft), trouble };
}

/** The part of a device's path that names its options file: all after "/dev/", a dot for each slash. */
function ttyName(device: string): string {
  const at = device.indexOf("/dev/");
  return (at < 0 ? device : device.slice(at + 5)).replaceAll("/", ".");
}

function settleDevice(draft: Draft, host: OptionHost): void {
  if (noDeviceOption(draft) !== undefined || !draft.defaultDevice) return;
  if (host.stdin.tty === undefined) throw new OptionError("no device specified and stdin is not a tty");
  draft.device = host.stdin.tty;
}
