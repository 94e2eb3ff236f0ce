// The filter of a UDP socket that takes the datagrams of one caller only, as a program of the classic BPF (Linux:
// Documentation/networking/filter.rst). The packet that it sees begins with the UDP header.

/** struct sock_filter: code, two jumps, and a number. */
const STEP = 8;
/** As many steps as an IPv6 address and a port need. */
export const FILTER_SIZE = 12 * STEP;

const LOAD_WORD = 0x20;
const LOAD_HALF = 0x28;
const JUMP_IF_EQUAL = 0x15;
const RETURN = 0x06;
/** Offsets from here on count from the IP header. */
const FROM_IP = 0xfff00000;
const SOURCE_AT = { 4: 12, 6: 8 } as const;
const ALL = 0xffffffff;

/** Writes the program for the caller's address and port. Returns the number of its steps. */
export function putCallerFilter(view: DataView, address: Uint8Array, port: number): number {
  const octets = new DataView(address.buffer, address.byteOffset, address.length);
  const first = FROM_IP + SOURCE_AT[address.length === 4 ? 4 : 6];
  const tests = [[LOAD_HALF, 0, port]];
  for (let at = 0; at < address.length; at += 4) tests.push([LOAD_WORD, first + at, octets.getUint32(at)]);
  const steps = tests.flatMap(([load, offset, value], index) => [
    [load, 0, 0, offset],
    // The last step drops the datagram.
    [JUMP_IF_EQUAL, 0, 2 * (tests.length - index) - 1, value],
  ]);
  steps.push([RETURN, 0, 0, ALL], [RETURN, 0, 0, 0]);
  for (const [index, [code, ifTrue, ifFalse, number]] of steps.entries()) {
    const at = index * STEP;
    view.setUint16(at, code!, true);
    view.setUint8(at + 2, ifTrue!);
    view.setUint8(at + 3, ifFalse!);
    view.setUint32(at + 4, number!, true);
  }
  return steps.length;
}
