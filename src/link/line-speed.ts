// What a link asks of a line whose speed can be changed while the link is up.

/** "refused": the port cannot have this speed. "stuck": flow control has held up what was to be sent first. */
export type SpeedChange = "set" | "refused" | "stuck";

export interface LineSpeed {
  /** The present speed, and all speeds that the port can have. Undefined: the speed of this line must stay. */
  speeds(): { readonly now: number; readonly able: readonly number[] } | undefined;
  /**
   * Changes the speed. "drained": what was written is sent first. "at once": what is not sent yet is lost, and what is
   * written from now on has the new speed. Calls `done` later.
   */
  set(speed: number, when: "drained" | "at once", done: (change: SpeedChange, now: number) => void): void;
  /** Takes back what set() has asked for, if it was not done yet. */
  cancel(): void;
}
