// The framing of a link: turns packets into frames and frames into packets as LCP has agreed (RFC 1661 §6, RFC 1662).

import type { Ring } from "../bytes/ring.ts";
import type { LcpOptions } from "../control/options/lcp-options.ts";
import { ACCM_ALL } from "../frame/accm.ts";
import { Deframer } from "../frame/deframer.ts";
import { FCS_ROOM } from "../frame/fcs.ts";
import { Framer, worstFrame } from "../frame/framer.ts";
import { HEADROOM, putHeader } from "../frame/header.ts";
import { cutControl } from "../wire/control.ts";
import { Protocol } from "../wire/protocols.ts";
import type { LinkTap } from "./link-tap.ts";

/**
 * Control packets kept while the line takes nothing. More would be a flood, and the peer repeats its requests anyway.
 */
const MOST_WAITING = 32;
/** The longest control packet that we make: a Configure-Request with every option, or a Reject of a long packet. */
export const CONTROL_ROOM = 2048;

export class Framing {
  readonly framer: Framer;
  readonly deframer: Deframer;
  /** The control packet written last, in `control` from HEADROOM to `controlEnd`. */
  readonly control = new Uint8Array(HEADROOM + CONTROL_ROOM);
  controlEnd = HEADROOM;
  /** The octets of its frame on the line. */
  lineOctets = 0;
  /** What would be sent is dropped. */
  isMuted = false;
  /** All packets wait. */
  isHeld = false;
  /** The next control packet does not wait. It is lost if there is no room for it. */
  isPassing = false;
  readonly #output: Ring;
  readonly tap: LinkTap | undefined;
  readonly #receiveAll: boolean;
  readonly #waiting: { packet: Uint8Array; plain: boolean }[] = [];
  #pcomp = false;
  #accomp = false;

  /** Frames are made in `frame` and put into `output`. `escape` and `receiveAll` are options of pppd. */
  constructor(output: Ring, frame: Uint8Array, escape: readonly number[], receiveAll: boolean, tap?: LinkTap) {
    this.tap = tap;
    this.#output = output;
    this.#receiveAll = receiveAll;
    this.framer = new Framer(output, escape);
    this.deframer = new Deframer(frame);
  }

  /** Before and after LCP's agreement, frames have the default form (RFC 1662 §7.1). */
  reset(): void {
    this.framer.accm = ACCM_ALL;
    this.deframer.accm = this.#receiveAll ? 0 : ACCM_ALL;
    this.framer.fcs = this.deframer.fcs = 16;
    this.#pcomp = this.#accomp = false;
  }

  /** LCP agreed. We send in the form that the peer asked for, and receive in the form that we asked for. */
  agree(got: LcpOptions, peer: LcpOptions): void {
    this.framer.accm = peer.asyncmap ?? ACCM_ALL;
    this.deframer.accm = this.#receiveAll ? 0 : (got.asyncmap ?? ACCM_ALL);
    this.framer.fcs = peer.fcs ?? 16;
    this.deframer.fcs = got.fcs ?? 16;
    this.#pcomp = peer.pcomp;
    this.#accomp = peer.accomp;
  }

  /** The number of bad frames so far that may have been packets: those of a trial of `climb` are taken back. */
  get badFrames(): number {
    const { badFcs, runts, overlong, aborted, faults } = this.deframer.stats;
    return badFcs + runts + overlong + aborted + faults;
  }

  /** True when a packet of `length` octets is sure to fit the output. */
  hasRoom(length: number): boolean {
    return !this.isHeld && this.#waiting.length === 0 && this.#output.free >= worstFrame(length + HEADROOM);
  }

  /**
   * Sends packet[start, end) of a protocol other than LCP, which has HEADROOM free octets before it and FCS_ROOM after
   * it. The caller has checked {@link hasRoom}.
   */
  send(protocol: number, packet: Uint8Array, start: number, end: number, now: number): void {
    if (this.isMuted) return;
    const at = putHeader(packet, start, protocol, this.#pcomp, this.#accomp);
    this.tap?.sent(packet, at, end, now);
    this.framer.write(packet, at, end, false, now);
  }

  /** Has `write` write a whole packet, without its protocol, into `control`. */
  compose(write: (buf: Uint8Array, at: number) => number): void {
    this.controlEnd = cutControl(this.control, HEADROOM, write(this.control, HEADROOM));
  }

  /** Sends the packet in `control`. If there is no room for it, flush() sends it later. */
  sendControl(protocol: number, now: number): void {
    const { control, controlEnd: end, framer, isPassing } = this;
    this.isPassing = false;
    if (this.isMuted) return;
    // LCP packets have the default form, so that a peer that lost the agreement can read them (RFC 1661 §6; RFC 1662 §7.1).
    const plain = protocol === Protocol.LCP;
    const at = putHeader(control, HEADROOM, protocol, this.#pcomp && !plain, this.#accomp && !plain);
    const waits = (this.isHeld || this.#waiting.length > 0) && !isPassing;
    if (!waits && framer.hasRoom(end - at)) {
      const before = framer.stats.octets;
      this.tap?.sent(control, at, end, now);
      framer.write(control, at, end, plain, now);
      this.lineOctets = framer.stats.octets - before;
    } else if (!isPassing && this.#waiting.length < MOST_WAITING) {
      this.#waiting.push({ packet: control.slice(at, end + FCS_ROOM), plain });
    }
  }

  /** Sends control packets that found no room earlier. */
  flush(now: number): void {
    while (this.#waiting.length > 0 && !this.isMuted && !this.isHeld) {
      const { packet, plain } = this.#waiting[0]!;
      if (!this.framer.hasRoom(packet.length)) return;
      this.tap?.sent(packet, 0, packet.length - FCS_ROOM, now);
      this.framer.write(packet, 0, packet.length - FCS_ROOM, plain, now);
      this.#waiting.shift();
    }
  }

  /** The line is gone: drops the packets that wait for it. */
  discard(): void {
    this.#waiting.length = 0;
  }
}
