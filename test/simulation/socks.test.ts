// A session with `socks` and one with `usernet` at the two ends of a cable, in simulated time: programs here, servers there.

import { expect, test } from "bun:test";
import { joinWords, pppdWords } from "../../src/commands/join.ts";
import { bytesOf, fromHex, textOf, toHex } from "../../src/bytes/text.ts";
import type { FakeSocket } from "../kit/fake-sockets.ts";
// Loaded before: in simulated time nothing is read from disk.
import "../../src/run/packets/socks-port.ts";
import "../../src/run/packets/usernet-port.ts";
import { parseStatus } from "../../src/run/live/parsed-status.ts";
import { Laplink } from "./laplink.ts";

const LINE = ["/dev/ttyUSB0", "115200", "noauth", "nodetach", "persist", "holdoff", "2"];
const SERVER = fromHex("0501 00 0501 00 01 c0000250 0050");
const PORT = 1080;

function laplink(seed: number, more: readonly string[] = ["noipv6"]) {
  const link = new Laplink({ seed });
  const { time, computers } = link;
  computers[0].files.put("/etc/resolv.conf", "nameserver 192.0.2.53\n");
  const startFar = () => computers[0].start([...LINE, ...more, "usernet", "10.0.0.1:10.0.0.2"]);
  const near = computers[1].start([...LINE, ...more, "noipdefault", "socks", String(PORT)]);
  const until = (isSo: () => boolean, ms = 30_000): void => expect(time.runUntil(isSo, ms)).toBe(true);
  until(() => computers[1].network.sockets.length > 0);
  const call = (...pieces: Uint8Array[]): FakeSocket => {
    const program = computers[1].network.sockets[0]!.call(PORT)!;
    for (const piece of pieces) program.give(piece);
    return program;
  };
  const servers = (): FakeSocket[] => computers[0].network.sockets.at(-1)?.played.all ?? [];
  return { link, time, computers, startFar, near, until, call, servers };
}

test("a program that comes before the link waits for it; octets go both ways", () => {
  const { link, computers, startFar, near, until, call, servers } = laplink(1);
  expect(near.lines).toContain(`SOCKS and HTTP proxy at 127.0.0.1:1080: programs that use it reach the link's network`);
  const program = call(SERVER, bytesOf("hello"));
  until(() => program.received().length > 0);
  expect(toHex(program.received())).toBe("0500");
  const far = startFar();
  until(() => servers()[0]?.takenOctets === 5);
  expect(servers()[0]).toMatchObject({ address: "192.0.2.80", port: 80 });
  const page = Uint8Array.from({ length: 40_000 }, (_, at) => at * 31);
  servers()[0]!.give(page);
  servers()[0]!.finish();
  until(() => program.isShut);
  expect(program.received().slice(12)).toEqual(page);
  const [publication] = computers[1].processes.publications.values();
  expect(parseStatus(publication!.text())?.proxy).toBe("127.0.0.1:1080");
  for (const one of [near, far]) {
    one.signal("SIGTERM");
    until(() => !one.isRunning);
  }
  expect([near.fault, far.fault, near.exitCode]).toEqual([undefined, undefined, 5]);
  expect([link.leftOn(0), link.leftOn(1)]).toEqual([[], []]);
});

test("without a link a request gets its answer, whatever the session does meanwhile", () => {
  const { time, near, until, call } = laplink(2);
  for (const waitMs of [0, 7000, 31_000, 1100]) {
    time.run(waitMs);
    const program = call(bytesOf("CONNECT example.com:443 HTTP/1.1\r\n\r\n"));
    until(() => program.end === "closed");
    expect(textOf(program.received())).toStartWith("HTTP/1.1 503 Service Unavailable\r\n");
  }
  near.signal("SIGTERM");
  until(() => !near.isRunning);
  expect(near.fault).toBeUndefined();
});

test("a name is asked of the server that the far end names", () => {
  const { computers, startFar, until, call, servers } = laplink(3, ["noipv6", "usepeerdns"]);
  startFar();
  const program = call(bytesOf("GET http://example.com/ HTTP/1.1\r\n\r\n"));
  until(() => servers()[0]?.datagrams.length === 1);
  expect(servers()[0]).toMatchObject({ address: "192.0.2.53", port: 53 });
  const query = servers()[0]!.datagrams[0]!.bytes;
  const answer = Uint8Array.from([...query, ...fromHex("c00c 0001 0001 0000003c 0004 c0000250")]);
  answer[2] = 0x81;
  answer[7] = 1;
  servers()[0]!.answer(answer);
  until(() => servers().length === 2 && servers()[1]!.takenOctets > 0);
  expect(textOf(servers()[1]!.received())).toBe("GET / HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n");
  servers()[1]!.give(bytesOf("HTTP/1.1 200 OK\r\n\r\n"));
  until(() => program.received().length > 0);
  // The system keeps its own name servers.
  expect(computers[1].files.text("/etc/ppp/resolv.conf")).toBeUndefined();
});

