// The packets by which two ends of ours agree on a faster line: LCP vendor-specific packets (RFC 2153 §2.1). Other
// programs answer them with a Code-Reject.

import { put16, put32, put8, putBytes, u16, u32 } from "../bytes/be.ts";
import { Code, type Control, HEADER_LENGTH, putHeader, putLength } from "./control.ts";

/**
 * No organization owns this identifier. The bit 2 of its first octet marks it as locally administered, and the octets
 * are the letters "NUL".
 */
const OUI = Uint8Array.of(0x4e, 0x55, 0x4c);
/** Magic number, OUI and kind. */
const VENDOR_LENGTH = 4 + OUI.length + 1;

export const ClimbKind = {
  /** The speeds that the sender's port can have. */
  Offer: 1,
  /** The sender wants to try a speed. */
  Try: 2,
  /** The sender agrees to it, and sends nothing until it is tried. */
  Ready: 3,
  /** The sender changes its speed after this packet. */
  Go: 4,
  /** The new speed is being tried. */
  Probe: 5,
  /** The sender is back at the speed before. */
  Back: 6,
  /** The sender wants to know whether the other end is still at its speed. */
  Check: 7,
  /** The answer to Check. */
  Checked: 8,
  /** The sender receives too many damaged frames at this speed. */
  Lower: 9,
} as const;
export type ClimbKind = (typeof ClimbKind)[keyof typeof ClimbKind];

/** The words of the log. */
export const CLIMB_WORDS: Readonly<Record<ClimbKind, string>> = {
  [ClimbKind.Offer]: "offer",
  [ClimbKind.Try]: "try",
  [ClimbKind.Ready]: "ready",
  [ClimbKind.Go]: "go",
  [ClimbKind.Probe]: "probe",
  [ClimbKind.Back]: "back",
  [ClimbKind.Check]: "check",
  [ClimbKind.Checked]: "checked",
  [ClimbKind.Lower]: "lower",
};

export interface ClimbOffer {
  readonly kind: typeof ClimbKind.Offer;
  /** The sender has received the other's offer. */
  readonly hasHeard: boolean;
  /** A random number. The end with the greater one decides which speed is tried. */
  readonly rank: number;
  /** In bits a second. */
  readonly speeds: readonly number[];
}

/** A step of a trial. */
export interface ClimbStep {
  readonly kind: Exclude<ClimbKind, typeof ClimbKind.Offer | typeof ClimbKind.Probe>;
  /** The number of the trial. */
  readonly trial: number;
  readonly speed: number;
  /** Of Back: the sender has received the other's. */
  readonly hasHeard: boolean;
}

/** A packet at the speed that is tried. */
export interface ClimbProbe {
  readonly kind: typeof ClimbKind.Probe;
  readonly trial: number;
  /** How far the sender has come; see link/climb-trial.ts. */
  readonly stage: number;
  /** The number of this pattern, from 1. 0: the packet has no pattern. */
  readonly sequence: number;
  /** The patterns that the sender has sent so far, and how many it will send. */
  readonly sent: number;
  readonly total: number;
}

export type ClimbPacket = ClimbOffer | ClimbStep | ClimbProbe;

const OFFER_LENGTH = 5;
const STEP_LENGTH = 7;
/** A probe without its pattern. */
const PROBE_LENGTH = 6;
const MOST_SPEEDS = 32;

/** True for a vendor-specific packet of ours, whatever its kind. `packet[start]` is its code. */
export function isClimbPacket(packet: Uint8Array, start: number, end: number): boolean {
  if (end - start < HEADER_LENGTH + VENDOR_LENGTH || packet[start] !== Code.Vendor) return false;
  const at = start + HEADER_LENGTH + 4;
  return OUI.every((octet, index) => packet[at + index] === octet);
}

/** True for the kinds of which there are many. They would fill the log. */
export function isFrequentClimb(packet: Uint8Array, start: number, end: number): boolean {
  if (!isClimbPacket(packet, start, end)) return false;
  const kind = packet[start + HEADER_LENGTH + VENDOR_LENGTH - 1];
  return kind === ClimbKind.Probe || kind === ClimbKind.Check || kind === ClimbKind.Checked;
}

