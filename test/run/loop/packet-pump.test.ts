// The way of packets from the packet port to the line, in simulated time: the carrier sends a packet in as many milliseconds as
// the line needs for it.

import { expect, test } from "bun:test";
import { thisMachine } from "../../../src/applets/this-machine.ts";
import { u16, u32 } from "../../../src/bytes/be.ts";
import { InterfaceBuffers } from "../../../src/run/loop/buffers.ts";
import type { LinePort } from "../../../src/run/loop/line-port.ts";
import { Pacer } from "../../../src/run/loop/pacer.ts";
import { type Carrier, PacketPump } from "../../../src/run/loop/packet-pump.ts";
import type { Memory } from "../../../src/run/machine.ts";
import type { PacketPort } from "../../../src/run/packets/port.ts";
import { packet4 } from "../../queue/packets.ts";

const BAUD = 115200;
const BULK = 1;
const PING = 2;

class Scene {
  /** The port takes packets back. */
  readonly returned: string[] = [];
  now = 0;
  /** "port:number" of each packet that was sent, or the word "piece". */
  readonly sent: string[] = [];
  readonly inKernel: Uint8Array[] = [];
  readonly kept: Uint8Array[] = [];
  pieces = 0;
  cuts: boolean | undefined;
  readonly pump: PacketPump;
  readonly pacer: Pacer;
  readonly #ports: LinePort[];
  #unwritten = 0;
  #number = 0;

