// The status that a running pppd publishes for pppstats and `nullmodem status`: counters, and facts that every user of
// the machine can see anyway. It is one JSON object, in <rundir>/nullmodem-ppp0.stats while the interface exists.

import type { Counters } from "../../link/counters.ts";
import type { AgreedWay } from "../../link/agreed.ts";
import type { Phase } from "../../link/events.ts";
import type { FileTransfer } from "../host/processes.ts";
import type { FlowCounts } from "../../stack/flow-count.ts";

export const RUN_DIRECTORY = "/var/run";

/** How long the answers to LCP echoes took, in milliseconds. */
export interface RoundTripStatus {
  readonly last: number;
  readonly least: number;
  readonly average: number;
  /** Requests that were answered, and those that were not. */
  readonly answered: number;
  readonly lost: number;
  /** Seconds since the last answer. */
  readonly seconds: number;
}

/** The lines of a serial port. True: on. */
export interface ModemStatus {
  readonly dtr: boolean;
  readonly rts: boolean;
  readonly cts: boolean;
  readonly dsr: boolean;
  readonly dcd: boolean;
  readonly ri: boolean;
}

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
  /** Undefined: no echo was answered. */
  readonly roundTrip?: RoundTripStatus | undefined;
  /** Undefined: the line has none. */
  readonly modem?: ModemStatus | undefined;
  /** Octets that the line has not sent yet, as far as the driver or the clock tells. */
  readonly waiting?: number | undefined;
  /** Of those, the octets that the driver has not been given, and how many can be kept. */
  readonly ring?: { readonly octets: number; readonly size: number } | undefined;
  /** What LCP has agreed on. Undefined: it is not up. */
  readonly agreed?: { readonly receive: AgreedWay; readonly transmit: AgreedWay } | undefined;
  /** The speed that the line had before `climb` changed it. */
  readonly climbedFrom?: number | undefined;
}

/** Packets that wait for the lines, and what became of packets that waited. */
export interface QueueStatus {
  readonly packets: number;
  readonly octets: number;
  /** Dropped so that the others need not wait so long, marked instead of that, and dropped because there was no room. */
  readonly dropped: number;
  readonly marked: number;
  readonly overflowed: number;
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
  /** The files that are on their way now. Undefined: none are. */
  readonly transfers?: readonly FileTransfer[] | undefined;
  /** Whether VJ's header compression is in use. Undefined: IPv4 is not up. */
  readonly vj?: { readonly receive: boolean; readonly transmit: boolean } | undefined;
  /** Long packets go in pieces, and short ones between them. */
  readonly interleave?: boolean | undefined;
  /** Undefined: no packet has waited here. They wait in the kernel. */
  readonly queue?: QueueStatus | undefined;
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
