// NetBIOS names over UDP port 137 (RFC 1002 §4.2). This machine answers for its own name, tells all its names, and acts as the name
// server (WINS) of the other machine: over a link, a broadcast reaches nobody else, and Windows asks a name server first.

import { bytesOf } from "../../bytes/text.ts";
import { WORKGROUP } from "./smb-site.ts";

const HEADER = 12;
/** A name's length, its 32 letters, and the end of its scope, which is empty. */
const NAME = 34;
const RAW_NAME = 15;
const TYPE = { NAME: 0x20, STATUS: 0x21, NOTHING: 0x0a } as const;
const INTERNET = 1;
const OPCODE = { QUERY: 0, REGISTER: 5, RELEASE: 6, REFRESH: 8, REFRESH_TOO: 9, REGISTER_ONE_OF: 15 } as const;
/** The last one is of a machine with several addresses, as NT sends it. */
const REGISTRATIONS: readonly number[] = [OPCODE.REGISTER, OPCODE.REFRESH, OPCODE.REFRESH_TOO, OPCODE.REGISTER_ONE_OF];
const FLAG = { ANSWER: 0x8000, AUTHORITY: 0x0400, RECURSION: 0x0100, RECURSES: 0x0080, BROADCAST: 0x0010 } as const;
const NO_SUCH_NAME = 3;
const IN_USE = 6;
const TTL = 300_000;
const RECORD = { GROUP: 0x8000, ACTIVE: 0x0400 } as const;
/** Where the address of an additional record is, behind its name (as a pointer), type, class, time and length. */
const ADDITIONAL = 2 + 2 + 2 + 4 + 2;
const STATISTICS = 46;

interface OwnName {
  readonly text: string;
  /** The sixteenth octet: a workstation or a workgroup, a messenger, a server. */
  readonly kinds: readonly number[];
  readonly isGroup: boolean;
}

export class NameService {
  readonly #names: readonly OwnName[];
  readonly #address: Uint8Array;

