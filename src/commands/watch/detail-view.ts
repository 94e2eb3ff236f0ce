// One link with all that is known of it, and its graphs.

import type { AgreedWay } from "../../link/agreed.ts";
import type { LineStatus, ModemStatus, QueueStatus, Status } from "../../run/live/published-status.ts";
import type { FileTransfer } from "../../run/host/processes.ts";
import { badFramesText, compressionText, sharingRows, flowRows } from "../status-text.ts";
import { milliseconds, SIGNALS } from "../status-rows.ts";
import { count, size, span } from "../status-units.ts";
import { type Cells, Look } from "./cells.ts";
import { badFrames, type LinkHistory, type Series } from "./link-history.ts";
import { rateText, stateText } from "./list-view.ts";
import { progressBar, roundMost, sparkline } from "./sparkline.ts";

/** The width of the names before the texts, and of the texts beside the graphs. */
const NAME = 9;
const BESIDE = 38;
const GRAPHS = 6;
const HIGHEST = 4;
const BAR = 20;

type Piece = readonly [text: string, look?: Look];
type Row = readonly [name: string, ...pieces: Piece[]];

export interface DetailFacts {
  readonly history: LinkHistory;
  /** The file that it is captured to. */
  readonly capture: string | undefined;
  readonly hasBlocks: boolean;
}

/** Rows from `top` up to `bottom`. */
export function drawDetail(cells: Cells, facts: DetailFacts, top: number, bottom: number): void {
  const { history } = facts;
  const above = factRows(history.latest, cells.columns - NAME - 3);
  const below = trafficRows(history.latest, facts.capture);
  const free = bottom - top - above.length - below.length - 2;
  let row = drawRows(cells, above, top, bottom) + 1;
  for (const [at, graph] of graphsOf(history).entries()) {
    // The first graphs have the rows that are left over.
    const height = Math.max(1, Math.min(HIGHEST, Math.floor((free + GRAPHS - 1 - at) / GRAPHS)));
    if (row + height > bottom) break;
    drawGraph(cells, graph, history, row, height, facts.hasBlocks);
    row += height;
  }
  drawRows(cells, below, row + 1, bottom);
}

function drawRows(cells: Cells, rows: readonly Row[], top: number, bottom: number): number {
  let row = top;
  for (const [name, ...pieces] of rows) {
    if (row >= bottom) break;
    cells.put(row, 1, name, Look.faint);
    let at = NAME + 2;
    for (const [text, look] of pieces) at = cells.put(row, at, text, look, cells.columns - 1);
    row++;
  }
  return row;
}

// ── what the link is ─────────────────────────────────────────────────────────────────────────────────────────────────

function factRows(link: Status, width: number): Row[] {
  const { ipv4, ipv6, mtu, compression, counters, vj } = link;
  const named = [link.linkname && `linkname ${link.linkname}`, `pid ${link.pid}`].filter(Boolean).join(", ");
  const isUp = link.up !== undefined;
  const peer = link.peer === undefined ? "" : `, peer ${link.peer}`;
  const vjWays = vj === undefined ? [] : [vj.receive && "in", vj.transmit && "out"].filter(Boolean);
  const { receive, transmit } = compression;
  return [
    [link.interface, [stateText(link), isUp ? Look.good : Look.warn], [`${peer}, ${named}`]],
    ...addressRow("IPv4", ipv4, mtu),
    ...addressRow("IPv6", ipv6, mtu),
    ...link.lines.flatMap((line) => lineRows(line, link.interleave === true, width)),
    [
      "compress",
      [compressionText(receive, transmit, counters.received, counters.sent)],
      [vj === undefined ? "" : `; VJ ${vjWays.length === 0 ? "no" : vjWays.join(" and ")}`],
    ],
  ];
}

function addressRow(name: string, addresses: Status["ipv4"], mtu: number): Row[] {
  return addresses === undefined ? [] : [[name, [`${addresses.our} to ${addresses.peer}, MTU ${mtu}`]]];
}

function lineRows(line: LineStatus, interleaves: boolean, width: number): Row[] {
  const { device, speed, phase, silent = 0, climbedFrom, modem, agreed } = line;
  const at = speed > 0 ? ` at ${speed}${climbedFrom === undefined ? "" : ` (climbed from ${climbedFrom})`}` : "";
  const silence = silent >= 5 ? `, silent for ${span(silent)}` : "";
  const parts = agreed === undefined ? [] : agreedParts(agreed.receive, agreed.transmit, interleaves);
  return [
    ["line", [`${device}${at}, ${phase}${silence}`]],
    ...(modem === undefined ? [] : [signalsRow(modem)]),
    ...wrapped(parts, width).map((text, row): Row => [row === 0 ? "agreed" : "", [text]]),
  ];
}

/** What is on has capitals, so that it can be told without colours. */
function signalsRow(modem: ModemStatus): Row {
  const pieces = SIGNALS.map((signal): Piece =>
    modem[signal] ? [`${signal.toUpperCase()} `, Look.good] : [`${signal} `, Look.faint],
  );
  return ["signals", ...pieces];
}

