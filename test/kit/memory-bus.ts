// A message bus in memory, with its own reader of messages. It notes every call and answers when it is told to.

import type { BusConnection, BusListener, MessageBus } from "../../src/run/host/message-bus.ts";

export interface BusCall {
  readonly serial: number;
  readonly member: string;
  readonly path: string;
  readonly interface: string;
  readonly destination: string;
  /** What the call carries: numbers, texts, bigints, lists, and dictionaries as objects. */
  readonly body: readonly unknown[];
}

const AT = { 1: "path", 2: "interface", 3: "member", 6: "destination", 8: "signature" } as const;

export class MemoryBus implements MessageBus {
  /** All calls but Hello. */
  readonly calls: BusCall[] = [];
  /** What came before the first message. */
  greeting = "";
  /** How the bus answers the authentication; undefined: it does not. */
  admission: string | undefined = "DATA\r\nOK 1234567890abcdef\r\n";
  /** Calls that are answered at once with no values. */
  readonly obeyed = new Set<string>(["SetState", "SetIfindex", "SetIp4Config", "SetIp6Config"]);
  /** How the octets of the bus reach the client. */
  deliver: (work: () => void) => void = queueMicrotask;
  isClosed = false;
  #listener: BusListener | undefined;
  #received: number[] = [];

  async connect(listener: BusListener): Promise<BusConnection> {
    this.#listener = listener;
    return { write: (bytes) => this.#take(bytes), end: () => void (this.isClosed = true) };
  }

  /** The calls of one method. */
  callsOf(member: string): BusCall[] {
    return this.calls.filter((call) => call.member === member);
  }

  reply({ serial }: BusCall, ...texts: readonly string[]): void {
    this.send(messageOf(2, serial, texts));
  }

  refuse({ serial }: BusCall, name: string, text: string): void {
    this.send(messageOf(3, serial, [text], name));
  }

  /** Gives octets to the client. */
  send(bytes: Uint8Array): void {
    this.deliver(() => this.#listener?.data(bytes));
  }

  /** The bus goes away. */
  hangUp(): void {
    this.deliver(() => this.#listener?.closed());
  }

  #take(bytes: Uint8Array): void {
    this.#received.push(...bytes);
    while (!this.greeting.endsWith("BEGIN\r\n")) {
      const octet = this.#received.shift();
      if (octet === undefined) break;
      this.greeting += String.fromCharCode(octet);
      if (this.greeting.endsWith("\nDATA\r\n") && this.admission !== undefined) this.send(Buffer.from(this.admission));
    }
    for (let call; (call = this.#nextCall()) !== undefined;) this.#answer(call);
  }

  #answer(call: BusCall): void {
    if (call.member === "Hello") return this.reply(call, ":1.7");
    this.calls.push(call);
    if (this.obeyed.has(call.member)) this.reply(call);
  }

  #nextCall(): BusCall | undefined {
    const bytes = Uint8Array.from(this.#received);
    if (bytes.length < 16) return undefined;
    const view = new DataView(bytes.buffer);
    const bodyAt = (16 + view.getUint32(12, true) + 7) & ~7;
    const end = bodyAt + view.getUint32(4, true);
    if (bytes.length < end) return undefined;
    this.#received = this.#received.slice(end);
    const found = { path: "", interface: "", member: "", destination: "", signature: "" };
    const fields = new Values(view, 12).value("a(yv)") as [keyof typeof AT, string][];
    for (const [field, value] of fields) if (field in AT) found[AT[field]] = value;
    const body = new Values(view, bodyAt);
    return {
      ...found,
      serial: view.getUint32(8, true),
      body: typesIn(found.signature).map((type) => body.value(type)),
    };
  }
}

/** The complete types of a signature. */
function typesIn(signature: string): string[] {
  const types: string[] = [];
  for (let at = 0; at < signature.length;) {
    const start = at;
    while (signature[at] === "a") at++;
    let depth = 0;
    do {
      if (/[({]/.test(signature[at]!)) depth++;
      if (/[)}]/.test(signature[at]!)) depth--;
      at++;
    } while (depth > 0);
    types.push(signature.slice(start, at));
  }
  return types;
}

const SIZES: Readonly<Record<string, number>> = { y: 1, g: 1, v: 1, t: 8, "(": 8, "{": 8 };

/** Reads values of any type, little-endian. */
class Values {
  at: number;
  readonly #view: DataView;

  constructor(view: DataView, at: number) {
    this.#view = view;
    this.at = at;
  }

  value(type: string): unknown {
    const view = this.#view;
    this.#align(type[0]!);
    switch (type[0]) {
      case "y":
        return view.getUint8(this.at++);
      case "u":
        return view.getUint32((this.at += 4) - 4, true);
      case "i":
        return view.getInt32((this.at += 4) - 4, true);
      case "t":
        return view.getBigUint64((this.at += 8) - 8, true);
      case "g":
        return this.#text(this.value("y") as number);
      case "s":
      case "o":
        return this.#text(this.value("u") as number);
      case "v":
        return this.value(this.value("g") as string);
      case "(":
        return typesIn(type.slice(1, -1)).map((inner) => this.value(inner));
      case "a":
        return this.#array(type.slice(1));
      default:
        throw new Error(`no reader for the type ${type}`);
    }
  }

  #array(inner: string): unknown {
    const length = this.value("u") as number;
    this.#align(inner[0]!);
    const end = this.at + length;
    const all: unknown[] = [];
    const isDictionary = inner.startsWith("{");
    while (this.at < end) all.push(this.value(isDictionary ? `(${inner.slice(1, -1)})` : inner));
    if (this.at !== end) throw new Error("an array has another length than it says");
    return isDictionary ? Object.fromEntries(all as [string, unknown][]) : all;
  }

  #align(letter: string): void {
    const size = SIZES[letter] ?? 4;
    while (this.at % size !== 0) if (this.#view.getUint8(this.at++) !== 0) throw new Error("padding is not zero");
  }

  #text(length: number): string {
    const text = Buffer.from(this.#view.buffer, this.at, length).toString();
    this.at += length;
    if (this.#view.getUint8(this.at++) !== 0) throw new Error("a text has no NUL at its end");
    return text;
  }
}

/** A reply or an error with texts, in big-endian order, which the client has to read as well. */
export function messageOf(type: number, replyTo: number, texts: readonly string[], errorName?: string): Uint8Array {
  const fields: number[] = [];
  const pad = (bytes: number[], size: number): void => {
    while (bytes.length % size !== 0) bytes.push(0);
  };
  const word = (value: number): number[] => [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
  const text = (value: string): number[] => [...word(Buffer.byteLength(value)), ...Buffer.from(value), 0];
  fields.push(5, 1, 0x75, 0, ...word(replyTo));
  if (errorName !== undefined) {
    pad(fields, 8);
    fields.push(4, 1, 0x73, 0, ...text(errorName));
  }
  pad(fields, 8);
  fields.push(8, 1, 0x67, 0, texts.length, ...texts.map(() => 0x73), 0);
  const body: number[] = [];
  for (const each of texts) {
    pad(body, 4);
    body.push(...text(each));
  }
  const head = [0x42, type, 1, 1, ...word(body.length), ...word(99), ...word(fields.length), ...fields];
  pad(head, 8);
  return Uint8Array.from([...head, ...body]);
}
