// Converts bytes and text: hex for people, Latin-1 for names and messages whose bytes must be kept (peer names,
// secrets).

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Lower-case hex of bytes[start, end), `gap` between the octets. */
export function toHex(bytes: Uint8Array, start = 0, end = bytes.length, gap = ""): string {
  const octets: string[] = [];
  for (let at = start; at < end; at++) octets.push(HEX[bytes[at]!]!);
  return octets.join(gap);
}

/**
 * The octets of a hex text, ignoring white space. Throws on other characters: it is for our own fixtures and constants.
 */
export function fromHex(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, "");
  if (digits.length % 2 !== 0 || /[^0-9a-fA-F]/.test(digits)) throw new Error(`not hex: ${text.slice(0, 40)}`);
  const bytes = new Uint8Array(digits.length / 2);
  for (let at = 0; at < bytes.length; at++) bytes[at] = parseInt(digits.slice(2 * at, 2 * at + 2), 16);
  return bytes;
}

/** One char a byte. The inverse is {@link bytesOf}. */
export function textOf(bytes: Uint8Array, start = 0, end = bytes.length): string {
  let text = "";
  for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at]!);
  return text;
}

/** One byte a char (its low eight bits). */
export function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const ENCODER = new TextEncoder();
/** `decoded` keeps an octet that is not UTF-8 as a lone surrogate: octet e9 as U+DCE9. */
const ESCAPED = 0xdc00;

/** A byte string as text. Parts that are UTF-8 are decoded; each other octet becomes a surrogate. */
export function decoded(octets: string): string {
  if (!/[\x80-\xff]/.test(octets)) return octets;
  try {
    return UTF8.decode(bytesOf(octets));
  } catch {
    return octets.replace(/[\x80-\xff]/g, (octet) => String.fromCharCode(ESCAPED + octet.charCodeAt(0)));
  }
}

/** The reverse of {@link decoded}: a text as the same byte string, octet for octet. */
export function encoded(text: string): string {
  if (!/[^\0-\x7f]/.test(text)) return text;
  let octets = "";
  // A surrogate of a pair is part of one character in this loop, so it is not taken for an octet.
  for (const char of text) {
    const code = char.codePointAt(0)!;
    octets +=
      code >= ESCAPED + 0x80 && code <= ESCAPED + 0xff
        ? String.fromCharCode(code - ESCAPED)
        : textOf(ENCODER.encode(char));
  }
  return octets;
}

/** Characters that a terminal must not get: controls, direction marks, octets that are not UTF-8, line separators. */
const UNSHOWN = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** Makes a text safe for a terminal: other than visible characters are shown as their octets, `\x1b`. */
export function inert(text: string): string {
  return text.replace(UNSHOWN, (char) => toHexEscapes(encoded(char)));
}

/** Makes JSON safe for a terminal. Its meaning does not change. */
export function inertJson(json: string): string {
  return json.replace(UNSHOWN, (char) =>
    Array.from({ length: char.length }, (_, at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, "0")}`).join(""),
  );
}

function toHexEscapes(octets: string): string {
  return Array.from(octets, (octet) => `\\x${HEX[octet.charCodeAt(0)]}`).join("");
}

/** A peer's text for the log. Unprintable characters are escaped as in pppd. */
export function printable(text: string): string {
  return text.replace(/[\\"\x00-\x1f\x7f-\xff]/g, (char) => {
    if (char === "\\" || char === '"') return `\\${char}`;
    if (char === "\n") return "\\n";
    if (char === "\r") return "\\r";
    if (char === "\t") return "\\t";
    return `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`;
  });
}

/**
 * Removes the byte order mark (U+FEFF in UTF-8) that some editors put at the start of a file. Text is one char a byte.
 */
export function withoutByteOrderMark(text: string): string {
  return text.startsWith("\u00ef\u00bb\u00bf") ? text.slice(3) : text;
}
