// Big-endian fields at (buf, at). Every put returns the offset after the field and writes nothing beyond the buffer.
// Writers of fields whose length the peer chooses check the returned offset.

export function u16(buf: Uint8Array, at: number): number {
  return (buf[at]! << 8) | buf[at + 1]!;
}

export function u32(buf: Uint8Array, at: number): number {
  return ((buf[at]! << 24) | (buf[at + 1]! << 16) | (buf[at + 2]! << 8) | buf[at + 3]!) >>> 0;
}

export function put8(buf: Uint8Array, at: number, value: number): number {
  buf[at] = value;
  return at + 1;
}

export function put16(buf: Uint8Array, at: number, value: number): number {
  buf[at] = value >>> 8;
  buf[at + 1] = value;
  return at + 2;
}

export function put32(buf: Uint8Array, at: number, value: number): number {
  buf[at] = value >>> 24;
  buf[at + 1] = value >>> 16;
  buf[at + 2] = value >>> 8;
  buf[at + 3] = value;
  return at + 4;
}

export function putBytes(buf: Uint8Array, at: number, bytes: Uint8Array): number {
  if (at < buf.length) buf.set(bytes.subarray(0, buf.length - at), at);
  return at + bytes.length;
}
