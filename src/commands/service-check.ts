// Tests whether pppd would accept these options. A service with options that pppd refuses would restart again and again.

import { isCharacterDevice } from "../os/ffi/host-files.ts";
import { OptionError, OptionExit } from "../options/error.ts";
import type { OptionHost } from "../options/host.ts";
import { checkOptions } from "../options/check.ts";
import { parseOptions } from "../options/parse.ts";
import { systemOptionHost } from "../applets/option-host.ts";
import { portOptions } from "../run/serve/port-options.ts";
import { type PortWish, readServeWords, type ServeWishes, ServeWordsError } from "../run/serve/serve-words.ts";
import type { Wanted } from "./service-texts.ts";

export interface Verdict {
  /** pppd would refuse the options: its message, and possible corrections. */
  readonly refusal: readonly string[];
  /** pppd would accept the options but not start on this machine now, for example because a secret is missing. */
  readonly warning: readonly string[];
}

const ABSENT_FILE = /^pppd: Can't open options file .*: No such file or directory$/;
const IGNORE = (): void => {};

/** The machine as a pppd of root sees it. Opens no log file, and has no terminal on standard input, as under init. */
function thisHost(): OptionHost {
  return {
    ...systemOptionHost({ inform: IGNORE, warn: IGNORE, complain: IGNORE }),
    uid: 0,
    stdin: { tty: undefined, device: undefined, readWrite: false },
    openLogfile: () => 2,
  };
}

export function checkWords(
  { device, options, serves = false }: Wanted,
  host: OptionHost = thisHost(),
  asRoot = process.getuid?.() === 0,
): Verdict {
  // A template is for any device. A device that is not plugged in now may be there when pppd starts: persist waits for
  // it.
  const line = device === undefined ? (options.includes("call") ? [] : ["/dev/null"]) : [device];
  if (serves) return checkServeWords(options, host, asRoot);
  const said = (error: unknown): string[] => {
    if (error instanceof OptionExit) return [`pppd: --${error.asked} ends pppd at once`];
    if (!(error instanceof OptionError)) throw error;
    return [...error.lines.map((text) => `pppd: ${text}`), ...error.hints];
  };
  try {
    const config = parseOptions(["persist", ...line, ...options], host);
    // Only root can read the secrets.
    if (!asRoot) return { refusal: [], warning: [] };
    try {
      checkOptions(config, host);
      return { refusal: [], warning: [] };
    } catch (error) {
      return { refusal: [], warning: said(error) };
    }
  } catch (error) {
    const trouble = said(error);
    // The file named by `call` may be written later.
    return ABSENT_FILE.test(trouble[0] ?? "") ? { refusal: [], warning: trouble } : { refusal: trouble, warning: [] };
  }
}

/** The words of serve, as each of its ports would get them. */
function checkServeWords(options: readonly string[], host: OptionHost, asRoot: boolean): Verdict {
  try {
    const wishes = readServeWords(options, isCharacterDevice);
    const { refusal } = checkWords({ device: undefined, options: wishes.words }, host, asRoot);
    // Only root can read the secrets.
    if (refusal.length > 0 || !asRoot) return { refusal, warning: [] };
    const troubles = wishes.ports.map((wish) => troubleOf(host, wish, wishes));
    const lines = [...new Set(troubles.flat())];
    // Serve ends at the start when it can serve no port.
    const isHopeless = troubles.every((trouble) => trouble.length > 0);
    return isHopeless ? { refusal: lines, warning: [] } : { refusal: [], warning: lines };
  } catch (error) {
    if (!(error instanceof ServeWordsError)) throw error;
    return { refusal: [`nullmodem serve: ${error.message}`], warning: [] };
  }
}

/** Why a port would not be served now. A device that is not there is no trouble: serve waits for it. */
function troubleOf(host: OptionHost, wish: PortWish, wishes: ServeWishes): string[] {
  try {
    portOptions(host, wish.kind === "listener" ? wish : { kind: "device", path: "/dev/null" }, 1, wishes);
    return [];
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    return [...error.lines, ...error.hints].map((text) => `nullmodem serve: ${text}`);
  }
}
