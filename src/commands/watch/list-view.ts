// The links of the machine as a list, one a row.

import type { Status } from "../../run/live/published-status.ts";
import { milliseconds } from "../status-rows.ts";
import { size, span } from "../status-units.ts";
import { type Cells, Look } from "./cells.ts";
import { badFrames, type LinkHistory, waitingOf } from "./link-history.ts";
import { roundMost, sparkline } from "./sparkline.ts";

interface Column {
  readonly title: string;
  readonly width: number;
  readonly isRight?: boolean;
  text(history: LinkHistory): string;
}

const COLUMNS: readonly Column[] = [
  { title: "LINK", width: 8, text: ({ latest }) => latest.interface },
  { title: "STATE", width: 12, text: ({ latest }) => stateText(latest) },
  { title: "PEER", width: 15, text: ({ latest }) => latest.peer ?? latest.ipv4?.peer ?? latest.ipv6?.peer ?? "" },
  { title: "IN", width: 9, isRight: true, text: (history) => rateText(history.last("received")) },
  { title: "OUT", width: 9, isRight: true, text: (history) => rateText(history.last("sent")) },
  { title: "ECHO", width: 7, isRight: true, text: (history) => echoText(history.last("roundTrip")) },
  { title: "BAD", width: 5, isRight: true, text: ({ latest }) => String(badFrames(latest)) },
];
/** On wide terminals. */
const WIDE: readonly Column[] = [
  { title: "QUEUE", width: 8, isRight: true, text: ({ latest }) => shortSize(waitingOf(latest)) },
  { title: "LINE", width: 22, text: ({ latest }) => lineText(latest) },
];
const WIDE_FROM = 110;
const LEAST_GRAPH = 12;

export function stateText({ up, lines }: Status): string {
  if (up !== undefined) return `up ${span(up)}`;
  const [line] = lines;
  // Before a caller comes.
  return line === undefined ? "no line" : line.phase === "dead" ? "waiting" : line.phase;
}

export function rateText(rate: number): string {
  return Number.isNaN(rate) ? "" : `${shortSize(rate)}/s`;
}

function shortSize(octets: number): string {
  return size(octets).replace(/bytes?/, "B");
}

function echoText(value: number): string {
  return Number.isNaN(value) ? "" : milliseconds(value);
}

function lineText({ lines }: Status): string {
  return lines.map(({ device, speed }) => `${device.replace("/dev/", "")}${speed > 0 ? ` ${speed}` : ""}`).join(", ");
}

export interface ListFacts {
  readonly links: readonly LinkHistory[];
  readonly selected: LinkHistory | undefined;
  readonly hasBlocks: boolean;
}

/** Rows from `top` up to `bottom`. */
export function drawList(cells: Cells, { links, selected, hasBlocks }: ListFacts, top: number, bottom: number): void {
  const columns = cells.columns >= WIDE_FROM ? [...COLUMNS, ...WIDE] : COLUMNS;
  const graphAt = columns.reduce((at, { width }) => at + width + 1, 1);
  const graph = cells.columns - 1 - graphAt;
  drawRow(cells, top, columns, ({ title }) => title, Look.faint);
  if (graph >= LEAST_GRAPH) cells.put(top, graphAt, "IN AND OUT", Look.faint);
  const room = bottom - top - 1;
  // The chosen one is always to be seen.
  const first = Math.max(
    0,
    Math.min(links.findIndex((history) => history === selected) - room + 1, links.length - room),
  );
  for (const [at, history] of links.slice(first, first + room).entries()) {
    const row = top + 1 + at;
    const isSelected = history === selected;
    if (isSelected) cells.fill(row, Look.bar);
    drawRow(cells, row, columns, (column) => column.text(history), isSelected ? Look.bar : Look.plain);
    if (graph < LEAST_GRAPH) continue;
    const { received, sent } = history.values;
    const both = received.map((value, second) => value + sent[second]!);
    const most = roundMost(Math.max(0, ...both.slice(-graph)));
    const [line = ""] = sparkline(both, graph, 1, most, hasBlocks);
    cells.put(row, graphAt, line, isSelected ? Look.bar : Look.good);
  }
}

function drawRow(
  cells: Cells,
  row: number,
  columns: readonly Column[],
  text: (column: Column) => string,
  look: Look,
): void {
  let at = 1;
  for (const column of columns) {
    const { width, isRight = false } = column;
    const shown = text(column);
    cells.put(row, isRight ? Math.max(at, at + width - shown.length) : at, shown, look, at + width);
    at += width + 1;
  }
}
