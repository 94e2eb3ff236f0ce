// IPv6 on the link: the address that Router Advertisements give us, and what is reached with it.

import { describe, expect, test } from "bun:test";
import { put16, u16 } from "../../src/bytes/be.ts";
import { parseAddress } from "../../src/bytes/prefix.ts";
import { bytesOf, fromHex, textOf, toHex } from "../../src/bytes/text.ts";
import {
  ALL_NODES,
  parseAdvertisement,
  parseSolicitation,
  routerAdvertisement,
  type RouterAdvertisement,
} from "../../src/wire/ndp.ts";
import type { FakeSocket } from "../kit/fake-sockets.ts";
import { ProxyWorld } from "../kit/proxy-world.ts";

const address = (text: string): Uint8Array => parseAddress(text)!;
const ROUTER = address("fe80::1");
const OUR = address("fe80::12");
const ADVERTISED: RouterAdvertisement = {
  routerSeconds: 1800,
  prefix: address("fd00:1:2:3::"),
  validSeconds: 3600,
  preferredSeconds: 3600,
  mtu: 1500,
  nameServers: [address("fd00:1:2:3::1")],
  nameServerSeconds: 1800,
};
const TO_SERVER = fromHex("0501 00 0501 00 04 20010db8000000000000000000000001 0050");

class Ipv6World extends ProxyWorld {
  up6(our = OUR): void {
    this.isUp = true;
    this.proxy.setAddress(6, our, this.now);
    this.far.gateway.setAddress(6, ROUTER);
    this.far.gateway.setNetworkAddress(address("fd00:1:2:3::1"));
  }

  advertise(change: Partial<RouterAdvertisement> = {}, from = ROUTER): void {
    const packet = routerAdvertisement(from, ALL_NODES, { ...ADVERTISED, ...change });
    this.proxy.receivePacket(packet, 0, packet.length, this.now);
    this.run();
  }
}

function code(program: FakeSocket): number | undefined {
  return program.received()[3];
}

test("routers are asked three times, until one answers", () => {
  const it = new Ipv6World();
  it.up6();
  const asked: string[] = [];
  const packet = new Uint8Array(2000);
  const look = (): void => {
    for (let length; (length = it.proxy.stack.take(packet, 0, it.now)) > 0;)
      asked.push(toHex(parseSolicitation(packet, 0, length)!));
  };
  it.isUp = false;
  look();
  for (let second = 0; second < 30; second++) {
    it.wait(1000);
    look();
  }
  expect(asked).toEqual(Array(3).fill(toHex(OUR)));
});

test("a connection comes from the address in the advertised network", () => {
  const it = new Ipv6World();
  it.up6();
  const program = it.program(TO_SERVER);
  expect(code(program)).toBeUndefined();
  it.advertise();
  expect(toHex(program.received())).toStartWith(`05000500000${4}fd0000010002000300000000000000${12}`);
  expect(it.servers.last.address).toBe(address("2001:db8::1").join("."));
  program.give(bytesOf("hello"));
  it.run();
  expect(textOf(it.servers.last.received())).toBe("hello");
});

test("without an advertisement the network is unreachable, and neighbours are not", () => {
  const it = new Ipv6World();
  it.up6();
  const [beyond, neighbour] = [it.program(TO_SERVER), it.program(fromHex(`0501 00 0501 00 04 ${toHex(ROUTER)}0050`))];
  it.wait(11_000);
  expect([code(beyond), code(neighbour)]).toEqual([3, 5]);
});

describe("names", () => {
  const named = fromHex("0501 00 0501 00 03 06 612e74657374 0050");

  test("are asked of the advertised server where IPv4 is down", () => {
    const it = new Ipv6World();
    it.up6();
    it.program(named);
    it.advertise();
    it.wait(100);
    expect(it.asked).toEqual(["a.test 28"]);
  });

  test("are asked for in both families where both lead on", () => {
    const it = new Ipv6World();
    it.linkUp();
    it.up6();
    it.program(named);
    it.advertise();
    it.program(fromHex("0501 00 0501 00 03 06 622e74657374 0050"));
    expect(it.asked).toEqual(["a.test 1", "b.test 1", "b.test 28"]);
    it.advertise({ routerSeconds: 0 });
    it.program(fromHex("0501 00 0501 00 03 06 632e74657374 0050"));
    expect(it.asked.slice(3)).toEqual(["c.test 1"]);
  });
});

