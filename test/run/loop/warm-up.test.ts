// Packets that go round before the first real ones, on descriptors of this machine.

import { expect, test } from "bun:test";
import { thisMachine } from "../../../src/applets/this-machine.ts";
import { METHODS, methodOf } from "../../../src/compress/methods.ts";
import type { Method } from "../../../src/compress/method-row.ts";
import { Circuit } from "../../../src/run/loop/circuit.ts";
import type { LoopOwner } from "../../../src/run/loop/loop.ts";
import { WarmUp } from "../../../src/run/loop/warm-up.ts";
import type { Machine } from "../../../src/run/machine.ts";
import { CcpOption } from "../../../src/wire/ccp.ts";
import { linkConfig } from "../../kit/pair.ts";
import { PATIENCE_MS } from "../../kit/patience.ts";

const deflate = methodOf({ type: CcpOption.Deflate, value: Uint8Array.of(0x78, 0x00) })!;

class CountingOwner implements LoopOwner {
  rounds = 0;

  settle(): void {
    this.rounds++;
  }

  nextDeadline(): number {
    return Infinity;
  }

  turnMs(): number {
    return Infinity;
  }

  interfaceLost(): void {}
}

function openCircuit(isPaced = false): { circuit: Circuit; owner: CountingOwner } {
  const owner = new CountingOwner();
  const fds = [thisMachine.descriptors.loopback!(), thisMachine.descriptors.loopback!()];
  return { circuit: new Circuit(thisMachine, linkConfig(), owner, isPaced, fds), owner };
}

/** The machine, with a clock that goes on by a millisecond each time it is asked, and the descriptors that are open. */
function countingMachine(): { machine: Machine; open: Set<number>; drops: number[] } {
  const open = new Set<number>();
  /** How many descriptors were open when the code was given back. */
  const drops: number[] = [];
  let now = 0;
  const descriptors = {
    ...thisMachine.descriptors,
    loopback: () => {
      const fd = thisMachine.descriptors.loopback!();
      open.add(fd);
      return fd;
    },
    close: (fd: number) => {
      expect(open.delete(fd)).toBe(true);
      thisMachine.descriptors.close(fd);
    },
  };
  const clock = { ...thisMachine.clock, now: () => (now += 0.01) };
  const processes = { ...thisMachine.processes, dropCode: () => void drops.push(open.size) };
  return { machine: { ...thisMachine, descriptors, clock, processes }, open, drops };
}

for (const isPaced of [false, true])
  test(`packets go round by VJ and Deflate on a line ${isPaced ? "with" : "without"} a speed, two rounds a lap`, async () => {
    const { circuit, owner } = openCircuit(isPaced);
    try {
      await circuit.run(PATIENCE_MS, 100);
      const { traffic, datapath } = circuit.link.networks;
      expect(traffic.packetsIn).toBe(50);
      expect(datapath.counters().received.vjCompressed).toBeGreaterThan(20);
      circuit.use(deflate);
      await circuit.run(PATIENCE_MS, 100);
      expect(traffic.packetsIn).toBe(100);
      const { received } = datapath.counters();
      expect(received.vjErrors).toBe(0);
      // A fast line gets the packets plain, and the history all the same.
      expect(isPaced ? received.compressedPackets : received.incompressiblePackets).toBeGreaterThanOrEqual(49);
      expect([circuit.rounds, owner.rounds]).toEqual([200, 202]);
    } finally {
      circuit.close();
    }
  });

test("a packet that is lost keeps nobody waiting", async () => {
  const { circuit } = openCircuit();
  try {
    circuit.link.networks.ipv4Up = false;
    await circuit.run(PATIENCE_MS, 30);
    expect(circuit.rounds).toBe(30);
  } finally {
    circuit.close();
  }
});

test("every method of CCP that has a codec goes round", async () => {
  const options = METHODS.flatMap(({ type }) =>
    [Uint8Array.of(0x2f), Uint8Array.of(0x78, 0), Uint8Array.of(1, 0, 0, 0x40), Uint8Array.of(0, 1, 4), Uint8Array.of()]
      .map((value) => methodOf({ type, value }))
      .filter((method) => method !== undefined),
  );
  const kinds = new Map(options.map((method) => [method.kind, method]));
  expect(kinds.size).toBeGreaterThan(3);
  for (const method of kinds.values()) {
    const { circuit } = openCircuit(true);
    try {
      circuit.use(method);
      await circuit.run(PATIENCE_MS, 100);
      expect([method.kind, circuit.link.networks.traffic.packetsIn]).toEqual([method.kind, 50]);
    } finally {
      circuit.close();
    }
  }
});

test("the warm-up takes turns, goes on with what CCP agreed on, and closes what it has opened", async () => {
  const { machine, open, drops } = countingMachine();
  const networks = { up: false, methods: [] as Method[], traffic: { packetsIn: 0, packetsOut: 0 } };
  const owner = new CountingOwner();
  const config = linkConfig();
  const host = { machine, config, networks: networks as never, owner, isPaced: false };
  const warmUp = new WarmUp(host);
  let turns = 0;
  while (Number.isFinite(warmUp.pauseMs)) {
    expect(await warmUp.turn()).toBe(true);
    turns++;
  }
  expect(turns).toBeGreaterThan(10);
  expect(open.size).toBe(2);
  // The peer comes, and wants compression.
  const plain = owner.rounds;
  networks.up = true;
  networks.methods = [deflate, deflate];
  while (await warmUp.turn());
  expect(owner.rounds).toBeGreaterThanOrEqual(2 * plain - turns);
  expect(open.size).toBe(0);
  // The code is read again before the end.
  expect(drops).toEqual([2]);
  warmUp.end();
});

test("where real packets pass, the warm-up waits for a quiet line; what ends early is closed", async () => {
  const { machine, open, drops } = countingMachine();
  const networks = { up: true, methods: [], traffic: { packetsIn: 0, packetsOut: 0 } };
  const host = { machine, config: linkConfig(), networks: networks as never, owner: new CountingOwner() };
  const warmUp = new WarmUp({ ...host, isPaced: false });
  await warmUp.turn();
  const { pauseMs } = warmUp;
  networks.traffic.packetsIn++;
  expect(warmUp.pauseMs).toBeGreaterThan(pauseMs);
  await warmUp.turn();
  expect(warmUp.pauseMs).toBe(pauseMs);
  warmUp.end();
  expect([open.size, drops.length]).toEqual([0, 0]);
});
