// What a running pppd tells of itself to pppstats and `nullmodem status`: counters, and what is known to everybody on the
// machine anyway. One object of JSON, published as <rundir>/nullmodem-ppp0.stats while the interface is there.

import { readdirSync, readlinkSync } from "node:fs";
import { type Counters, type Traffic, TRAFFIC_FIELDS } from "../../link/counters.ts";
import type { Phase } from "../../link/events.ts";
import { readPublished } from "../../os/log/publication.ts";

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

const SUFFIX = ".stats";
const PREFIX = "nullmodem-";

export function statusPath(ifname: string, directory = RUN_DIRECTORY): string {
  return `${directory}/${PREFIX}${ifname}${SUFFIX}`;
}

export function networkNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/net");
  } catch {
    return "";
  }
}

/** The link of that name in our network namespace, when it is one of ours. */
export function readStatus(ifname: string, directory = RUN_DIRECTORY): Status | undefined {
  // A name is no path.
  if (ifname.includes("/")) return undefined;
  const status = parseStatus(readPublished(statusPath(ifname, directory)));
  return status?.interface === ifname && status.namespace === networkNamespace() ? status : undefined;
}

/** All links of the machine, whatever their network namespace, by name. */
export function readAllStatus(directory = RUN_DIRECTORY): Status[] {
  return readdirSync(directory)
    .filter((name) => name.startsWith(PREFIX) && name.endsWith(SUFFIX))
    .sort(new Intl.Collator("en", { numeric: true }).compare)
    .flatMap((name) => parseStatus(readPublished(`${directory}/${name}`)) ?? []);
}

/** Undefined for what no version of ours has written. */
function parseStatus(text: string | undefined): Status | undefined {
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