/** What is the same both ways is named once. */
function agreedParts(receive: AgreedWay, transmit: AgreedWay, interleaves: boolean): string[] {
  const both = (name: string, of: (way: AgreedWay) => string | number | undefined): string => {
    const [one, other] = [of(receive) ?? "no", of(transmit) ?? "no"];
    return one === other ? `${name} ${one}` : `${name} ${one} in and ${other} out`;
  };
  const short = (way: AgreedWay): string => [way.pcomp && "pcomp", way.accomp && "accomp"].filter(Boolean).join("+");
  const hasMultilink = receive.mrru !== undefined || transmit.mrru !== undefined;
  return [
    both("MRU", ({ mru }) => mru),
    both("ACCM", ({ accm }) => accm.replace(/^0+(?=.)/, "")),
    both("fields", (way) => short(way) || undefined),
    ...(receive.fcs === 16 && transmit.fcs === 16 ? [] : [both("FCS", ({ fcs }) => fcs)]),
    receive.auth === undefined ? "peer unproved" : `peer proved by ${receive.auth}`,
    ...(transmit.auth === undefined ? [] : [`we proved by ${transmit.auth}`]),
    ...(hasMultilink ? [both("multilink MRRU", ({ mrru }) => mrru)] : []),
    ...(interleaves ? ["interleaved"] : []),
  ];
}

/** As few rows as have room for the parts. */
function wrapped(parts: readonly string[], width: number): string[] {
  const rows: string[] = [];
  for (const part of parts) {
    const last = rows.at(-1);
    if (last === undefined || last.length + 2 + part.length > width) rows.push(part);
    else rows[rows.length - 1] = `${last}, ${part}`;
  }
  return rows;
}

// ── the graphs ───────────────────────────────────────────────────────────────────────────────────────────────────────

interface Graph {
  readonly name: string;
  readonly series: Series;
  readonly texts: readonly string[];
  readonly look: Look;
  unit(most: number): string;
}

function graphsOf(history: LinkHistory): Graph[] {
  const { counters, lines, queue } = history.latest;
  const trip = lines.find(({ roundTrip }) => roundTrip !== undefined)?.roundTrip;
  const ratio = history.last("ratio");
  const bad = badFrames(history.latest);
  const total = (way: "received" | "sent"): string =>
    `${size(counters[way].bytes)} in ${count(counters[way].packets, "packet")}`;
  return [
    graph("received", "received", [rateText(history.last("received")), total("received")], Look.good, rateText),
    graph("sent", "sent", [rateText(history.last("sent")), total("sent")], Look.good, rateText),
    graph(
      "echo",
      "roundTrip",
      trip === undefined
        ? ["no echo was answered", "(lcp-echo-interval)"]
        : [
            `${milliseconds(trip.last)} (least ${trip.least.toFixed(1)}, mean ${trip.average.toFixed(1)})`,
            `${trip.lost} lost`,
          ],
      Look.warn,
      milliseconds,
    ),
    graph(
      "ratio",
      "ratio",
      [Number.isNaN(ratio) ? "nothing to compress" : `${ratio.toFixed(2)} to 1 now`],
      Look.plain,
      (most) => `${most} to 1`,
    ),
    graph("errors", "errors", [bad === 0 ? "none" : badFramesText(lines)], Look.bad, (most) => `${most} a second`),
    graph("queue", "queue", queue === undefined ? ["in the kernel"] : queueTexts(queue), Look.warn, size),
  ];
}

function graph(
  name: string,
  series: Series,
  texts: readonly string[],
  look: Look,
  unit: (most: number) => string,
): Graph {
  return { name, series, texts, look, unit };
}

function queueTexts({ packets, octets, dropped, overflowed, marked }: QueueStatus): string[] {
  return [`${packets} (${size(octets)})`, `${dropped + overflowed} dropped, ${marked} marked`];
}

function drawGraph(
  cells: Cells,
  graph: Graph,
  history: LinkHistory,
  top: number,
  height: number,
  blocks: boolean,
): void {
  cells.put(top, 1, graph.name, Look.faint);
  for (const [row, text] of (height === 1 ? [graph.texts.join(", ")] : graph.texts).entries())
    if (row < height) cells.put(top + row, NAME + 2, text, Look.plain, NAME + 2 + BESIDE);
  const left = NAME + 2 + BESIDE + 1;
  const width = cells.columns - 1 - left;
  if (width <= 0) return;
  const values = history.values[graph.series];
  const highest = Math.max(0, ...values.slice(-width).filter((value) => !Number.isNaN(value)));
  const most = roundMost(highest);
  if (height > 1 && highest > 0 && graph.texts.length < height)
    cells.put(top + height - 1, NAME + 2, `scale ${graph.unit(most)}`, Look.faint, NAME + 2 + BESIDE);
  for (const [row, line] of sparkline(values, width, height, most, blocks).entries())
    cells.put(top + row, left, line, graph.look);
}

// ── what goes over it ────────────────────────────────────────────────────────────────────────────────────────────────

function trafficRows(link: Status, capture: string | undefined): Row[] {
  const { transfers = [], proxy, files } = link;
  return [
    ...transfers.map(transferRow),
    ...(capture === undefined ? [] : [["capture", [`to ${capture}`, Look.warn]] satisfies Row]),
    ...(files === undefined ? [] : [["files", [files]] satisfies Row]),
    ...(proxy === undefined ? [] : [["proxy", [proxy]] satisfies Row]),
    ...[...sharingRows(link), ...flowRows(link)].map(([name = "", text = ""]): Row => [name, [text]]),
  ];
}

function transferRow({ name, to, octets, of, rate }: FileTransfer): Row {
  const way = to === "peer" ? "to peer" : "from peer";
  if (of === undefined || of === 0) return [way, [`${size(octets)}, ${size(rate)}/s  ${name}`]];
  const left = rate > 0 ? `, ${span(Math.ceil((of - octets) / rate))} left` : "";
  return [way, [`${progressBar(octets / of, BAR)} of ${size(of)}, ${size(rate)}/s${left}  ${name}`]];
}
