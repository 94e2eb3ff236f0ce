// The words of get, put and sync.

import { existsSync, statSync } from "node:fs";
import { encoded } from "../../bytes/text.ts";
import { systemPath } from "../../transfer/remote-path.ts";
import { isRemote } from "./place-words.ts";

export interface TransferWords {
  /** Files and folders, in the order in which they were given. Those of the other machine are addresses. */
  readonly from: readonly string[];
  readonly to: string;
  readonly giveUpSeconds: number;
  readonly deletes: boolean;
  readonly isDry: boolean;
}

interface Flags {
  readonly names: readonly string[];
  readonly giveUpSeconds: number;
  readonly deletes: boolean;
  readonly isDry: boolean;
}

/** Returns a text when a word is wrong. */
function flagsOf(argv: readonly string[], isSync: boolean): Flags | string {
  const names: string[] = [];
  const given = new Set<string>();
  let giveUpSeconds = Infinity;
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!;
    const [, inside] = /^--give-up(?:=(.*))?$/s.exec(word) ?? [];
    if (word === "--") {
      names.push(...argv.slice(at + 1));
      break;
    }
    if (word.startsWith("--give-up")) {
      const value = inside ?? argv[++at] ?? "";
      if (!/^\d{1,9}$/.test(value)) return "--give-up needs a number of seconds";
      giveUpSeconds = Number(value);
    } else if (isSync && (word === "--delete" || word === "--dry-run")) given.add(word);
    else if (word.startsWith("-") && word !== "-") return `there is no option ${JSON.stringify(word)}`;
    else names.push(word);
  }
  return { names, giveUpSeconds, deletes: given.has("--delete"), isDry: given.has("--dry-run") };
}

export function getWords(argv: readonly string[]): TransferWords | string {
  const flags = flagsOf(argv, false);
  if (typeof flags === "string") return flags;
  const { names: given, ...rest } = flags;
  const names = [...given];
  const last = names.at(-1) ?? "";
  // A path may be meant on either machine: a folder that is here is meant here.
  const isTarget = names.length > 1 && !isRemote(last) && (!last.startsWith("/") || isFolder(last));
  const to = isTarget ? names.pop()! : ".";
  if (names.length === 0) return "which file? Give an address, or a path of the other machine";
  const from = names.map((name) => (name.startsWith("/") ? `peer:${name}` : name));
  const wrong = from.find((name) => !isRemote(name));
  if (wrong !== undefined) return `${JSON.stringify(wrong)} is no address; one is like http://192.168.0.1/${wrong}`;
  return { ...rest, from, to };
}

export function putWords(argv: readonly string[]): TransferWords | string {
  const flags = flagsOf(argv, false);
  if (typeof flags === "string") return flags;
  const { names: given, ...rest } = flags;
  const names = [...given];
  const to = names.length > 1 && isRemote(names.at(-1)!) ? names.pop()! : "peer:/";
  if (names.length === 0 || names.every(isRemote)) return "which file? Give files or folders of this machine";
  const wrong = names.find((name) => isRemote(name) || !existsSync(systemPath(encoded(name))));
  if (wrong !== undefined)
    return isRemote(wrong) ? "one address, and as the last word" : `there is no file ${JSON.stringify(wrong)}`;
  return { ...rest, from: names, to };
}

export function syncWords(argv: readonly string[]): TransferWords | string {
  const flags = flagsOf(argv, true);
  if (typeof flags === "string") return flags;
  const { names, ...rest } = flags;
  const [from = "", to = "", other] = names;
  if (to === "" || other !== undefined) return "two folders: the one to copy from, and the one to become like it";
  if (isRemote(from) === isRemote(to)) return "one folder of this machine, and one address";
  if (isRemote(to) && !isFolder(from)) return `there is no folder ${JSON.stringify(from)}`;
  return { ...rest, from: [from], to };
}

function isFolder(path: string): boolean {
  return statSync(systemPath(encoded(path)), { throwIfNoEntry: false })?.isDirectory() === true;
}
