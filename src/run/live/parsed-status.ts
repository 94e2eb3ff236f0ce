// Reads a published status. Another version or another program may have written it, so a part that this version does not know,
// or that is missing, is no fault, and what it returns has the types of a Status.

import { TRAFFIC_FIELDS } from "../../link/counters.ts";
import { FLOW_FIELDS } from "../../stack/flow-count.ts";
import type { FileTransfer } from "../host/processes.ts";
import type { LineStatus, Status } from "./published-status.ts";

/** Reads the status of any version of this program. Undefined: the text is no status. */
export function parseStatus(text: string | undefined): Status | undefined {
  if (text === undefined) return undefined;
  try {
    const status: unknown = JSON.parse(text);
    return isStatus(status) ? sound(status) : undefined;
  } catch {
    return undefined;
  }
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string";
const isTruth: Check = (value) => typeof value === "boolean";
const isNumber: Check = (value) => typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A field that is there must pass its check. */
function optional(check: Check): Check {
  return (value) => value === undefined || check(value);
}

function shape(fields: Readonly<Record<string, Check>>): Check {
  return (value) => isObject(value) && Object.entries(fields).every(([name, check]) => check(value[name]));
}

function counts(fields: readonly string[]): Check {
  return (value) => isObject(value) && fields.every((field) => Number.isSafeInteger(value[field]));
}

const isTraffic = counts(TRAFFIC_FIELDS);
const isFlow = counts(FLOW_FIELDS);
const isFlows = shape({ tcp: isFlow, udp: isFlow, echoes: isFlow });

/** What nothing can be said of a link without. */
const isStatus = shape({
  interface: isText,
  pid: isNumber,
  namespace: isText,
  counters: shape({ received: isTraffic, sent: isTraffic }),
  lines: Array.isArray,
}) as (value: unknown) => value is Status;

export const isTransfer = shape({
  name: isText,
  to: (value) => value === "peer" || value === "us",
  octets: isNumber,
  of: optional(isNumber),
  rate: isNumber,
}) as (value: unknown) => value is FileTransfer;

const isWay = shape({
  mru: isNumber,
  accm: isText,
  pcomp: isTruth,
  accomp: isTruth,
  fcs: isNumber,
  auth: optional(isText),
  mrru: optional(isNumber),
  endpoint: optional(isText),
});

/** Parts that may be missing. One of another shape is as good as missing. */
const LINE_PARTS: readonly (readonly [keyof LineStatus, Check])[] = [
  [
    "roundTrip",
    shape({
      last: isNumber,
      least: isNumber,
      average: isNumber,
      answered: isNumber,
      lost: isNumber,
      seconds: isNumber,
    }),
  ],
  ["modem", shape({ dtr: isTruth, rts: isTruth, cts: isTruth, dsr: isTruth, dcd: isTruth, ri: isTruth })],
  ["waiting", isNumber],
  ["ring", shape({ octets: isNumber, size: isNumber })],
  ["agreed", shape({ receive: isWay, transmit: isWay })],
  ["climbedFrom", isNumber],
  ["silent", isNumber],
];

const isAddresses = shape({ our: isText, peer: isText });
const isSharing = shape({
  way: (value) => value === "kernel" || value === "sockets",
  by: optional(isText),
  seconds: isNumber,
});

const STATUS_PARTS: readonly (readonly [keyof Status, Check])[] = [
  ["linkname", isText],
  ["peer", isText],
  ["up", isNumber],
  ["ipv4", isAddresses],
  ["ipv6", isAddresses],
  ["sharing", isSharing],
  ["network", isText],
  ["proxy", isText],
  ["files", isText],
  ["flows", isFlows],
  ["transfers", (value) => Array.isArray(value) && value.every(isTransfer)],
  ["interleave", isTruth],
  ["vj", shape({ receive: isTruth, transmit: isTruth })],
  ["queue", shape({ packets: isNumber, octets: isNumber, dropped: isNumber, marked: isNumber, overflowed: isNumber })],
];

/** Numbers that each version has. One that is none counts as 0. */
const LINE_NUMBERS = [
  "speed",
  "framesReceived",
  "framesSent",
  "badFcs",
  "runts",
  "overlong",
  "aborted",
  "faults",
] as const satisfies readonly (keyof LineStatus)[];

function sound(status: Status): Status {
  const { mtu, compression, lines } = status;
  return {
    ...without(status, STATUS_PARTS),
    mtu: isNumber(mtu) ? mtu : 0,
    compression: isObject(compression) ? without(compression, COMPRESSION_PARTS) : {},
    lines: (lines as readonly unknown[]).flatMap((line) => (isLine(line) ? [soundLine(line)] : [])),
  };
}

const COMPRESSION_PARTS: readonly (readonly ["receive" | "transmit", Check])[] = [
  ["receive", isText],
  ["transmit", isText],
];

/** A line without a device is left out. */
const isLine = shape({ device: isText }) as (value: unknown) => value is LineStatus;

function soundLine(line: LineStatus): LineStatus {
  const numbers = LINE_NUMBERS.map((name) => [name, isNumber(line[name]) ? line[name] : 0]);
  return {
    ...without(line, LINE_PARTS),
    ...(Object.fromEntries(numbers) as Pick<LineStatus, (typeof LINE_NUMBERS)[number]>),
    phase: isText(line.phase) ? line.phase : "dead",
  };
}

function without<T extends object>(whole: T, parts: readonly (readonly [keyof T, Check])[]): T {
  const rest = { ...whole };
  for (const [name, check] of parts) if (rest[name] !== undefined && !check(rest[name])) delete rest[name];
  return rest;
}
