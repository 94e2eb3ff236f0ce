// Makes a Config from the words of all sources, in pppd's order of files and command line. It reads files through the
// host and prints nothing.

import { encoded } from "../bytes/text.ts";
import { type Config, type ConfigTable, type Draft, draftOf, finished } from "./config.ts";
import { OptionError } from "./error.ts";
import type { OptionHost } from "./host.ts";
import { noDeviceOption } from "./no-device.ts";
import { settlePppoe } from "./pppoe-line.ts";
import { readCommandLine, readFile, readSecretWords } from "./read.ts";
import { COMMAND_LINE, FILE, SECRETS } from "./row.ts";
import type { Reading, Source } from "./source.ts";
import { OPTIONS } from "./table.ts";

/**
 * Reads /etc/ppp/options, ~/.ppprc, the command line and options.TTY. Throws OptionError, or OptionExit for --version
 * and --help. checkOptions later checks that the options fit together.
 */
export function parseOptions(argv: readonly string[], host: OptionHost, table: ConfigTable = OPTIONS): Config {
  return isOwner(host) ? parsedAsOwner(argv, host, table) : parsed(argv, host, table);
}

// pppd's rules for ordinary users protect the rights that a set-user-id program lends to them. Where it lends none, and
// packets go through sockets of the process, nothing happens that the user could not do anyway. So he may use every
// option, and /etc/ppp/options need not exist for him. Whether it is so is known when all sources have been read.

/** An ordinary user, to whom no rights are lent. He cannot make interfaces. */
function isOwner({ privileged, lendsRights }: OptionHost): boolean {
  return !privileged && !lendsRights;
}

/** True when the packets of an ordinary user go through sockets. The others may have an interface with `share`. */
function asksForSockets({ usernet, share, socks }: Pick<Config, "usernet" | "share" | "socks">): boolean {
  return usernet || share || socks !== undefined;
}

/** The host with the rights that count for these options. */
export function hostInForce(config: Config, host: OptionHost): OptionHost {
  return isOwner(host) && asksForSockets(config) ? { ...host, privileged: true } : host;
}

/** When packets go through an interface, the messages of the first reading are dropped, and pppd's rules hold in the second. */
function parsedAsOwner(argv: readonly string[], host: OptionHost, table: ConfigTable): Config {
  const messages: (() => void)[] = [];
  const free: OptionHost = {
    ...host,
    privileged: true,
    inform: (text) => void messages.push(() => host.inform(text)),
    warn: (text) => void messages.push(() => host.warn(text)),
    complain: (text) => void messages.push(() => host.complain(text)),
  };
  const draft = newDraft(table, free);
  let trouble: unknown;
  try {
    readAll({ table, host: free, draft }, argv);
  } catch (error) {
    trouble = error;
  }
  if (!asksForSockets(draft)) {
    try {
      return parsed(argv, host, table);
    } catch (error) {
      throw trouble === undefined && error instanceof OptionError ? withHint(error) : error;
    }
  }
  for (const message of messages) message();
  if (trouble !== undefined) throw trouble;
  return finished(draft);
}

function withHint({ lines, code, usage, hints }: OptionError): OptionError {
  return new OptionError(lines, {
    code,
    usage,
    hints: [...hints, "Without root's rights every option works with usernet, which needs no interface"],
  });
}

function parsed(argv: readonly string[], host: OptionHost, table: ConfigTable): Config {
  const draft = newDraft(table, host);
  readAll({ table, host, draft }, argv);
  return finished(draft);
}

function newDraft(table: ConfigTable, host: OptionHost): Draft {
  return {
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
}

function readAll(reading: Reading, argv: readonly string[]): void {
  const { draft } = reading;
  const absent: OptionError[] = [];
  try {
    readSources(reading, argv, absent);
  } finally {
    // Without `persist` the absent device is the first error, as in pppd, even if later words are wrong too.
    const waits = draft.persist || (draft.demand && draft.given["persist"] === undefined);
    if (absent[0] !== undefined && !waits) throw absent[0];
  }
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
  const ethernet = draft.pppoeInterface;
  if (ethernet !== undefined) {
    const own = `${host.etc}/options.${ethernet}`;
    readFile(reading, { ...file, name: own, deviceFixed: true }, own, "root", "absent ok");
  }
  settlePppoe(draft, host);
  settleDevice(draft, host);
  if (draft.device === undefined) return;
  const tty = ttyName(draft.device);
  const path = `${host.etc}/options.${tty}`;
  if (tty !== "" && tty !== "tty") {
    readFile(reading, { ...file, name: path, deviceFixed: true }, path, "root", "absent ok");
  }
}

/**
 * Applies the words after `--` in the peer's line of a secrets file. `trouble` is the error of a wrong word. Words
 * before it are applied, words after it are not.
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

/** The part of a device's path that names its options file: everything after "/dev/", with dots in place of slashes. */
export function ttyName(device: string): string {
  const at = device.indexOf("/dev/");
  return (at < 0 ? device : device.slice(at + 5)).replaceAll("/", ".");
}

function settleDevice(draft: Draft, host: OptionHost): void {
  if (noDeviceOption(draft) !== undefined || !draft.defaultDevice) return;
  if (host.stdin.tty === undefined) throw new OptionError("no device specified and stdin is not a tty");
  draft.device = host.stdin.tty;
}
