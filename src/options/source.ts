// The sources of words, and the Config that they are read into.

import type { Draft } from "./config.ts";
import type { OptionError } from "./error.ts";
import type { OptionHost } from "./host.ts";
import type { OptionTable } from "./table.ts";

/** The source of the words that are being read. */
export interface Source {
  readonly name: string;
  readonly priority: number;
  /** Read with the rights of root: a file of root, or one of a user who is root or in a privgroup. */
  readonly privileged: boolean;
  readonly depth: number;
  /** The command line has been read, so the device cannot change any more. */
  readonly deviceFixed: boolean;
  /** The program has started. Only options that a secrets file may change are allowed. */
  readonly started: boolean;
  /**
   * Collects words that name an absent device, each as the error that it is unless `persist` follows. Undefined: such a
   * word is an error at once.
   */
  readonly absent?: OptionError[];
}

/** What a reader works with: the table, the machine, and the Config under construction. */
export interface Reading {
  readonly table: OptionTable;
  readonly host: OptionHost;
  readonly draft: Draft;
}
