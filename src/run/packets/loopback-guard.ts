// No packet on a link has an address of this machine's loopback, 127.0.0.0/8 (RFC 1122 §3.2.1.3). The kernel drops such packets as
// well, but not while route_localnet of the interface is on, which port forwarding needs.

const LOOPBACK = 127;
const SOURCE = 12;
const DESTINATION = 16;

/** The IPv4 packet from `start` on claims to come from the loopback, or wants to go there. */
export function isOfLoopback(bytes: Uint8Array, start: number): boolean {
  return (bytes[start + SOURCE] === LOOPBACK || bytes[start + DESTINATION] === LOOPBACK) && bytes[start]! >> 4 === 4;
}
