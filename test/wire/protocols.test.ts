import { expect, test } from "bun:test";
import { Protocol, protocolName } from "../../src/wire/protocols.ts";

test("pppd's names, as its messages have them", () => {
  expect(protocolName(Protocol.IPV6CP)).toBe("IPv6 Control Protocol");
  expect(protocolName(Protocol.CCP)).toBe("Compression Control Protocol");
  expect(protocolName(Protocol.IP)).toBe("IP");
  expect(protocolName(0x4321)).toBeUndefined();
});

test("every protocol number of ours is valid: first octet even, last octet odd", () => {
  for (const protocol of Object.values(Protocol)) {
    expect(protocol & 0x0100).toBe(0);
    expect(protocol & 0x0001).toBe(1);
  }
});
