// Tests for every parser and writer of packets: damage, and a buffer with other content around the packet.

/** Every truncation and every single-bit flip. The pieces are copies. */
export function* damaged(packet: Uint8Array): Generator<Uint8Array> {
  for (let length = 0; length < packet.length; length++) yield packet.slice(0, length);
  for (let bit = 0; bit < 8 * packet.length; bit++) {
    const flipped = packet.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    yield flipped;
  }
}

const FILL = 0xa5;
const AT = 5;

/** The octets that `put` wrote at an offset. Throws when it changed others, or returned another end. */
export function written(put: (buf: Uint8Array, at: number) => number, room = 256): Uint8Array {
  const buf = new Uint8Array(AT + room).fill(FILL);
  const end = put(buf, AT);
  const again = new Uint8Array(AT + room).fill(~FILL);
  if (put(again, AT) !== end) throw new Error("the length depends on what was in the buffer");
  for (let at = 0; at < buf.length; at++) {
    const isInside = at >= AT && at < end;
    if (isInside && buf[at] !== again[at]) throw new Error(`octet ${at - AT} was left as it was`);
    if (!isInside && (buf[at] !== FILL || again[at] !== (~FILL & 0xff)))
      throw new Error(`octet ${at - AT} overwritten`);
  }
  return buf.slice(AT, end);
}

/** `packet` with other octets before and after it, and its place: a parser must not read beyond it. */
export function embedded(packet: Uint8Array): { buf: Uint8Array; start: number; end: number } {
  const buf = new Uint8Array(packet.length + 2 * AT).fill(FILL);
  buf.set(packet, AT);
  return { buf, start: AT, end: AT + packet.length };
}
