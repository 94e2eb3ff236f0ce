// Who wants to know what becomes of a session, beside those who are told of its network phase.

import type { Exit } from "../exit.ts";
import type { NetworkObserver } from "./network-observer.ts";

export interface SessionObserver {
  /** A network phase begins on this interface. The observer is told of it after all others. */
  network(interfaceName: string): NetworkObserver;
  /** Somebody has called, or the device is gone or there again: in the words of the log. */
  lineChanged(text: string): void;
  /** The peer has proved that it is this. */
  authenticated(peer: string): void;
  /** This user may not open the device. The session tries again nevertheless. */
  denied(): void;
  /** A link has ended. `reason` may say more than the exit code. `isHangup`: the line is gone. */
  ended(reason: Exit, isHangup: boolean): void;
}
