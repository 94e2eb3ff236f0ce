// Packets of the loopback's addresses do not pass from a link to its interface.

import { expect, test } from "bun:test";
import { isOfLoopback } from "../../../src/run/packets/loopback-guard.ts";
import { Laplink } from "../../simulation/laplink.ts";

function packet(source: readonly number[], destination: readonly number[], first = 0x45): Uint8Array {
  return Uint8Array.from([first, 0, 0, 24, 0, 0, 0, 0, 64, 17, 0, 0, ...source, ...destination, 1, 2, 3, 4]);
}

const LAN = [10, 0, 0, 2];
const OWN = [10, 0, 0, 1];
const LOOPBACK = [127, 9, 9, 9];

test("an address of 127.0.0.0/8 at either end is found, and in IPv4 only", () => {
  const of = (...args: Parameters<typeof packet>): boolean => isOfLoopback(Uint8Array.from([0, ...packet(...args)]), 1);
  expect([of(LAN, OWN), of(LAN, LOOPBACK), of(LOOPBACK, OWN)]).toEqual([false, true, true]);
  expect(of(LAN, LOOPBACK, 0x60)).toBe(false);
});

test.each([[[] as string[]], [["demand", "persist", "connect", "true"]]])(
  "the kernel gets no such packet %p",
  (words) => {
    const link = new Laplink({ seed: 1 });
    const { time, computers } = link;
    const line = ["/dev/ttyUSB0", "115200", "noauth", "nodetach", "local", "noipv6", "noccp", "novj"];
    computers[0].start([...line, "10.0.0.1:10.0.0.2", ...words]);
    computers[1].start([...line, "10.0.0.2:10.0.0.1"]);
    const got: string[] = [];
    computers[0].network.received = (bytes) => void got.push(bytes.subarray(16, 20).join("."));
    const send = (bytes: Uint8Array): void => void computers[1].network.tuns[0]?.transmit(bytes);
    const talk = (): boolean => {
      computers[0].network.tuns[0]?.transmit(packet(OWN, LAN));
      send(packet(LAN, OWN));
      return got.length > 0;
    };
    expect(time.runUntil(talk, 60_000)).toBe(true);
    time.run(1000);
    send(packet(LAN, LOOPBACK));
    send(packet(LOOPBACK, OWN));
    time.run(1000);
    expect(new Set(got)).toEqual(new Set(["10.0.0.1"]));
    const count = got.length;
    send(packet(LAN, OWN));
    time.run(1000);
    expect(got).toHaveLength(count + 1);
  },
);
