// What the program that serves ports gives to them.

import type { Config } from "../../options/config.ts";
import type { OptionHost } from "../../options/host.ts";
import type { Log } from "../log.ts";
import type { Machine } from "../machine.ts";
import type { Notifier } from "../notifier.ts";

/** Where the messages of the option parser go. */
export interface OptionVoice {
  inform(text: string): void;
  warn(text: string): void;
  complain(text: string): void;
}

export interface ServeHost {
  readonly machine: Machine;
  /** The log of a port with these options. */
  openLog(config: Pick<Config, "logDefault" | "logfd">): { readonly log: Log; close(): void };
  readonly notifier: Notifier;
  readonly etc: string;
  readonly user: string;
  readonly uid: number;
  readonly runDirectory: string;
  /** The options of a port are read. A group that they name may control all ports. */
  readonly configured: (config: Config) => void;
  optionHost(voice: OptionVoice): OptionHost;
  /** Prints an event. */
  readonly print: (line: string) => void;
  /** A link is up. */
  readonly onUp: () => void;
}
