// Puts octets into a ring.

import type { Ring } from "../bytes/ring.ts";

/** Octets that have no room are lost. */
export function putOctets(octets: Uint8Array, ring: Ring): void {
  for (let at = 0; at < octets.length;) {
    const count = Math.min(octets.length - at, ring.writable);
    if (count === 0) return;
    ring.bytes.set(octets.subarray(at, at + count), ring.writeAt);
    ring.commit(count);
    at += count;
  }
}
