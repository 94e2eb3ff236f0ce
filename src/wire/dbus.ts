// Messages of the D-Bus protocol (D-Bus Specification, "Message Protocol"): method calls with the arguments that a plugin
// of pppd has, and replies that carry texts.

import { bytesOf, textOf } from "../bytes/text.ts";

export const DbusType = { Call: 1, Reply: 2, Error: 3, Signal: 4 } as const;

/** A value with its signature. Text is one char an octet. "t" is given as its two halves. */
export type DbusVariant =
  | readonly ["s", string]
  | readonly ["u", number]
  | readonly ["t", { readonly high: number; readonly low: number }]
  | readonly ["au", readonly number[]];

export type DbusArgument =
  DbusVariant | readonly ["i", number] | readonly ["a{sv}", Readonly<Record<string, DbusVariant>>];

export interface DbusTarget {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
}

export interface DbusMessage {
  readonly type: number;
  readonly serial: number;
  /** The sender of a call waits for a reply. */
  readonly wantsReply: boolean;
  /** The serial number of the call that this is the reply to; 0: none. */
  readonly replyTo: number;
  readonly errorName: string;
  readonly sender: string;
  /** The texts that the body begins with. */
  readonly texts: readonly string[];
}

const VERSION = 1;
const NO_REPLY_EXPECTED = 1;
const LITTLE_ENDIAN = 0x6c;
const BIG_ENDIAN = 0x42;
const FIXED_HEADER = 16;
/** The most octets of a message that is read. The bus sends nothing that is near it to a client like us. */
export const LONGEST_MESSAGE = 1 << 20;

const Field = {
  Path: 1,
  Interface: 2,
  Member: 3,
  ErrorName: 4,
  ReplySerial: 5,
  Destination: 6,
  Sender: 7,
  Signature: 8,
} as const;

/** A method call that expects a reply. */
export function dbusCall(serial: number, target: DbusTarget, body: readonly DbusArgument[]): Uint8Array {
  return message(DbusType.Call, serial, body, [
    [Field.Path, "o", target.path],
    [Field.Destination, "s", target.destination],
    [Field.Interface, "s", target.interface],
    [Field.Member, "s", target.member],
  ]);
}

/** The reply that a call fails. */
export function dbusError(serial: number, to: DbusMessage, errorName: string): Uint8Array {
  return message(
    DbusType.Error,
    serial,
    [],
    [
      [Field.ErrorName, "s", errorName],
      [Field.ReplySerial, "u", to.serial],
      [Field.Destination, "s", to.sender],
    ],
  );
}

type HeaderField =
  | readonly [field: number, signature: "o" | "s" | "g", text: string]
  | readonly [field: number, signature: "u", number: number];

function message(
  type: number,
  serial: number,
  body: readonly DbusArgument[],
  fields: readonly HeaderField[],
): Uint8Array {
  const content = new DbusWriter();
  for (const argument of body) content.put(argument);
  const signature = body.map(([letters]) => letters).join("");
  const all: readonly HeaderField[] = signature === "" ? fields : [...fields, [Field.Signature, "g", signature]];
  const header = new DbusWriter();
  header.octets(LITTLE_ENDIAN, type, type === DbusType.Call ? 0 : NO_REPLY_EXPECTED, VERSION);
  header.word(content.length);
  header.word(serial);
  header.array(8, () => {
    for (const field of all) header.field(field);
  });
  header.align(8);
  return Uint8Array.from([...header.bytes, ...content.bytes]);
}

/** Writes values in little-endian order, each aligned to its own size. */
class DbusWriter {
  readonly bytes: number[] = [];

  get length(): number {
    return this.bytes.length;
  }

  octets(...octets: readonly number[]): void {
    this.bytes.push(...octets);
  }

  align(to: number): void {
    while (this.length % to !== 0) this.bytes.push(0);
  }

  word(value: number): void {
    this.align(4);
    this.octets(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24);
  }