  constructor({ baud = BAUD, waitsInKernel = true, keeps = 0 } = {}) {
    const pacer = (this.pacer = new Pacer(baud));
    const drain = (now: number): void => {
      pacer.wrote(this.#unwritten, now);
      this.#unwritten = 0;
    };
    const isHungry = (now: number): boolean => pacer.hungry(this.#unwritten, 0, now);
    this.#ports = [{ pacer, isHungry, drain } as unknown as LinePort];
    const packets = {
      waitsInKernel,
      fd: 4,
      nextTimeout: () => Infinity,
      handleTimeout: () => {},
      read: (into: Memory, at: number) => this.#read(into, at),
      ...(keeps > 0 && {
        keep: (packet: Uint8Array, start: number, end: number) => {
          if (this.returned.length === keeps) return false;
          this.returned.push(`${u16(packet, start + 20)}:${u32(packet, end - 4)}`);
          return true;
        },
      }),
    };
    Object.defineProperty(packets, "hasKept", { get: () => this.kept.length > 0 });
    const memory = new InterfaceBuffers(thisMachine.descriptors);
    this.pump = new PacketPump(this.#carrier(), packets as unknown as PacketPort, memory, () => 7);
    this.pump.carry(true);
  }

  #read(into: Memory, at: number): number {
    const packet = this.kept.shift() ?? this.inKernel.shift();
    if (packet === undefined) return -11;
    into.bytes.set(packet, at);
    return packet.length;
  }

  #carrier(): Carrier {
    const send = (packet: Uint8Array, start: number, end: number): boolean => {
      this.#unwritten += end - start;
      this.sent.push(`${u16(packet, start + 20)}:${u32(packet, end - 4)}`);
      return true;
    };
    const carrier = {
      networks: { datapath: { fast: true } },
      hasRoom: () => true,
      send,
      cut: (packet: Uint8Array, start: number, end: number) => {
        if (this.cuts !== true) send(packet, start, end);
        else {
          this.pieces = 5;
          this.sent.push(`cut ${u16(packet, start + 20)}:${u32(packet, end - 4)}`);
        }
        return this.cuts === true;
      },
      sendPiece: () => {
        this.#unwritten += 300;
        this.pieces--;
        this.sent.push("piece");
      },
    };
    Object.defineProperty(carrier, "hasPieces", { get: () => this.pieces > 0 });
    return carrier as unknown as Carrier;
  }

  packet(port: number): Uint8Array {
    return packet4({ length: port === PING ? 84 : 1500, port }, this.#number++);
  }

  /** A packet comes to the interface, and the loop serves it if the pump waits for packets. */
  comes(port: number): void {
    this.inKernel.push(this.packet(port));
    this.turn();
  }

  /** A round of the loop. */
  turn(): void {
    if (this.pump.nextTimeout() <= this.now) this.pump.handleTimeout(this.now);
    const isHungry = this.pump.isHungry(this.#ports, this.now);
    const isReady = this.inKernel.length > 0 && (isHungry || this.pump.readsAhead(this.#ports));
    if (isReady || (isHungry && this.pump.hasKept)) this.pump.take(this.#ports, this.now);
  }

  pass(ms: number): void {
    for (const end = this.now + ms; this.now < end; this.turn()) this.now = Math.min(end, this.now + 1);
  }
}

test("on a line of known speed nothing waits in the kernel, and a ping goes next", () => {
  const scene = new Scene();
  for (let count = 0; count < 20; count++) scene.comes(BULK);
  scene.comes(PING);
  scene.comes(PING);
  expect(scene.inKernel).toEqual([]);
  expect(scene.sent).toEqual(["1:0"]);
  scene.pass(131 + 131);
  expect(scene.sent).toEqual(["1:0", "2:20", "2:21", "1:1"]);
});

test("a line of unknown speed takes packets from the kernel in their order, and none before it wants it", () => {
  const scene = new Scene({ baud: 0 });
  for (let count = 0; count < 40; count++) scene.inKernel.push(scene.packet(count % 2 === 0 ? BULK : PING));
  scene.turn();
  expect(scene.sent).toEqual(Array.from({ length: 40 }, (_, number) => `${number % 2 === 0 ? BULK : PING}:${number}`));
});

test("a port that makes its packets when they are read is asked only by a hungry line", () => {
  const scene = new Scene({ waitsInKernel: false });
  for (let count = 0; count < 5; count++) scene.comes(BULK);
  scene.pass(131);
  expect([scene.sent.length, scene.inKernel.length]).toEqual([2, 3]);
});

test("kept packets go in their order before the interface is read ahead", () => {
  const scene = new Scene();
  scene.kept.push(scene.packet(BULK), scene.packet(PING), scene.packet(BULK));
  for (let count = 0; count < 3; count++) scene.comes(BULK);
  scene.comes(PING);
  expect(scene.inKernel).toHaveLength(4);
  scene.pass(1000);
  expect(scene.sent).toEqual(["1:0", "2:1", "1:2", "2:6", "1:3", "1:4", "1:5"]);
});

test("small packets go between the pieces of a large one, which is cut only while there are such", () => {
  const scene = new Scene();
  scene.cuts = true;
  for (let count = 0; count < 3; count++) scene.comes(BULK);
  scene.pass(100);
  scene.comes(PING);
  scene.pass(100);
  scene.comes(PING);
  scene.pass(300);
  expect(scene.sent).toEqual([
    ..."1:0 2:3".split(" "),
    ...["cut 1:1", "piece", "piece", "piece", "2:4", "piece", "piece"],
    ...["cut 1:2", "piece", "piece", "piece", "piece", "piece"],
  ]);
});

test("a carrier that cannot cut a packet has sent it whole", () => {
  const scene = new Scene();
  for (let count = 0; count < 3; count++) scene.comes(BULK);
  scene.comes(PING);
  scene.pass(500);
  expect(scene.sent).toEqual(["1:0", "2:3", "1:1", "1:2"]);
});

test("packets that were read ahead go first when the line turns out to be faster than its speed", () => {
  const scene = new Scene();
  for (let count = 0; count < 4; count++) scene.comes(BULK);
  scene.pacer.roundTrip(100, 1);
  expect(scene.pacer.paced).toBe(false);
  for (let count = 0; count < 3; count++) scene.comes(PING);
  expect(scene.sent.toSorted()).toEqual(["1:0", "1:1", "1:2", "1:3", "2:4", "2:5", "2:6"]);
  expect(scene.sent.indexOf("1:3")).toBeLessThan(scene.sent.indexOf("2:4"));
});

test("a flood is left to the kernel for a moment at a time", () => {
  const scene = new Scene();
  for (let count = 0; count < 3000; count++) scene.inKernel.push(scene.packet(BULK));
  let reads = 0;
  for (let turn = 0; turn < 2000; turn++) {
    const { length } = scene.inKernel;
    scene.turn();
    if (scene.inKernel.length < length) reads++;
  }
  expect(reads).toBeLessThan(10);
  expect(scene.inKernel.length).toBeGreaterThan(2000);
  scene.comes(PING);
  scene.pass(400);
  expect(scene.inKernel).toEqual([]);
  expect(scene.sent).toContain("2:3000");
});

test("packets that wait when the link ends are lost with it", () => {
  const scene = new Scene();
  for (let count = 0; count < 4; count++) scene.comes(BULK);
  expect(scene.pump.losses).toBeUndefined();
  scene.pump.carry(false);
  scene.pass(300);
  scene.pump.carry(true);
  scene.comes(PING);
  scene.pass(300);
  expect(scene.sent).toEqual(["1:0", "2:4"]);
  expect(scene.pump.losses).toBe("Packets to the line: 0 dropped, 0 marked, 3 left at the end");
});

test("a port that outlasts the link takes them back, in the order in which they came", () => {
  const scene = new Scene({ keeps: 128 });
  for (const port of [BULK, BULK, PING, BULK, PING]) {
    scene.comes(port);
    scene.pass(1);
  }
  scene.pump.carry(false);
  expect(scene.sent).toEqual(["1:0"]);
  expect(scene.returned).toEqual(["1:1", "2:2", "1:3", "2:4"]);
  expect(scene.pump.losses).toBeUndefined();
});

test("what such a port has no room for is lost, and counted", () => {
  const scene = new Scene({ keeps: 3 });
  for (let count = 0; count < 6; count++) {
    scene.comes(BULK);
    scene.pass(1);
  }
  scene.pump.carry(false);
  expect(scene.returned).toEqual(["1:1", "1:2", "1:3"]);
  expect(scene.pump.losses).toBe("Packets to the line: 0 dropped, 0 marked, 2 left at the end");
});