  /** `address` is where the other machine reaches us. */
  constructor(name: string, address: Uint8Array) {
    this.#address = address;
    this.#names = [
      { text: name, kinds: [0x00, 0x03, 0x20], isGroup: false },
      { text: WORKGROUP, kinds: [0x00], isGroup: true },
    ];
  }

  /** What answers a datagram. Undefined: nothing. */
  answer(bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
    const packet = bytes.subarray(start, end);
    if (packet.length < HEADER + NAME + 4) return undefined;
    const flags = u16(packet, 2);
    const asked = decodedName(packet);
    // An answer is never answered, or two machines would go on for ever.
    if ((flags & FLAG.ANSWER) !== 0 || u16(packet, 4) !== 1 || asked === undefined) return undefined;
    const type = u16(packet, HEADER + NAME);
    if (u16(packet, HEADER + NAME + 2) !== INTERNET) return undefined;
    const opcode = (flags >> 11) & 15;
    if (opcode === OPCODE.QUERY) return this.#query(packet, flags, asked, type);
    return this.#registration(packet, flags, asked, opcode);
  }

  #query(packet: Uint8Array, flags: number, asked: NetbiosName, type: number): Uint8Array | undefined {
    if (type === TYPE.STATUS) return this.#knows(asked) || asked.text === "*" ? this.#status(packet) : undefined;
    if (type !== TYPE.NAME) return undefined;
    const own = this.#find(asked);
    if (own !== undefined || asked.text === "*")
      return answerTo(packet, FLAG.AUTHORITY, TYPE.NAME, this.#record(own?.isGroup === true));
    // Whoever asks a name server is told that there is no such name.
    const asksServer = (flags & FLAG.BROADCAST) === 0 && (flags & FLAG.RECURSION) !== 0;
    return asksServer ? answerTo(packet, FLAG.AUTHORITY | NO_SUCH_NAME, TYPE.NOTHING, new Uint8Array(0)) : undefined;
  }

  #find({ text, kind }: NetbiosName): OwnName | undefined {
    return this.#names.find((own) => own.text === text && own.kinds.includes(kind));
  }

  #knows(asked: NetbiosName): boolean {
    return this.#find(asked) !== undefined;
  }

  #record(isGroup: boolean): Uint8Array {
    return Uint8Array.of(isGroup ? RECORD.GROUP >>> 8 : 0, 0, ...this.#address);
  }

  /** The other machine may have any name but ours. Nothing is kept: nobody else would ask for it. */
  #registration(packet: Uint8Array, flags: number, asked: NetbiosName, opcode: number): Uint8Array | undefined {
    const isRelease = opcode === OPCODE.RELEASE;
    const registers = REGISTRATIONS.includes(opcode);
    const at = HEADER + NAME + 4 + ADDITIONAL;
    if ((!isRelease && !registers) || packet.length < at + 6) return undefined;
    const own = this.#find(asked);
    const isTaken = own !== undefined && !(own.isGroup && (packet[at]! & 0x80) !== 0);
    if ((flags & FLAG.BROADCAST) !== 0 && !(registers && isTaken)) return undefined;
    const bits = isTaken ? FLAG.AUTHORITY | IN_USE : FLAG.AUTHORITY | (isRelease ? 0 : FLAG.RECURSES);
    return answerTo(packet, bits, TYPE.NAME, packet.slice(at, at + 6), isRelease ? OPCODE.RELEASE : OPCODE.REGISTER);
  }

  #status(packet: Uint8Array): Uint8Array {
    const rows = this.#names.flatMap(({ text, kinds, isGroup }) =>
      kinds.map((kind) => {
        const flags = RECORD.ACTIVE | (isGroup ? RECORD.GROUP : 0);
        return [...bytesOf(text.padEnd(RAW_NAME)), kind, flags >>> 8, flags & 0xff];
      }),
    );
    const data = Uint8Array.from([rows.length, ...rows.flat(), ...new Uint8Array(STATISTICS)]);
    return answerTo(packet, FLAG.AUTHORITY, TYPE.STATUS, data);
  }
}

interface NetbiosName {
  /** In large letters, without the spaces behind it. */
  readonly text: string;
  readonly kind: number;
}

/** Each half of an octet is a letter from A to P. Undefined: it is no name, or one with a scope. */
function decodedName(packet: Uint8Array): NetbiosName | undefined {
  if (packet[HEADER] !== 0x20 || packet[HEADER + NAME - 1] !== 0) return undefined;
  const octets: number[] = [];
  for (let at = HEADER + 1; at < HEADER + 33; at += 2) {
    const [high, low] = [packet[at]! - 0x41, packet[at + 1]! - 0x41];
    if (high < 0 || high > 15 || low < 0 || low > 15) return undefined;
    octets.push(high * 16 + low);
  }
  const text = String.fromCharCode(...octets.slice(0, RAW_NAME)).replace(/[ \0]+$/, "");
  return { text: text.toUpperCase(), kind: octets[RAW_NAME]! };
}

function u16(bytes: Uint8Array, at: number): number {
  return bytes[at]! * 256 + bytes[at + 1]!;
}

/** One record with the name that was asked for. */
function answerTo(packet: Uint8Array, bits: number, type: number, data: Uint8Array, opcode = 0): Uint8Array {
  const flags = FLAG.ANSWER | (opcode << 11) | (u16(packet, 2) & FLAG.RECURSION) | bits;
  const ttl = type === TYPE.NAME ? TTL : 0;
  return Uint8Array.of(
    ...packet.subarray(0, 2),
    ...[flags >>> 8, flags & 0xff],
    ...[0, 0, 0, 1, 0, 0, 0, 0],
    ...packet.subarray(HEADER, HEADER + NAME),
    ...[0, type, 0, INTERNET],
    ...[0, (ttl >>> 16) & 0xff, (ttl >>> 8) & 0xff, ttl & 0xff],
    ...[data.length >>> 8, data.length & 0xff],
    ...data,
  );
}
