// One result of a diagnosis: a fact about the host or the line, and the remedy. Its lines in the log are made only
// here.

import type { Log, LogLevel } from "../log.ts";

export interface Finding {
  /** A name for programs. It stays the same when the text changes. */
  readonly code: string;
  readonly text: string;
  /** What the user can do. It follows the text on the same line, or on its own lines if it begins with a line break. */
  readonly remedy?: string;
  readonly severity: "info" | "warning" | "error";
}

export const LEVELS = { info: "info", warning: "warn", error: "error" } as const satisfies Record<
  Finding["severity"],
  LogLevel
>;

/** The finding as lines of text. */
export function linesOf({ text, remedy }: Finding): string[] {
  if (remedy === undefined) return [text];
  return `${text}${remedy.startsWith("\n") ? "" : "; "}${remedy}`.split("\n");
}

/** A log may make something else of a finding than lines. */
type FindingLog = Pick<Log, "write"> & { report?(finding: Finding): void };

export function report(log: FindingLog, findings: readonly Finding[]): void {
  for (const finding of findings)
    if (log.report !== undefined) log.report(finding);
    else for (const line of linesOf(finding)) log.write(LEVELS[finding.severity], line);
}
