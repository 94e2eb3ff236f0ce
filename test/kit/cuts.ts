// The ways in which a byte stream can reach a reader. Every reader of a stream is tested with all of them.

/** `bytes` whole, byte by byte, and split at every offset. The pieces are copies. */
export function* cuts(bytes: Uint8Array): Generator<Uint8Array[]> {
  yield [bytes.slice()];
  yield Array.from(bytes, (byte) => Uint8Array.of(byte));
  for (let at = 1; at < bytes.length; at++) yield [bytes.slice(0, at), bytes.slice(at)];
}
