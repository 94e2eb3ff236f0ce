// The words of `nullmodem serve`: ports, flags, and pppd's own words behind "--".

import { shellWord } from "../../bytes/shell-word.ts";
import { parseSocketAddress } from "../../options/socket-address.ts";
import { OPTIONS } from "../../options/table.ts";

/** A port that is to be served. */
export type PortWish =
  /** A device, there or not. */
  | { readonly kind: "device"; readonly path: string }
  /** All devices of a folder whose name fits, now and later. */
  | { readonly kind: "pattern"; readonly folder: string; readonly pattern: string }
  /** Callers by TCP at this [ADDRESS:]PORT. */
  | { readonly kind: "listener"; readonly where: string };

export interface ServeWishes {
  readonly ports: readonly PortWish[];
  /** The speed of all ports. Undefined: each finds out that of its caller. */
  readonly speed: string | undefined;
  /** Callers must prove who they are. */
  readonly auth: boolean;
  /** They are users of this system. */
  readonly login: boolean;
  /** Those who must prove it get login prompts. */
  readonly prompts: boolean;
  /** pppd's own options. */
  readonly words: readonly string[];
}

/** A mistake in the words. The message is for the user. */
export class ServeWordsError extends Error {}

/** `isThere` says whether a path is a device. Throws ServeWordsError. */
export function readServeWords(argv: readonly string[], isThere: (path: string) => boolean): ServeWishes {
  refuseOptions(argv, isThere);
  const end = argv.indexOf("--");
  const own = end < 0 ? argv : argv.slice(0, end);
  const ports: PortWish[] = [];
  const wishes = { speed: undefined as string | undefined, auth: false, login: false, prompts: true };
  for (let at = 0; at < own.length; at++) {
    const [, word = "", value] = /^(--speed)=(.*)$/.exec(own[at]!) ?? [own[at], own[at]!];
    if (word === "--speed") wishes.speed = readSpeed(value ?? own[++at]);
    else if (word === "--auth") wishes.auth = true;
    else if (word === "--login") wishes.auth = wishes.login = true;
    else if (word === "--no-login") wishes.prompts = false;
    else if (word.startsWith("-"))
      throw new ServeWordsError(`there is no option ${JSON.stringify(word)}; pppd's own words go behind --`);
    else ports.push(readPort(word));
  }
  if (ports.length === 0) throw new ServeWordsError("name a port: ttyUSB0, 'ttyUSB*', /dev/ttyS0, 127.0.0.1:5000");
  return { ports, ...wishes, words: end < 0 ? [] : argv.slice(end + 1) };
}

/** Throws when an option of pppd stands where a port should: it would be a device that is not there yet, and have no effect. */
function refuseOptions(argv: readonly string[], isThere: (path: string) => boolean): void {
  const end = argv.indexOf("--");
  const own = end < 0 ? argv : argv.slice(0, end);
  const front: string[] = [];
  const behind: string[] = [];
  for (let at = 0; at < own.length; at++) {
    const word = own[at]!;
    const row = /[/*?:]/.test(word) || isThere(`/dev/${word}`) ? undefined : OPTIONS.named(word);
    if (row === undefined) front.push(word);
    else behind.push(word, ...(row.argument ? own.slice(++at, at + 1) : []));
    if (word === "--speed" && at + 1 < own.length) front.push(own[++at]!);
  }
  const [option] = behind;
  if (option === undefined) return;
  const line = [...(front.length === 0 ? ["ttyS0"] : front), "--", ...behind, ...(end < 0 ? [] : argv.slice(end + 1))];
  throw new ServeWordsError(
    `${option} is an option of pppd: options go behind --: nullmodem serve ${line.map(shellWord).join(" ")}`,
  );
}

function readSpeed(word: string | undefined): string {
  if (word === undefined || !/^[1-9]\d*$/.test(word)) throw new ServeWordsError("--speed takes bits a second: 115200");
  return word;
}

function readPort(word: string): PortWish {
  if (parseSocketAddress(word) !== undefined) return { kind: "listener", where: word };
  if (/^[^/]*:[^/]*$/.test(word))
    throw new ServeWordsError(`${word}: neither a device nor a TCP address with a port number, as 127.0.0.1:5000`);
  if (/^\d+$/.test(word))
    throw new ServeWordsError(`${word} is no TCP port; for the speed of all ports: --speed ${word}`);
  const path = word.startsWith("/") ? word : `/dev/${word}`;
  if (!/[*?[]/.test(word)) return { kind: "device", path };
  const slash = path.lastIndexOf("/");
  const folder = path.slice(0, slash);
  if (/[*?[]/.test(folder)) throw new ServeWordsError(`${word}: only the last part of a path may be a pattern`);
  const pattern = path.slice(slash + 1);
  try {
    fits(pattern, "");
  } catch {
    throw new ServeWordsError(`${word} is no pattern: a range such as [0-9] goes upwards`);
  }
  return { kind: "pattern", folder, pattern };
}

/** True when a file name fits a pattern of a shell: * ? [a-z] [!a-z]. */
export function fits(pattern: string, name: string): boolean {
  const source = pattern.replace(/\*|\?|\[!?[^\]]+\]|[\\^$.|+(){}[\]]/g, (part) => {
    if (part === "*") return ".*";
    if (part === "?") return ".";
    if (part.length === 1) return `\\${part}`;
    const [, not, set = ""] = /^\[(!?)(.*)\]$/s.exec(part) ?? [];
    return `[${not === "!" ? "^" : ""}${set.replace(/[\\^[]/g, "\\$&")}]`;
  });
  return new RegExp(`^${source}$`).test(name);
}

/** The name of a port in messages: "ttyUSB0", "127.0.0.1:5000". */
export function portName(wish: PortWish): string {
  if (wish.kind === "listener") return wish.where;
  const path = wish.kind === "device" ? wish.path : `${wish.folder}/${wish.pattern}`;
  return path.replace(/^\/dev\//, "");
}
