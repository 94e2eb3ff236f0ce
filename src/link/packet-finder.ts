// Finds the IP packets in the octets from the line. All other packets go to the link.

import type { Ring } from "../bytes/ring.ts";
import type { Level } from "../control/dialect.ts";
import type { Deframer } from "../frame/deframer.ts";
import { addressEnd, protocolAt, protocolEnd } from "../frame/header.ts";
import { Protocol } from "../wire/protocols.ts";
import type { Bundle } from "./bundle.ts";
import type { Member, Terms } from "./bundle-member.ts";
import { FIRST_CONTROL } from "./datapath.ts";
import type { Framing } from "./framing.ts";
import type { LinkControl } from "./link-control.ts";
import type { LinkTap } from "./link-tap.ts";
import { MpReceiver } from "./mp-receiver.ts";
import type { Networks } from "./networks.ts";

export interface PacketFinderHost {
  readonly framing: Framing;
  readonly networks: Networks;
  /** Records the octets until LCP has opened. */
  readonly control: LinkControl;
  /** The bundle, and the link as a member of it. */
  readonly bundle: Bundle | undefined;
  readonly member: Member;
  /** Handles a packet that is no data. */
  receiveControl(protocol: number, packet: Uint8Array, start: number, end: number, now: number): void;
  log(level: Level, text: string): void;
}

export class PacketFinder {
  /** receive() leaves its packet here, from start to end: in the frame buffer or in the plain one. */
  packet: Uint8Array;
  start = 0;
  end = 0;
  /** The link is in the network phase, so data is accepted. */
  inNetworkPhase = false;
  readonly #host: PacketFinderHost;
  readonly #framing: Framing;
  readonly #deframer: Deframer;
  readonly #networks: Networks;
  readonly #control: LinkControl;
  readonly #bundle: Bundle | undefined;
  readonly #tap: LinkTap | undefined;
  /** For a link that is in no bundle. Undefined: the peer sends no packets in pieces. */
  #reassembly: MpReceiver | undefined;
  /** The number of bad frames at the last data packet. Header compression is told about lost frames. */
  #badFrames = 0;
  /** The places in the code where handling a frame failed. */
  readonly #faults = new Set<string>();

  constructor(host: PacketFinderHost) {
    this.#host = host;
    this.#framing = host.framing;
    this.#deframer = host.framing.deframer;
    this.#networks = host.networks;
    this.#control = host.control;
    this.#bundle = host.bundle;
    this.#tap = host.framing.tap;
    this.packet = this.#deframer.frame;
  }

  /** Packets come in pieces from now on, on these terms, or no longer do. */
  reassemble(terms: Pick<Terms, "ourShortSequence" | "ourMrru"> | undefined): void {
    this.#reassembly = terms && new MpReceiver(terms.ourShortSequence, terms.ourMrru, "single");
  }

  /** Reads `input` up to the end of the first IP packet. False: all of the input is consumed. */
  receive(input: Ring, now: number): boolean {
    const deframer = this.#deframer;
    // A fragment on another link may have completed a held packet.
    if (this.#bundle !== undefined && this.#guarded(this.#takeHeld, now)) return true;
    while (input.length > 0) {
      const at = input.readAt;
      const stopped = deframer.push(input.bytes, at, at + input.readable);
      this.#control.heard?.octets(input.bytes, at, stopped, now);
      input.consume(stopped - at);
      if (deframer.length > 0 && this.#guarded(this.#receiveFrame, now)) return true;
    }
    return false;
  }

  /**
   * The last guard: an exception while a frame is handled is a bug of ours. It ends that frame and nothing else. Each
   * place in the code is logged once.
   */
  #guarded(handle: (now: number) => boolean, now: number): boolean {
    try {
      return handle.call(this, now);
    } catch (error) {
      this.#deframer.stats.faults++;
      const place = placeOf(error);
      if (!this.#faults.has(place))
        this.#host.log(
          "error",
          `Dropped a received frame because of a fault in this program: ${String(error)} ${place}`,
        );
      this.#faults.add(place);
      return false;
    }
  }

  #takeHeld(now: number): boolean {
    return this.#takeFromBundle(this.#bundle!, now);
  }

