// Formats sessions of the history for people.

import { inert } from "../bytes/text.ts";
import type { SessionRecord } from "../record/session-record.ts";
import { endText } from "../run/end-text.ts";
import { durationText, sizeText } from "../transfer/progress-text.ts";

/** A session, and whether its process still has the link. */
export interface LoggedSession {
  readonly record: SessionRecord;
  readonly isUp: boolean;
}

/** "2026-11-30 21:05" in local time. */
export type TimeText = (milliseconds: number) => string;

/** A line of heads, and a line for each session, the oldest first, with aligned columns. */
export function sessionLines(sessions: readonly LoggedSession[], timeText: TimeText): string {
  const rows = sessions.map(({ record, isUp }) => [
    timeText(record.began),
    record.interface ?? "-",
    portText(record.device),
    record.peer ?? record.their ?? "-",
    durationText(record.seconds),
    sizeText(record.in),
    sizeText(record.out),
    outcomeText({ record, isUp }),
  ]);
  return aligned([["began", "link", "port", "peer", "lasted", "in", "out", "end"], ...rows]);
}

/** Why it is over, or that it is not. */
export function outcomeText({ record, isUp }: LoggedSession): string {
  const { exit, hangup = false, failures } = record;
  if (failures !== undefined && exit !== undefined) {
    const times = failures === 1 ? "not up" : `not up, ${failures} times`;
    return `${times}: ${endText(exit, hangup)}`;
  }
  if (exit !== undefined) return endText(exit, hangup);
  return isUp ? "still up" : "cut short: pppd was killed, or the power failed";
}

/** A line for each user, with what all sessions of it have together. */
export function userLines(sessions: readonly LoggedSession[], timeText: TimeText): string {
  const users = Map.groupBy(
    sessions.filter(({ record }) => record.failures === undefined),
    ({ record }) => record.peer ?? "(no name)",
  );
  const rows = [...users].map(([name, all]) => {
    const sum = (field: "seconds" | "in" | "out"): number => all.reduce((total, one) => total + one.record[field], 0);
    const last = Math.max(...all.map(({ record }) => record.began));
    return [
      name,
      `${all.length} ${all.length === 1 ? "session" : "sessions"}`,
      durationText(sum("seconds")),
      `${sizeText(sum("in"))} in`,
      `${sizeText(sum("out"))} out`,
      `last ${timeText(last)}`,
    ];
  });
  return aligned(rows);
}

/** What a port is called by people: "ttyS0". */
export function portText(device: string): string {
  return device
    .split(" ")
    .map((one) => (one.startsWith("/dev/") ? one.slice("/dev/".length) : one))
    .join(" ");
}

/** The last column is as long as it likes. */
function aligned(rows: readonly (readonly string[])[]): string {
  const shown = rows.map((row) => row.map(inert));
  const widths = (shown[0] ?? []).map((_, at) => Math.max(...shown.map((row) => row[at]!.length)));
  return shown
    .map((row) => `${row.map((text, at) => (at === row.length - 1 ? text : text.padEnd(widths[at]!))).join("  ")}\n`)
    .join("");
}
