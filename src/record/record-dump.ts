// Shows a record file as pppdump does: as strings, in hex, or as frames.

import { toHex } from "../bytes/text.ts";
import { FCS_GOOD, FCS_INIT, fcsOver } from "../frame/fcs.ts";
import type { RecordItem } from "./pppdump-file.ts";
import { informationLength, Unframer } from "./unframer.ts";
import { Unpacker } from "./unpacker.ts";

export interface DumpOptions {
  view: "text" | "hex" | "packets";
  /** Swap sent and received. */
  reverse: boolean;
  /** In packets: decompress as CCP agreed. */
  decompress: boolean;
  /** Show times of day and octet counts instead of elapsed times. */
  absolute: boolean;
  /** The longest information field that is valid. */
  mru: number;
  /** Local time as ctime(3) and as `HH:MM:SS`, from seconds since 1970. */
  dateText: (seconds: number) => string;
  clockText: (seconds: number) => string;
}

interface Side {
  name: "sent" | "rcvd";
  endName: "send" | "recv";
  octets: number;
  frame: Unframer;
  unpacker: Unpacker | undefined;
}

/** Shows one item after the other. As in pppdump, the state is kept from file to file. */
export class Dump {
  readonly #options: DumpOptions;
  readonly #sent: Side;
  readonly #received: Side;
  #startedAt = 0;
  #tenths = 0;

  constructor(options: DumpOptions) {
    this.#options = options;
    this.#sent = side("sent", "send", options.decompress);
    this.#received = side("rcvd", "recv", options.decompress);
  }

  /** The lines for one item, each with its newline. */
  item(item: RecordItem): string {
    switch (item.type) {
      case "start":
        this.#startedAt = item.time;
        this.#tenths = 0;
        this.#sent.octets = this.#received.octets = 0;
        return `start ${this.#options.dateText(item.time)}\n`;
      case "time":
        return this.#time(item.tenths);
      case "sent":
      case "received":
        return this.#data(this.#side(item.type === "sent"), item.data, item.cut);
      case "end-sent":
      case "end-received":
        return this.#end(item.type === "end-sent");
      case "unknown":
        return `?${item.tag.toString(16).padStart(2, "0")}\n`;
      case "cut":
        return `EOF\n${this.#incomplete()}`;
      default:
        return item satisfies never;
    }
  }

  #side(isSent: boolean): Side {
    return isSent === this.#options.reverse ? this.#received : this.#sent;
  }

  #time(tenths: number): string {
    this.#tenths += tenths;
    if (!this.#options.absolute) return `time  ${(tenths / 10).toFixed(1)}s\n`;
    const clock = this.#options.clockText(this.#startedAt + Math.floor(this.#tenths / 10));
    const counts = `(sent ${this.#sent.octets}, rcvd ${this.#received.octets})`;
    return `time  ${clock}.${this.#tenths % 10}  ${counts}\n`;
  }

  #data(side: Side, data: Uint8Array, cut: boolean): string {
    side.octets += data.length;
    switch (this.#options.view) {
      case "text":
        return `${side.name} "${stringLines(data)}${cut ? "\nEOF\n" : '"\n'}`;
      case "hex":
        return hexLines(`${side.name}  `, "      ", data, cut) + (cut ? "EOF\n" : "");
      case "packets": {
        let text = "";
        side.frame.push(data, (octets, aborted) => (text += this.#frame(side, octets, aborted)));
        return cut ? `${text}\nEOF\n${this.#incomplete()}` : text;
      }
    }
  }

  #frame(side: Side, octets: Uint8Array, aborted: boolean): string {
    let text = aborted ? `${side.name} aborted packet:\n     ` : "";
    const name = aborted ? "    " : side.name;
    if (octets.length <= FCS_LENGTH)
      return `${text}${name} short packet [${octets.length} bytes]: ${toHex(octets, 0, octets.length, " ")}\n`;
    const fcs = fcsOver(FCS_INIT, octets, 0, octets.length);
    let packet = octets.subarray(0, octets.length - FCS_LENGTH);
    const information = informationLength(packet);
    const { mru } = this.#options;
    if (information > mru) text += `     ERROR: length (${information}) > MRU (${mru})\n`;
    if (fcs === FCS_GOOD && side.unpacker !== undefined) {
      const { unpacker } = side;
      const outcome = unpacker.take(packet);
      if (outcome === "damaged") text += "     DECOMPRESSION ERROR\n";
      if (outcome === "fatal") text += "     FATAL DECOMPRESSION ERROR\n";
      if (outcome === "unpacked") {
        packet = unpacker.packet;
        const length = informationLength(packet, unpacker.at);
        if (length > mru) text += `     ERROR: decompressed length (${length}) > MRU (${mru})\n`;
      }
    }
    text += hexLines(`${name} `, "     ", packet, false);
    if (fcs !== FCS_GOOD) text += `     BAD FCS: (residue = ${fcs.toString(16)})\n`;
    return text;
  }

  #end(isSent: boolean): string {
    // Only in packets are the ends swapped.
    if (this.#options.view !== "packets") return `end ${isSent ? "send" : "recv"}\n`;
    const { endName, frame } = this.#side(isSent);
    return `end ${endName}${frame.length > 0 ? `  [${frame.length} bytes in incomplete packet]` : ""}\n`;
  }

  #incomplete(): string {
    if (this.#options.view !== "packets") return "";
    return [this.#sent, this.#received]
      .filter((side) => side.frame.length > 0)
      .map((side) => `[${side.frame.length} bytes in incomplete ${side.endName} packet]\n`)
      .join("");
  }
}

const FCS_LENGTH = 2;

function side(name: Side["name"], endName: Side["endName"], decompress: boolean): Side {
  return { name, endName, octets: 0, frame: new Unframer(), unpacker: decompress ? new Unpacker() : undefined };
}

const STRING_COLUMNS = 77;
const STRING_INDENT = 6;

function stringLines(data: Uint8Array): string {
  let text = "";
  let column = STRING_INDENT;
  for (const octet of data) {
    const shown = charText(octet);
    column += shown.length;
    if (column > STRING_COLUMNS) {
      text += `\n${" ".repeat(STRING_INDENT)}`;
      column = STRING_INDENT + shown.length;
    }
    text += shown;
  }
  return text;
}

function charText(octet: number): string {
  if (octet < 0x20 || octet >= 0x7f) return `\\${octet.toString(16).padStart(2, "0")}`;
  const char = String.fromCharCode(octet);
  return char === "\\" || char === '"' ? `\\${char}` : char;
}

const ROW = 16;

/** Rows of hex and characters. `cut`: the data broke off, and the last row stays incomplete. */
function hexLines(first: string, indent: string, data: Uint8Array, cut: boolean): string {
  let text = "";
  for (let at = 0; at < data.length || at === 0; at += ROW) {
    const end = Math.min(at + ROW, data.length);
    const hex = at < end ? ` ${toHex(data, at, end, " ")}` : "";
    const isBroken = cut && end === data.length;
    text += `${at === 0 ? first : indent}${isBroken ? hex : `${hex.padEnd(3 * ROW)}  ${chars(data, at, end)}`}\n`;
  }
  return text;
}

function chars(data: Uint8Array, at: number, end: number): string {
  let text = "";
  for (; at < end; at++) {
    const octet = data[at]!;
    text += octet >= 0x20 && octet < 0x7f ? String.fromCharCode(octet) : ".";
  }
  return text;
}
