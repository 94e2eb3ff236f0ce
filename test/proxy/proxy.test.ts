// The proxy in memory: programs on one side, a user-mode stack with played servers on the other.

import { describe, expect, test } from "bun:test";
import { bytesOf, fromHex, textOf, toHex } from "../../src/bytes/text.ts";
import { MOST_PROGRAMS } from "../../src/proxy/proxy.ts";
import { Failure } from "../../src/stack/socket-side.ts";
import type { FakeSocket } from "../kit/fake-sockets.ts";
import { ipv4Packet, segmentPacket, udpPacket } from "../kit/segment-text.ts";
import { ProxyWorld } from "../kit/proxy-world.ts";

const SERVER = fromHex("0501 00 0501 00 01 c0000250 0050");

function named(name: string, port = 80): Uint8Array {
  return Uint8Array.from([5, 1, 0, 5, 1, 0, 3, name.length, ...bytesOf(name), port >>> 8, port & 255]);
}

function world(): ProxyWorld {
  const it = new ProxyWorld();
  it.linkUp();
  return it;
}

/** The code in the answer to the request, behind the answer to the methods. */
function code(program: FakeSocket): number | undefined {
  expect(toHex(program.received().slice(0, 2))).toBe("0500");
  return program.received()[3];
}

test("octets go both ways, and each end ends by itself", () => {
  const it = world();
  const program = it.program(SERVER);
  expect(toHex(program.received())).toMatch(/^0500050000010a000002[c-f]...$/);
  expect(it.servers.last).toMatchObject({ address: "192.0.2.80", port: 80 });
  program.give(bytesOf("question"));
  it.run();
  expect(textOf(it.servers.last.received())).toBe("question");
  program.finish();
  it.run();
  expect(it.servers.last.isShut).toBe(true);
  const octets = Uint8Array.from({ length: 300_000 }, (_, at) => at * 7);
  it.servers.last.give(octets);
  it.run();
  expect(program.received().slice(12)).toEqual(octets);
  it.servers.last.finish();
  it.run();
  expect([program.isShut, program.end, it.servers.last.end]).toEqual([true, "closed", "closed"]);
  expect(it.proxy.size).toBe(0);
});

test("what a program says with its request reaches the server", () => {
  const it = world();
  const program = it.program(Uint8Array.from([...SERVER, ...bytesOf("early ")]));
  program.give(bytesOf("late"));
  it.run();
  expect(textOf(it.servers.last.received())).toBe("early late");
  it.program(bytesOf("POST http://192.0.2.81/x HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody"));
  expect(textOf(it.servers.last.received())).toBe(
    "POST /x HTTP/1.1\r\nHost: 192.0.2.81\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody",
  );
});

describe("what follows a request with a whole URL", () => {
  const request = (host: string, body = "", fields = `Content-Length: ${body.length}\r\n`): Uint8Array =>
    bytesOf(`POST http://${host}/ HTTP/1.1\r\n${fields}\r\n${body}`);
  const received = (it: ProxyWorld): string => textOf(it.servers.last.received()).split("\r\n\r\n").slice(1).join("|");

  test("does not reach the server: it may be for another host", () => {
    const it = world();
    const program = it.program(request("192.0.2.80", "body"));
    program.give(request("192.0.2.81", "secret"));
    it.run();
    expect(received(it)).toBe("body");
    const together = it.program(Uint8Array.from([...request("192.0.2.80", "one"), ...request("192.0.2.81", "two")]));
    expect(received(it)).toBe("one");
    it.servers.last.give(bytesOf("answer"));
    it.servers.last.finish();
    it.run();
    expect([textOf(together.received()), together.isShut]).toEqual(["answer", true]);
    together.finish();
    it.run();
    expect(together.end).toBe("closed");
  });

  test("does, as far as it is the body", () => {
    const it = world();
    const program = it.program(request("192.0.2.80", "", "Content-Length: 10000\r\n"));
    program.give(new Uint8Array(9999).fill(0x78));
    program.give(bytesOf("yz"));
    it.run();
    expect(received(it)).toBe(`${"x".repeat(9999)}y`);
    const chunked = it.program(request("192.0.2.80", "", "Transfer-Encoding: chunked\r\n"));
    chunked.give(bytesOf("1\r\nx\r\n0\r\n\r\n"));
    it.run();
    expect(received(it)).toStartWith("1\r\nx\r\n0");
  });

  test("is not known with two lengths", () => {
    const it = world();
    const fields = "Content-Length: 1\r\nContent-Length: 2\r\n";
    expect(textOf(it.program(request("192.0.2.80", "", fields)).received())).toStartWith("HTTP/1.1 400 ");
  });

  test("a program that hangs up is noticed", () => {
    const it = world();
    const program = it.program(request("192.0.2.80", "body"));
    program.finish();
    it.run();
    expect(it.servers.last.isShut).toBe(true);
  });
});

