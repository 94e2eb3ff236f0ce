// Callers of ports of this machine, by TCP and UDP, against sockets of Bun on the loopback.

import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { enterNetns, ip, noNetns } from "../../kit/netns.ts";
import { SocketSet } from "../../../src/os/net/socket-set.ts";

const LOOPBACK = Uint8Array.of(127, 0, 0, 1);
const ALL = new Uint8Array(4);
const LOOPBACK6 = new Uint8Array(16).with(15, 1);
const ALL6 = new Uint8Array(16);
const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1"));
const EAGAIN = 11;
const EADDRINUSE = 98;

// Other tests that run at the same time have the machine's own loopback.
let leave: (() => void) | undefined;
beforeEach(() => {
  if (noNetns !== undefined) return;
  leave = enterNetns();
  ip("link", "set", "lo", "up");
});
let sockets: SocketSet | undefined;
const stops: (() => void)[] = [];
afterEach(() => {
  sockets?.end();
  for (const stop of stops.splice(0)) stop();
  leave?.();
  leave = undefined;
});

/** Collects until a socket is readable. */
async function untilReadable(set: SocketSet, socket: number): Promise<void> {
  for (let has = false; !has;) {
    set.collect((one, readable) => void (has ||= one === socket && readable));
    if (!has) await Bun.sleep(1);
  }
}

/** A port that was free a moment ago, of TCP and UDP. */
function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  server.stop(true);
  return server.port;
}

/** A timer of a connection in /proc/net/tcp (Linux: Documentation/networking/proc_net_tcp.rst). */
const KEEPALIVE = "02";

/** Which timer runs for our end of a connection. */
function timerOf(port: number, callerPort: number): string | undefined {
  const hex = (one: number): string => one.toString(16).toUpperCase().padStart(4, "0");
  const ends = `0100007F:${hex(port)} 0100007F:${hex(callerPort)} `;
  const row = readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .find((line) => line.includes(ends));
  return row?.trim().split(/\s+/)[5]?.slice(0, 2);
}

test("callers of a TCP port are accepted, each with its port, and a port that is taken is told of", async () => {
  const set = (sockets = new SocketSet());
  const { callers } = set;
  const port = freePort();
  const listening = callers.listen(ALL, port);
  expect(listening).toBeGreaterThan(0);
  stops.push(() => callers.close(listening));
  expect(callers.accept(listening)).toBe(-EAGAIN);
  expect(callers.listen(LOOPBACK, port)).toBe(-EADDRINUSE);
  const got = Promise.withResolvers<string>();
  const client = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: { data: (_, data) => got.resolve(data.toString()) },
  });
  stops.push(() => client.terminate());
  await untilReadable(set, listening);
  const socket = callers.accept(listening);
  expect([socket > 0, callers.port, callers.address]).toEqual([true, client.localPort, LOOPBACK]);
  expect(callers.accept(listening)).toBe(-EAGAIN);
  expect(timerOf(port, client.localPort)).toBe(KEEPALIVE);
  set.write(socket, Uint8Array.of(104, 105), 0, 2);
  expect(await got.promise).toBe("hi");
  set.close(socket);
});

for (const [name, address] of [
  ["one address", LOOPBACK],
  ["all addresses", ALL],
  ["one address of IPv6", LOOPBACK6],
  ["all addresses of IPv6", ALL6],
] as const)
  test.skipIf(address.length === 16 && !hasIpv6)(
    `each caller of a UDP port on ${name} gets a socket of its own`,
    async () => {
      const set = (sockets = new SocketSet());
      const { callers } = set;
      const host = address.length === 4 ? "127.0.0.1" : "::1";
      const port = freePort();
      const bound = callers.bind(address, port);
      stops.push(() => callers.close(bound));
      const into = new Uint8Array(64);
      const answers: string[] = [];
      const client = async () => {
        const socket = await Bun.udpSocket({
          hostname: host,
          socket: { data: (_, data, from, whose) => void answers.push(`${whose}:${from} ${data.toString()}`) },
        });
        stops.push(() => socket.close());
        return socket;
      };
      const [one, other] = [await client(), await client()];
      const flows: number[] = [];
      const keys = new Set<string>();
      for (const caller of [one, other]) {
        caller.send("first", port, host);
        await untilReadable(set, bound);
        expect(callers.receive(bound, into, 3, 61)).toBe(5);
        expect([Buffer.from(into.subarray(3, 8)).toString(), callers.port]).toEqual(["first", caller.port]);
        expect(callers.receive(bound, into, 3, 61)).toBe(-EAGAIN);
        expect(callers.address).toEqual(address.length === 4 ? LOOPBACK : LOOPBACK6);
        keys.add(callers.key);
        flows.push(callers.openToCaller(bound));
        expect(flows.at(-1)).toBeGreaterThan(0);
      }
      expect(keys.size).toBe(2);
      // What they send from now on comes to their own sockets.
      for (const [at, caller] of [one, other].entries()) {
        caller.send(`more ${at}`, port, host);
        await untilReadable(set, flows[at]!);
        expect(set.read(flows[at]!, into, 0, 64)).toBe(6);
        expect(Buffer.from(into.subarray(0, 6)).toString()).toBe(`more ${at}`);
        set.send(flows[at]!, Buffer.from(`re ${at}`), 0, 4, 64, callers.family);
      }
      while (answers.length < 2) await Bun.sleep(1);
      expect(answers.toSorted()).toEqual([`${host}:${port} re 0`, `${host}:${port} re 1`]);
      // No other program can join the port, not even one that would share it.
      const thief = createSocket({ type: address.length === 4 ? "udp4" : "udp6", reuseAddr: true });
      const failed = Promise.withResolvers<string>();
      thief.on("error", (error) => failed.resolve(error.message));
      thief.bind(port, host, () => failed.resolve("bound"));
      stops.push(() => thief.close());
      expect(await failed.promise).toContain("EADDRINUSE");
      for (const flow of flows) set.close(flow);
    },
  );

test("a caller's socket has no datagram of another caller, however many come while it is opened", async () => {
  const set = (sockets = new SocketSet());
  const { callers } = set;
  const port = freePort();
  const bound = callers.bind(LOOPBACK, port);
  stops.push(() => callers.close(bound));
  // Another process, because it must send while this one is busy.
  const text = `
    const socket = await Bun.udpSocket({});
    for (;;) { for (let count = 0; count < 100; count++) socket.send("other", ${port}, "127.0.0.1"); await Bun.sleep(0); }
  `;
  const flood = Bun.spawn([process.execPath, "-e", text], { stdio: ["ignore", "ignore", "inherit"] });
  stops.push(() => flood.kill("SIGKILL"));
  const caller = await Bun.udpSocket({ hostname: "127.0.0.1" });
  stops.push(() => caller.close());
  const into = new Uint8Array(64);
  for (let calls = 0, others = 0; calls < 500 || others < 5000;) {
    caller.send("call", port, "127.0.0.1");
    await untilReadable(set, bound);
    while (callers.receive(bound, into, 0, 64) >= 0) {
      if (callers.port !== caller.port) {
        others++;
        continue;
      }
      const flow = callers.openToCaller(bound);
      if (flow < 0) continue;
      for (let got; (got = set.read(flow, into, 0, 64)) >= 0;)
        expect(Buffer.from(into.subarray(0, got)).toString()).toBe("call");
      set.close(flow);
      calls++;
    }
  }
});
