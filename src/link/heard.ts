// Counts what came in on a line until LCP opens for the first time, and describes it when LCP did not open. pppd says
// only that its requests timed out.

import { printable, textOf } from "../bytes/text.ts";
import { ESCAPE, FLAG, TRANSPARENCY } from "../frame/accm.ts";
import type { DeframerStats } from "../frame/deframer.ts";
import { FCS_GOOD, FCS_INIT, fcsOver, isLcp } from "../frame/fcs.ts";
import { Code } from "../wire/control.ts";
import { Protocol, protocolName } from "../wire/protocols.ts";

/** The last octets are kept for quoting, because prompts come last. A power of two. */
const KEPT = 1024;
const LONGEST_QUOTE = 40;
/** So much text shows parity. In less of it, all octets may have the same parity by chance. */
const PARITY_TEXT = 24;
/** Control characters that text may contain: BEL, BS, TAB, LF, CR, ESC. */
const LAYOUT = [7, 8, 9, 10, 13, 27];
/** In text, this share of the octets is printable. In noise 39 % are. */
const TEXT_SHARE = 0.8;
/** In PPP's first frames every third octet is an escape. In noise 1 octet in 128 is one. */
const FRAMING_SHARE = 1 / 16;
/** Noise may be printable. Text also has spaces or line ends, or the words of a peer that waits. */
const SPACES = [9, 10, 13, 32];
const KEYWORDS = /CLIENT|login|name|password|OK|ERROR|RING|BUSY|CONNECT|NO CARRIER/i;
/** The beginning of an LCP frame, with and without bit 7, escaped and not. */
const FRAME = /~?[\x7f\xff](?:}#|\x03)[^~]*~?/g;
/** The rest of a frame that began before the octets kept. */
const CUT_FRAME = /^[^~]*}[^~]*~/;
/** Protocol and code of a Configure-Request. */
const REQUEST = [Protocol.LCP >>> 8, Protocol.LCP & 0xff, Code.ConfReq];
const TERMINAL_CONTROL = /\x1b(?:\[[0-?]*[ -/]*[@-~]|[ -/]*[0-~])/g;

/** pppd's words for a line on which a bit never has one of its values. */
export type Uncleanness =
  "all had bit 7 set to 0" | "all had bit 7 set to 1" | "all had even parity" | "all had odd parity";

/** A silent peer does not answer when our speed is wrong, because our frames are noise to it. */
const NOTHING =
  "Heard nothing at all: peer not started, wrong port, cable not plugged in or not a null-modem cable, " +
  "or the other end waits at another speed";

export class Heard {
  readonly #counts = new Float64Array(256);
  readonly #kept = new Uint8Array(KEPT);
  #total = 0;
  /** LCP packets by their meaning, and the first other protocol. */
  #requests = 0;
  #acks = 0;
  #refusals = 0;
  #others = 0;
  #protocol: number | undefined;

  /** Counts bytes[start, end). */
  octets(bytes: Uint8Array, start: number, end: number): void {
    const counts = this.#counts;
    const kept = this.#kept;
    let total = this.#total;
    for (let at = start; at < end; at++) {
      const octet = bytes[at]!;
      counts[octet]!++;
      kept[total++ & (KEPT - 1)] = octet;
    }
    this.#total = total;
  }

  /** Counts the packet of a good frame. */
  packet(protocol: number, code: number | undefined): void {
    if (protocol !== Protocol.LCP) this.#protocol ??= protocol;
    else if (code === Code.ConfReq) this.#requests++;
    else if (code === Code.ConfAck) this.#acks++;
    else if (code === Code.ConfNak || code === Code.ConfRej) this.#refusals++;
    else this.#others++;
  }

  /**
   * pppd's message when exactly one of the kernel's four conditions was never seen. Undefined: the line carries 8 bits.
   */
  get uncleanness(): Uncleanness | undefined {
    let high = false;
    let low = false;
    let even = false;
    let odd = false;
    for (let octet = 0; octet < 256; octet++) {
      if (this.#counts[octet] === 0) continue;
      if (octet & 0x80) high = true;
      else low = true;
      if (isEven(octet)) even = true;
      else odd = true;
    }
    if (low && even && odd && !high) return "all had bit 7 set to 0";
    if (high && even && odd && !low) return "all had bit 7 set to 1";
    if (high && low && even && !odd) return "all had even parity";
    return high && low && odd && !even ? "all had odd parity" : undefined;
  }

  get octetCount(): number {
    return this.#total;
  }

  /** How often an octet came. */
  countOf(octet: number): number {
    return this.#counts[octet]!;
  }

  /** The condition that shows 7 data bits or parity. Undefined: the line carries 8 bits, or too little came to tell. */
  get parity(): Uncleanness | undefined {
    const { uncleanness } = this;
    if (uncleanness === undefined) return undefined;
    // A few octets of noise may also have bit 7 in common. Frames that appear without this bit prove that it is parity.
    if (textOf(this.#tail(0x7f)).search(FRAME) >= 0) return uncleanness;
    return this.#total >= PARITY_TEXT && this.isText && uncleanness !== "all had bit 7 set to 0"
      ? uncleanness
      : undefined;
  }

  /**
   * The line for the log. `stats` are the deframer's. `magic` is our magic number, or 0. `silent`: we waited for the
   * peer. `isShared`: another program has the line open.
   */
  summary(stats: Readonly<DeframerStats>, magic: number, silent: boolean, isShared = (): boolean => false): string {
    if (this.#total === 0) return silent ? `${NOTHING}, or both ends are silent` : NOTHING;
    if (this.isEcho(magic)) {
      const text = this.text;
      const more = text === "" ? "" : `, and "${printable(text)}"`;
      return `Heard our own requests${more}: a loopback plug, a modem in command mode or a login that echoes`;
    }
    const bad = stats.badFcs + stats.runts + stats.overlong + stats.aborted + stats.faults;
    if (bad > 0 && this.#isUnescaped)
      return "Heard LCP in which control characters are not escaped: the receive-all option takes it";
    if (stats.frames > 0) return `Heard ${this.#packets()}${bad > 0 ? ` (and ${damaged(bad)})` : ""}`;
    return this.#textSummary ?? this.#noise(bad, isShared);
  }

  /** Undefined when what came is not mostly text. */
  get #textSummary(): string | undefined {
    const text = this.text;
    return text === "" || !this.isText ? undefined : `Heard text and no PPP, "${printable(text)}": ${remedy(text)}`;
  }

  /** The readable text at the end, without frames. "" when there is none. */
  get text(): string {
    const kept = textOf(this.#tail(this.#mask));
    const readable = (this.#total > KEPT ? kept.replace(CUT_FRAME, " ") : kept)
      .replace(FRAME, " ")
      .replace(TERMINAL_CONTROL, "")
      .replace(/[^ -~]+/g, " ")
      .replace(/ {2,}/g, " ")
      .replace(/[ ~]+$/, "")
      .trimStart();
    return /[A-Za-z0-9]{2}|[$#%>:]$/.test(readable) ? readable.slice(-LONGEST_QUOTE).trim() : "";
  }

  #packets(): string {
    const { LCP } = Protocol;
    if (this.#requests + this.#acks + this.#refusals + this.#others === 0) {
      const protocol = this.#protocol ?? LCP;
      const name = protocolName(protocol) ?? `protocol 0x${protocol.toString(16)}`;
      return `good frames, but no LCP (${name} instead): to the peer the link is up already`;
    }
    if (this.#acks + this.#refusals === 0)
      return this.#requests > 0
        ? "the peer's Configure-Requests, but no answer to ours: it does not hear us (our TxD wire, its RxD, its CTS)"
        : "LCP, but neither a Configure-Request nor an answer to ours";
    if (this.#requests === 0) return "the peer's answers, but no Configure-Request of its own";
    return "LCP, but the peer and we did not agree; the debug option shows about what";
  }

  #noise(bad: number, isShared: () => boolean): string {
    const what = bad > 0 ? `${damaged(bad)} and no good one` : `${this.#total} octets and no frame`;
    const { uncleanness } = this;
    if (uncleanness !== undefined && textOf(this.#tail(0x7f)).search(FRAME) >= 0)
      return `Heard ${what}, and the octets ${uncleanness}: both ports must have 8 data bits and no parity`;
    // Neither the speed nor flow control has to do with it then.
    if (isShared()) return `Heard ${what}: another program has the port open, and may take a part of what comes`;
    if (this.#looksFramed)
      return `Heard PPP, but ${what}: octets are lost or changed on the way; a lower speed or flow control may help`;
    return `Heard ${this.#total} octets, but neither PPP nor text: the peer probably uses another speed`;
  }

  get #looksFramed(): boolean {
    if (textOf(this.#tail(0xff)).search(FRAME) >= 0) return true;
    return this.#counts[FLAG]! + this.#counts[ESCAPE]! >= FRAMING_SHARE * this.#total;
  }

  /** True when the octets are text. Framing does not count as text, though its codes are printable. */
  get isText(): boolean {
    const mask = this.#mask;
    let text = 0;
    let spaces = 0;
    for (let octet = 0; octet < 256; octet++) {
      const char = octet & mask;
      const isPrintable = char >= 0x20 && char < 0x7f && char !== ESCAPE;
      if (isPrintable || LAYOUT.includes(char)) text += this.#counts[octet]!;
      if (SPACES.includes(char)) spaces += this.#counts[octet]!;
    }
    // A shell's prompt may contain a ~. Frames contain escapes too.
    const framed = this.#counts[ESCAPE]! > this.#counts[FLAG]!;
    const hasWords = spaces > 0 || KEYWORDS.test(this.text);
    return !framed && hasWords && text >= TEXT_SHARE * this.#total;
  }

  /** 0x7f when bit 7 is parity or always set. */
  get #mask(): number {
    return this.uncleanness === undefined ? 0xff : 0x7f;
  }

  /** The kept octets, in order. */
  #tail(mask: number): Uint8Array {
    const length = Math.min(this.#total, KEPT);
    const tail = new Uint8Array(length);
    for (let at = 0; at < length; at++) tail[at] = this.#kept[(this.#total - length + at) & (KEPT - 1)]! & mask;
    return tail;
  }

  /**
   * True when one of our own requests is among the latest octets, with or without bit 7. Our magic number marks it as
   * ours. The peer's Ack has that number too, and is not counted.
   */
  isEcho(magic: number): boolean {
    if (magic === 0) return false;
    return [0xff, 0x7f].some((mask) => {
      const start = REQUEST.map((octet) => octet & mask);
      const number = [24, 16, 8, 0].map((shift) => (magic >>> shift) & mask);
      return this.#chunks(mask).some((chunk) => {
        const plain = unescaped(chunk);
        const at = indexOf(plain, start, 0);
        return at >= 0 && indexOf(plain, number, at) >= 0;
      });
    });
  }

  /** True when a good LCP frame appears once unescaped control characters count as data. */
  get #isUnescaped(): boolean {
    return this.#chunks(0xff).some((chunk) => {
      const plain = unescaped(chunk);
      const end = plain.length;
      if (!chunk.some((octet) => octet < 0x20) || !isLcp(plain, end - 2)) return false;
      return fcsOver(FCS_INIT, plain, 0, end) === FCS_GOOD;
    });
  }

  /** The pieces between flags in the kept octets. */
  #chunks(mask: number): Uint8Array[] {
    const tail = this.#tail(mask);
    const chunks: Uint8Array[] = [];
    for (let start = 0; start < tail.length;) {
      const flag = tail.indexOf(FLAG, start);
      const end = flag < 0 ? tail.length : flag;
      if (end > start) chunks.push(tail.subarray(start, end));
      start = end + 1;
    }
    return chunks;
  }
}

/** The first place of `wanted` in the bytes from `start` on, or -1. */
function indexOf(bytes: Uint8Array, wanted: readonly number[], start: number): number {
  for (let at = start; at + wanted.length <= bytes.length; at++)
    if (wanted.every((octet, index) => octet === bytes[at + index])) return at;
  return -1;
}

function damaged(frames: number): string {
  return frames === 1 ? "1 damaged frame" : `${frames} damaged frames`;
}

/** The advice in a summary: what the user can do. */
export function remedy(text: string): string {
  if (/CLIENT$/.test(text)) return "Windows calls; a connect script that answers CLIENTSERVER is missing";
  if (/\b(login|user ?name|password)\b/i.test(text)) return "a connect script that logs in is missing";
  if (/\b(OK|ERROR|RING|BUSY|CONNECT|NO (CARRIER|DIAL ?TONE|ANSWER))\b/.test(text))
    return "a modem; a connect script that dials is missing";
  return "a connect script is missing, or the peer has not started PPP";
}

function unescaped(bytes: Uint8Array): Uint8Array {
  const plain = new Uint8Array(bytes.length);
  let length = 0;
  let escape = 0;
  for (const octet of bytes)
    if (octet === ESCAPE) escape = TRANSPARENCY;
    else {
      plain[length++] = octet ^ escape;
      escape = 0;
    }
  return plain.subarray(0, length);
}

function isEven(octet: number): boolean {
  let bits = 0;
  for (let rest = octet; rest > 0; rest >>>= 1) bits += rest & 1;
  return bits % 2 === 0;
}