test("a header of any length that is allowed", () => {
  for (const length of [400, 512, 513, 1024, 5000, 16_000]) {
    const it = world();
    it.program(bytesOf(`GET http://192.0.2.80/ HTTP/1.1\r\nX: ${"x".repeat(length)}\r\n\r\n`));
    expect(textOf(it.servers.last.received())).toContain(`\r\nX: ${"x".repeat(length)}\r\n`);
  }
});

test("a program that does not read stops its server, and no other program", () => {
  const it = world();
  const slow = it.program(SERVER);
  slow.room = 1000;
  it.servers.last.give(new Uint8Array(500_000));
  it.run();
  expect(slow.takenOctets).toBe(1012);
  const other = it.program(SERVER);
  it.servers.last.give(new Uint8Array(50_000));
  it.run();
  expect(other.takenOctets).toBe(50_012);
  slow.giveRoom(Infinity);
  it.wait(1000);
  expect(slow.takenOctets).toBe(500_012);
});

test("the server reads no more than it wants of what a program sends", () => {
  const it = world();
  it.servers.onConnect = (socket) => void (socket.room = 2000);
  const program = it.program(SERVER);
  program.give(new Uint8Array(1_000_000));
  it.wait(100);
  expect(it.servers.last.takenOctets).toBeLessThanOrEqual(2000);
  expect(it.proxy.stack.keptOctets).toBeLessThan(300_000);
});

describe("names", () => {
  test("are resolved at the far end, and kept", () => {
    const it = world();
    it.zone.set("example.com", ["192.0.2.80"]);
    for (let times = 0; times < 2; times++) expect(code(it.program(named("Example.com")))).toBe(0);
    expect(it.asked).toEqual(["example.com 1"]);
    it.wait(61_000);
    it.program(named("example.com"));
    expect(it.asked).toHaveLength(2);
    expect(it.servers.last.port === 53 || it.servers.last.address === "192.0.2.80").toBe(true);
  });

  test("two programs that ask for one name make one query", () => {
    const it = world();
    const programs = [it.program(named("slow.test")), it.program(named("slow.test"))];
    expect(it.asked).toEqual(["slow.test 1"]);
    it.zone.set("slow.test", ["192.0.2.80"]);
    it.wait(3000);
    expect(programs.map(code)).toEqual([0, 0]);
  });

  test.each([
    ["does not exist", 3, 4],
    ["has no address", [], 4],
    ["makes the server fail", 2, 4],
  ])("one that %s", (_, known, expected) => {
    const it = world();
    it.zone.set("bad.test", known);
    const program = it.program(named("bad.test"));
    const http = it.program(bytesOf("CONNECT bad.test:443 HTTP/1.1\r\n\r\n"));
    it.wait(20_000);
    expect(code(program)).toBe(expected);
    expect(textOf(http.received())).toMatch(/^HTTP\/1\.1 50[24] /);
    expect([program.end, it.proxy.size]).toEqual(["closed", 0]);
  });

  test("that nobody answers", () => {
    const it = world();
    const program = it.program(named("silent.test"));
    it.wait(9000);
    expect(it.asked).toHaveLength(5);
    it.wait(2000);
    expect(code(program)).toBe(4);
  });

  test("that a host without a name server is asked for", () => {
    const it = world();
    it.servers.refusesDatagrams = true;
    const program = it.program(named("a.test"));
    expect(code(program)).toBe(4);
  });

  test.each(["localhost", "a.localhost"])("%s is nobody else's", (name) => {
    const it = world();
    expect(code(it.program(named(name)))).toBe(2);
    expect(it.asked).toEqual([]);
  });

  test("with several addresses: the next one is tried when one refuses", () => {
    const it = world();
    it.zone.set("two.test", ["192.0.2.1", "192.0.2.2"]);
    it.servers.connecting = "later";
    const program = it.program(named("two.test"));
    it.servers.last.fail(Failure.REFUSED);
    it.run();
    it.wait(10);
    expect(it.servers.last.address).toBe("192.0.2.2");
    it.servers.last.connected();
    it.run();
    expect(code(program)).toBe(0);
    program.give(bytesOf("hi"));
    it.run();
    expect(textOf(it.servers.last.received())).toBe("hi");
  });
});

