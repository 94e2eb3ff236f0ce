// A plugin that is told how a session goes, and that knows our name and secret. Its calls are pppd's hooks.

import type { Account } from "../../link/authentication.ts";
import type { Phase } from "../../link/events.ts";
import type { PacketPort } from "../packets/port.ts";
import type { NetworkObserver } from "./network-observer.ts";

/** pppd's phases that a plugin is told of: those of a link, and those of a session around it. */
export type SessionPhase = Exclude<Phase, "dead"> | "serialconn" | "dormant" | "running" | "disconnect" | "holdoff";

export interface SessionPlugin {
  phase(phase: SessionPhase): void;
  /**
   * The first network protocol is up on this interface. The observers and scripts wait until the promise resolves.
   * Undefined: they need not.
   */
  running(port: PacketPort): Promise<void> | undefined;
  /** Is told of the network phase of this interface. */
  observer(port: PacketPort): NetworkObserver;
  /** Asks for our name and our secret. Never rejects. */
  account(): Promise<Account>;
  /** The session has ended. */
  end(): void;
}