/** Reads the data of a packet for which {@link isClimbPacket} is true. Undefined: it is damaged, or of an unknown kind. */
export function parseClimb(
  packet: Uint8Array,
  { dataStart, dataEnd }: Pick<Control, "dataStart" | "dataEnd">,
): ClimbPacket | undefined {
  const at = dataStart + VENDOR_LENGTH;
  const length = dataEnd - at;
  const kind = packet[at - 1];
  switch (kind) {
    case ClimbKind.Offer:
      return length >= OFFER_LENGTH ? readOffer(packet, at, dataEnd) : undefined;
    case ClimbKind.Probe:
      return length >= PROBE_LENGTH ? readProbe(packet, at) : undefined;
    case ClimbKind.Try:
    case ClimbKind.Ready:
    case ClimbKind.Go:
    case ClimbKind.Back:
    case ClimbKind.Check:
    case ClimbKind.Checked:
    case ClimbKind.Lower:
      if (length < STEP_LENGTH) return undefined;
      return { kind, trial: u16(packet, at), speed: u32(packet, at + 2), hasHeard: packet[at + 6] !== 0 };
    default:
      return undefined;
  }
}

/** The magic number of a climb packet: that of its sender. */
export function climbMagic(packet: Uint8Array, { dataStart }: Pick<Control, "dataStart">): number {
  return u32(packet, dataStart);
}

function readOffer(packet: Uint8Array, at: number, end: number): ClimbOffer {
  const speeds: number[] = [];
  for (let next = at + OFFER_LENGTH; next + 4 <= end && speeds.length < MOST_SPEEDS; next += 4)
    speeds.push(u32(packet, next));
  return { kind: ClimbKind.Offer, hasHeard: packet[at] !== 0, rank: u32(packet, at + 1), speeds };
}

function readProbe(packet: Uint8Array, at: number): ClimbProbe {
  return {
    kind: ClimbKind.Probe,
    trial: u16(packet, at),
    stage: packet[at + 2]!,
    sequence: packet[at + 3]!,
    sent: packet[at + 4]!,
    total: packet[at + 5]!,
  };
}

export interface ClimbContent {
  /** That of the sender. */
  readonly magic: number;
  readonly packet: ClimbPacket;
  /** How many octets of test pattern follow a probe. */
  readonly pattern: number;
}

/** Writes a whole packet. */
export function putClimb(buf: Uint8Array, at: number, id: number, { magic, packet, pattern }: ClimbContent): number {
  let next = put32(buf, putHeader(buf, at, Code.Vendor, id), magic);
  next = put8(buf, putBytes(buf, next, OUI), packet.kind);
  switch (packet.kind) {
    case ClimbKind.Offer:
      next = put32(buf, put8(buf, next, packet.hasHeard ? 1 : 0), packet.rank);
      for (const speed of packet.speeds.slice(0, MOST_SPEEDS)) next = put32(buf, next, speed);
      break;
    case ClimbKind.Probe:
      next = put8(buf, put16(buf, next, packet.trial), packet.stage);
      next = put8(buf, put8(buf, next, packet.sequence), packet.sent);
      next = putPattern(buf, put8(buf, next, packet.total), packet.sequence, pattern);
      break;
    default:
      next = put32(buf, put16(buf, next, packet.trial), packet.speed);
      next = put8(buf, next, packet.hasHeard ? 1 : 0);
  }
  return putLength(buf, at, next);
}

/** The octets of a probe packet of ours besides its pattern. */
export const PROBE_OCTETS = HEADER_LENGTH + VENDOR_LENGTH + PROBE_LENGTH;

/**
 * Writes a test pattern: the longest and the shortest pulses, and octets that look random. Each number gives another
 * one.
 */
function putPattern(buf: Uint8Array, at: number, sequence: number, length: number): number {
  let state = (0x9e3779b9 * (sequence + 1)) >>> 0;
  for (let index = 0; index < length; index++) {
    // Marsaglia's xorshift of 32 bits.
    state ^= state << 13;
    state ^= state >>> 17;
    state = (state ^ (state << 5)) >>> 0;
    const block = (index >>> 4) & 3;
    buf[at + index] = block === 0 ? 0x55 : block === 1 ? (index & 1) * 0xff : state >>> 24;
  }
  return at + length;
}
