// The two ways the words given can end the program before it starts.

/** The operator's mistake. `lines` are what pppd prints, each after "pppd: " (the name it was invoked by). */
export class OptionError extends Error {
  readonly lines: readonly string[];
  /** The exit code: 2, but 1 when no secret could authenticate the peer. */
  readonly code: number;
  /** The usage text follows the message. */
  readonly usage: boolean;
  /** Lines of our own that come last, without a prefix. */
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

/** --version or --help was read: print that and exit 0. */
export class OptionExit extends Error {
  readonly asked: "version" | "help";

  constructor(asked: "version" | "help") {
    super(asked);
    this.name = "OptionExit";
    this.asked = asked;
  }
}
