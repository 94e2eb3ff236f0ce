// TCP segments as text, in packetdrill's words: "S 0:0(0) win 8000 <mss 1460>", ". 1:1(0) ack 1 win 8000", "P. 1:11(10) ack 1".
// Written from RFC 9293, without the code under test.

import { ipv4Text, parseIpv4 } from "../../src/wire/ip.ts";

export interface Route {
  readonly from: string;
  readonly to: string;
  readonly fromPort: number;
  readonly toPort: number;
}

const FLAGS = { F: 1, S: 2, R: 4, P: 8, ".": 16, U: 32 } as const;

/** The one's complement sum, two octets at a time. */
export function internetChecksum(octets: readonly number[]): number {
  let sum = 0;
  for (let at = 0; at < octets.length; at += 2) sum += octets[at]! * 256 + (octets[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum % 65536) + Math.floor(sum / 65536);
  return 65535 - sum;
}

const octets2 = (value: number): number[] => [(value >>> 8) & 255, value & 255];
const octets4 = (value: number): number[] => [...octets2(value >>> 16), ...octets2(value)];

/** An IPv4 packet. */
export function ipv4Packet(
  from: string,
  to: string,
  protocol: number,
  payload: readonly number[],
  ttl = 64,
): Uint8Array {
  const addresses = [...octets4(parseIpv4(from)!), ...octets4(parseIpv4(to)!)];
  const begin = [0x45, 0, ...octets2(20 + payload.length), 0, 7, 0, 0, ttl, protocol];
  return Uint8Array.from([...begin, ...octets2(internetChecksum([...begin, ...addresses])), ...addresses, ...payload]);
}

/** The checksum of a TCP or UDP payload whose checksum field is 0. */
export function pseudoChecksum(from: string, to: string, protocol: number, payload: readonly number[]): number {
  const addresses = [...octets4(parseIpv4(from)!), ...octets4(parseIpv4(to)!)];
  return internetChecksum([...addresses, 0, protocol, ...octets2(payload.length), ...payload]);
}

export function udpPacket(route: Route, data: readonly number[], ttl = 64): Uint8Array {
  const begin = [...octets2(route.fromPort), ...octets2(route.toPort), ...octets2(8 + data.length)];
  const sum = pseudoChecksum(route.from, route.to, 17, [...begin, 0, 0, ...data]);
  return ipv4Packet(route.from, route.to, 17, [...begin, ...octets2(sum), ...data], ttl);
}

function optionsOf(text: string): number[] {
  const octets: number[] = [];
  for (const option of text.split(",")) {
    const [name = "", ...values] = option.trim().split(" ");
    if (name === "mss") octets.push(2, 4, ...octets2(Number(values[0])));
    else if (name === "wscale") octets.push(3, 3, Number(values[0]));
    else if (name === "sackOK") octets.push(4, 2);
    else if (name === "timestamp") octets.push(8, 10, ...values.flatMap((value) => octets4(Number(value))));
    else if (name === "octets") octets.push(...values.map(Number));
    else if (name === "sack") {
      octets.push(5, 2 + 8 * values.length);
      for (const block of values) for (const edge of block.split(":")) octets.push(...octets4(Number(edge)));
    } else throw new Error(`no such option: ${option}`);
  }
  while (octets.length % 4 !== 0) octets.push(1);
  return octets;
}

/** What a segment's text says, numbers relative to both initial sequence numbers. */
export function segmentPacket(
  text: string,
  route: Route,
  iss: number,
  peerIss: number,
  dataAt: (sequence: number) => number = (sequence) => sequence & 255,
): Uint8Array {
  const found = /^([FSRPU.]+|-) (\d+):(\d+)\((\d+)\)(?: ack (\d+))?(?: win (\d+))?(?: <(.*)>)?$/.exec(text);
  if (found === null) throw new Error(`not a segment: ${text}`);
  const [, letters = "", first, , length, ack, window = "65535", options] = found;
  let flags = 0;
  for (const letter of letters.replace("-", "")) flags |= FLAGS[letter as keyof typeof FLAGS];
  const shifted = options?.replace(
    /sack (.*)/,
    (_, blocks: string) => `sack ${blocks.replace(/\d+/g, (edge) => String((Number(edge) + peerIss) >>> 0))}`,
  );
  const more = shifted === undefined ? [] : optionsOf(shifted);
  const sequence = Number(first);
  const data = Array.from({ length: Number(length) }, (_, at) => dataAt(sequence + at));
  const begin = [
    ...octets2(route.fromPort),
    ...octets2(route.toPort),
    ...octets4((sequence + iss) >>> 0),
    ...octets4(ack === undefined ? 0 : (Number(ack) + peerIss) >>> 0),
    (5 + more.length / 4) << 4,
    flags,
    ...octets2(Number(window)),
  ];
  const sum = pseudoChecksum(route.from, route.to, 6, [...begin, 0, 0, 0, 0, ...more, ...data]);
  return ipv4Packet(route.from, route.to, 6, [...begin, ...octets2(sum), 0, 0, ...more, ...data]);
}

const number2 = (packet: Uint8Array, at: number): number => packet[at]! * 256 + packet[at + 1]!;
const number4 = (packet: Uint8Array, at: number): number => number2(packet, at) * 65536 + number2(packet, at + 2);

function optionsText(packet: Uint8Array, start: number, end: number, peerIss: number): string {
  const names: string[] = [];
  for (let at = start; at < end;) {
    const kind = packet[at]!;
    const length = kind < 2 ? 1 : packet[at + 1]!;
    if (kind === 2) names.push(`mss ${number2(packet, at + 2)}`);
    else if (kind === 3) names.push(`wscale ${packet[at + 2]}`);
    else if (kind === 4) names.push("sackOK");
    else if (kind === 5) {
      const blocks: string[] = [];
      for (let block = at + 2; block < at + length; block += 8)
        blocks.push([block, block + 4].map((edge) => (number4(packet, edge) - peerIss) >>> 0).join(":"));
      names.push(`sack ${blocks.join(" ")}`);
    } else if (kind > 1) names.push(`option ${kind}`);
    at += length;
  }
  return names.length === 0 ? "" : ` <${names.join(",")}>`;
}

/** A packet as text. Throws when a length or a checksum is wrong. `iss` is that of the sender. */
export function packetText(packet: Uint8Array, iss: number, peerIss: number): string {
  const header = (packet[0]! & 15) * 4;
  if (number2(packet, 2) !== packet.length) throw new Error("the packet's length is wrong");
  if (internetChecksum([...packet.subarray(0, header)]) !== 0) throw new Error("the header's checksum is wrong");
  const from = ipv4Text(number4(packet, 12));
  const to = ipv4Text(number4(packet, 16));
  const protocol = packet[9]!;
  const payload = [...packet.subarray(header)];
  const fragment = number2(packet, 6) & 0x3fff;
  if (fragment !== 0) return `fragment ${(fragment & 0x1fff) * 8} of protocol ${protocol} (${payload.length})`;
  if (protocol === 1) {
    if (internetChecksum(payload) !== 0) throw new Error("the checksum of ICMP is wrong");
    return `icmp ${payload[0]}/${payload[1]} from ${from} to ${to}`;
  }
  if (pseudoChecksum(from, to, protocol, payload) !== 0) throw new Error("the checksum is wrong");
  if (protocol === 17) return `udp ${from}:${number2(packet, header)} (${payload.length - 8})`;
  const at = header;
  const dataAt = at + (packet[at + 12]! >>> 4) * 4;
  const flags = packet[at + 13]!;
  const letters = Object.entries(FLAGS)
    .filter(([, bit]) => flags & bit)
    .map(([letter]) => letter)
    .join("");
  const isReset = (flags & FLAGS.R) !== 0;
  const sequence =
    isReset && !(flags & 16) && number4(packet, at + 4) === 0 ? 0 : (number4(packet, at + 4) - iss) >>> 0;
  const length = packet.length - dataAt;
  const ack = flags & FLAGS["."] ? ` ack ${(number4(packet, at + 8) - peerIss) >>> 0}` : "";
  const options = optionsText(packet, at + 20, dataAt, peerIss);
  return `${letters} ${sequence}:${sequence + length}(${length})${ack} win ${number2(packet, at + 14)}${options}`;
}
