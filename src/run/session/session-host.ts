// What the program that starts a session gives to it.

import type { Log } from "../log.ts";
import type { Machine } from "../machine.ts";
import type { Notifier } from "../notifier.ts";
import type { Peers } from "../peers/peers.ts";
import type { SessionServices } from "../share/session-services.ts";
import type { SessionObserver } from "./session-observer.ts";
import type { SessionPlugin } from "./session-plugin.ts";
import type { OptionsInForce } from "../settings/options-in-force.ts";

export interface SessionHost {
  readonly machine: Machine;
  readonly options: OptionsInForce;
  readonly log: Log;
  /** Decides which peers are admitted on a line with these options. */
  readonly peersOf: (options: OptionsInForce) => Peers;
  /** "/etc/ppp" */
  readonly etc: string;
  /** The name of the user who runs us, for PPPLOGNAME and the scripts. */
  readonly user: string;
  readonly uid: number;
  readonly runDirectory: string;
  /** Reports progress to the service manager. */
  readonly notifier: Notifier;
  /** A network protocol is up: updetach waits for it. */
  readonly onUp: () => void;
  readonly observer?: SessionObserver;
  readonly plugin?: SessionPlugin | undefined;
  /** A session that shares loads this class itself, unless it is here. A simulated one cannot wait for the real disk. */
  readonly servicesClass?: typeof SessionServices;
  /** `share` is in force although nobody has given it. */
  readonly sharesByDefault?: boolean | undefined;
  /** What is to be typed for `usernet`, unless it is this word alone. */
  readonly usernetWord?: string | undefined;
  /** Resolves when the first link may begin; undefined: at once. */
  readonly ready: () => Promise<void> | undefined;
}
