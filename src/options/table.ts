// All options: the tables in the order of a dump, and the search by word.

import type { OptionHost } from "./host.ts";
import type { PluginName } from "./plugins.ts";
import { GONE, GROUP, type Row } from "./row.ts";
import { AUTH, CHAP, EAP, PAP } from "./table/auth.ts";
import { CCP, ECP } from "./table/ccp.ts";
import { GENERAL } from "./table/general.ts";
import { IPX, OLD } from "./table/gone.ts";
import { IPCP } from "./table/ipcp.ts";
import { IPV6CP } from "./table/ipv6.ts";
import { CBCP, LCP } from "./table/lcp.ts";
import { PLUGINS } from "./table/plugins.ts";
import { TTY } from "./table/tty.ts";

/** A row and the first row of its group, itself if it is in none. */
export interface Entry {
  readonly row: Row;
  readonly leader: Row;
}

/** Title and rows, in the order pppd shows them. */
export const TABLES: readonly (readonly [title: string, rows: readonly Row[]])[] = [
  ["General", GENERAL],
  ["Authentication", AUTH],
  ["Plugin", PLUGINS],
  ["Serial port", TTY],
  ["LCP", LCP],
  ["PAP", PAP],
  ["CHAP", CHAP],
  ["CBCP", CBCP],
  ["IPCP", IPCP],
  ["IPv6CP", IPV6CP],
  ["CCP", CCP],
  ["ECP", ECP],
  ["IPX", IPX],
  ["EAP", EAP],
  ["Former", OLD],
];

/** Every row with its leader, in order. */
export const ENTRIES: readonly Entry[] = TABLES.flatMap(([, rows]) => {
  let leader: Row | undefined;
  return rows.map((row): Entry => {
    if (leader === undefined || !(row.rules & GROUP)) leader = row;
    return { row, leader };
  });
});

const BY_NAME: ReadonlyMap<string, Entry> = new Map(
  ENTRIES.filter(({ row }) => row.takes === undefined).map((entry) => [entry.row.name, entry]),
);
const WILD = ENTRIES.filter(({ row }) => row.takes !== undefined);

/** The option that a word is: by name, else a device, a speed, a pair of addresses. */
export function findOption(word: string, host: OptionHost, plugins: readonly PluginName[] = []): Entry | undefined {
  const entry = BY_NAME.get(word);
  if (entry !== undefined && (entry.row.plugin === undefined || plugins.includes(entry.row.plugin))) return entry;
  return WILD.find(({ row }) => row.takes?.(word, host));
}

/** The option of that name, a bare word's included ("device name"). */
export function rowNamed(name: string): Row | undefined {
  return ENTRIES.find(({ row }) => row.name === name)?.row;
}

/** The names that findOption knows. Names without effect are left out: nobody should be led to them. */
export function optionNames(plugins: readonly PluginName[]): string[] {
  return ENTRIES.filter(({ row }) => row.takes === undefined && !(row.rules & GONE))
    .filter(({ row }) => row.plugin === undefined || plugins.includes(row.plugin))
    .map(({ row }) => row.name);
}
