// The options of a port that is served: pppd's own, as if the defaults stood at the beginning of /etc/ppp/options. So files and
// words that say something else win, as always.

import { checkOptions } from "../../options/check.ts";
import type { Config } from "../../options/config.ts";
import { isFailure, type OptionHost } from "../../options/host.ts";
import { parseOptions } from "../../options/parse.ts";
import type { PortWish, ServeWishes } from "./serve-words.ts";

/** A peer that does not answer so many questions, one every so many seconds, is gone. A cable often has no carrier. */
const ECHOES = "lcp-echo-interval 10 lcp-echo-failure 3";

/** `slot` chooses the private addresses, if none are given. Throws OptionError. */
export function portOptions(host: OptionHost, wish: PortWish, slot: number, wishes: ServeWishes): Config {
  const { speed, auth, login, words } = wishes;
  const line = wish.kind === "listener" ? ["socket-listen", wish.where] : wish.kind === "device" ? [wish.path] : [];
  const flags = [...(speed === undefined ? [] : [speed]), ...(auth ? ["auth"] : []), ...(login ? ["login"] : [])];
  const withDefaults = withFirstWords(host, defaults(wish, slot, wishes));
  const config = parseOptions([...line, ...flags, ...words], withDefaults);
  // The address of our own name is not the one of the link: address-pair gives that.
  return checkOptions(config, host);
}

function defaults({ kind }: PortWish, slot: number, { speed, auth, prompts }: ServeWishes): string {
  const callers = ["ppp", "windows", "modem", ...(auth && prompts ? ["login"] : [])].join(",");
  return [
    "nodetach noauth persist maxfail 0",
    `autodetect ${callers}`,
    `address-pair ${slot}`,
    ECHOES,
    ...(kind === "listener" ? [] : ["lock modem-if-carrier"]),
    ...(kind === "listener" || speed !== undefined ? [] : ["find-speed"]),
  ].join("\n");
}

/** The same host, whose file of options begins with these words. */
function withFirstWords(host: OptionHost, words: string): OptionHost {
  const options = `${host.etc}/options`;
  return {
    ...host,
    readFile(path, as) {
      const file = host.readFile(path, as);
      if (path !== options) return file;
      if (!isFailure(file)) return { ...file, text: `${words}\n${file.text}` };
      return file.errno === "ENOENT" ? { text: words, uid: 0, mode: 0o644 } : file;
    },
  };
}
