// The data that a scripted peer sends and receives once it is up: a TCP conversation with the header compression and
// the CCP method agreed on for each direction.

import { u16 } from "../../src/bytes/be.ts";
import { ntPasswordHash } from "../../src/auth/mschap.ts";
import { BsdCompressor, BsdDecompressor } from "../../src/compress/bsd.ts";
import type { Compressor, Decompressor } from "../../src/compress/codec.ts";
import { DeflateCompressor, DeflateDecompressor } from "../../src/compress/deflate.ts";
import { LzsCompressor, LzsDecompressor } from "../../src/compress/lzs.ts";
import { MppcCompressor, MppcDecompressor } from "../../src/compress/mppc.ts";
import { MppeCompressor, MppeDecompressor } from "../../src/compress/mppe.ts";
import { PredictorCompressor, PredictorDecompressor } from "../../src/compress/predictor.ts";
import { VJ_HEADROOM } from "../../src/compress/vj.ts";
import { md4 } from "../../src/crypto/digests.ts";
import { mppeMasterKey, mppeStartKeys } from "../../src/crypto/mppe-keys.ts";
import { Datapath, PLAIN_SIZE } from "../../src/link/datapath.ts";
import { ChapCode } from "../../src/wire/chap.ts";
import type { Vj } from "../../src/wire/ipcp.ts";
import { Protocol } from "../../src/wire/protocols.ts";
import { put, seal } from "../compress/conversations.ts";

/** The two ends of the line, packet by packet. */
export interface Line {
  /** The link sends this packet. Returns what the peer receives, protocol first. */
  send(packet: Uint8Array): Uint8Array;
  /** The peer sends this. Returns what the link receives, if it accepts it as a packet. */
  receive(protocol: number, packet: Uint8Array): Uint8Array | undefined;
}

const ROUNDS = 8;

export class PeerTraffic {
  /** The keys of the side that authenticated itself with MS-CHAPv2. */
  password: string | undefined;
  #keys: { send: Uint8Array; receive: Uint8Array } | undefined;

  /** The response to an MS-CHAPv2 challenge makes the keys. `from` is the side that sent it. */
  heedChap(packet: Uint8Array, from: "peer" | "link"): void {
    if (packet[2] !== ChapCode.Response || packet[6] !== 49 || this.password === undefined) return;
    const ntResponse = packet.slice(7 + 24, 7 + 48);
    const master = mppeMasterKey(md4(ntPasswordHash(this.password)), ntResponse);
    this.#keys = mppeStartKeys(master, from === "link");
  }

  /** `agreed` has "us" or "peer" and the form of that side's packets: "plain", "vj 0f 01", a method of CCP, or both. */
  exchange(agreed: string, addresses: { our: number; peer: number }, link: Datapath, line: Line): void {
    const [us, peer] = agreed.split(",").map((part) => this.#readWay(part.trim()));
    const far = new Datapath(new Uint8Array(PLAIN_SIZE));
    far.setVj(us!.vj, peer!.vj);
    far.receiver = us!.decompressor;
    far.compressor = peer!.compressor;
    if ((link.vjOut !== undefined) !== (us!.vj !== undefined)) throw new Error("VJ is not as it should be, ours");
    if ((link.vjIn !== undefined) !== (peer!.vj !== undefined))
      throw new Error("VJ is not as it should be, the peer's");
    const [there, back] = [new Set<number>(), new Set<number>()];
    for (let round = 0; round < ROUNDS; round++) {
      const { our, peer: theirs } = addresses;
      const packet = segment(our, theirs, round);
      const frame = line.send(packet.slice());
      const protocol = u16(frame, 0);
      there.add(protocol);
      if (us!.vj?.compressSlot === false && protocol === Protocol.VJ_COMP && (frame[2]! & 0x40) === 0)
        throw new Error("a slot number was left out");
      const found = far.decode(protocol, frame, 2, frame.length);
      expectSame(packet, found === Protocol.IP ? far.packet.slice(far.start, far.end) : undefined, "ours");

      const answer = segment(theirs, our, round);
      const buf = new Uint8Array(VJ_HEADROOM + answer.length);
      buf.set(answer, VJ_HEADROOM);
      const sent = far.encode(Protocol.IP, buf, VJ_HEADROOM, buf.length);
      back.add(sent);
      expectSame(answer, line.receive(sent, far.packet.slice(far.start, far.end)), "the peer's");
    }
    expectProtocols(us!, there, "ours");
    expectProtocols(peer!, back, "the peer's");
  }

  #readWay(text: string): Way {
    const words = text.split(" ").slice(1);
    const at = words.indexOf("vj");
    const vj = at < 0 ? undefined : { maxSlot: parseInt(words[at + 1]!, 16), compressSlot: words[at + 2] === "01" };
    return { vj, ...this.#codecs(at < 0 ? words : words.toSpliced(at, 3)) };
  }

  #codecs([name, size]: readonly string[]): Omit<Way, "vj"> {
    const number = Number(size);
    const pair = (compressor?: Compressor, decompressor?: Decompressor) => ({ compressor, decompressor });
    switch (name) {
      case "deflate":
        return pair(new DeflateCompressor(number), new DeflateDecompressor(number));
      case "bsd":
        return pair(new BsdCompressor(number), new BsdDecompressor(number));
      case "predictor":
        return pair(new PredictorCompressor(), new PredictorDecompressor());
      case "lzs":
        return pair(new LzsCompressor(number as 3 | 4), new LzsDecompressor(number as 3 | 4));
      case "mppc":
        return pair(new MppcCompressor(), new MppcDecompressor());
      case "mppe": {
        const { send, receive } = this.#keys!;
        const terms = { bits: number as 40 | 56 | 128, stateless: true, compress: false };
        return pair(new MppeCompressor({ ...terms, key: send }), new MppeDecompressor({ ...terms, key: receive }));
      }
      default:
        return pair();
    }
  }
}

interface Way {
  readonly vj: Vj | undefined;
  readonly compressor: Compressor | undefined;
  readonly decompressor: Decompressor | undefined;
}

function expectSame(packet: Uint8Array, got: Uint8Array | undefined, whose: string): void {
  if (!Bun.deepEquals(got, packet)) throw new Error(`a packet of ${whose} did not come through`);
}

/** The agreed methods were really used. */
function expectProtocols(way: Way, seen: ReadonlySet<number>, whose: string): void {
  const wanted = way.compressor ? Protocol.COMP : way.vj ? Protocol.VJ_COMP : Protocol.IP;
  if (!seen.has(wanted)) throw new Error(`no packet of ${whose} went as 0x${wanted.toString(16)}`);
  if (!way.compressor && seen.has(Protocol.COMP)) throw new Error(`a packet of ${whose} was compressed`);
}

/** Segment number `round` of a continuing conversation. */
function segment(from: number, to: number, round: number): Uint8Array {
  const text = new TextEncoder().encode(`line ${round} of a text that is much like the one before, line for line\r\n`);
  const packet = new Uint8Array(40 + text.length);
  packet.set([0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6]);
  put(packet, 4, 1000 + round, 2);
  put(packet, 12, from, 4);
  put(packet, 16, to, 4);
  put(packet, 20, 1025, 2);
  put(packet, 22, 23, 2);
  put(packet, 24, 5000 + round * text.length, 4);
  put(packet, 28, 7000 + round * text.length, 4);
  packet.set([0x50, 0x18, 0x20, 0x00], 32);
  packet.set(text, 40);
  return seal(packet);
}
