// Reports progress to the service manager.

export interface Notifier {
  /** How often a sign of life is due, in milliseconds. Infinity: never. */
  readonly beatMs: number;
  /** When the next sign of life is due. */
  readonly beatAt: number;
  /** Gives a sign of life. */
  beat(now: number): void;
  /** Reports the present state. */
  status(text: string, isUp?: boolean): void;
  /** Reports that the end has begun. */
  stopping(): void;
}

/** The state of a session whose line is open, while no network protocol is up. */
export const AWAITS_PEER = "waiting for the peer";

/** What the state of a session begins with while it waits for a call by TCP. */
export const AWAITS_CALL = "waiting for a call on";

/** Reports nothing. */
export const SILENT_NOTIFIER: Notifier = {
  beatMs: Infinity,
  beatAt: Infinity,
  beat: () => {},
  status: () => {},
  stopping: () => {},
};
