// The wait of `demand` for a packet that is worth a link, on descriptors that are made up.

import { expect, test } from "bun:test";
import { thisMachine } from "../../../src/applets/this-machine.ts";
import { Errno, type Machine, type Memory, Poll } from "../../../src/run/machine.ts";
import { KeptPackets } from "../../../src/run/packets/kept-packets.ts";
import { PacketWait } from "../../../src/run/packets/packet-wait.ts";

const BOTH = { ipv4: true, ipv6: true };
const NEVER = (): number => Infinity;

function ipv4(last: number): number[] {
  return [0x45, ...Array.from({ length: 18 }, () => 0), last];
}

/** To an address that begins with `first` and `second`. */
function ipv6(first: number, second: number): number[] {
  return [0x60, ...Array.from({ length: 23 }, () => 0), first, second, ...Array.from({ length: 14 }, () => 1)];
}

function setUp(...packets: number[][]) {
  const kept = new KeptPackets();
  const fake = { polls: [] as number[], events: 0, now: 0 };
  const descriptors = {
    ...thisMachine.descriptors,
    runtimeEvents: () => [99],
    pollSet: () => ({ setFd: () => {}, want: () => {}, got: () => fake.events }),
    poll: async (_: unknown, ms: number) => {
      fake.polls.push(ms);
      if (fake.polls.length > 9) throw new Error("the wait goes on");
      fake.now += ms;
      return 0;
    },
    read: (_: number, into: Memory, at: number) => {
      const packet = packets.shift();
      if (packet === undefined) return -Errno.EAGAIN;
      into.bytes.set(packet, at);
      return packet.length;
    },
  };
  const clock = { ...thisMachine.clock, now: () => fake.now, turn: async () => {} };
  const syslog = { ...thisMachine.syslog, turnMs: NEVER };
  const machine = { ...thisMachine, clock, descriptors, syslog } as Machine;
  return { wait: new PacketWait(machine, 3, kept), kept, fake, packets };
}

test("the first packet of a protocol with addresses is kept, and later ones stay in the queue", async () => {
  const { wait, kept, packets } = setUp(ipv6(0x20, 1), ipv4(1), ipv4(2));
  expect(await wait.run(undefined, { ipv4: true, ipv6: false }, () => false, NEVER)).toBe("packet");
  expect(kept.length).toBe(1);
  expect(packets).toEqual([ipv4(2)]);
  wait.gather();
  expect([kept.length, packets.length]).toEqual([2, 0]);
});

test("the kernel's own messages to neighbours start no link, and neither does a packet without an address", async () => {
  const { wait, fake } = setUp(ipv6(0xff, 2), [0x60], ipv4(1));
  fake.events = Poll.ERR;
  expect(await wait.run(undefined, { ipv4: false, ipv6: true }, () => false, NEVER)).toBe("gone");
  const other = setUp(ipv6(0xff, 0x0e));
  expect(await other.wait.run(undefined, BOTH, () => false, NEVER)).toBe("packet");
});

test("a packet that was kept after a failed attempt starts the next one, unless its protocol has lost its addresses", async () => {
  const { wait, kept } = setUp();
  kept.add(Uint8Array.from(ipv4(1)), 0, 20);
  expect(await wait.run(undefined, BOTH, () => true, NEVER)).toBe("packet");
  expect(await wait.run(undefined, { ipv4: false, ipv6: true }, () => true, NEVER)).toBe("stopped");
  expect(kept.length).toBe(0);
});

test("it sleeps until a timer is due, and ends when it is told to", async () => {
  const { wait, fake } = setUp();
  let looks = 0;
  const found = await wait.run(
    undefined,
    BOTH,
    () => ++looks > 3,
    () => 500 * Math.ceil((fake.now + 1) / 500),
  );
  expect(found).toBe("stopped");
  expect(fake.polls).toEqual([500, 500, 500]);
});

test("packets that waited too long are dropped, kept or queued", () => {
  const { wait, kept, packets } = setUp(ipv4(1), ipv4(2));
  kept.add(Uint8Array.from(ipv4(3)), 0, 20);
  wait.discard();
  expect([kept.length, packets.length]).toEqual([0, 0]);
});
