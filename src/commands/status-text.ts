// Formats the status of a link as a few lines for people.

import { inert } from "../bytes/text.ts";
import type { Traffic } from "../link/counters.ts";
import type { LineStatus, Status } from "../run/live/published-status.ts";
import { lineRows, queueRows, transferRows } from "./status-rows.ts";
import { count, size, span } from "./status-units.ts";

/** A peer that is there sends something within this time while the link is set up. */
const SILENT_SECONDS = 5;

/** Bytes a second. */
export interface Rates {
  readonly received: number;
  readonly sent: number;
}

/** Lines for one link, each with its newline. */
export function statusText(link: Status, rates: Rates | undefined): string {
  const { counters, compression } = link;
  const rows = [
    ...addressRows(link),
    ...link.lines.flatMap((line) => [["line", lineText(line)], ...lineRows(line)]),
    ["received", trafficText(counters.received, rates?.received)],
    ["sent", trafficText(counters.sent, rates?.sent)],
    ["compressed", compressionText(compression.receive, compression.transmit, counters.received, counters.sent)],
    ...vjRows(counters.received, counters.sent),
    ["bad frames", badFramesText(link.lines)],
    ...queueRows(link),
    ...(link.proxy === undefined ? [] : [["proxy", link.proxy]]),
    ...(link.files === undefined ? [] : [["files", link.files]]),
    ...transferRows(link),
    ...sharingRows(link),
    ...flowRows(link),
  ];
  const width = Math.max(...rows.map(([name = ""]) => name.length));
  return [
    `${inert(`${link.interface}  ${headline(link)}`)}\n`,
    ...rows.map(([name = "", text = ""]) => `  ${name.padEnd(width)}  ${inert(text)}\n`),
  ].join("");
}

function headline({ up, peer, pid, linkname, lines }: Status): string {
  const [line] = lines;
  const state = up === undefined ? `not up (${line === undefined ? "no line" : phaseText(line)})` : `up ${span(up)}`;
  const named = [peer && `peer ${peer}`, linkname && `linkname ${linkname}`, `pid ${pid}`].filter(Boolean);
  return [state, ...named].join(", ");
}

function phaseText({ phase, silent = 0 }: LineStatus): string {
  // Before a caller comes, silence is normal.
  const isSilent = phase !== "dead" && silent >= SILENT_SECONDS;
  return `phase ${phase}${isSilent ? `, no frame came for ${span(silent)}` : ""}`;
}

function addressRows({ ipv4, ipv6, mtu }: Status): string[][] {
  const found = [
    ["IPv4", ipv4],
    ["IPv6", ipv6],
  ] as const;
  return found.flatMap(([name, addresses]) =>
    addresses === undefined ? [] : [[name, `${addresses.our} to ${addresses.peer}, MTU ${mtu}`]],
  );
}

function lineText({ device, speed, phase, framesReceived, framesSent }: LineStatus): string {
  const frames = `${count(framesReceived, "frame")} in, ${framesSent} out`;
  return `${device}${speed > 0 ? ` at ${speed}` : ""}, phase ${phase}, ${frames}`;
}

function trafficText({ bytes, packets }: Traffic, rate: number | undefined): string {
  return `${size(bytes)} in ${count(packets, "packet")}${rate === undefined ? "" : `, now ${size(rate)}/s`}`;
}

export function compressionText(
  receive: string | undefined,
  transmit: string | undefined,
  received: Traffic,
  sent: Traffic,
): string {
  if (receive === undefined && transmit === undefined) return "no";
  return `in ${methodText(receive, received)}, out ${methodText(transmit, sent)}`;
}

function methodText(method: string | undefined, traffic: Traffic): string {
  if (method === undefined) return "no";
  const carried = traffic.compressedBytes + traffic.incompressibleBytes;
  return carried === 0 ? method : `${method} ${(traffic.uncompressedBytes / carried).toFixed(2)} to 1`;
}

function vjRows(received: Traffic, sent: Traffic): string[][] {
  const shares = ([received, sent] as const).map(({ vjCompressed, vjUncompressed }, at) => {
    return `${at === 0 ? "in" : "out"} ${vjCompressed} of ${vjCompressed + vjUncompressed}`;
  });
  const any = [received, sent].some(({ vjCompressed, vjUncompressed }) => vjCompressed + vjUncompressed > 0);
  return any ? [["VJ headers", shares.join(", ")]] : [];
}

export function badFramesText(lines: readonly LineStatus[]): string {
  const sum = (field: "badFcs" | "runts" | "overlong" | "aborted" | "faults"): number =>
    lines.reduce((total, line) => total + line[field], 0);
  const kinds = [
    [sum("badFcs"), "wrong FCS"],
    [sum("runts"), "too short"],
    [sum("overlong"), "too long"],
    [sum("aborted"), "aborted"],
    [sum("faults"), "dropped for a fault in this program"],
  ] as const;
  const found = kinds.filter(([frames]) => frames > 0);
  return found.length === 0 ? "none" : found.map(([frames, kind]) => `${frames} ${kind}`).join(", ");
}

export function sharingRows({ sharing, network }: Status): string[][] {
  const networkRows = network === undefined ? [] : [["network", `${network} for the peer`]];
  if (sharing === undefined) return networkRows;
  const { way, by, seconds } = sharing;
  const means = way === "sockets" ? "sockets of the program" : `the kernel${by === undefined ? "" : ` with ${by}`}`;
  return [["shared by", `${means}, for ${span(seconds)}`], ...networkRows];
}

export function flowRows({ flows }: Status): string[][] {
  if (flows === undefined) return [];
  const kinds = [
    ["TCP", flows.tcp],
    ["UDP", flows.udp],
    ["pings", flows.echoes],
  ] as const;
  return kinds.flatMap(([name, flow]) => {
    const { opened, closed, denied, limited, fromPeer, toPeer } = flow;
    if (opened + denied + limited === 0) return [];
    const refused = [
      ...(denied > 0 ? [`${denied} denied by a rule`] : []),
      ...(limited > 0 ? [`${limited} beyond the limit`] : []),
    ];
    const flowsText = [`${opened - closed} open`, `${closed} closed`, ...refused].join(", ");
    return [[name, `${flowsText}; ${size(fromPeer)} from the peer, ${size(toPeer)} to it`]];
  });
}