  #receiveFrame(now: number): boolean {
    const { frame, length } = this.#deframer;
    this.#tap?.received(frame, 0, length, now, this.#framing.badFrames);
    // The peer may compress header fields if we agreed to that, but need not.
    const start = addressEnd(frame, 0, length);
    const at = protocolEnd(frame, start, length);
    // The deframer passes no frame without a protocol.
    if (at < 0) return false;
    const protocol = protocolAt(frame, start, at);
    if (protocol < FIRST_CONTROL && this.inNetworkPhase) return this.#receiveData(protocol, at, length, now);
    this.#host.receiveControl(protocol, frame, at, length, now);
    return false;
  }

  #receiveData(protocol: number, start: number, end: number, now: number): boolean {
    const networks = this.#networks;
    const bundle = this.#bundle;
    const { frame } = this.#deframer;
    if (bundle !== undefined && protocol === Protocol.MP) {
      bundle.receive(this.#host.member, frame, start, end);
      return this.#takeFromBundle(bundle, now);
    }
    const bad = this.#framing.badFrames;
    if (bad !== this.#badFrames) networks.datapath.frameLost();
    this.#badFrames = bad;
    if (bundle !== undefined)
      return bundle.takePacket(this.#host.member, protocol, frame, start, end, now) && this.#foundBy(bundle);
    const reassembly = this.#reassembly;
    const { datapath } = networks;
    // A compressor of packets gets the packet when it is reassembled, and not its pieces.
    if (protocol === Protocol.MP && reassembly !== undefined && !datapath.isPerLink)
      return this.#receivePiece(reassembly, frame, start, end, now);
    if (networks.receiveData(protocol, frame, start, end, now)) return this.#foundBy(datapath);
    if (networks.protocol === Protocol.MP && reassembly !== undefined)
      return this.#receivePiece(reassembly, datapath.packet, datapath.start, datapath.end, now);
    this.#rejectOthers(protocol, now);
    return false;
  }

  /** Handles the piece packet[start, end), which begins with its MP header. */
  #receivePiece(receiver: MpReceiver, packet: Uint8Array, start: number, end: number, now: number): boolean {
    const networks = this.#networks;
    const { datapath } = networks;
    receiver.receive(0, packet, start, end);
    // One piece ends one packet at most.
    const isWhole = receiver.take();
    if (receiver.takeLost()) datapath.frameLost();
    if (!isWhole) return false;
    const at = protocolEnd(receiver.packet, receiver.start, receiver.end);
    if (at < 0) return false;
    const protocol = protocolAt(receiver.packet, receiver.start, at);
    if (protocol >= FIRST_CONTROL) {
      this.#host.receiveControl(protocol, receiver.packet, at, receiver.end, now);
      return false;
    }
    if (networks.receiveReassembled(protocol, receiver.packet, at, receiver.end, now)) {
      datapath.keep(this.#deframer.frame);
      return this.#foundBy(datapath);
    }
    this.#rejectOthers(protocol, now);
    return false;
  }

  /** Data of a configured protocol that is not open is dropped. Data of any other protocol is rejected. */
  #rejectOthers(protocol: number, now: number): void {
    const networks = this.#networks;
    const { datapath } = networks;
    if (networks.carries(protocol) && (networks.protocol < 0 || networks.carries(networks.protocol))) return;
    const found = networks.protocol < 0 ? protocol : networks.protocol;
    this.#host.receiveControl(found, datapath.packet, datapath.start, datapath.end, now);
  }

  #takeFromBundle(bundle: Bundle, now: number): boolean {
    return bundle.take(this.#host.member, now) && this.#foundBy(bundle);
  }

  #foundBy(finder: { readonly packet: Uint8Array; readonly start: number; readonly end: number }): true {
    this.packet = finder.packet;
    this.start = finder.start;
    this.end = finder.end;
    return true;
  }
}

/**
 * The place where an error was thrown: the first line of its stack with a place in a file. Built-in functions have
 * none.
 */
function placeOf(error: unknown): string {
  const lines = error instanceof Error ? (error.stack ?? "").split("\n") : [];
  return lines.find((line) => /^\s*at .*:\d+/.test(line))?.trim() ?? "at an unknown place";
}
