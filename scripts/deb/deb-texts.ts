// The texts of the package that are made from the project's own: Debian's changelog, the copyright file, and the units.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { serviceText } from "../../src/commands/service-texts.ts";
import { licenceParts } from "../stick/licences.ts";

const WIDTH = 78;
/** The folder of the executable and of the links to it. */
export const PROGRAMS = "/usr/lib/nullmodem";
export const MAINTAINER = "The authors of nullmodem <nullmodem@nullmodem.invalid>";

/** The changelog's items up to this version, as one entry. `time` is in seconds. */
export function debianChangelog(changelog: string, version: string, time: number): string {
  const upstream = version.replace(/[+~].*/, "");
  const sections = changelog.split(/^## /m).slice(1);
  const until = sections.findIndex((section) => section.startsWith(`${upstream}\n`));
  const items = sections.slice(0, until + 1).flatMap(itemsOf);
  const date = new Date(time * 1000).toUTCString().replace("GMT", "+0000");
  const body = items.map((item) => filled(item, "  * ", "    ")).join("");
  return `nullmodem (${version}) unstable; urgency=medium\n\n${body}\n -- ${MAINTAINER}  ${date}\n`;
}

/** The items of a section's lists in Markdown, each as one line. A heading or introduction stands after an empty line. */
function itemsOf(section: string): string[] {
  const items: string[] = [];
  let within: "nothing" | "item" | "heading" = "nothing";
  for (const line of section.split("\n").slice(1)) {
    if (line.trim() === "") within = "nothing";
    else if (line.startsWith("- ")) {
      items.push(line.slice(2).trim());
      within = "item";
    } else if (within === "item" && /^ {2}\S/.test(line)) items.push(`${items.pop()} ${line.trim()}`);
    else if (within !== "item" && /^\S/.test(line)) within = "heading";
    else throw new Error(`CHANGELOG: a line that belongs to no item: ${line}`);
  }
  return items;
}

function filled(text: string, first: string, next: string): string {
  const lines = [first.trimEnd()];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`;
    if (longer.length <= WIDTH || lines.at(-1) === first.trimEnd()) lines[lines.length - 1] = longer;
    else lines.push(`${next.slice(1)} ${word}`);
  }
  return lines.map((line) => `${line}\n`).join("");
}

/** In Debian's machine-readable format, version 1.0. */
export function copyright(): string {
  const [own, ...others] = licenceParts();
  const [, terms] = own!;
  const about =
    "The executable contains the runtime Bun and the packages that are named below, each under its own licence.";
  const rest = others.map(([title, text]) => `${title}\n\n${text.trim()}\n`).join("\n");
  return [
    "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/",
    "Upstream-Name: nullmodem",
    "",
    "Files: *",
    "Copyright: the authors of nullmodem",
    "License: Expat",
    "",
    "Files: usr/lib/nullmodem/nullmodem",
    "Copyright: the authors of nullmodem",
    "           and those whom the text of the licence names",
    "License: Expat and Bun-and-packages",
    `Comment: ${about}`,
    " Debian has the whole texts of the LGPL and of the Apache License in",
    " /usr/share/common-licenses.",
    "",
    "License: Expat",
    indented(terms.slice(terms.indexOf("Permission")).trim()),
    "",
    "License: Bun-and-packages",
    indented(rest.trim()),
    "",
  ].join("\n");
}

const indented = (text: string): string =>
  text
    .split(/\r?\n/)
    .map((line) => (line.trim() === "" ? " ." : ` ${line.trimEnd()}`))
    .join("\n");

/** The systemd units, by name. */
export function units(): Map<string, string> {
  const place = { pppd: join(PROGRAMS, "pppd"), busyboxInit: false, cronFolder: true };
  const pppd = serviceText("systemd", { device: undefined, options: [] }, place);
  const serve = serviceText("systemd", { device: undefined, options: ["/dev/PORT"], serves: true }, place);
  return new Map([
    ["nullmodem@.service", fromUnit(pppd)],
    [
      "nullmodem-serve@.service",
      fromUnit(serve)
        .replace("/dev/PORT", "/dev/%I")
        .replace(/^Description=.*$/m, "Description=PPP for callers on /dev/%I"),
    ],
  ]);
}

/** Without the comments about where the file would be. */
function fromUnit(text: string): string {
  const unit = text.slice(text.indexOf("[Unit]"));
  return unit.replace(/^Description=.*$/m, "$&\nDocumentation=man:nullmodem(8)");
}

export function ownText(name: string): string {
  return readFileSync(join(import.meta.dir, name), "utf8");
}
