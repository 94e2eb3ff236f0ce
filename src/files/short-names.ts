// Names of eight and three characters for files with longer names, as DOS and Windows 95 make them: LONGNA~1.TXT. A name's
// alias depends on the other names of its folder.

const PLAIN = /^[A-Z0-9!#$%&'()\-@^_`{}~]{1,8}(?:\.[A-Z0-9!#$%&'()\-@^_`{}~]{1,3})?$/;
const UNFIT = /[^A-Z0-9!#$%&'()\-@^_`{}~]/g;

/** A name of at most eight and three capital letters, digits and signs. */
export function isShortName(name: string): boolean {
  return PLAIN.test(name);
}

export function fitting(text: string): string {
  return text.toUpperCase().replace(/[ .]/g, "").replace(UNFIT, "_");
}

/** The alias of each name that needs one. A name of eight and three capital letters is its own. */
export function shortNames(names: readonly string[]): Map<string, string> {
  const taken = new Set(names.map((name) => name.toUpperCase()).filter(isShortName));
  const numbers = new Map<string, number>();
  const aliases = new Map<string, string>();
  for (const name of [...names].sort()) {
    if (isShortName(name.toUpperCase())) {
      if (name !== name.toUpperCase()) aliases.set(name, name.toUpperCase());
      continue;
    }
    const dot = name.lastIndexOf(".");
    const stem = fitting(dot > 0 ? name.slice(0, dot) : name) || "_";
    const suffix = dot > 0 ? fitting(name.slice(dot + 1)).slice(0, 3) : "";
    const key = `${stem.slice(0, 6)}.${suffix}`;
    for (let number = numbers.get(key) ?? 1; ; number++) {
      const tail = `~${number}`;
      const alias = `${stem.slice(0, 8 - tail.length)}${tail}${suffix === "" ? "" : `.${suffix}`}`;
      if (taken.has(alias)) continue;
      numbers.set(key, number + 1);
      taken.add(alias);
      aliases.set(name, alias);
      break;
    }
  }
  return aliases;
}
