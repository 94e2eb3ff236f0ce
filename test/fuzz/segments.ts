// One connection through the stack with a peer whose segments come in any order, overlap, are old, come in fragments, and lie in
// every field, and with ICMP that lies. Every octet that either end gets must be the one that was sent at its place; the stack
// answers no packet with a storm, and keeps no more than its limits. When the lies stop, everything arrives, unless a lie has
// ended the connection.

import { Rng } from "../kit/rng.ts";
import { internetChecksum, ipv4Packet } from "../kit/segment-text.ts";
import { PEER, StackPeer } from "../kit/stack-peer.ts";
import type { FuzzInput, Target } from "./target.ts";

const PIECES = 80;
const UPLOAD = 6000;
const DOWNLOAD = 6000;
const HEADERS = 40;
const MOST_KEPT = 262_144 + 65_536;
/** So many packets without octets may answer one packet: acknowledgments that were owed before it, and its own. */
const MOST_REPLIES = 10;
const MOST_ROUNDS = 600;

const octetAt = (sequence: number): number => (Math.imul(sequence, 0x9e3779b1) >>> 19) & 255;
const KINDS = [
  "later",
  "old",
  "overlap",
  "twice",
  "fragments",
  "window",
  "options",
  "sack",
  "icmp",
  "ack",
  "flags",
] as const;

class Talker {
  readonly peer = new StackPeer();
  readonly rng: Rng;
  /** How far the stack has acknowledged the upload, and the next number of the download that is missing. */
  acked = 1;
  got = 1;
  given = 1;
  /** The next octet of the upload that the server gets. */
  #uploaded = 1;
  readonly #early = new Set<number>();
  hasLied = { acks: false, end: false };
  isOver = false;
  #lastPacket = new Uint8Array(28);
  octets = 0;

  constructor(rng: Rng) {
    this.rng = rng;
    const { peer } = this;
    const options = rng.pick(["mss 1000", "mss 600,sackOK", "mss 1460,sackOK,wscale 2"]);
    peer.send(`S 0:0(0) win 8000 <${options}>`);
    this.listen();
    this.say("", this.acked, 0);
  }

  /** Sends a segment with the upload's octets from `from` on. */
  say(
    flags: string,
    from: number,
    length: number,
    more = "",
    change = (packet: Uint8Array): Uint8Array[] => [packet],
  ): void {
    const text = `${flags}. ${from}:${from + length}(${length}) ack ${this.got} win 8000${more}`;
    for (const packet of change(this.peer.segment(text, octetAt))) this.#send(packet);
  }

  raw(text: string): void {
    this.#send(this.peer.segment(text, octetAt));
  }