describe("what cannot be", () => {
  test.each([
    ["is refused", Failure.REFUSED, 5, "502 Bad Gateway"],
    ["is on no network", Failure.NET_UNREACHABLE, 3, "502 Bad Gateway"],
    ["is unreachable", Failure.HOST_UNREACHABLE, 4, "502 Bad Gateway"],
    ["is prohibited", Failure.PROHIBITED, 2, "403 Forbidden"],
  ])("a host that %s", (_, failure, expected, status) => {
    const it = world();
    it.servers.connecting = failure;
    const program = it.program(SERVER);
    const http = it.program(bytesOf("CONNECT 192.0.2.80:443 HTTP/1.1\r\n\r\n"));
    it.wait(10);
    expect(code(program)).toBe(expected);
    expect(textOf(http.received())).toStartWith(`HTTP/1.1 ${status}\r\n`);
    // The program reads the answer first.
    expect([program.isShut, program.end]).toEqual([true, "open"]);
    program.finish();
    expect([program.end, it.proxy.size]).toEqual(["closed", 1]);
    it.wait(3000);
    expect(it.proxy.size).toBe(0);
  });

  test("a host that does not answer", () => {
    const it = world();
    it.servers.connecting = "later";
    const program = it.program(SERVER);
    it.wait(31_000);
    expect(code(program)).toBe(4);
  });

  test.each(["7f000001", "00000000", "e0000001", "0a000002"])("the address %s", (address) => {
    const it = world();
    expect(code(it.program(fromHex(`0501 00 0501 00 01 ${address} 0050`)))).toBe(2);
  });

  test("IPv6 without IPv6", () => {
    const it = world();
    const program = it.program(fromHex("0501 00 0501 00 04 20010db8000000000000000000000001 0050"));
    it.wait(11_000);
    expect(code(program)).toBe(3);
  });
});

describe("the link", () => {
  test("is waited for, but not for ever", () => {
    const it = new ProxyWorld();
    const [soon, late] = [it.program(SERVER), it.program(named("example.com"))];
    it.zone.set("example.com", ["192.0.2.80"]);
    it.wait(5000);
    it.linkUp();
    expect([soon, late].map(code)).toEqual([0, 0]);
    it.linkDown();
    const never = it.program(bytesOf("CONNECT example.com:443 HTTP/1.1\r\n\r\n"));
    it.wait(13_000);
    expect(textOf(never.received())).toStartWith("HTTP/1.1 503 Service Unavailable\r\n");
    expect(never.end).toBe("closed");
  });

  test("comes back with our address: connections go on; with another one they end", () => {
    const it = world();
    const program = it.program(SERVER);
    it.linkDown();
    program.give(bytesOf("patient"));
    it.wait(5000);
    it.linkUp();
    it.wait(20_000);
    expect(textOf(it.servers.last.received())).toBe("patient");
    it.linkDown();
    it.linkUp(Uint8Array.of(10, 0, 0, 9));
    expect([program.end, it.proxy.size]).toEqual(["aborted", 0]);
  });
});

