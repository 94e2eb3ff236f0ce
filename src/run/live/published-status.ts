// The status that a running pppd publishes for pppstats and `nullmodem status`: counters, and facts that every user of
// the machine can see anyway. It is one JSON object, in <rundir>/nullmodem-ppp0.stats while the interface exists.

import { type Counters, type Traffic, TRAFFIC_FIELDS } from "../../link/counters.ts";
import type { Phase } from "../../link/events.ts";
import { FLOW_FIELDS, type FlowCounts } from "../../stack/flow-count.ts";

export const RUN_DIRECTORY = "/var/run";

/** One line and the link on it. */
export interface LineStatus {
  /** "/dev/ttyS0", "/dev/stdin", or the address of a connection. */
  readonly device: string;
  /** Bits a second that the pacer assumes. 0: the line has no speed, or is faster than its speed. */
  readonly speed: number;
  readonly phase: Phase;
  /** Seconds since the last good frame of PPP. Undefined: nobody counts them. */
  readonly silent?: number | undefined;
  readonly framesReceived: number;
  readonly framesSent: number;
  /** Bad frames by their fault. */
  readonly badFcs: number;
  readonly runts: number;
  readonly overlong: number;
  readonly aborted: number;
  /** Frames that were dropped because of a bug in this program. The log names the place in the code. */
  readonly faults: number;
}

export interface Addresses {
  readonly our: string;
  readonly peer: string;
}

/** How the peer uses this machine's network. */
export interface SharingStatus {
  /** By the kernel's forwarding, or by sockets of the program. */
  readonly way: "kernel" | "sockets";
  /** What the kernel's rules are part of. */
  readonly by?: string | undefined;
  /** Seconds since it began. */
  readonly seconds: number;
}

export interface Status {
  readonly interface: string;
  readonly pid: number;
  /** The network namespace of the interface, as in /proc/self/ns/net. */
  readonly namespace: string;
  readonly linkname?: string | undefined;
  /** The authenticated name of the peer. */
  readonly peer?: string | undefined;
  /** Seconds since a network protocol came up. */
  readonly up?: number | undefined;
  readonly mtu: number;
  readonly ipv4?: Addresses | undefined;
  readonly ipv6?: Addresses | undefined;
  /** pppd's names for the compression or encryption in each direction. */
  readonly compression: { readonly receive?: string | undefined; readonly transmit?: string | undefined };
  readonly counters: Counters;
  readonly sharing?: SharingStatus | undefined;
  /** The IPv6 network that Router Advertisements tell the peer of. */
  readonly network?: string | undefined;
  /** What goes through sockets of the program. */
  readonly flows?: FlowCounts | undefined;
  /** Where programs reach the link's network by a proxy: "127.0.0.1:1080". */
  readonly proxy?: string | undefined;
  /** Where the peer finds our files: "http://192.168.0.1/". */
  readonly files?: string | undefined;
  readonly lines: readonly LineStatus[];
}

export function statusPath(ifname: string, directory = RUN_DIRECTORY): string {
  return `${directory}/nullmodem-${ifname}.stats`;
}

/** True for the name of a status file. */
export function isStatusName(name: string): boolean {
  return interfaceOf(name) !== undefined;
}

/** The interface of a status file's name. Undefined: it is the name of another file. */
export function interfaceOf(name: string): string | undefined {
  return /^nullmodem-(.+)\.stats$/.exec(name)?.[1];
}

/** Reads the status of any version of this program. Undefined: the text is no status. */
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
  const { interface: ifname, namespace, lines, sharing, network, flows, proxy, files } = value;
  return (
    typeof ifname === "string" &&
    typeof namespace === "string" &&
    isTraffic(received) &&
    isTraffic(sent) &&
    Array.isArray(lines) &&
    lines.every(isObject) &&
    (sharing === undefined || isObject(sharing)) &&
    (network === undefined || typeof network === "string") &&
    (proxy === undefined || typeof proxy === "string") &&
    (files === undefined || typeof files === "string") &&
    (flows === undefined || isFlows(flows))
  );
}

function isTraffic(value: unknown): value is Traffic {
  return isObject(value) && TRAFFIC_FIELDS.every((field) => Number.isSafeInteger(value[field]));
}

function isFlows(value: unknown): value is FlowCounts {
  const isCount = (count: unknown): boolean =>
    isObject(count) && FLOW_FIELDS.every((field) => Number.isSafeInteger(count[field]));
  return isObject(value) && ["tcp", "udp", "echoes"].every((kind) => isCount(value[kind]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
