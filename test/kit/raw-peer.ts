// A peer of one Link under direct control: it sends octets and receives packets, and agrees to every request unless
// told otherwise. Its frames are not written by the code under test.

import { isLcpOpen } from "./lcp-open.ts";
import { fromHex, toHex } from "../../src/bytes/text.ts";
import { Deframer } from "../../src/frame/deframer.ts";
import { addressEnd, protocolAt, protocolEnd } from "../../src/frame/header.ts";
import { fcs16Oracle, fcs32Oracle } from "../oracle/fcs32-oracle.ts";
import type { Side } from "./pair.ts";

/** The packet as a frame with every control character escaped (RFC 1662 §4.2). */
export function frameOf(packet: Uint8Array | readonly number[], fcs: 16 | 32 = 16): Uint8Array {
  const octets = [...packet];
  const whole = [...octets, ...(fcs === 16 ? fcs16Oracle(octets) : fcs32Oracle(octets))];
  const escaped = whole.flatMap((octet) =>
    octet < 0x20 || octet === 0x7d || octet === 0x7e ? [0x7d, octet ^ 0x20] : [octet],
  );
  return Uint8Array.from([0x7e, ...escaped, 0x7e]);
}

export interface Packet {
  readonly protocol: number;
  /** From the code on, in hex. */
  readonly hex: string;
}

const CONF_REQ = "01";
const CONF_ACK = "02";
const LCP = 0xc021;

export class RawPeer {
  /** All packets from the link that were not taken yet. */
  readonly heard: Packet[] = [];
  now = 0;
  readonly side: Side;
  readonly #deframer = new Deframer();
  #id = 0;

  constructor(side: Side) {
    this.side = side;
    this.#deframer.accm = 0;
    side.link.open(0);
    this.listen();
  }

  /** The octets of the frames heard, as RFC 1989 §2.3 counts them. */
  get octetsHeard(): number {
    return this.#deframer.stats.counted;
  }

  /** Sends a packet, given in hex, with an uncompressed header. */
  say(protocol: number, hex: string, fcs: 16 | 32 = 16): void {
    const packet = fromHex(hex.replaceAll(" ", ""));
    this.sayFrame(frameOf([0xff, 0x03, protocol >> 8, protocol & 0xff, ...packet], fcs));
  }

  sayFrame(frame: Uint8Array): void {
    this.side.take(frame, this.now);
    this.listen();
  }

  /** Lets time pass, one deadline of the link after the other. */
  wait(milliseconds: number): void {
    const { link } = this.side;
    const end = this.now + milliseconds;
    while (link.nextTimeout() <= end) {
      this.now = Math.max(this.now, link.nextTimeout());
      link.handleTimeout(this.now);
      this.listen();
    }
    this.now = end;
  }

  listen(): void {
    this.side.collect();
    const bytes = this.side.drain(this.now);
    for (let at = 0; at < bytes.length;) {
      at = this.#deframer.push(bytes, at, bytes.length);
      const { frame, length } = this.#deframer;
      if (length === 0) continue;
      const start = addressEnd(frame, 0, length);
      const end = protocolEnd(frame, start, length);
      this.heard.push({ protocol: protocolAt(frame, start, end), hex: toHex(frame, end, length) });
    }
  }

  /** Takes the received packets of a protocol. */
  take(protocol: number): string[] {
    const taken = this.heard.filter((packet) => packet.protocol === protocol).map(({ hex }) => hex);
    this.heard.splice(0, Infinity, ...this.heard.filter((packet) => packet.protocol !== protocol));
    return taken;
  }

  /** Acknowledges the last Configure-Request of a protocol. */
  acknowledge(protocol: number): void {
    const request = this.take(protocol).findLast((hex) => hex.startsWith(CONF_REQ));
    if (request === undefined) throw new Error(`no request of 0x${protocol.toString(16)} was heard`);
    this.say(protocol, CONF_ACK + request.slice(2));
  }

  /** Sends the peer's own request; `options` in hex. */
  request(protocol: number, options = ""): void {
    const length = 4 + options.replaceAll(" ", "").length / 2;
    this.#id++;
    const id = this.#id.toString(16).padStart(2, "0");
    this.say(protocol, `01${id} ${length.toString(16).padStart(4, "0")} ${options}`);
  }

  /** Opens LCP, or opens it again. `options` are those of the peer's own request, in hex. */
  openLcp(options = ""): void {
    if (isLcpOpen(this.side.link)) {
      this.request(LCP, options);
      this.acknowledge(LCP);
    } else {
      this.acknowledge(LCP);
      this.request(LCP, options);
    }
  }
}
