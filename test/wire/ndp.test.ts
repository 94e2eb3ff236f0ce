// Router discovery, octet for octet. Another program computed the expected packets.

import { expect, test } from "bun:test";
import { parseAddress } from "../../src/bytes/prefix.ts";
import { fromHex, toHex } from "../../src/bytes/text.ts";
import {
  ALL_NODES,
  neighborAnswer,
  parseAdvertisement,
  parseSolicitation,
  type RouterAdvertisement,
  routerAdvertisement,
  routerSolicitation,
} from "../../src/wire/ndp.ts";

const address = (text: string): Uint8Array => parseAddress(text)!;
const ADVERTISED: RouterAdvertisement = {
  routerSeconds: 1800,
  prefix: address("fd12:3456:789a:7::1"),
  validSeconds: 86400,
  preferredSeconds: 14400,
  mtu: 1500,
  nameServers: [address("fd12:3456:789a:7::1")],
  nameServerSeconds: 1800,
};
const HEADER = "60000000 0050 3a ff fe800000000000000000000000000001";
const PREFIX = "0304 40c0 00015180 00003840 00000000 fd123456789a00070000000000000000";

test("an advertisement with a prefix, an MTU and a name server", () => {
  const expected = `${HEADER} ff020000000000000000000000000001
    8600 e84a 4018 0708 00000000 00000000 ${PREFIX}
    0501 0000 000005dc 1903 0000 00000708 fd123456789a00070000000000000001`;
  expect(toHex(routerAdvertisement(address("fe80::1"), ALL_NODES, ADVERTISED))).toBe(toHex(fromHex(expected)));
});

test("an advertisement of no default router, without name servers, to one host", () => {
  const expected = `${HEADER.replace("0050", "0038")} fe800000000000000000000000000002
    8600 ba1a 4000 0000 00000000 00000000 ${PREFIX} 0501 0000 000005dc`;
  const advertised = { ...ADVERTISED, routerSeconds: 0, nameServers: [] };
  const packet = routerAdvertisement(address("fe80::1"), address("fe80::2"), advertised);
  expect(toHex(packet)).toBe(toHex(fromHex(expected)));
});

const HOST = "fe800000000000000000000000000002";
const NONE = "00000000000000000000000000000000";
const ROUTERS = "ff020000000000000000000000000002";
const PLAIN = `60000000 0008 3a ff ${HOST} ${ROUTERS} 8500 7d35 00000000`;

test.each([
  ["plain", PLAIN, HOST],
  ["with a link-layer address", `60000000 0010 3a ff ${HOST} ${ROUTERS} 8500 7a2a 00000000 0101020000000002`, HOST],
  ["of a host without an address", `60000000 0008 3a ff ${NONE} ${ROUTERS} 8500 7bb8 00000000`, NONE],
  [
    "of such a host, which says its link-layer address",
    `60000000 0010 3a ff ${NONE} ${ROUTERS} 8500 78ad 00000000 0101020000000002`,
    undefined,
  ],
  [
    "with an option of no length",
    `60000000 0010 3a ff ${HOST} ${ROUTERS} 8500 6d2b 00000000 0e00020000000002`,
    undefined,
  ],
  [
    "with an option that is longer than the message",
    `60000000 0010 3a ff ${HOST} ${ROUTERS} 8500 7a29 00000000 0102020000000002`,
    undefined,
  ],
  ["that a router has forwarded", PLAIN.replace("3a ff", "3a fe"), undefined],
  ["with a wrong checksum", PLAIN.replace("7d35", "7d36"), undefined],
  ["with a code", PLAIN.replace("8500 7d35", "8501 7d34"), undefined],
  ["an advertisement", PLAIN.replace("8500 7d35", "8600 7c35"), undefined],
  ["another protocol", PLAIN.replace("3a ff", "11 ff"), undefined],
  ["with a length that lies", PLAIN.replace("0008", "0009"), undefined],
  ["IPv4", PLAIN.replace("60000000", "45000000"), undefined],
] as const)("a solicitation: %s", (_, hex, source) => {
  const packet = fromHex(hex);
  const found = parseSolicitation(fromHex(`a5 ${hex} a5`), 1, packet.length + 1);
  expect(found && toHex(found)).toBe(source);
});

