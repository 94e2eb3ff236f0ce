// The options of a port that is served: pppd's own, as if these defaults stood at the end of /etc/ppp/options, and `share` and
// `interleave` at its start. So that file does not make a port wait for a carrier or for a password, as Debian's does; the port's own file and
// words on the command line win.

import { folderTrouble } from "../../options/check-files.ts";
import { checkOptions } from "../../options/check.ts";
import type { Config } from "../../options/config.ts";
import { OptionError } from "../../options/error.ts";
import { isFailure, type OptionHost } from "../../options/host.ts";
import { hostInForce, parseOptions } from "../../options/parse.ts";
import type { PortWish, ServeWishes } from "./serve-words.ts";

/** A peer that does not answer so many questions, one every so many seconds, is gone. A cable often has no carrier. */
const ECHOES = "lcp-echo-interval 10 lcp-echo-failure 3";

/** The file itself may say noshare and nointerleave. */
const FIRST = "share interleave";

export interface PortOptions {
  readonly config: Config;
  /** The host with the rights that count for these options. */
  readonly host: OptionHost;
  /** /etc/ppp/options asks callers to prove who they are, and this port does not. */
  readonly overridesAuth: boolean;
  /** It shares although no option says so. */
  readonly sharesByDefault: boolean;
}

/** `slot` chooses the private addresses, if none are given. Throws OptionError. */
export function portOptions(host: OptionHost, wish: PortWish, slot: number, wishes: ServeWishes): PortOptions {
  const { speed, auth, login, words } = wishes;
  const line = wish.kind === "listener" ? ["socket-listen", wish.where] : wish.kind === "device" ? [wish.path] : [];
  const flags = [...(speed === undefined ? [] : [speed]), ...(auth ? ["auth"] : []), ...(login ? ["login"] : [])];
  const all = [...line, ...flags, ...words];
  const config = parseOptions(all, withWords(host, FIRST, defaults(wish, slot, wishes)));
  const inForce = hostInForce(config, host);
  if (config.plugins.includes("nm-pppd-plugin.so"))
    throw new OptionError("nm-pppd-plugin.so is of no use here: NetworkManager starts a pppd for each connection");
  // The first reading has warned of the file.
  const alone = withWords({ ...inForce, warn: () => {} }, "", "");
  const given = parseOptions(["persist", ...all], alone);
  const trouble = folderTrouble(config, host);
  if (trouble !== undefined) host.warn(trouble);
  return {
    config: checkOptions(config, inForce),
    host: inForce,
    overridesAuth: config.auth !== "auth" && given.auth === "auth",
    sharesByDefault: config.share && !given.share,
  };
}

function defaults({ kind }: PortWish, slot: number, { speed, auth, prompts }: ServeWishes): string {
  const callers = ["ppp", "windows", "modem", ...(auth && prompts ? ["login"] : [])].join(",");
  return [
    "nodetach noauth persist maxfail 0",
    `autodetect ${callers}`,
    `address-pair ${slot}`,
    ECHOES,
    ...(kind === "listener" ? [] : ["lock modem-if-carrier climb-if-cable"]),
    ...(kind === "listener" || speed !== undefined ? [] : ["find-speed"]),
  ].join("\n");
}

/** The same host, whose file of options begins and ends with these words. It is there, and an ordinary user may read it. */
function withWords(host: OptionHost, first: string, last: string): OptionHost {
  const options = `${host.etc}/options`;
  return {
    ...host,
    readFile(path, as) {
      const file = host.readFile(path, as);
      if (path !== options) return file;
      if (!isFailure(file)) return { ...file, text: `${first} ${file.text}\n${last}\n` };
      if (file.errno === "EACCES") host.warn(`Warning: can't open options file ${path}: ${file.reason}`);
      else if (file.errno !== "ENOENT") return file;
      return { text: `${first}\n${last}\n`, uid: 0, mode: 0o644 };
    },
  };
}
