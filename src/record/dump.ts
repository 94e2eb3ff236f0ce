// A record file as text, the way pppdump shows it: as strings, in hex, or taken apart into frames.

import { toHex } from "../bytes/text.ts";
import { FCS_GOOD, FCS_INIT, fcsOver } from "../frame/fcs.ts";
import type { RecordItem } from "./pppdump-file.ts";

export interface DumpOptions {
  view: "text" | "hex" | "packets";
  /** Show what was sent as received, and the reverse. */
  reverse: boolean;
  /** Times of day and octets so far instead of the time passed. */
  absolute: boolean;
  /** Longest information field that is no error. */
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
}

/** Renders one item after the other. State runs on from file to file, as when several are given to pppdump. */
export class Dump {
  readonly #options: DumpOptions;
  readonly #sent = side("sent", "send");
  readonly #received = side("rcvd", "recv");
  #startedAt = 0;
  #tenths = 0;

  constructor(options: DumpOptions) {
    this.#options = options;
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
    const packet = octets.subarray(0, octets.length - FCS_LENGTH);
    const information = packet.length - headerLength(packet);
    if (information > this.#options.mru) text += `     ERROR: length (${information}) > MRU (${this.#options.mru})\n`;
    text += hexLines(`${name} `, "     ", packet, false);
    if (fcs !== FCS_GOOD) text += `     BAD FCS: (residue = ${fcs.toString(16)})\n`;
    return text;
  }

  #end(isSent: boolean): string {
    // Only packets have their ends reversed.
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

function side(name: Side["name"], endName: Side["endName"]): Side {
  return { name, endName, octets: 0, frame: new Unframer() };
}

/** Address and control when they are there, and the protocol field of one or two octets. */
function headerLength(packet: Uint8Array): number {
  const at = packet[0] === 0xff && packet[1] === 0x03 ? 2 : 0;
  return at + ((packet[at] ?? 0) % 2 === 0 ? 2 : 1);
}

/** Splits a stream at its flags. A Deframer keeps only good frames; a dump shows the others too. */
class Unframer {
  #octets: number[] = [];
  #escaped = false;

  get length(): number {
    return this.#octets.length;
  }

  push(data: Uint8Array, found: (octets: Uint8Array, aborted: boolean) => void): void {
    for (const octet of data) {
      if (octet === 0x7e) {
        // pppdump's way: the escape dies with the frame it aborts, but lives on when there is no frame.
        if (this.#octets.length === 0) continue;
        found(Uint8Array.from(this.#octets), this.#escaped);
        this.#octets = [];
        this.#escaped = false;
      } else if (octet === 0x7d && !this.#escaped) {
        this.#escaped = true;
      } else {
        this.#octets.push(this.#escaped ? octet ^ 0x20 : octet);
        this.#escaped = false;
      }
    }
  }
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

/** Rows of hex and characters; `cut`: the last row is left as it stands where the data broke off. */
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