test("every part of a solicitation is no solicitation", () => {
  const packet = fromHex(PLAIN);
  for (let end = 0; end < packet.length; end++) expect(parseSolicitation(packet, 0, end)).toBeUndefined();
});

test("a solicitation of ours", () => {
  expect(toHex(routerSolicitation(address("fe80::2")))).toBe(toHex(fromHex(PLAIN)));
});

test("what a host hears in an advertisement", () => {
  const heard = {
    routerSeconds: 1800,
    prefix: address("fd12:3456:789a:7::").slice(0, 8),
    validSeconds: 86400,
    nameServers: [address("fd12:3456:789a:7::1")],
    nameServerSeconds: 1800,
  };
  const packet = routerAdvertisement(address("fe80::1"), ALL_NODES, ADVERTISED);
  expect(parseAdvertisement(packet, 0, packet.length)).toEqual(heard);
  const plain = { ...ADVERTISED, routerSeconds: 0, nameServers: [] };
  const other = routerAdvertisement(address("fe80::1"), ALL_NODES, plain);
  expect(parseAdvertisement(other, 0, other.length)).toEqual({
    ...heard,
    routerSeconds: 0,
    nameServers: [],
    nameServerSeconds: 0,
  });
  // A prefix that is valid no longer is told of. That of link-local addresses is none for addresses of hosts.
  const over = routerAdvertisement(address("fe80::1"), ALL_NODES, { ...ADVERTISED, validSeconds: 0 });
  expect(parseAdvertisement(over, 0, over.length)).toEqual({ ...heard, validSeconds: 0 });
  const useless = routerAdvertisement(address("fe80::1"), ALL_NODES, { ...ADVERTISED, prefix: address("fe80::") });
  expect(parseAdvertisement(useless, 0, useless.length)).toEqual({ ...heard, prefix: undefined, validSeconds: 0 });
  expect(parseAdvertisement(fromHex(PLAIN), 0, 48)).toBeUndefined();
});

const GROUP = "ff0200000000000000000001ff000001";
const OURS = "fd010000000000000000000000000001";
const ASKED = `60000000 0018 3a ff ${HOST} ${GROUP} 8700 7f21 00000000 ${OURS}`;

test.each([
  ["is answered", ASKED, `60000000 0018 3a ff ${OURS} ${HOST} 8800 bf23 c0000000 ${OURS}`],
  [
    "of a host without an address is answered to all",
    `60000000 0018 3a ff ${NONE} ${GROUP} 8700 7da4 00000000 ${OURS}`,
    `60000000 0018 3a ff ${OURS} ff020000000000000000000000000001 8800 fea2 80000000 ${OURS}`,
  ],
  [
    "of such a host, which says its link-layer address, is not",
    `60000000 0020 3a ff ${NONE} ${GROUP} 8700 7a99 00000000 ${OURS} 0101020000000002`,
    undefined,
  ],
  ["for another address is not", ASKED.replace("7f21", "7f20").replace(/1$/, "2"), undefined],
  ["with a wrong checksum is not", ASKED.replace("7f21", "7f22"), undefined],
  ["from beyond the link is not", ASKED.replace("3a ff", "3a fe"), undefined],
] as const)("a Neighbor Solicitation %s", (_, hex, expected) => {
  const packet = fromHex(`a5 ${hex} a5`);
  const answer = neighborAnswer(packet, 1, packet.length - 1, [address("fe80::1"), address("fd01::1")]);
  expect(answer && toHex(answer)).toBe(expected && toHex(fromHex(expected)));
});
