// The blocks of a pcapng file for Wireshark: PPP packets, each with its direction (LINKTYPE_PPP_WITH_DIR), and lines of a
// log between them. Numbers are little-endian: dumpcap, which reads a pipe for Wireshark, takes no others.

const Block = { Interface: 1, EnhancedPacket: 6, Journal: 9, SectionHeader: 0x0a0d0d0a } as const;
const Option = { Comment: 1, Name: 2, Flags: 2, Description: 3, Application: 4 } as const;
const BYTE_ORDER = 0x1a2b3c4d;
const PPP_WITH_DIR = 204;
/** Microseconds, the default of the format. */
const TICKS_A_MS = 1000;
/** Values of the flags of a packet. */
const INBOUND = 1;
const OUTBOUND = 2;

const ENCODER = new TextEncoder();

export interface PcapngPacket {
  /** The number of its interface block in the file. */
  readonly line: number;
  readonly isSent: boolean;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Begins with address and control or with the protocol. */
  readonly octets: Uint8Array;
  /** The length of the whole packet, if `octets` is the beginning of it. */
  readonly length?: number;
  readonly comments?: readonly string[];
}

/** The block at the start of every file. */
export function sectionBlock(): Uint8Array {
  const application = optionOctets(Option.Application, ENCODER.encode("nullmodem"));
  return block(Block.SectionHeader, 16, [application], (view, at) => {
    view.setUint32(at, BYTE_ORDER, true);
    view.setUint16(at + 4, 1, true);
    // The length of the section: unknown.
    view.setUint32(at + 8, 0xffffffff, true);
    view.setUint32(at + 12, 0xffffffff, true);
  });
}

/** Packets refer to the interface by its number: the first has 0. */
export function interfaceBlock(name: string, description: string): Uint8Array {
  const options = [
    optionOctets(Option.Name, ENCODER.encode(name)),
    optionOctets(Option.Description, ENCODER.encode(description)),
  ];
  return block(Block.Interface, 8, options, (view, at) => view.setUint16(at, PPP_WITH_DIR, true));
}

export function packetBlock({ line, isSent, time, octets, length, comments = [] }: PcapngPacket): Uint8Array {
  const kept = 1 + octets.length;
  const options = comments.map((comment) => optionOctets(Option.Comment, ENCODER.encode(comment)));
  options.push(optionOctets(Option.Flags, Uint8Array.of(isSent ? OUTBOUND : INBOUND, 0, 0, 0)));
  const ticks = Math.floor(time * TICKS_A_MS);
  return block(Block.EnhancedPacket, 20 + kept, options, (view, at, bytes) => {
    view.setUint32(at, line, true);
    view.setUint32(at + 4, Math.floor(ticks / 2 ** 32), true);
    view.setUint32(at + 8, ticks % 2 ** 32, true);
    view.setUint32(at + 12, kept, true);
    view.setUint32(at + 16, 1 + (length ?? octets.length), true);
    bytes[at + 20] = isSent ? 1 : 0;
    bytes.set(octets, at + 21);
  });
}

/**
 * A line of a log, as an entry of systemd's journal: Wireshark shows it in a row of its own, and readers that do not
 * know such blocks pass over it. `time` is in ms since 1970.
 */
export function journalBlock(time: number, text: string): Uint8Array {
  const fields = [
    `__REALTIME_TIMESTAMP=${Math.floor(time * TICKS_A_MS)}`,
    `MESSAGE=${text.replace(/[\n\0]/g, " ")}`,
    "PRIORITY=6",
    "SYSLOG_IDENTIFIER=nullmodem",
  ];
  const entry = ENCODER.encode(`${fields.join("\n")}\n`);
  return block(Block.Journal, entry.length, [], (_, at, bytes) => bytes.set(entry, at));
}

/** `value` with its head and padding. */
function optionOctets(code: number, value: Uint8Array): Uint8Array {
  const length = Math.min(value.length, MOST_OPTION);
  const octets = new Uint8Array(4 + padded(length));
  const view = new DataView(octets.buffer);
  view.setUint16(0, code, true);
  view.setUint16(2, length, true);
  octets.set(value.subarray(0, length), 4);
  return octets;
}

const MOST_OPTION = 4096;

/** A block with `length` octets of content, which `fill` writes from `at`. Its size is at both ends. */
function block(
  type: number,
  length: number,
  options: readonly Uint8Array[],
  fill: (view: DataView, at: number, bytes: Uint8Array) => void,
): Uint8Array {
  const optionsLength = options.length === 0 ? 0 : options.reduce((sum, { length }) => sum + length, OPTIONS_END);
  const size = 12 + padded(length) + optionsLength;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, size, true);
  fill(view, 8, bytes);
  let at = 8 + padded(length);
  for (const option of options) {
    bytes.set(option, at);
    at += option.length;
  }
  view.setUint32(size - 4, size, true);
  return bytes;
}

const OPTIONS_END = 4;

/** The parts of a block are padded to a multiple of four. */
function padded(length: number): number {
  return (length + 3) & ~3;
}
