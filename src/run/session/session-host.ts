// What a session is given by the program that starts it.

import type { Log } from "../log.ts";
import type { Machine } from "../machine.ts";
import type { Notifier } from "../notifier.ts";
import type { Peers } from "../peers/peers.ts";
import type { OptionsInForce } from "../settings/options-in-force.ts";

export interface SessionHost {
  readonly machine: Machine;
  readonly options: OptionsInForce;
  readonly log: Log;
  /** Who may come in on a line with such options. */
  readonly peersOf: (options: OptionsInForce) => Peers;
  /** "/etc/ppp" */
  readonly etc: string;
  /** The name of who runs us, for PPPLOGNAME and the scripts. */
  readonly user: string;
  readonly uid: number;
  readonly runDirectory: string;
  /** Reports progress to the service manager. */
  readonly notifier: Notifier;
  /** A network protocol is up: updetach waits for it. */
  readonly onUp: () => void;
  /** What must be known before the first link; undefined: it is. */
  readonly ready: () => Promise<void> | undefined;
}
