// UDP ASSOCIATE: datagrams of programs through the link, with the header of RFC 1928 §7.

import { describe, expect, test } from "bun:test";
import { fromHex, toHex } from "../../src/bytes/text.ts";
import { Failure } from "../../src/stack/socket-side.ts";
import type { FakeSocket } from "../kit/fake-sockets.ts";
import { ProxyWorld } from "../kit/proxy-world.ts";

const ASSOCIATE = fromHex("0501 00 0503 00 01 00000000 0000");
/** To port 123 of 192.0.2.80, and of ntp.test. */
const TO_SERVER = "000000 01 c0000250 007b";
const TO_NAME = "000000 03 08 6e74702e74657374 007b";

function world(): { readonly it: ProxyWorld; readonly program: FakeSocket } {
  const it = new ProxyWorld();
  it.linkUp();
  return { it, program: it.program(ASSOCIATE) };
}

function told(it: ProxyWorld, port: string): string[] {
  return it.ports.get(port)?.datagrams.map(({ bytes }) => toHex(bytes)) ?? [];
}

test("datagrams go both ways, each port of a program by a port of ours", () => {
  const { it, program } = world();
  expect(toHex(program.received())).toBe("0500050000017f0000010438");
  for (const port of ["one", "other", "one"]) it.datagram(port, fromHex(`${TO_SERVER} aabb`));
  const servers = it.servers.all;
  expect(servers.map(({ address, port, datagrams }) => [address, port, datagrams.length])).toEqual([
    ["192.0.2.80", 123, 2],
    ["192.0.2.80", 123, 1],
  ]);
  expect(toHex(servers[0]!.datagrams[0]!.bytes)).toBe("aabb");
  servers[1]!.answer(fromHex("ccdd"));
  it.run();
  expect([told(it, "one"), told(it, "other")]).toEqual([[], ["00000001c0000250007bccdd"]]);
});

test("a name is resolved at the far end", () => {
  const { it } = world();
  it.zone.set("ntp.test", ["192.0.2.80"]);
  it.datagram("one", fromHex(`${TO_NAME} aa`));
  it.run();
  expect(it.servers.last).toMatchObject({ address: "192.0.2.80", port: 123 });
  expect(toHex(it.servers.last.datagrams[0]!.bytes)).toBe("aa");
  // A name server is a host like others.
  it.datagram("one", fromHex("000000 01 c0000251 0035 0102"));
  expect(it.servers.last).toMatchObject({ address: "192.0.2.81", port: 53 });
  it.servers.last.answer(fromHex("0304"));
  it.run();
  expect(told(it, "one")).toEqual(["00000001c000025100350304"]);
});

test.each([
  ["a fragment", "000001 01 c0000250 007b aa"],
  ["a header that is cut", "000000 01 c00002"],
  ["an empty datagram", ""],
  ["an unknown type of address", "000000 02 c0000250 007b aa"],
  ["our loopback", "000000 01 7f000001 007b aa"],
  ["a name that is none", "000000 03 01 20 007b aa"],
])("%s is dropped", (_, octets) => {
  const { it } = world();
  it.datagram("one", fromHex(octets));
  it.wait(1);
  expect(it.servers.all).toEqual([]);
});

test("without a connection that asked for it, nothing is relayed, and what was ends with it", () => {
  const { it, program } = world();
  it.datagram("one", fromHex(`${TO_SERVER} aa`));
  expect(it.ports.get("one")!.end).toBe("open");
  program.finish();
  expect([program.end, it.ports.get("one")!.end, it.proxy.size]).toEqual(["closed", "closed", 0]);
  const before = it.servers.all.length;
  it.datagram("other", fromHex(`${TO_SERVER} aa`));
  expect([it.servers.all.length, it.ports.has("other")]).toEqual([before, false]);
});

test("datagrams from other addresses than those of the programs that asked for it are dropped", () => {
  const { it, program } = world();
  it.programAddress = "192.168.1.9";
  it.datagram("stranger", fromHex(`${TO_SERVER} aa`));
  expect([it.servers.all.length, it.ports.has("stranger")]).toEqual([0, false]);
  const [other, another] = [it.program(ASSOCIATE), it.program(ASSOCIATE)];
  it.datagram("friend", fromHex(`${TO_SERVER} aa`));
  other.finish();
  program.finish();
  it.datagram("friend", fromHex(`${TO_SERVER} bb`));
  expect(it.servers.last.datagrams).toHaveLength(2);
  another.finish();
  it.datagram("late", fromHex(`${TO_SERVER} cc`));
  expect([it.ports.get("friend")!.end, it.ports.has("late")]).toEqual(["closed", false]);
});