test("a connection outlasts a link that breaks", () => {
  const { link, time, startFar, until, call, servers } = laplink(4);
  startFar();
  const program = call(SERVER);
  until(() => servers().length === 1 && program.received().length === 12);
  link.cables[0]!.damage = 1;
  program.give(bytesOf("after the break"));
  time.run(5000);
  expect(servers()[0]!.takenOctets).toBe(0);
  link.cables[0]!.damage = 0;
  until(() => servers()[0]!.takenOctets === 15);
});

test("IPv6: the far end advertises its network, and connections come from there", () => {
  const { startFar, until, call, servers } = laplink(5, []);
  startFar();
  const program = call(fromHex("0501 00 0501 00 04 20010db8000000000000000000000001 0050"), bytesOf("hello"));
  until(() => servers()[0]?.takenOctets === 5);
  expect(servers()[0]!.address).toBe("32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.1");
  expect(toHex(program.received())).toMatch(/^050005000004fd/);
});

test("nullmodem join --socks and a port that waits for it", () => {
  const { computers, time } = new Laplink({ seed: 8 });
  const words = joinWords(["/dev/ttyUSB0", "--socks", String(PORT)]);
  if (typeof words === "string") throw new Error(words);
  const near = computers[1].start(pppdWords(words));
  const waiting = ["/dev/ttyUSB0", "57600", "noauth", "nodetach", "local", "persist", "maxfail", "0", "autodetect"];
  computers[0].start([...waiting, "find-speed", "usernet", "10.0.0.1:10.0.0.2"]);
  expect(time.runUntil(() => computers[1].network.sockets.length > 0, 1000)).toBe(true);
  const program = computers[1].network.sockets[0]!.call(PORT)!;
  program.give(SERVER);
  expect(time.runUntil(() => program.received().length === 12, 30_000)).toBe(true);
  expect(program.received()[3]).toBe(0);
  expect(computers[1].network.state.some((line) => line.startsWith("interface"))).toBe(false);
  near.signal("SIGTERM");
  expect(time.runUntil(() => !near.isRunning, 30_000)).toBe(true);
  expect([near.exitCode, near.fault]).toEqual([5, undefined]);
});

test("a port that another program has ends the session with a word", () => {
  const link = new Laplink({ seed: 6 });
  const { time, computers } = link;
  computers[1].network.takenPorts.add(PORT);
  const near = computers[1].start([...LINE, "socks", String(PORT)]);
  expect(time.runUntil(() => !near.isRunning, 30_000)).toBe(true);
  expect([near.exitCode, near.fault, link.leftOn(1)]).toEqual([1, undefined, []]);
  expect(near.lines).toContain("Can't listen on 127.0.0.1:1080 for socks: Address already in use");
});

test("a UDP port that another program has is told of, and connections need none", () => {
  const link = new Laplink({ seed: 8 });
  const { time, computers } = link;
  computers[1].network.takenUdpPorts.add(PORT);
  const near = computers[1].start([...LINE, "socks", String(PORT)]);
  time.run(1000);
  expect(near.lines).toContain("The proxy at 127.0.0.1:1080 relays no UDP datagrams: Address already in use");
  const program = computers[1].network.sockets[0]!.call(PORT)!;
  program.give(fromHex("0501 00 0503 00 01 00000000 0000"));
  expect(time.runUntil(() => program.end === "closed", 30_000)).toBe(true);
  expect(toHex(program.received())).toStartWith("05000507");
});

test("programs for whom no descriptor is left wait, and the log says why", () => {
  const { time, computers, near, until, call } = laplink(9);
  const sockets = computers[1].network.sockets[0]!;
  const text = "No descriptor is left for another program: raise the limit of open files (ulimit -n)";
  const told = (): string[] => near.lines.filter((line) => line.startsWith(text));
  sockets.hasDescriptors = false;
  const program = call(fromHex("0501 00 0503 00 01 00000000 0000"));
  until(() => told().length === 1);
  time.run(40_000);
  expect([told(), toHex(program.received())]).toEqual([[text], ""]);
  sockets.hasDescriptors = true;
  until(() => program.received().length > 2);
});

test("a datagram for which no descriptor is left is told of as well", () => {
  const { startFar, computers, near, until, call, servers } = laplink(10);
  startFar();
  const program = call(fromHex("0501 00 0503 00 01 00000000 0000"));
  until(() => program.received().length > 2);
  const sockets = computers[1].network.sockets[0]!;
  sockets.hasDescriptors = false;
  const datagram = fromHex("000000 01 c0000250 007b aabb");
  sockets.sendTo(PORT, 4000, datagram);
  until(() => near.lines.some((line) => line.startsWith("No descriptor is left for another program")));
  sockets.hasDescriptors = true;
  sockets.sendTo(PORT, 4000, datagram);
  until(() => servers()[0]?.datagrams.length === 1);
  servers()[0]!.answer(fromHex("cc"));
  until(() => sockets.udpCaller(4000)!.datagrams.length === 1);
});

test("an address that others reach is warned of", () => {
  const { time, computers } = new Laplink({ seed: 7 });
  const near = computers[1].start([...LINE, "socks", `0.0.0.0:${PORT}`]);
  time.run(1000);
  expect(near.lines).toContain("Whoever reaches 0.0.0.0:1080 can use the link through this proxy");
});
