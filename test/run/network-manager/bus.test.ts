// The client of the message bus against a bus in memory, and against dbus-daemon where there is one.

import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectBus } from "../../../src/os/net/system-bus.ts";
import type { BusListener } from "../../../src/run/host/message-bus.ts";
import { Bus } from "../../../src/run/network-manager/bus.ts";
import { thisMachine } from "../../../src/applets/this-machine.ts";
import { MemoryBus, messageOf } from "../../kit/memory-bus.ts";
import { PATIENCE_MS, until } from "../../kit/patience.ts";

const { clock } = thisMachine;
const target = { destination: "org.example", path: "/a", interface: "org.example.I", member: "M" };
/** What a promise is rejected with. (`rejects` of bun:test would wait for it at once.) */
const failureOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "no failure",
    (error: unknown) => String(error),
  );
const open = (bus: MemoryBus): Promise<Bus> => Bus.open(bus, clock, PATIENCE_MS);

test("it proves itself by its socket, says hello, and calls a method with every type that a plugin has", async () => {
  const bus = new MemoryBus();
  const client = await open(bus);
  expect(bus.greeting).toBe("\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n");
  const answer = client.call(target, [
    ["i", -2],
    ["u", 0xfffffffe],
    ["a{sv}", { s: ["s", "text"], n: ["u", 7], list: ["au", [1, 0xffffffff]], wide: ["t", { high: 1, low: 2 }] }],
    ["s", "end"],
  ]);
  const [call] = bus.calls;
  expect(call).toMatchObject({ ...target, body: [-2, 0xfffffffe, expect.anything(), "end"] });
  expect(call!.body[2]).toEqual({ s: "text", n: 7, list: [1, 0xffffffff], wide: 0x1_0000_0002n });
  bus.reply(call!, "zaphod", "gargleBlaster");
  expect(await answer).toEqual(["zaphod", "gargleBlaster"]);
});

test("replies come in any pieces and in any order, and an error has the words of GLib", async () => {
  const bus = new MemoryBus();
  const client = await open(bus);
  const [first, second] = [client.call(target, []), client.call(target, [])];
  const [one, two] = bus.calls;
  const error = failureOf(first);
  const both = [
    ...messageOf(2, two!.serial, ["b"]),
    ...messageOf(3, one!.serial, ["there is none"], "org.example.Error.No"),
  ];
  for (const octet of both) bus.send(Uint8Array.of(octet));
  expect(await second).toEqual(["b"]);
  expect(await error).toBe("Error: GDBus.Error:org.example.Error.No: there is none");
});

test("a connection that comes when nobody waits any more is ended", async () => {
  const bus = new MemoryBus();
  const { promise: connecting, resolve } = Promise.withResolvers<void>();
  const slow = { connect: (listener: BusListener) => connecting.then(() => bus.connect(listener)) };
  const opened = failureOf(Bus.open(slow, { ...clock, after: (_ms, call) => (call(), () => {}) }, 1));
  resolve();
  expect(await opened).toContain("Error: ");
  expect(bus.isClosed).toBe(true);
});

test("a bus that refuses us, goes away, talks nonsense or does not answer fails the calls, and nothing waits", async () => {
  const refusing = new MemoryBus();
  refusing.admission = "REJECTED EXTERNAL\r\n";
  expect(await failureOf(open(refusing))).toContain("The bus does not admit us");
  const silent = new MemoryBus();
  silent.admission = undefined;
  expect(await failureOf(Bus.open(silent, clock, 1))).toContain("the bus does not answer");
  const gone = new MemoryBus();
  const client = await open(gone);
  const failed = failureOf(client.call(target, []));
  gone.hangUp();
  expect(await failed).toContain("The connection is closed");
  expect(client.isOpen).toBe(false);
  expect(await failureOf(client.call(target, []))).toContain("The connection is closed");
  for (const nonsense of ["x".repeat(40), "l\u0002\u0000\u0001\u00ff\u00ff\u00ff\u00ff".padEnd(40, "\u0000")]) {
    const wrong = new MemoryBus();
    const call = failureOf((await open(wrong)).call(target, []));
    wrong.send(Buffer.from(nonsense, "latin1"));
    expect(await call).toContain("The bus sends what is no message");
    expect(wrong.isClosed).toBe(true);
  }
  const slow = await open(new MemoryBus());
  expect(await failureOf(slow.call(target, [], 1))).toContain("Timeout was reached");
});

const daemon = Bun.which("dbus-daemon", { PATH: `${process.env["PATH"]}:/usr/bin` });

test.skipIf(daemon === null)(
  `with dbus-daemon${daemon === null ? " [skipped: it is not installed]" : ""}`,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "nullmodem-bus-"));
    const socket = join(folder, "bus socket");
    const config = join(folder, "bus.conf");
    const allow = ["send_type", "receive_type"].flatMap((side) =>
      ["method_call", "method_return", "error", "signal"].map((type) => `<allow ${side}="${type}"/>`),
    );
    writeFileSync(
      config,
      `<busconfig><listen>unix:path=${encodeURI(socket)}</listen><policy context="default"><allow user="*"/>${allow.join("")}</policy></busconfig>`,
    );
    const bus = Bun.spawn([daemon!, `--config-file=${config}`, "--nofork", "--nopidfile"], {
      stdio: ["ignore", "ignore", "ignore"],
    });
    try {
      const address = `tcp:host=nowhere;unix:path=${encodeURI(join(folder, "no"))};unix:path=${encodeURI(socket)}`;
      const connect = async (): Promise<Bus | undefined> => {
        try {
          return await Bus.open({ connect: (listener) => connectBus(listener, address) }, clock, PATIENCE_MS);
        } catch {
          return undefined;
        }
      };
      let client: Bus | undefined;
      await until("the bus admits us", async () => (client = await connect()) !== undefined);
      const self = {
        destination: "org.freedesktop.DBus",
        path: "/org/freedesktop/DBus",
        interface: "org.freedesktop.DBus",
      };
      const [id] = await client!.call({ ...self, member: "GetId" }, []);
      expect(id).toMatch(/^[0-9a-f]{32}$/);
      const [owner] = await client!.call({ ...self, member: "GetNameOwner" }, [["s", "org.freedesktop.DBus"]]);
      expect(owner).toBe("org.freedesktop.DBus");
      const wrong = client!.call({ ...self, member: "GetNameOwner" }, [["u", 1]]);
      expect(await failureOf(wrong)).toContain("GDBus.Error:org.freedesktop.DBus.Error.InvalidArgs");
      // Another program asks us for what we do not have, and is told so.
      const other = (await connect())!;
      const peer = { destination: ":1.0", path: "/", interface: "org.freedesktop.DBus.Peer", member: "Ping" };
      expect(await failureOf(other.call(peer, []))).toContain("UnknownMethod");
      other.end();
      client!.end();
    } finally {
      bus.kill();
      await bus.exited;
      rmSync(folder, { recursive: true });
    }
  },
  PATIENCE_MS,
);