  #text(text: string): void {
    this.word(text.length);
    this.octets(...bytesOf(text), 0);
  }

  #signature(text: string): void {
    this.octets(text.length, ...bytesOf(text), 0);
  }

  /** The octets of an array, before which its length is written. The elements are aligned. */
  array(alignment: number, elements: () => void): void {
    this.word(0);
    const lengthAt = this.length - 4;
    this.align(alignment);
    const start = this.length;
    elements();
    const length = this.length - start;
    for (let octet = 0; octet < 4; octet++) this.bytes[lengthAt + octet] = (length >>> (8 * octet)) & 0xff;
  }

  field(field: HeaderField): void {
    this.align(8);
    this.octets(field[0]);
    this.#signature(field[1]);
    if (field[1] === "u") this.word(field[2]);
    else if (field[1] === "g") this.#signature(field[2]);
    else this.#text(field[2]);
  }

  put(argument: DbusArgument): void {
    switch (argument[0]) {
      case "s":
        return this.#text(argument[1]);
      case "i":
      case "u":
        return this.word(argument[1]);
      case "t":
        this.align(8);
        this.word(argument[1].low);
        return this.word(argument[1].high);
      case "au":
        return this.array(4, () => argument[1].forEach((value) => this.word(value)));
      case "a{sv}":
        return this.array(8, () => {
          for (const [name, value] of Object.entries(argument[1])) {
            this.align(8);
            this.#text(name);
            this.#signature(value[0]);
            this.put(value);
          }
        });
      default:
        argument satisfies never;
    }
  }
}

/**
 * The octets of the message that begins at `start`. 0: more octets are needed to tell. Undefined: it is no message, or
 * a longer one than is read.
 */
export function dbusLength(bytes: Uint8Array, start: number, end: number): number | undefined {
  if (end - start < FIXED_HEADER) return 0;
  const order = bytes[start]!;
  if ((order !== LITTLE_ENDIAN && order !== BIG_ENDIAN) || bytes[start + 3] !== VERSION) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, FIXED_HEADER);
  const isLittle = order === LITTLE_ENDIAN;
  const length = aligned(FIXED_HEADER + view.getUint32(12, isLittle), 8) + view.getUint32(4, isLittle);
  return length > LONGEST_MESSAGE ? undefined : length;
}

function aligned(at: number, to: number): number {
  return Math.ceil(at / to) * to;
}

/** Reads bytes[start, end), which is one message. Undefined: it is none. */
export function parseDbus(bytes: Uint8Array, start: number, end: number): DbusMessage | undefined {
  if (end - start < FIXED_HEADER || dbusLength(bytes, start, end) !== end - start) return undefined;
  const reader = new DbusReader(bytes.subarray(start, end));
  const { view, isLittle } = reader;
  const fieldsEnd = FIXED_HEADER + view.getUint32(12, isLittle);
  const found = { replyTo: 0, errorName: "", sender: "", signature: "" };
  reader.at = FIXED_HEADER;
  while (reader.at < fieldsEnd) if (!readField(reader, found)) return undefined;
  reader.at = aligned(fieldsEnd, 8);
  const texts: string[] = [];
  for (const letter of found.signature) {
    const text = letter === "s" ? reader.text() : undefined;
    if (text === undefined) break;
    texts.push(text);
  }
  const { replyTo, errorName, sender } = found;
  const wantsReply = (view.getUint8(2) & NO_REPLY_EXPECTED) === 0;
  return { type: view.getUint8(1), serial: view.getUint32(8, isLittle), wantsReply, replyTo, errorName, sender, texts };
}

interface FoundFields {
  replyTo: number;
  errorName: string;
  sender: string;
  signature: string;
}

/** False: the rest of the header cannot be read. */
function readField(reader: DbusReader, found: FoundFields): boolean {
  reader.at = aligned(reader.at, 8);
  const field = reader.octet();
  const signature = reader.signature();
  const value = signature === "u" ? reader.word() : signature === "g" ? reader.signature() : reader.text();
  // All fields that the specification knows have one of these types.
  if (value === undefined || signature === undefined || !/^[usog]$/.test(signature)) return false;
  if (field === Field.ReplySerial && typeof value === "number") found.replyTo = value;
  if (typeof value !== "string") return true;
  if (field === Field.ErrorName) found.errorName = value;
  else if (field === Field.Sender) found.sender = value;
  else if (field === Field.Signature) found.signature = value;
  return true;
}

/** Reads values. Undefined: the message ends before. */
class DbusReader {
  at = 0;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly isLittle: boolean;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.isLittle = bytes[0] === LITTLE_ENDIAN;
  }

  octet(): number | undefined {
    return this.bytes[this.at++];
  }

  word(): number | undefined {
    const at = aligned(this.at, 4);
    if (at + 4 > this.bytes.length) return undefined;
    this.at = at + 4;
    return this.view.getUint32(at, this.isLittle);
  }

  text(): string | undefined {
    return this.#octets(this.word());
  }

  signature(): string | undefined {
    return this.#octets(this.octet());
  }

  /** Text of this length, which ends with a NUL. */
  #octets(length: number | undefined): string | undefined {
    if (length === undefined || this.at + length >= this.bytes.length) return undefined;
    const text = textOf(this.bytes, this.at, this.at + length);
    this.at += length + 1;
    return text;
  }
}
