// Makes packets from the text of pppd's debug lines, such as `[LCP ConfReq id=0x1 <mru 1500>]`. This is the inverse of
// describe/packet-text.ts, and every packet that it makes is compared with that.

import { bytesOf, fromHex } from "../../src/bytes/text.ts";
import { parseEndpoint } from "../../src/options/endpoint.ts";
import { bsdOption } from "../../src/compress/methods/bsd-method.ts";
import { deflateOption } from "../../src/compress/methods/deflate-methods.ts";
import { MppeBit, mppeOption } from "../../src/compress/methods/mppe-method.ts";
import { predictorOption } from "../../src/compress/methods/predictor-methods.ts";
import { CcpOption } from "../../src/wire/ccp.ts";
import { type ConfOption, option0, option16, option32, putOptions } from "../../src/wire/control.ts";
import { describePacket } from "../../src/describe/packet-text.ts";
import { parseIpv4 } from "../../src/wire/ip.ts";
import { addressesOption, IpcpOption, OLD_VJ, oldVjOption, vjOption } from "../../src/wire/ipcp.ts";
import { interfaceIdOption } from "../../src/wire/ipv6cp.ts";
import { authOption, callbackOption, ChapDigest, endpointOption, LcpOption } from "../../src/wire/lcp.ts";
import { Protocol } from "../../src/wire/protocols.ts";

const CONTROL = ["ConfReq", "ConfAck", "ConfNak", "ConfRej", "TermReq", "TermAck", "CodeRej"];
const LCP = [...CONTROL, "ProtRej", "EchoReq", "EchoRep", "DiscReq", "Ident", "TimeRem"];
const RESETS = ["", "", "", "", "", "", "ResetReq", "ResetAck"];

interface Known {
  readonly protocol: number;
  readonly codes: readonly string[];
  readonly option?: (words: readonly string[], before: readonly ConfOption[]) => ConfOption | undefined;
}

const KNOWN: Readonly<Record<string, Known>> = {
  LCP: { protocol: Protocol.LCP, codes: LCP, option: lcpOption },
  IPCP: { protocol: Protocol.IPCP, codes: CONTROL, option: ipcpOption },
  IPV6CP: { protocol: Protocol.IPV6CP, codes: CONTROL, option: ipv6cpOption },
  CCP: { protocol: Protocol.CCP, codes: [...CONTROL, ...RESETS.slice(1)], option: ccpOption },
  PAP: { protocol: Protocol.PAP, codes: ["AuthReq", "AuthAck", "AuthNak"] },
  CHAP: { protocol: Protocol.CHAP, codes: ["Challenge", "Response", "Success", "Failure"] },
};

/** The text that pppd would log, with passwords. The packet begins with its protocol in two octets. */
export function textOfPacket(packet: Uint8Array): string {
  return describePacket(packet, 0, packet.length, { hidePassword: false });
}

/** The protocol that a line of the log names. */
export function protocolOf(name: string): number {
  const known = KNOWN[name];
  if (known === undefined) throw new Error(`no such protocol: ${name}`);
  return known.protocol;
}

/** The packet for a log line of pppd, from its protocol on, or the octets of a hex text. */
export function packetOf(text: string): Uint8Array {
  if (!text.startsWith("[")) return fromHex(text);
  const [, name, code, id, rest] = /^\[(\w+) (\w+) id=0x([0-9a-f]+)(.*)\]$/.exec(text) ?? [];
  const known = KNOWN[name ?? ""];
  if (known === undefined || rest === undefined) throw new Error(`not a packet: ${text}`);
  const number = known.codes.indexOf(code!) + 1;
  const data =
    known.option !== undefined && number >= 1 && number <= 4
      ? options(rest, known.option)
      : Uint8Array.from(octets(rest, known.protocol === Protocol.PAP));
  const length = 4 + data.length;
  const { protocol } = known;
  const head = [protocol >>> 8, protocol, number, parseInt(id!, 16), length >>> 8, length];
  const packet = Uint8Array.of(...head, ...data);
  const said = textOfPacket(packet);
  if (said !== text) throw new Error(`written ${text}\nmade into ${said}`);
  return packet;
}

function options(text: string, option: NonNullable<Known["option"]>): Uint8Array {
  const list: ConfOption[] = [];
  for (const [, inside] of text.matchAll(/<([^>]*)>/g)) {
    if (inside!.startsWith(" ")) {
      const [type, , ...value] = fromHex(inside!);
      list.push({ type: type!, value: Uint8Array.from(value) });
      continue;
    }
    const made = option(inside!.split(" "), list);
    if (made === undefined) throw new Error(`no such option: <${inside}>`);
    list.push(made);
  }
  const buf = new Uint8Array(1500);
  return buf.slice(0, putOptions(buf, 0, list));
}

