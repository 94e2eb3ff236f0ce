// Reads a published status. Another version may have written it, so a part that this version does not know, or that is
// missing, is no fault.

import { type Traffic, TRAFFIC_FIELDS } from "../../link/counters.ts";
import { FLOW_FIELDS, type FlowCounts } from "../../stack/flow-count.ts";
import type { FileTransfer } from "../host/processes.ts";
import type { LineStatus, Status } from "./published-status.ts";

/** Reads the status of any version of this program. Undefined: the text is no status. */
export function parseStatus(text: string | undefined): Status | undefined {
  if (text === undefined) return undefined;
  try {
    const status: unknown = JSON.parse(text);
    return isStatus(status) ? withSoundParts(status) : undefined;
  } catch {
    return undefined;
  }
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string";
const isTruth: Check = (value) => typeof value === "boolean";
const isNumber: Check = (value) => typeof value === "number" && Number.isFinite(value) && value >= 0;

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

const isTraffic = counts(TRAFFIC_FIELDS) as (value: unknown) => value is Traffic;
const isFlow = counts(FLOW_FIELDS);
const isFlows = shape({ tcp: isFlow, udp: isFlow, echoes: isFlow }) as (value: unknown) => value is FlowCounts;

const IS_STATUS = shape({
  interface: isText,
  namespace: isText,
  counters: shape({ received: isTraffic, sent: isTraffic }),
  compression: isObject,
  lines: (value) => Array.isArray(value) && value.every(isObject),
  sharing: optional(isObject),
  network: optional(isText),
  proxy: optional(isText),
  files: optional(isText),
  flows: optional(isFlows),
});

function isStatus(value: unknown): value is Status {
  return IS_STATUS(value);
}

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

/** The parts that came later. One of another shape is as good as missing. */
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
];

const STATUS_PARTS: readonly (readonly [keyof Status, Check])[] = [
  ["transfers", (value) => Array.isArray(value) && value.every(isTransfer)],
  ["interleave", isTruth],
  ["vj", shape({ receive: isTruth, transmit: isTruth })],
  ["queue", shape({ packets: isNumber, octets: isNumber, dropped: isNumber, marked: isNumber, overflowed: isNumber })],
];

function withSoundParts(status: Status): Status {
  const lines = status.lines.map((line) => without(line, LINE_PARTS));
  return { ...without(status, STATUS_PARTS), lines };
}

function without<T extends object>(whole: T, parts: readonly (readonly [keyof T, Check])[]): T {
  const sound = { ...whole };
  for (const [name, check] of parts) if (sound[name] !== undefined && !check(sound[name])) delete sound[name];
  return sound;
}
