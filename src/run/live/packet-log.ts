// What is known of the latest packets of a session, over all its attempts and lines, and who reads along.

import { MAX_FRAME } from "../../frame/deframer.ts";
import { HEADROOM, putHeader } from "../../frame/header.ts";
import type { LinkEvent } from "../../link/events.ts";
import type { LinkTap, NetworkTap } from "../../link/link-tap.ts";
import { type Kept, NETWORK, PacketRing } from "../../record/packet-ring.ts";
import type { Log } from "../log.ts";
import type { Machine } from "../machine.ts";
import type { CrashCapture } from "./crash-capture.ts";
import { KeptShare } from "../../record/kept-share.ts";
import { eventText } from "./event-text.ts";

/** Somebody who gets each packet as it passes. Octets are valid until add() returns. */
export interface PacketReader {
  /** The packets of the network are wanted too. */
  readonly wantsNetwork: boolean;
  add(item: Kept): void;
  /** The session is over. */
  ended(): void;
}

export class PacketLog {
  readonly ring = new PacketRing();
  /** With crash-capture. */
  #faults: CrashCapture | undefined;
  /** The names of lines, and of the interface, by number. */
  readonly #names = new Map<number, string>();
  #readers: readonly PacketReader[] = [];
  #isClosed = false;

  get readers(): readonly PacketReader[] {
    return this.#readers;
  }

  nameOf(line: number): string {
    return this.#names.get(line) ?? "?";
  }

  /** `index` is the number of the line in its session. */
  line(index: number, name: string): LinkTap {
    this.#names.set(index, name);
    return new LinePackets(this, index);
  }

  /** `name` is that of the interface. */
  network(name: string): NetworkTap & Pick<LinkTap, "event"> {
    this.#names.set(NETWORK, name);
    return new NetworkPackets(this);
  }

  note(line: number, now: number, text: string): void {
    this.ring.note(line, now, text);
    for (const reader of this.#readers) reader.add({ type: "note", line, time: now, text });
  }

  /** The link on this line has died of a fault. */
  died(line: number, now: number, fault: string): void {
    this.note(line, now, `the link has died: ${fault}`);
    this.#faults?.write(line, fault);
  }

  /** With crash-capture: writes a file into this folder when a link dies of a fault. */
  async captureFaults(folder: string, machine: Machine, log: Log): Promise<void> {
    const { CrashCapture } = await import("./crash-capture.ts");
    this.#faults = new CrashCapture(folder, machine, log, this);
  }

  /** The session is over. */
  close(): void {
    this.#isClosed = true;
    for (const reader of this.#readers) reader.ended();
  }

  /** Returns what ends it. After {@link close} the reader is told at once. */
  attach(reader: PacketReader): () => void {
    if (this.#isClosed) {
      reader.ended();
      return () => {};
    }
    this.#readers = [...this.#readers, reader];
    return () => void (this.#readers = this.#readers.filter((one) => one !== reader));
  }
}

class LinePackets implements LinkTap {
  readonly #log: PacketLog;
  readonly #line: number;
  readonly #ring: PacketRing;
  readonly #keptSent = new KeptShare();
  readonly #keptReceived = new KeptShare();

  constructor(log: PacketLog, line: number) {
    this.#log = log;
    this.#line = line;
    this.#ring = log.ring;
  }

  sent(packet: Uint8Array, start: number, end: number, now: number): void {
    const kept = this.#keptSent;
    if (kept.takes(packet, start, now)) this.#ring.sent(this.#line, now, packet, start, end, kept.leftOut(0));
    if (this.#log.readers.length > 0) this.#show(true, packet.subarray(start, end), now, 0);
  }

  received(packet: Uint8Array, start: number, end: number, now: number, badFrames: number): void {
    const kept = this.#keptReceived;
    if (kept.takes(packet, start, now))
      this.#ring.received(this.#line, now, packet, start, end, kept.leftOut(badFrames));
    if (this.#log.readers.length > 0) this.#show(false, packet.subarray(start, end), now, badFrames);
  }

  event(event: LinkEvent, now: number): void {
    const text = eventText(event);
    if (text !== undefined) this.#log.note(this.#line, now, text);
  }

  #show(isSent: boolean, octets: Uint8Array, time: number, badFrames: number): void {
    const { length } = octets;
    const item: Kept = { type: "packet", line: this.#line, isSent, time, octets, length, badFrames, leftOut: 0 };
    for (const reader of this.#log.readers) reader.add(item);
  }
}

class NetworkPackets implements NetworkTap {
  /** Packets of SLIP are shown as those of PPP. */
  isAlone = false;
  readonly #log: PacketLog;
  #packet = new Uint8Array(0);

  constructor(log: PacketLog) {
    this.#log = log;
  }

  get isOn(): boolean {
    const { readers } = this.#log;
    return this.isAlone || (readers.length > 0 && readers.some((reader) => reader.wantsNetwork));
  }

  event(event: LinkEvent, now: number): void {
    const text = eventText(event);
    if (text !== undefined) this.#log.note(NETWORK, now, text);
  }

  packet(isSent: boolean, protocol: number, packet: Uint8Array, start: number, end: number, now: number): void {
    if (this.#packet.length === 0) this.#packet = new Uint8Array(HEADROOM + MAX_FRAME);
    const whole = this.#packet;
    const length = Math.min(end - start, MAX_FRAME);
    whole.set(packet.subarray(start, start + length), HEADROOM);
    const at = putHeader(whole, HEADROOM, protocol, false, false);
    const { ring, readers } = this.#log;
    if (this.isAlone && isSent) ring.sent(NETWORK, now, whole, at, HEADROOM + length, 0);
    else if (this.isAlone) ring.received(NETWORK, now, whole, at, HEADROOM + length, 0);
    const octets = whole.subarray(at, HEADROOM + length);
    const item: Kept = {
      type: "packet",
      line: NETWORK,
      isSent,
      time: now,
      octets,
      length: octets.length,
      badFrames: 0,
      leftOut: 0,
    };
    for (const reader of readers) if (this.isAlone || reader.wantsNetwork) reader.add(item);
  }
}
