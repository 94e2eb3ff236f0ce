// The sockets of user-mode networking, against servers of Bun on the loopback.

import { join } from "node:path";
import { afterEach, expect, test } from "bun:test";
import { SocketSet } from "../../../src/os/net/socket-set.ts";

const LOOPBACK = Uint8Array.of(127, 0, 0, 1);
const ECONNREFUSED = 111;
const EAGAIN = 11;

let sockets: SocketSet | undefined;
let stop: (() => void) | undefined;
afterEach(() => {
  sockets?.end();
  stop?.();
  stop = undefined;
});

/** Collects until the wanted event has come. */
async function until(set: SocketSet, socket: number, wanted: "readable" | "writable"): Promise<void> {
  for (let has = false; !has;) {
    set.collect((one, readable, writable) => {
      if (one === socket) has ||= wanted === "readable" ? readable : writable;
    });
    if (!has) await Bun.sleep(1);
  }
}

test("a connection is made, carries octets both ways and ends", async () => {
  const server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    allowHalfOpen: true,
    socket: { data: (socket, data) => void socket.write(data), end: (socket) => void socket.end() },
  });
  stop = () => server.stop(true);
  const set = (sockets = new SocketSet());
  const socket = set.connect(LOOPBACK, server.port);
  await until(set, socket, "writable");
  expect(set.connectResult(socket)).toBe(0);
  expect(set.room(socket)).toBeGreaterThan(1000);
  const into = new Uint8Array(16);
  expect(set.read(socket, into, 0, 16)).toBe(-EAGAIN);
  expect(set.write(socket, Uint8Array.of(9, 1, 2, 3, 9), 1, 4)).toBe(3);
  await until(set, socket, "readable");
  expect(set.read(socket, into, 4, 12)).toBe(3);
  expect([...into.subarray(3, 8)]).toEqual([0, 1, 2, 3, 0]);
  set.shutdown(socket);
  await until(set, socket, "readable");
  expect(set.read(socket, into, 0, 16)).toBe(0);
  set.close(socket);
});

test("a port that nobody listens on is told of", async () => {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = server;
  server.stop(true);
  const set = (sockets = new SocketSet());
  const socket = set.connect(LOOPBACK, port);
  if (socket < 0) expect(socket).toBe(-ECONNREFUSED);
  else {
    await until(set, socket, "writable");
    expect(set.connectResult(socket)).toBe(ECONNREFUSED);
    set.abort(socket);
  }
});

test("datagrams go both ways, and an unreachable port is an error of the socket", async () => {
  const server = await Bun.udpSocket({
    hostname: "127.0.0.1",
    socket: { data: (socket, data, port, from) => void socket.send(data, port, from) },
  });
  const set = (sockets = new SocketSet());
  const socket = set.openDatagrams(LOOPBACK, server.port);
  expect(set.send(socket, Uint8Array.of(1, 2), 0, 2, 17, 4)).toBe(2);
  await until(set, socket, "readable");
  const into = new Uint8Array(16);
  expect([set.read(socket, into, 0, 16), into[1]]).toEqual([2, 2]);
  server.close();
  set.send(socket, Uint8Array.of(1, 2), 0, 2, 64, 4);
  await until(set, socket, "readable");
  expect(set.read(socket, into, 0, 16)).toBe(-ECONNREFUSED);
  expect(set.takeIcmp(socket)).toEqual({ type: 3, code: 3, from: LOOPBACK });
  expect(set.takeIcmp(socket)).toBeUndefined();
  expect(set.read(socket, into, 0, 16)).toBe(-EAGAIN);
  set.close(socket);
});

test("the last descriptors of the process are no flow's", async () => {
  const script = `
    const { SocketSet } = await import("${join(import.meta.dir, "../../../src/os/net/socket-set.ts")}");
    const { openSync } = await import("node:fs");
    const set = new SocketSet();
    let count = 0, last;
    while ((last = set.openDatagrams(Uint8Array.of(127, 0, 0, 1), 9)) >= 0 && count < 1000) count++;
    let files = 0;
    while (files < 32) { openSync("/dev/null"); files++; }
    console.log(last, count > 50 && count < 192, files);`;
  const run = Bun.spawn(["sh", "-c", 'ulimit -n 256 && exec "$0" -e "$1"', process.execPath, script]);
  expect(await new Response(run.stdout).text()).toBe("-24 true 32\n");
});