test("ports are limited, and forgotten when they are silent", () => {
  const { it } = world();
  for (let port = 0; port < 300; port++) it.datagram(String(port), fromHex(`${TO_SERVER} aa`));
  expect(it.ports.size).toBe(256);
  it.wait(200_000);
  expect([...it.ports.values()].every(({ end }) => end === "closed")).toBe(true);
  it.datagram("new", fromHex(`${TO_SERVER} aa`));
  expect(it.ports.get("new")!.end).toBe("open");
});

describe("a flood", () => {
  const large = Uint8Array.from([...fromHex(TO_SERVER), ...new Uint8Array(1400)]);

  /** Which protocols the next packets on the link have. The far end answers each at once. */
  function taken(it: ProxyWorld, packets: number, before: () => void): number[] {
    const protocols: number[] = [];
    it.isUp = false;
    for (let count = 0; count < packets; count++) {
      before();
      protocols.push(it.step()!);
    }
    return protocols;
  }

  test("of one program leaves half of the line to a connection", () => {
    const { it } = world();
    it.datagram("one", large);
    const program = it.program(fromHex("0501 00 0501 00 01 c0000251 0050"));
    it.isUp = false;
    program.give(new Uint8Array(2_000_000));
    const protocols = taken(it, 400, () => it.datagram("one", large, large));
    expect(protocols.indexOf(6)).toBeLessThan(4);
    expect(protocols.filter((protocol) => protocol === 6).length).toBeGreaterThan(150);
    expect(protocols.filter((protocol) => protocol === 17).length).toBeGreaterThan(150);
  });

  test("of datagrams for a name that is being asked for waits in its port", () => {
    const { it } = world();
    const toName = Uint8Array.from([...fromHex(TO_NAME), ...new Uint8Array(1400)]);
    it.datagram("one", ...Array.from({ length: 100 }, () => toName));
    it.datagram("other", large);
    it.zone.set("ntp.test", ["192.0.2.82"]);
    it.isUp = false;
    it.wait(3000);
    while (it.servers.all.every(({ address }) => address !== "192.0.2.82")) it.step();
    const protocols = taken(it, 40, () => it.datagram("other", large));
    expect(protocols).toEqual(Array(40).fill(17));
    const octets = (address: string): number => it.servers.all.find((one) => one.address === address)!.datagrams.length;
    expect(octets("192.0.2.80")).toBeGreaterThan(15);
    expect(octets("192.0.2.82")).toBeGreaterThan(15);
  });

  test("of datagrams that nobody can use ends with the turn", () => {
    const { it } = world();
    it.datagram("one", large);
    const port = it.ports.get("one")!;
    let given = 0;
    // Each datagram that is read makes room for another one.
    const receive = port.receive.bind(port);
    port.receive = (into, at, most) => {
      if (given++ < 1_000_000) port.answer(Uint8Array.of(0, 0, 1));
      return receive(into, at, most);
    };
    it.isUp = false;
    it.datagram("one", Uint8Array.of(0, 0, 1));
    expect([it.step(), it.proxy.stack.hasPackets, given < 10_000]).toEqual([undefined, true, true]);
  });

  test("waits while the line is full, and nothing is due meanwhile", () => {
    const { it } = world();
    it.isUp = false;
    it.datagram("one", ...Array.from({ length: 100 }, () => large));
    it.datagram("one", large);
    expect(it.proxy.nextTimeout()).toBeGreaterThan(it.now);
    it.isUp = true;
    it.run();
    expect(it.servers.last.datagrams).toHaveLength(101);
  });
});

test("a datagram that is too long for UDP with its header is dropped, and the port stays", () => {
  const { it } = world();
  it.datagram("one", fromHex(`${TO_SERVER} aa`));
  const payload = (octets: number): Uint8Array => new Uint8Array(octets).fill(7);
  for (const octets of [65_507, 65_498, 65_497]) {
    it.servers.last.answer(payload(octets));
    it.run();
  }
  expect(it.ports.get("one")!.datagrams.map(({ bytes }) => bytes.length)).toEqual([65_507]);
});

test("a port is given up when the program has closed it, and for no other failure", () => {
  const { it } = world();
  it.datagram("one", fromHex(`${TO_SERVER} aa`));
  const port = it.ports.get("one")!;
  const answer = (): void => {
    it.servers.last.answer(fromHex("bb"));
    it.run();
  };
  port.failure = Failure.RESET;
  answer();
  answer();
  expect([port.end, port.datagrams.length]).toEqual(["open", 1]);
  port.fail(Failure.RESET);
  it.datagram("one", fromHex(`${TO_SERVER} cc`));
  expect([port.end, it.servers.last.datagrams.length]).toEqual(["open", 2]);
  port.fail(Failure.REFUSED);
  it.run();
  expect(port.end).toBe("closed");
});
