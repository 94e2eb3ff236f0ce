// Writes the segments of one connection.

import { TcpFlag } from "../wire/ip.ts";
import type { Ends } from "./ip-packet.ts";
import type { TcpReceiver } from "./tcp-receiver.ts";
import type { TcpSender } from "./tcp-sender.ts";
import { NO_SCALE, putSack, putSynOptions, putTcp, type TcpFields, tcpOptionsAt } from "./tcp-segment.ts";

/** The shift of our window, if the peer scales. */
export const OUR_SHIFT = 3;

const fields: TcpFields = { sequence: 0, acknowledgment: 0, flags: 0, window: 0 };

export class TcpWriter {
  readonly ends: Ends;
  readonly farPort: number;
  readonly peerPort: number;
  /** The most octets of options and data. It follows the MTU. */
  room: number;
  #options = 0;

  constructor(ends: Ends, farPort: number, peerPort: number, room: number) {
    this.ends = ends;
    this.farPort = farPort;
    this.peerPort = peerPort;
    this.room = room;
  }

  /** Begins a segment at into[at…] with its options. Returns the most octets of data that fit behind them. */
  begin(into: Uint8Array, at: number, { early, newest, next }: TcpReceiver, sacks: boolean): number {
    const start = tcpOptionsAt(at, this);
    this.#options = sacks && early.count > 0 ? putSack(into, start, early, newest, next) - start : 0;
    return this.room - this.#options;
  }

  /** Ends the segment with what the sender has prepared. Returns the length of the packet. */
  putData(into: Uint8Array, at: number, sender: TcpSender, receiver: TcpReceiver): number {
    if (sender.isWary) this.ends.changeHops();
    sender.copy(into, tcpOptionsAt(at, this) + this.#options);
    fields.sequence = sender.sequence;
    fields.flags = sender.flags | TcpFlag.ACK;
    return this.#put(into, at, receiver, sender.length);
  }

  /** Ends the segment without data. */
  putAck(into: Uint8Array, at: number, sequence: number, receiver: TcpReceiver): number {
    fields.sequence = sequence;
    fields.flags = TcpFlag.ACK;
    return this.#put(into, at, receiver, 0);
  }

  #put(into: Uint8Array, at: number, receiver: TcpReceiver, size: number): number {
    fields.acknowledgment = receiver.next;
    fields.window = receiver.windowField;
    return putTcp(into, at, this, fields, this.#options, size);
  }

  /** A SYN, or the answer to the peer's. Its window is not scaled. */
  putSyn(into: Uint8Array, at: number, syn: Syn): number {
    const start = tcpOptionsAt(at, this);
    const end = putSynOptions(into, start, this.room, syn.scales ? OUR_SHIFT : NO_SCALE, syn.sacks);
    fields.sequence = syn.sequence;
    fields.acknowledgment = syn.acknowledgment ?? 0;
    fields.flags = syn.acknowledgment === undefined ? TcpFlag.SYN : TcpFlag.SYN | TcpFlag.ACK;
    fields.window = Math.min(0xffff, syn.window);
    return putTcp(into, at, this, fields, end - start, 0);
  }

  /** A segment without options and data, such as a reset. */
  bare(what: TcpFields): Uint8Array {
    const packet = new Uint8Array(tcpOptionsAt(0, this));
    putTcp(packet, 0, this, what, 0, 0);
    return packet;
  }
}

export interface Syn {
  readonly sequence: number;
  /** Given in the answer to a SYN. */
  readonly acknowledgment: number | undefined;
  readonly window: number;
  readonly scales: boolean;
  readonly sacks: boolean;
}
