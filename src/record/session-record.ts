// A session in the history: one line of JSON. A link that is up has several, each with all that is known by then, so that the
// last one stands even when the power fails. Lines of a session have the same `began`, `pid` and `device`.

import { MOST_SAMPLES, type Samples } from "./sample-series.ts";

export interface SessionRecord {
  /** When the link came up, or first failed to: milliseconds since 1970. */
  readonly began: number;
  readonly pid: number;
  /** What tells the process from another one of the same number. */
  readonly process?: string | undefined;
  /** "/dev/ttyS0", "127.0.0.1:5000", or what else the line is called. */
  readonly device: string;
  /** Seconds until this line was written. */
  readonly seconds: number;
  /** It is over, with this exit code of pppd. Undefined: it was still up. */
  readonly exit?: number | undefined;
  /** The line was gone. */
  readonly hangup?: boolean | undefined;
  /** It never came up, so many times in turn. Undefined: it was up. */
  readonly failures?: number | undefined;
  readonly interface?: string | undefined;
  readonly linkname?: string | undefined;
  /** The name that the peer has proved. */
  readonly peer?: string | undefined;
  /** Our address and the peer's. */
  readonly our?: string | undefined;
  readonly their?: string | undefined;
  /** Bits a second of the line; 0 or undefined: not known. */
  readonly speed?: number | undefined;
  readonly mtu?: number | undefined;
  /** pppd's names of the compression in each direction. */
  readonly receive?: string | undefined;
  readonly transmit?: string | undefined;
  /** Octets of packets. */
  readonly in: number;
  readonly out: number;
  /** Bad frames received. */
  readonly bad: number;
  readonly samples?: Samples | undefined;
}

export function recordLine(record: SessionRecord): string {
  return `${JSON.stringify(record)}\n`;
}

/** The sessions of a history, in the order in which they were first written: the clock may have been wrong. Lines that are damaged, or cut short, are passed over. */
export function readHistory(text: string): SessionRecord[] {
  const sessions = new Map<string, SessionRecord>();
  for (const line of text.split("\n")) {
    const record = parseRecord(line);
    if (record === undefined) continue;
    const key = JSON.stringify([record.began, record.pid, record.device]);
    const before = sessions.get(key);
    // A mark that was written late must not undo the end.
    if (before?.exit !== undefined && record.exit === undefined) continue;
    sessions.set(key, record);
  }
  return [...sessions.values()];
}

const NUMBERS = ["began", "pid", "seconds", "in", "out", "bad"] as const;
const MAY_BE_NUMBERS = ["exit", "failures", "speed", "mtu"] as const;
const MAY_BE_TEXTS = ["process", "interface", "linkname", "peer", "our", "their", "receive", "transmit"] as const;

/** Undefined: the line is no record of any version of this program. */
function parseRecord(line: string): SessionRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isObject(value) || typeof value["device"] !== "string") return undefined;
  const object = value;
  const isRecord =
    NUMBERS.every((name) => isNumber(object[name])) &&
    MAY_BE_NUMBERS.every((name) => object[name] === undefined || isNumber(object[name])) &&
    MAY_BE_TEXTS.every((name) => object[name] === undefined || typeof object[name] === "string") &&
    (object["hangup"] === undefined || typeof object["hangup"] === "boolean");
  if (!isRecord) return undefined;
  const record = object as unknown as SessionRecord;
  return object["samples"] === undefined || isSamples(object["samples"]) ? record : { ...record, samples: undefined };
}

function isSamples(value: unknown): value is Samples {
  if (!isObject(value) || !isNumber(value["every"]) || value["every"] <= 0) return false;
  const { in: received } = value;
  if (!Array.isArray(received) || received.length > MOST_SAMPLES) return false;
  return ["in", "out", "bad", "rtt"].every((name) => {
    const values = value[name];
    return Array.isArray(values) && values.length === received.length && values.every((one) => isNumber(one));
  });
}

/** A finite number that is safe to compute with and to show. */
function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
