// Memory for packets that wait, taken once. A packet lies in a chain of blocks, so that packets of any length share the memory
// and may leave in any order.

const BLOCK = 128;
const NONE = -1;

export class PacketStore {
  readonly #bytes: Uint8Array;
  /** The block behind each block, in a packet or among the free ones. */
  readonly #behind: Int32Array;
  #freeBlock = 0;
  #freeBlocks: number;
  readonly #first: Int32Array;
  readonly #lengths: Int32Array;
  readonly #cameAt: Float64Array;
  /** The packet behind each packet, in a queue or among the free ones. */
  readonly #next: Int32Array;
  #freePacket = 0;
  #freePackets: number;

  /** Room for about so many octets, and for so many packets. */
  constructor(octets: number, packets: number) {
    const blocks = Math.ceil(octets / BLOCK);
    this.#bytes = new Uint8Array(blocks * BLOCK);
    this.#behind = chain(blocks);
    this.#freeBlocks = blocks;
    this.#first = new Int32Array(packets);
    this.#lengths = new Int32Array(packets);
    this.#cameAt = new Float64Array(packets);
    this.#next = chain(packets);
    this.#freePackets = packets;
  }

  /** A packet of this length fits now. */
  hasRoom(length: number): boolean {
    return this.#freePackets > 0 && blocksOf(length) <= this.#freeBlocks;
  }

  /** A packet of this length fits when there is nothing else. */
  couldHold(length: number): boolean {
    return length > 0 && blocksOf(length) * BLOCK <= this.#bytes.length;
  }

  /** Copies packet[start, end) and returns its number. The caller has checked {@link hasRoom}. */
  keep(packet: Uint8Array, start: number, end: number, now: number): number {
    const kept = this.#freePacket;
    this.#freePacket = this.#next[kept]!;
    this.#freePackets--;
    this.#next[kept] = NONE;
    this.#lengths[kept] = end - start;
    this.#cameAt[kept] = now;
    const first = this.#freeBlock;
    this.#first[kept] = first;
    let last = first;
    let block = first;
    for (let at = start; at < end; at += BLOCK) {
      this.#bytes.set(packet.subarray(at, Math.min(end, at + BLOCK)), block * BLOCK);
      last = block;
      block = this.#behind[block]!;
      this.#freeBlocks--;
    }
    this.#freeBlock = block;
    this.#behind[last] = NONE;
    return kept;
  }

  /** Copies the packet to into[at…]. */
  copy(kept: number, into: Uint8Array, at: number): void {
    let left = this.#lengths[kept]!;
    for (let block = this.#first[kept]!; left > 0; block = this.#behind[block]!) {
      const from = block * BLOCK;
      const length = Math.min(left, BLOCK);
      into.set(this.#bytes.subarray(from, from + length), at);
      at += length;
      left -= length;
    }
  }

  /** Gives the packet's memory to others. */
  free(kept: number): void {
    let last = this.#first[kept]!;
    for (let blocks = 1; ; blocks++) {
      const behind = this.#behind[last]!;
      if (behind === NONE) {
        this.#freeBlocks += blocks;
        break;
      }
      last = behind;
    }
    this.#behind[last] = this.#freeBlock;
    this.#freeBlock = this.#first[kept]!;
    this.#next[kept] = this.#freePacket;
    this.#freePacket = kept;
    this.#freePackets++;
  }

  lengthOf(kept: number): number {
    return this.#lengths[kept]!;
  }

  cameAt(kept: number): number {
    return this.#cameAt[kept]!;
  }

  /** The packet behind this one in its queue. -1: none. */
  behind(kept: number): number {
    return this.#next[kept]!;
  }

  putBehind(kept: number, next: number): void {
    this.#next[kept] = next;
  }
}

function blocksOf(length: number): number {
  return Math.ceil(length / BLOCK);
}

/** Each number is followed by the next. */
function chain(length: number): Int32Array {
  const links = new Int32Array(length);
  for (let at = 0; at < length; at++) links[at] = at + 1 < length ? at + 1 : NONE;
  return links;
}
