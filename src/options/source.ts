// Where words come from, and what they are read into.

import type { Draft } from "./config.ts";
import type { OptionError } from "./error.ts";
import type { OptionHost } from "./host.ts";
import type { OptionTable } from "./table.ts";

// What a source weighs: a word of lower priority does not override one of higher.
export const FILE = 1;
export const COMMAND_LINE = 2;
export const SECRETS = 3;

/** Where the words being read come from. */
export interface Source {
  readonly name: string;
  readonly priority: number;
  /** Read with root's rights: a file of root's, or one of a user who is root or in a privgroup when it is begun. */
  readonly privileged: boolean;
  readonly depth: number;
  /** The command line has been read: what the device is stays. */
  readonly deviceFixed: boolean;
  /** After the start: only what the options of a secrets file may still change. */
  readonly started: boolean;
  /**
   * Collects devices that are not there, each as the error that the word is without `persist`, which may come later.
   * Undefined: such a word is an error at once.
   */
  readonly absent?: OptionError[];
}

/** The options there are, the machine, and the Config that is being made. */
export interface Reading {
  readonly table: OptionTable;
  readonly host: OptionHost;
  readonly draft: Draft;
}
