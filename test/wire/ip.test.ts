import { describe, expect, test } from "bun:test";
import { fromHex } from "../../src/bytes/text.ts";
import * as ip from "../../src/wire/ip.ts";

// Two headers precede it, so that a field read at a fixed offset is noticed.
const AT = 3;
const PACKET = fromHex("000000 4510002900094000400669780a0b0c0dc0a80002 0401001700000412000007d5501200ff868e000b78");

test("the protocols of IP have IANA's numbers", () => {
  expect(ip.IpProto).toEqual({ ICMP: 1, TCP: 6, UDP: 17, ICMPV6: 58 });
});

describe("IPv4", () => {
  test("each field", () => {
    expect(ip.ipVersion(PACKET, AT)).toBe(4);
    expect(ip.ipv4HeaderLength(PACKET, AT)).toBe(20);
    expect(ip.ipv4Tos(PACKET, AT)).toBe(0x10);
    expect(ip.ipv4TotalLength(PACKET, AT)).toBe(41);
    expect(ip.ipv4Id(PACKET, AT)).toBe(9);
    expect(ip.ipv4Fragment(PACKET, AT)).toBe(ip.IPV4_DF);
    expect(ip.ipv4Ttl(PACKET, AT)).toBe(64);
    expect(ip.ipv4Proto(PACKET, AT)).toBe(ip.IpProto.TCP);
    expect(ip.ipv4Checksum(PACKET, AT)).toBe(0x6978);
    expect(ip.ipv4Text(ip.ipv4Source(PACKET, AT))).toBe("10.11.12.13");
    expect(ip.ipv4Text(ip.ipv4Destination(PACKET, AT))).toBe("192.168.0.2");
  });

  test("the checksums of RFC 1144's packets as others computed them", () => {
    for (const hex of [
      "45000032000140004006b971c0a80001c0a80002",
      "45000032000240004006b970c0a80001c0a80002",
      "45000028000940004006b973c0a80001c0a80002",
    ]) {
      const header = fromHex(`000000${hex}`);
      expect(ip.ipv4HeaderChecksum(header, AT, 20)).toBe(ip.ipv4Checksum(header, AT));
    }
    expect(ip.ipv4HeaderChecksum(new Uint8Array(60).fill(0xff), 0, 60)).toBe(0);
    expect(ip.ipv4HeaderChecksum(new Uint8Array(20), 0, 20)).toBe(0xffff);
  });
});

test("TCP: each field", () => {
  const at = AT + ip.ipv4HeaderLength(PACKET, AT);
  expect(ip.tcpSourcePort(PACKET, at)).toBe(1025);
  expect(ip.tcpDestinationPort(PACKET, at)).toBe(23);
  expect(ip.tcpSequence(PACKET, at)).toBe(0x412);
  expect(ip.tcpAcknowledgment(PACKET, at)).toBe(0x7d5);
  expect(ip.tcpHeaderLength(PACKET, at)).toBe(20);
  expect(ip.tcpFlags(PACKET, at)).toBe(ip.TcpFlag.ACK | ip.TcpFlag.SYN);
  expect(ip.tcpWindow(PACKET, at)).toBe(0xff);
  expect(ip.tcpChecksum(PACKET, at)).toBe(0x868e);
  expect(ip.tcpUrgent(PACKET, at)).toBe(11);
});

test("IPv6: each field", () => {
  const packet = fromHex("000000 60000000 0010 3a ff");
  expect(ip.ipVersion(packet, AT)).toBe(6);
  expect(ip.ipv6PayloadLength(packet, AT)).toBe(16);
  expect(ip.ipv6NextHeader(packet, AT)).toBe(ip.IpProto.ICMPV6);
});

describe("addresses as text", () => {
  test.each([
    ["0.0.0.0", 0],
    ["192.168.1.1", 0xc0a80101],
    ["255.255.255.255", 0xffffffff],
    ["128.0.0.1", 0x80000001],
  ])("%s both ways", (text, address) => {
    expect(ip.parseIpv4(text)).toBe(address);
    expect(ip.ipv4Text(address)).toBe(text);
  });

  test("other texts are no addresses", () => {
    for (const text of [
      "",
      "1.2.3",
      "1.2.3.4.5",
      "256.1.1.1",
      "1.2.3.",
      "01.2.3.4",
      " 1.2.3.4",
      "1.2.3.4 ",
      "0x1.2.3.4",
      "-1.2.3.4",
      "1e1.2.3.4",
    ])
      expect(ip.parseIpv4(text)).toBeUndefined();
  });
});