test("advertisements do not renew the time that a request waits", () => {
  const it = new Ipv6World();
  it.up6();
  const program = it.program(fromHex("0501 00 0501 00 01 c0000250 0050"));
  for (const ms of [4000, 4000, 3000]) {
    it.advertise();
    it.wait(ms);
  }
  expect(code(program)).toBe(3);
});

describe("what was advertised ends with its own lifetime", () => {
  const named = (name: string): Uint8Array => fromHex(`0501 00 0501 00 03 06 ${toHex(bytesOf(name))} 0050`);
  const asksFor = (it: Ipv6World, name: string): boolean => {
    const before = it.asked.length;
    it.program(named(name));
    it.wait(100);
    return it.asked.length > before;
  };

  test("the router", () => {
    const it = new Ipv6World();
    it.up6();
    it.advertise({ routerSeconds: 60, validSeconds: 86_400, nameServerSeconds: 86_400 });
    it.wait(59_000);
    expect(asksFor(it, "a.test")).toBe(true);
    it.wait(1000);
    expect(asksFor(it, "b.test")).toBe(false);
    // The peer itself says what it does not reach.
    expect(code(it.program(TO_SERVER))).toBe(0);
  });

  test("the name servers", () => {
    const it = new Ipv6World();
    it.up6();
    it.advertise({ nameServerSeconds: 30 });
    it.wait(29_000);
    expect(asksFor(it, "a.test")).toBe(true);
    it.wait(1000);
    expect(asksFor(it, "b.test")).toBe(false);
    it.advertise();
    expect(asksFor(it, "c.test")).toBe(true);
    it.advertise({ nameServerSeconds: 0 });
    expect(asksFor(it, "d.test")).toBe(false);
  });

  test("the prefix, which a lifetime of 0 ends at once", () => {
    const it = new Ipv6World();
    it.up6();
    it.advertise();
    it.advertise({ validSeconds: 0, prefix: address("fd00:9::") });
    expect(code(it.program(TO_SERVER))).toBe(0);
    it.advertise({ validSeconds: 0 });
    const late = it.program(TO_SERVER);
    it.wait(11_000);
    expect(code(late)).toBe(3);
  });
});

test("what an advertisement leaves out stays as it was", () => {
  const it = new Ipv6World();
  it.up6();
  it.advertise();
  const program = it.program(TO_SERVER);
  const packet = routerAdvertisement(ROUTER, ALL_NODES, ADVERTISED);
  // The Prefix Information becomes an option that nobody knows.
  const unknown = 200;
  const sum = u16(packet, 42) - ((unknown - packet[56]!) << 8);
  put16(packet, 42, sum < 0 ? sum + 0xffff : sum);
  packet[56] = unknown;
  expect(parseAdvertisement(packet, 0, packet.length)).toMatchObject({ routerSeconds: 1800, prefix: undefined });
  it.proxy.receivePacket(packet, 0, packet.length, it.now);
  expect([code(program), program.end, code(it.program(TO_SERVER))]).toEqual([0, "open", 0]);
  it.advertise({ nameServers: [] });
  it.program(fromHex("0501 00 0501 00 03 06 612e74657374 0050"));
  it.wait(100);
  expect(it.asked).toEqual(["a.test 28"]);
});

test("an advertisement of another prefix ends connections; the same one does not", () => {
  const it = new Ipv6World();
  it.up6();
  it.advertise();
  const program = it.program(TO_SERVER);
  it.advertise();
  expect([code(program), program.end]).toEqual([0, "open"]);
  it.advertise({ prefix: address("fd00:9::") });
  expect(program.end).toBe("aborted");
});

test("a prefix that is no longer valid leads nowhere", () => {
  const it = new Ipv6World();
  it.up6();
  it.advertise({ validSeconds: 20 });
  expect(code(it.program(TO_SERVER))).toBe(0);
  it.wait(21_000);
  const late = it.program(TO_SERVER);
  it.wait(11_000);
  expect(code(late)).toBe(3);
});

test("what does not come from a router of the link counts for nothing", () => {
  const it = new Ipv6World();
  it.up6();
  it.advertise({}, address("2001:db8::66"));
  const packet = routerAdvertisement(ROUTER, ALL_NODES, ADVERTISED);
  for (let bit = 0; bit < packet.length * 8; bit++) {
    // No checksum covers the traffic class and the flow label.
    if (bit >> 3 < 4 && bit !== 7) continue;
    const changed = packet.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    it.proxy.receivePacket(changed, 0, changed.length, it.now);
  }
  for (let length = 0; length < packet.length; length++) it.proxy.receivePacket(packet, 0, length, it.now);
  const program = it.program(TO_SERVER);
  it.wait(11_000);
  expect(code(program)).toBe(3);
});
