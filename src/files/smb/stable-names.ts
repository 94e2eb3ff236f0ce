// Names of eight and three characters that stay the same when other names of the folder come and go: DOS lists a folder, and then
// deletes one name after the other. Numbers in the order of names, as pages have them (short-names.ts), would name other files by then.

import { fitting, isShortName } from "../short-names.ts";

const DIGITS = 4;
const BASE = 36;

/** The alias of each name that needs one: three letters, "~", and digits of the name's hash. */
export function stableNames(names: readonly string[]): Map<string, string> {
  const taken = new Set(names.map((name) => name.toUpperCase()).filter(isShortName));
  const aliases = new Map<string, string>();
  for (const name of [...names].sort()) {
    const large = name.toUpperCase();
    if (isShortName(large)) {
      if (name !== large) aliases.set(name, large);
      continue;
    }
    // Two names of a folder hardly ever have the same digits.
    let count = 0;
    while (taken.has(aliasOf(name, count))) count++;
    const alias = aliasOf(name, count);
    taken.add(alias);
    aliases.set(name, alias);
  }
  return aliases;
}

function aliasOf(name: string, count: number): string {
  const dot = name.lastIndexOf(".");
  const stem = fitting(dot > 0 ? name.slice(0, dot) : name) || "_";
  const suffix = dot > 0 ? fitting(name.slice(dot + 1)).slice(0, 3) : "";
  const digits = (hash(`${count}/${name}`) % BASE ** DIGITS).toString(BASE).padStart(DIGITS, "0").toUpperCase();
  return `${stem.slice(0, 3)}~${digits}${suffix === "" ? "" : `.${suffix}`}`;
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return value;
}
