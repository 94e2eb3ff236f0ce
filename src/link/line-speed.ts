// What a link asks of a line whose speed can be changed while the link is up.

export interface LineSpeed {
  /** The present speed, and all speeds that the port can have. Undefined: the speed of this line must stay. */
  speeds(): { readonly now: number; readonly able: readonly number[] } | undefined;
  /**
   * Changes the speed. "drained": what was written is sent first. "at once": what is not sent yet is lost. Calls `done`
   * later: false, if the port cannot have this speed.
   */
  set(speed: number, when: "drained" | "at once", done: (isSet: boolean, now: number) => void): void;
  /** Takes back what set() has asked for, if it was not done yet. */
  cancel(): void;
}
