// The two ways in which the given words end the program before it starts.

/** A mistake of the operator. `lines` are what pppd prints, each after "pppd: " (the name of the call). */
export class OptionError extends Error {
  readonly lines: readonly string[];
  /** The exit code: 2, or 1 when no secret could authenticate the peer. */
  readonly code: number;
  /** The usage text follows the message. */
  readonly usage: boolean;
  /** Lines of our own that follow, without a prefix. */
  readonly hints: readonly string[];

  constructor(
    lines: string | readonly string[],
    more: { code?: number; usage?: boolean; hints?: readonly string[] } = {},
  ) {
    const list = typeof lines === "string" ? [lines] : lines;
    super(list.join("\n"));
    this.name = "OptionError";
    this.lines = list;
    this.code = more.code ?? 2;
    this.usage = more.usage ?? false;
    this.hints = more.hints ?? [];
  }
}

/** --version or --help was read: prints that and exits with 0. */
export class OptionExit extends Error {
  readonly asked: "version" | "help";

  constructor(asked: "version" | "help") {
    super(asked);
    this.name = "OptionExit";
    this.asked = asked;
  }
}