describe("hostile programs", () => {
  test("that say nothing, or nearly nothing, are let go", () => {
    const it = world();
    for (let count = 0; count < 100; count++) it.program(...(count % 2 === 0 ? [] : [bytesOf("GET http://a/ HT")]));
    it.wait(31_000);
    expect(it.proxy.size).toBe(0);
  });

  test("get no more than their number, and the next one waits", () => {
    const it = world();
    const programs = Array.from({ length: MOST_PROGRAMS + 1 }, () => it.program());
    expect(it.proxy.size).toBe(MOST_PROGRAMS);
    programs[0]!.finish();
    it.wait(10);
    programs.at(-1)!.give(SERVER);
    it.run();
    expect(code(programs.at(-1)!)).toBe(0);
  });

  test("that hang up at any place leave nothing", () => {
    for (let length = 0; length <= SERVER.length; length++) {
      const it = world();
      const program = it.program(SERVER.slice(0, length));
      program.finish();
      it.servers.last?.finish();
      it.wait(100_000);
      expect([it.proxy.size, it.proxy.stack.connections.table.size]).toEqual([0, 0]);
    }
  });

  test.each([
    ["a request that was refused", "0501 00 0502 00 01 c0000250 0050"],
    ["the request to relay datagrams", "0501 00 0503 00 01 00000000 0000"],
  ])("that go on talking after %s are let go", (_, request) => {
    const it = world();
    const program = it.program(fromHex(request));
    for (let piece = 0; piece < 64; piece++) program.give(new Uint8Array(4096));
    expect(program.end).toBe("open");
    program.give(new Uint8Array(1));
    expect([program.end, it.proxy.size]).toEqual(["closed", 0]);
  });

  test("that go on talking after a request with a whole URL are heard no more, and get their answer", () => {
    const it = world();
    const program = it.program(bytesOf("GET http://192.0.2.80/ HTTP/1.1\r\n\r\n"));
    program.give(new Uint8Array(10_000_000));
    it.run();
    expect(it.servers.last.isShut).toBe(true);
    it.servers.last.give(bytesOf("answer"));
    it.run();
    expect(textOf(program.received())).toBe("answer");
  });

  test("whose end is never told of do not keep a refused request", () => {
    const it = world();
    const program = it.program(fromHex("0501 00 0502 00 01 c0000250 0050"));
    it.wait(3000);
    expect([code(program), program.end]).toEqual([7, "closed"]);
  });
});

describe("packets that belong to nothing of ours", () => {
  const route = { from: "192.0.2.80", to: "10.0.0.2", fromPort: 4000, toPort: 22 };
  const answers = (packet: Uint8Array): number[][] => {
    const it = world();
    it.proxy.receivePacket(packet, 0, packet.length, it.now);
    const room = new Uint8Array(2000);
    const found: number[][] = [];
    for (let length; (length = it.proxy.stack.take(room, 0, it.now)) > 0;) found.push([...room.slice(0, length)]);
    return found;
  };

  test("a SYN is refused", () => {
    const [[...reset] = []] = answers(segmentPacket("S 0:0(0) win 8000", route, 5, 0));
    expect([reset[9], reset[33]]).toEqual([6, 0x14]);
  });

  test("a datagram finds no port", () => {
    const [[...icmp] = []] = answers(udpPacket(route, [1, 2, 3]));
    expect([icmp[9], icmp[20], icmp[21]]).toEqual([1, 3, 3]);
  });

  test("an echo is answered", () => {
    const [[...reply] = []] = answers(ipv4Packet(route.from, route.to, 1, [8, 0, 0xf7, 0xff, 0, 0, 0, 0]));
    expect([reply[9], reply[20]]).toEqual([1, 0]);
  });

  test("nothing is carried on to other hosts", () => {
    const it = world();
    const packet = segmentPacket("S 0:0(0) win 8000", { ...route, to: "192.0.2.99" }, 5, 0);
    it.proxy.receivePacket(packet, 0, packet.length, it.now);
    expect(it.programs.all).toEqual([]);
  });
});

test("the end of the session ends all", () => {
  const it = world();
  const programs = [it.program(SERVER), it.program(), it.program(named("silent.test"))];
  it.proxy.close();
  expect(programs.every(({ end }) => end !== "open")).toBe(true);
  expect(it.proxy.size).toBe(0);
});
