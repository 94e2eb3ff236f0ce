// What a running pppd publishes for pppstats and `nullmodem status`: counters, and what every user of the machine can see
// anyway. One object of JSON, published as <rundir>/nullmodem-ppp0.stats while the interface exists.

import { type Counters, type Traffic, TRAFFIC_FIELDS } from "../../link/counters.ts";
import type { Phase } from "../../link/events.ts";

export const RUN_DIRECTORY = "/var/run";

/** One line and the link on it. */
export interface LineStatus {
  /** "/dev/ttyS0", "/dev/stdin" or where a connection goes. */
  readonly device: string;
  /** Bits a second it is reckoned with; 0: it has none, or is faster than it says. */
  readonly speed: number;
  readonly phase: Phase;
  readonly framesReceived: number;
  readonly framesSent: number;
  /** Frames that were no good, by what was wrong with them. */
  readonly badFcs: number;
  readonly runts: number;
  readonly overlong: number;
  readonly aborted: number;
  /** Frames dropped for a fault of this program: its log names the place. */
  readonly faults: number;
}

export interface Addresses {
  readonly our: string;
  readonly peer: string;
}

export interface Status {
  readonly interface: string;
  readonly pid: number;
  /** The network namespace the interface is in, as /proc/self/ns/net reads. */
  readonly namespace: string;
  readonly linkname?: string | undefined;
  /** What the peer proved to be. */
  readonly peer?: string | undefined;
  /** Seconds since a network protocol came up. */
  readonly up?: number | undefined;
  readonly mtu: number;
  readonly ipv4?: Addresses | undefined;
  readonly ipv6?: Addresses | undefined;
  /** How packets are compressed or encrypted each way, by pppd's names. */
  readonly compression: { readonly receive?: string | undefined; readonly transmit?: string | undefined };
  readonly counters: Counters;
  readonly lines: readonly LineStatus[];
}

export function statusPath(ifname: string, directory = RUN_DIRECTORY): string {
  return `${directory}/nullmodem-${ifname}.stats`;
}

/** True for the names of those files. */
export function isStatusName(name: string): boolean {
  return name.startsWith("nullmodem-") && name.endsWith(".stats");
}

/** A status that some version of ours has published; undefined: the text is none. */
export function parseStatus(text: string | undefined): Status | undefined {
  if (text === undefined) return undefined;
  try {
    const status: unknown = JSON.parse(text);
    return isStatus(status) ? status : undefined;
  } catch {
    return undefined;
  }
}

function isStatus(value: unknown): value is Status {
  if (!isObject(value) || !isObject(value["counters"]) || !isObject(value["compression"])) return false;
  const { received, sent } = value["counters"];
  const { interface: ifname, namespace, lines } = value;
  return (
    typeof ifname === "string" &&
    typeof namespace === "string" &&
    isTraffic(received) &&
    isTraffic(sent) &&
    Array.isArray(lines) &&
    lines.every(isObject)
  );
}

function isTraffic(value: unknown): value is Traffic {
  return isObject(value) && TRAFFIC_FIELDS.every((field) => Number.isSafeInteger(value[field]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