  icmp(mtu: number): void {
    const { rng } = this;
    const kind = rng.pick([
      [3, 4],
      [3, 1],
      [3, 3],
      [11, 0],
      [5, 0],
    ]);
    this.peer.sendIcmp([...kind, 0, 0, 0, 0, mtu >> 8, mtu & 255, ...this.#lastPacket.subarray(0, 28)]);
    this.#count(this.listen());
  }

  #send(packet: Uint8Array): void {
    this.octets += packet.length;
    this.peer.sendPacket(packet);
    this.#count(this.listen());
  }

  #count(bare: number): void {
    if (bare > MOST_REPLIES) throw new Error(`${bare} packets without octets answer one packet`);
    const { stack, sockets } = this.peer;
    if (stack.keptOctets > MOST_KEPT) throw new Error(`${stack.keptOctets} octets are kept`);
    for (const piece of sockets.last.taken.splice(0))
      for (const octet of piece)
        if (octet !== octetAt(this.#uploaded++)) throw new Error(`octet ${this.#uploaded - 1} of the upload is wrong`);
  }

  /** Takes what the stack sends. Returns how many of the packets had no octets. */
  listen(): number {
    let bare = 0;
    for (const packet of this.peer.packets()) {
      if (packet[9] !== 6) continue;
      this.#lastPacket = packet.slice(0, 28);
      const [flags = "", numbers = "", , ack] = this.peer.text(packet).split(" ");
      if (flags.includes("R")) this.isOver = true;
      else this.#take(packet, Number(numbers.split(":")[0]), Number(ack));
      if (packet.length <= HEADERS + 40) bare++;
    }
    return bare;
  }

  #take(packet: Uint8Array, from: number, ack: number): void {
    if (ack > this.acked && ack <= UPLOAD + 2) this.acked = ack;
    const start = 20 + (packet[32]! >>> 4) * 4;
    for (let at = start; at < packet.length; at++) {
      const sequence = from + at - start;
      if (packet[at] !== octetAt(sequence + 7)) throw new Error(`octet ${sequence} of the download is wrong`);
      if (sequence >= this.got) this.#early.add(sequence);
    }
    while (this.#early.delete(this.got)) this.got++;
  }

  /** The server sends more. */
  give(most: number): void {
    const count = Math.min(most, DOWNLOAD + 1 - this.given);
    if (count <= 0 || this.isEnded) return;
    const from = this.given;
    this.given += count;
    this.peer.sockets.last.give(Uint8Array.from({ length: count }, (_, at) => octetAt(from + at + 7)));
  }

  get isEnded(): boolean {
    return this.isOver || this.peer.sockets.last.end !== "open";
  }
}

/** The packet in two fragments, of which the second may come first and may overlap the first, with the same octets. */
function fragments(packet: Uint8Array, rng: Rng): Uint8Array[] {
  const payload = [...packet.subarray(20)];
  const cut = 8 * (1 + rng.below(Math.max(1, payload.length >> 3)));
  if (cut >= payload.length) return [packet];
  const again = rng.chance(0.3) ? Math.max(0, cut - 8) : cut;
  const to = packet.slice(16, 20).join(".");
  const piece = (from: number, end: number): Uint8Array => {
    const one = ipv4Packet(PEER, to, 6, payload.slice(from, end));
    one[6] = (end < payload.length ? 0x20 : 0) | (from >> 11);
    one[7] = (from >> 3) & 255;
    one[10] = one[11] = 0;
    const sum = internetChecksum([...one.subarray(0, 20)]);
    one[10] = sum >> 8;
    one[11] = sum & 255;
    return one;
  };
  const both = [piece(0, cut), piece(again, payload.length)];
  return rng.chance(0.5) ? both : both.reverse();
}

/** Plays one kind of trouble. */
function trouble(talker: Talker, kind: (typeof KINDS)[number], a: number): void {
  const { rng, acked, got, hasLied } = talker;
  const length = Math.max(0, Math.min(1 + (a % 900), UPLOAD + 1 - acked));
  if (kind === "later")
    talker.say("", acked + (a % 3000), Math.max(0, Math.min(length, UPLOAD + 1 - acked - (a % 3000))));
  else if (kind === "old") talker.say("", Math.max(1, acked - length), length);
  else if (kind === "overlap") talker.say("P", Math.max(1, acked - (a % 50)), length);
  else if (kind === "twice") talker.say("", acked, length, "", (packet) => [packet, packet]);
  else if (kind === "fragments") talker.say("", acked, length, "", (packet) => fragments(packet, rng));
  else if (kind === "window") talker.raw(`. ${acked}:${acked}(0) ack ${got} win ${rng.pick([0, 1, 90, 65535])}`);
  else if (kind === "options") talker.say("", acked, length, ` <octets ${[...rng.bytes(1 + (a % 36))].join(" ")}>`);
  else if (kind === "sack")
    talker.say("", acked, 0, ` <sack ${got + (a % 4000)}:${got + rng.below(9000)} ${rng.u32()}:${rng.u32()}>`);
  else if (kind === "icmp") talker.icmp(a % 1600);
  else if (kind === "ack") {
    hasLied.acks = true;
    talker.raw(`. ${acked}:${acked}(0) ack ${rng.pick([got + 1 + (a % 3000), a, 1])} win 8000`);
  } else {
    hasLied.end = true;
    const flags = rng.pick(["R", "R.", "S", "S.", "F.", "FSRPU.", "-", "U."]);
    const at = rng.pick([acked, acked + (a % 5000), a]);
    talker.raw(`${flags} ${at}:${at}(0)${flags.includes(".") ? ` ack ${got}` : ""} win 8000`);
  }
}

/** The lies have stopped: everything arrives. */
function finish(talker: Talker): void {
  const { peer, hasLied } = talker;
  const isDone = (): boolean => talker.acked > UPLOAD && talker.got > DOWNLOAD;
  for (let round = 0; round < MOST_ROUNDS && !isDone() && !talker.isEnded; round++) {
    peer.sockets.last.giveRoom(Infinity);
    talker.give(2000);
    talker.say("", talker.acked, Math.max(0, Math.min(500, UPLOAD + 1 - talker.acked)));
    peer.wait(Math.max(1, Math.min(70_000, peer.stack.nextTimeout() - peer.now)));
    talker.listen();
  }
  const mayFail = hasLied.end || (hasLied.acks && talker.acked > UPLOAD);
  if (!isDone() && !mayFail)
    throw new Error(`the upload came to ${talker.acked} and the download to ${talker.got}, ended: ${talker.isEnded}`);
}

export const SEGMENTS: Target = {
  name: "segments",
  kinds: KINDS,
  pieces: PIECES,
  run({ seed, mutations }: FuzzInput) {
    const rng = new Rng(seed);
    const talker = new Talker(rng);
    for (let piece = 0; piece < PIECES && !talker.isEnded; piece++) {
      for (const { piece: at, kind, a } of mutations)
        if (!talker.isEnded && at === piece) trouble(talker, kind as (typeof KINDS)[number], a);
      if (talker.isEnded) break;
      if (rng.chance(0.5)) talker.give(rng.below(1500));
      if (rng.chance(0.2)) talker.peer.sockets.last.giveRoom(rng.pick([0, 300, 3000, Infinity]));
      talker.say("", talker.acked, Math.max(0, Math.min(rng.below(400), UPLOAD + 1 - talker.acked)));
      talker.peer.wait(rng.pick([0, 1, 10, 250]));
    }
    if (!talker.isEnded) finish(talker);
    return talker.octets;
  },
};
