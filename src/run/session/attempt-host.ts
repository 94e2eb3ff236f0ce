// What an attempt works with.

import type { Exit } from "../exit.ts";
import type { PacketLog } from "../live/packet-log.ts";
import type { Log } from "../log.ts";
import type { Machine } from "../machine.ts";
import type { Peers } from "../peers/peers.ts";
import type { Hooks } from "../scripts/hooks.ts";
import type { OptionsInForce } from "../settings/options-in-force.ts";
import type { SessionObserver } from "./session-observer.ts";

export interface AttemptHost {
  readonly machine: Machine;
  readonly options: OptionsInForce;
  readonly log: Log;
  readonly peers: Peers;
  readonly hooks: Hooks;
  readonly observer?: SessionObserver;
  readonly packetLog: PacketLog;
  /** The number of the line in its session. */
  readonly lineNumber: number;
  setStatus(exit: Exit): void;
  /** With `isHangup`, the exit code is that of a hangup. The reason for the end stays. */
  lcpClosed(byPeer: boolean, isHangup: boolean): void;
}
