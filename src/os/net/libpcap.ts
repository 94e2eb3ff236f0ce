// Compiles filter expressions ("tcp port 80 and inbound") to BPF programs by libpcap, as pppd does.

import { type Pointer, read } from "bun:ffi";
import { cstring, Memory } from "../ffi/libc.ts";
import { library } from "../ffi/library.ts";

/** PPP with the direction in place of the address octet, as pppd's kernel driver presents packets to a filter. */
const DLT_PPP_PPPD = 166;
const SNAPLEN = 65535;
const OPTIMIZE = 1;

const pcap = library(["libpcap.so.0.8", "libpcap.so.1"], {
  pcap_open_dead: { args: ["i32", "i32"], returns: "ptr" },
  pcap_compile: { args: ["ptr", "ptr", "ptr", "i32", "u32"], returns: "i32" },
  pcap_geterr: { args: ["ptr"], returns: "cstring" },
  pcap_freecode: { args: ["ptr"], returns: "void" },
  pcap_close: { args: ["ptr"], returns: "void" },
});

/** A struct bpf_insn, of INSTRUCTION octets. */
export interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}
const INSTRUCTION = 8;

/**
 * Compiles an expression to a program. Returns libpcap's message when the expression is wrong, and undefined without a
 * libpcap. `netmask` (a uint32) is for "ip broadcast". Names in the expression are looked up, which may block.
 */
export function compileFilter(expression: string, netmask: number): Instruction[] | string | undefined {
  const lib = pcap();
  if (lib === undefined) return undefined;
  const handle = lib.pcap_open_dead(DLT_PPP_PPPD, SNAPLEN);
  if (handle === null) return "out of memory";
  const text = cstring(expression);
  const program = new Memory(16);
  try {
    const result = lib.pcap_compile(handle, program.address, text.address, OPTIMIZE, inNetworkOrder(netmask));
    if (result !== 0) return String(lib.pcap_geterr(handle));
    const instructions = read.ptr(program.address, 8) as Pointer;
    return Array.from({ length: read.u32(program.address, 0) }, (_, at) => instruction(instructions, at * INSTRUCTION));
  } finally {
    // Harmless when compilation failed.
    lib.pcap_freecode(program.address);
    lib.pcap_close(handle);
  }
}

function instruction(pointer: Pointer, offset: number): Instruction {
  return {
    code: read.u16(pointer, offset),
    jt: read.u8(pointer, offset + 2),
    jf: read.u8(pointer, offset + 3),
    k: read.u32(pointer, offset + 4),
  };
}

/** Swaps the octets so that they lie in memory as on the wire, as pppd's netmask does. */
function inNetworkOrder(number: number): number {
  const { address, view } = new Memory(4);
  view.setUint32(0, number);
  return read.u32(address, 0);
}
