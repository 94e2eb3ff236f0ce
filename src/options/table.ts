// All options: the tables in the order of a dump, and the search by word.

import type { OptionHost } from "./host.ts";
import type { PluginName } from "./plugins.ts";
import { fieldsOf, GONE, GROUP, type FieldsOf, type Row } from "./row.ts";
import { AUTH, CHAP, EAP, PAP } from "./table/auth-rows.ts";
import { CAPTURE } from "./table/capture-rows.ts";
import { CCP, ECP } from "./table/ccp-rows.ts";
import { CONTROL } from "./table/control-rows.ts";
import { FILES } from "./table/files-rows.ts";
import { FRONT } from "./table/front-rows.ts";
import { GENERAL } from "./table/general-rows.ts";
import { IPX, OLD } from "./table/gone-rows.ts";
import { IPCP } from "./table/ipcp-rows.ts";
import { IPV6CP } from "./table/ipv6-rows.ts";
import { JOIN } from "./table/join-rows.ts";
import { USERNET } from "./table/usernet-rows.ts";
import { CBCP, LCP } from "./table/lcp-rows.ts";
import { PLUGINS } from "./table/plugins-rows.ts";
import { SHARE } from "./table/share-rows.ts";
import { SOCKS } from "./table/socks-rows.ts";
import { TTY } from "./table/tty-rows.ts";

/** A row, and the first row of its group. A row without a group is its own. */
export interface Entry {
  readonly row: Row;
  readonly leader: Row;
}

type Section = readonly [title: string, rows: readonly Row[]];

export class OptionTable<const Sections extends readonly Section[] = readonly Section[]> {
  /** Title and rows, in the order pppd shows them. */
  readonly sections: Sections;
  /** All rows in order, with the first row of their group. */
  readonly entries: readonly Entry[];
  readonly #byName: ReadonlyMap<string, Entry>;
  /** The rows that take bare words: the device, the speed, the addresses. */
  readonly #bare: readonly Entry[];

  constructor(sections: Sections) {
    this.sections = sections;
    this.entries = sections.flatMap(([, rows]) => withLeaders(rows));
    this.#byName = new Map(
      this.entries.filter(({ row }) => row.takes === undefined).map((entry) => [entry.row.name, entry]),
    );
    this.#bare = this.entries.filter(({ row }) => row.takes !== undefined);
  }

  /** The fields of all options before any option is given. `etc` is the folder of configuration files, "/etc/ppp". */
  defaults(etc: string): FieldsOf<Sections[number][1]> {
    const rows = this.entries.map(({ row }) => row);
    return fieldsOf<Sections[number][1]>(rows, etc);
  }

  /** The option that a word means: by its name, or as a device, a speed, or a pair of addresses. */
  find(word: string, host: OptionHost, plugins: readonly PluginName[] = []): Entry | undefined {
    const isThere = ({ plugin }: Row): boolean => plugin === undefined || plugins.includes(plugin);
    const entry = this.#byName.get(word);
    if (entry !== undefined && isThere(entry.row)) return entry;
    return this.#bare.find(({ row }) => isThere(row) && row.takes?.(word, host));
  }

  /** The option of this name. A bare word's option has a name too ("device name"). */
  named(name: string): Row | undefined {
    return this.entries.find(({ row }) => row.name === name)?.row;
  }

  /** The names that find() knows, except options without effect, which are not to be suggested. */
  names(plugins: readonly PluginName[]): string[] {
    return this.entries
      .filter(({ row }) => row.takes === undefined && !(row.rules & GONE))
      .filter(({ row }) => row.plugin === undefined || plugins.includes(row.plugin))
      .map(({ row }) => row.name);
  }
}

function withLeaders(rows: readonly Row[]): Entry[] {
  let leader: Row | undefined;
  return rows.map((row): Entry => {
    if (leader === undefined || !(row.rules & GROUP)) leader = row;
    return { row, leader };
  });
}

/** The type of the Config that the options of a table set. */
export type ConfigOf<Table> = Table extends OptionTable<infer Sections> ? FieldsOf<Sections[number][1]> : never;

export const OPTIONS = new OptionTable([
  ["General", GENERAL],
  ["Authentication", AUTH],
  ["Plugin", PLUGINS],
  ["Serial port", TTY],
  ["Caller", FRONT],
  ["Joining", JOIN],
  ["Sharing", SHARE],
  ["Files", FILES],
  ["Captures", CAPTURE],
  ["Control", CONTROL],
  ["User-mode networking", USERNET],
  ["Proxy", SOCKS],
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
]);
