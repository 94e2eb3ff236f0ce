// What two doctors find out about a cable, as values and as the bodies of their messages. "Our" and "peer" are as the end
// that has the value sees them.

import { put16, put32, putBytes, u16, u32 } from "../bytes/be.ts";
import { missingValues } from "./far-block.ts";

/** Bits of the modem lines: those that a port drives, and those that it sees. */
export const FarLine = { DTR: 1, RTS: 2, CTS: 4, DSR: 8, CD: 16, RI: 32 } as const;
/** A port has no modem lines. */
export const NO_LINES = 0xff;

/** What each end drives in turn: both lines, only RTS, only DTR. */
export const DRIVEN = [FarLine.DTR | FarLine.RTS, FarLine.RTS, FarLine.DTR] as const;

/** The lines that both ends see while one end drives {@link DRIVEN} in turn. The other drives both lines. */
export interface WireReadings {
  readonly weDrive: readonly LinePair[];
  readonly peerDrives: readonly LinePair[];
}
export interface LinePair {
  readonly our: number;
  readonly peer: number;
}

/** How blocks went in one direction. */
export interface Flow {
  readonly good: number;
  readonly sent: number;
  /** Octets a second; 0: too little came to tell. */
  readonly rate: number;
  /** One bit for each of the 256 octets, set when it came. */
  readonly values: Uint8Array;
}

export const SpeedState = { Tested: 0, RefusedHere: 1, RefusedThere: 2, NoContact: 3 } as const;
export type SpeedState = (typeof SpeedState)[keyof typeof SpeedState];

/** One speed of the table. */
export interface FarRow {
  readonly speed: number;
  readonly state: SpeedState;
  /** From us to the peer, and from the peer to us. */
  readonly out: Flow;
  readonly back: Flow;
}

const ALL_VALUES = new Uint8Array(32).fill(0xff);
export const NO_FLOW: Flow = { good: 0, sent: 0, rate: 0, values: ALL_VALUES };

const FLOW = 8 + 32;
const ROW = 5 + 2 * FLOW;
const WIRES = 4 * DRIVEN.length;

function putFlow(buf: Uint8Array, at: number, { good, sent, rate, values }: Flow): number {
  return putBytes(buf, put32(buf, put16(buf, put16(buf, at, good), sent), rate), values);
}

export function parseFlow(body: Uint8Array, at = 0): Flow | undefined {
  if (body.length < at + FLOW) return undefined;
  const values = body.slice(at + 8, at + FLOW);
  return { good: u16(body, at), sent: u16(body, at + 2), rate: u32(body, at + 4), values };
}

export function flowBody(flow: Flow): Uint8Array {
  const body = new Uint8Array(FLOW);
  putFlow(body, 0, flow);
  return body;
}

export function rowBody({ speed, state, out, back }: FarRow): Uint8Array {
  const body = new Uint8Array(ROW);
  body[0] = state;
  putFlow(body, putFlow(body, put32(body, 1, speed), out), back);
  return body;
}

/** The row as the other end sees it. */
export function parsePeerRow(body: Uint8Array): FarRow | undefined {
  const [state, back, out] = [body[0], parseFlow(body, 5), parseFlow(body, 5 + FLOW)];
  if (state === undefined || back === undefined || out === undefined) return undefined;
  const { Tested, RefusedHere, RefusedThere, NoContact } = SpeedState;
  const seen = [Tested, RefusedThere, RefusedHere, NoContact][state];
  return seen === undefined ? undefined : { speed: u32(body, 1), state: seen, out, back };
}

export function wiresBody({ weDrive, peerDrives }: WireReadings): Uint8Array {
  return Uint8Array.from([...weDrive, ...peerDrives].flatMap(({ our, peer }) => [our, peer]));
}

/** The readings as the other end sees them. */
export function parsePeerWires(body: Uint8Array): WireReadings | undefined {
  if (body.length !== WIRES) return undefined;
  const pairs = Array.from({ length: 2 * DRIVEN.length }, (_, at) => ({ our: body[2 * at + 1]!, peer: body[2 * at]! }));
  return { weDrive: pairs.slice(DRIVEN.length), peerDrives: pairs.slice(0, DRIVEN.length) };
}

/** The octets that never came in this direction. */
export function lostIn({ values }: Flow): number[] {
  return missingValues(values);
}
