// Reports progress to the service manager.

export interface Notifier {
  /** How often a sign of life is due, in milliseconds; Infinity: never. */
  readonly beatMs: number;
  /** When the next one is due. */
  readonly beatAt: number;
  /** Gives a sign of life. */
  beat(now: number): void;
  /** Says what is going on. */
  status(text: string, isUp?: boolean): void;
  /** Says that the end has begun. */
  stopping(): void;
}

/** Reports nothing. */
export const SILENT_NOTIFIER: Notifier = {
  beatMs: Infinity,
  beatAt: Infinity,
  beat: () => {},
  status: () => {},
  stopping: () => {},
};