/** The parts after the identifier of other packets: numbers, quoted texts (`counted`: after their length), octets. */
function octets(text: string, counted: boolean): number[] {
  const bytes: number[] = [];
  const token = / ?(?:\w+=)?(?:0x([0-9a-f]+)|"((?:[^"\\]|\\.)*)"|<([0-9a-f]*)>|([0-9a-f]{2}))|, name = "([^"]*)"/gy;
  let end = 0;
  for (const [whole, number, quote, value, octet, chapName] of text.matchAll(token)) {
    end += whole.length;
    if (number !== undefined) bytes.push(...fromHex(number.padStart(8, "0")));
    else if (value !== undefined) bytes.push(value.length / 2, ...fromHex(value));
    else if (octet !== undefined) bytes.push(parseInt(octet, 16));
    else {
      const said = bytesOf(unquoted(quote ?? chapName ?? ""));
      bytes.push(...(counted ? [said.length, ...said] : said));
    }
  }
  if (end !== text.length) throw new Error(`not understood: ${text.slice(end)}`);
  return bytes;
}

function unquoted(text: string): string {
  const names: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };
  return text.replace(/\\(\d{3}|.)/g, (_, escape: string) =>
    escape.length === 3 ? String.fromCharCode(parseInt(escape, 8)) : (names[escape] ?? escape),
  );
}

const DIGESTS: Readonly<Record<string, number>> = { MD5: ChapDigest.Md5, MS: ChapDigest.Ms, "MS-v2": ChapDigest.MsV2 };

function lcpOption([name, first = "", second = "", ...more]: readonly string[]): ConfOption | undefined {
  switch (name) {
    case "mru":
      return option16(LcpOption.Mru, Number(first));
    case "asyncmap":
      return option32(LcpOption.Asyncmap, Number(first));
    case "auth":
      if (first === "pap") return authOption(Protocol.PAP);
      if (first === "eap") return authOption(Protocol.EAP);
      return first === "chap" ? authOption(Protocol.CHAP, DIGESTS[second]) : authOption(Number(first));
    case "quality":
      return { type: LcpOption.Quality, value: Uint8Array.of(0xc0, 0x25, ...fromHex([second, ...more].join(""))) };
    case "magic":
      return option32(LcpOption.Magic, Number(first));
    case "pcomp":
      return option0(LcpOption.Pcomp);
    case "accomp":
      return option0(LcpOption.Accomp);
    case "callback":
      return callbackOption(first === "CBCP" ? 6 : Number(first));
    case "mrru":
      return option16(LcpOption.Mrru, Number(first));
    case "ssnhf":
      return option0(LcpOption.Ssnhf);
    case "endpoint": {
      const endpoint = parseEndpoint(first.slice(1, -1), () => undefined);
      return endpoint && endpointOption(endpoint);
    }
    default:
      return undefined;
  }
}

function ipcpOption([name, first = "", ...more]: readonly string[], before: readonly ConfOption[]) {
  const address = (type: number): ConfOption => option32(type, parseIpv4(first)!);
  switch (name) {
    case "addrs":
      return addressesOption({ source: parseIpv4(first)!, destination: parseIpv4(more[0]!)! });
    case "compress": {
      if (first === "VJ" && more.length === 2)
        return vjOption({ maxSlot: parseInt(more[0]!, 16), compressSlot: more[1] !== "00" });
      return oldVjOption(first === "VJ" ? Protocol.VJ_COMP : first === "old-VJ" ? OLD_VJ : Number(first));
    }
    case "addr":
      return address(IpcpOption.Address);
    case "ms-dns1":
      return address(IpcpOption.Dns1);
    case "ms-dns2":
      return address(IpcpOption.Dns2);
    case "ms-wins":
      // pppd has one name for both.
      return address(before.some(({ type }) => type === IpcpOption.Wins1) ? IpcpOption.Wins2 : IpcpOption.Wins1);
    default:
      return undefined;
  }
}

function ipv6cpOption([name, first = ""]: readonly string[]): ConfOption | undefined {
  const groups = first.slice("fe80::".length).split(":");
  if (name !== "addr" || groups.length !== 4) return undefined;
  const [high, low] = [groups.slice(0, 2), groups.slice(2)].map((half) => parseInt(half.join(""), 16));
  return interfaceIdOption({ high: high!, low: low! });
}

const MPPE: Readonly<Record<string, number>> = {
  "+H": MppeBit.Stateless,
  "+M": MppeBit.Bits56,
  "+S": MppeBit.Bits128,
  "+L": MppeBit.Bits40,
  "+D": MppeBit.Obsolete,
  "+C": MppeBit.Mppc,
};

function ccpOption([name, first = "", ...more]: readonly string[]): ConfOption | undefined {
  switch (name) {
    case "deflate":
      return deflateOption(CcpOption.Deflate, Number(first));
    case "deflate(old#)":
      return deflateOption(CcpOption.DeflateDraft, Number(first));
    case "bsd":
      return bsdOption(Number(more[0]));
    case "predictor":
      return predictorOption(first === "1" ? CcpOption.Predictor1 : CcpOption.Predictor2);
    case "mppe":
      return mppeOption([first, ...more].reduce((bits, flag) => bits | (MPPE[flag] ?? 0), 0));
    default:
      return undefined;
  }
}
