// The texts about options: `dump`, `show-options`, usage, version.

import type { Config } from "./config.ts";
import { presetSource } from "./presets.ts";
import { quoted } from "./quoted.ts";
import { HIDDEN, LIST, type Row } from "./row.ts";
import { OPTIONS, type OptionTable } from "./table.ts";
import { PPPD_VERSION } from "./version.ts";

export const VERSION_TEXT = `pppd version ${PPPD_VERSION}\n`;

const USAGE: readonly (readonly [form: string, about: string])[] = [
  ["<device>", "\tCommunicate over the named device"],
  ["<speed>", "\t\tSet the baud rate to <speed>"],
  ["<loc>:<rem>", "\tSet the local and/or remote interface IP"],
  ["", "\t\taddresses.  Either one may be omitted."],
  ["asyncmap <n>", "\tSet the desired async map to hex <n>"],
  ["auth", "\t\tRequire authentication from peer"],
  ["connect <p>", "     Invoke shell command <p> to set up the serial line"],
  ["crtscts", "\t\tUse hardware RTS/CTS flow control"],
  ["defaultroute", "\tAdd default route through interface"],
  ["file <f>", "\tTake options from file <f>"],
  ["modem", "\t\tUse modem control lines"],
  ["mru <n>", "\t\tSet MRU value to <n> for negotiation"],
];

/** pppd's usage text, byte for byte except for the version. One of its lines is indented with blanks. */
export const USAGE_TEXT = [
  VERSION_TEXT,
  "Usage: pppd [ options ], where options are:\n",
  ...USAGE.map(([form, about]) => `${form === "connect <p>" ? "        " : "\t"}${form}${about}\n`),
  "See pppd(8) for more options.\n",
].join("");

/** Printed after "See pppd(8)", for a machine without the manual page. */
export const USAGE_HINT = "pppd show-options lists all options, each with a line about it.\n";

/** The options in effect with their sources, as lines for the log. */
export function dumpLines(config: Config, table: OptionTable = OPTIONS): string[] {
  const lines = inEffect(config, table).map(({ text, source }) => `${text}\t\t# (from ${source})`);
  return ["pppd options in effect:", ...lines];
}

/** What the option `peer` sets, without what other options override. Undefined without that option. */
export function presetLine(config: Config): string | undefined {
  if (config.preset === undefined) return undefined;
  const preset = presetSource(config.preset);
  const words = inEffect(config, OPTIONS).flatMap(({ text, source }) => (source === preset ? [text] : []));
  return `${preset} sets ${words.join(" ")}`;
}

function inEffect(config: Config, table: OptionTable): { text: string; source: string }[] {
  return table.entries.flatMap(({ row }) => {
    const given = config.given[row.name];
    const winner = given && table.named(given.winner);
    if (given === undefined || winner === undefined || winner.rules & HIDDEN) return [];
    if (winner.rules & LIST) {
      return given.values.map(({ value, source }) => ({ text: `${winner.name} ${quoted(value)}`, source }));
    }
    const value = winner.value(config);
    const values = winner.values?.(config) ?? (value === undefined ? [] : [value]);
    return values.map((one) => ({ text: shown(winner, one), source: given.source }));
  });
}

function shown(row: Row, value: string): string {
  if (row.takes !== undefined) return value;
  return row.argument || value !== "" ? `${row.name} ${value}` : row.name;
}

/** All options with their descriptions, for show-options. */
export function showOptionsText(table: OptionTable = OPTIONS): string {
  const blocks = table.sections.map(([title, rows]) => {
    const lines = rows.map(
      (row) => `    ${(row.takes === undefined ? row.name : `<${row.name}>`).padEnd(22)} ${row.about}\n`,
    );
    return `${title} options:\n${lines.join("")}\n`;
  });
  return VERSION_TEXT + "\n" + blocks.join("");
}
