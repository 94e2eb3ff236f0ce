// Forwarded ports over played sockets: callers beyond the limit, and addresses.

import { expect, test } from "bun:test";
import { Forwarding } from "../../../src/run/packets/forwarding.ts";
import { SocketAdapter } from "../../../src/run/packets/socket-adapter.ts";
import { Process } from "../../simulation/process.ts";
import { SimulatedSockets } from "../../simulation/sockets.ts";
import { Time } from "../../simulation/time.ts";
import { StackPeer } from "../../kit/stack-peer.ts";

const ENDS = { our: Uint8Array.of(10, 0, 0, 1), peer: Uint8Array.of(10, 0, 0, 2) };
const PORT = { protocol: "tcp", address: undefined, port: 80, toPort: 8080 } as const;

function forwarding(mostCallers: number) {
  const sockets = new SimulatedSockets(new Process(1, new Time(), () => 0), new Set());
  const adapter = new SocketAdapter(sockets);
  const peer = new StackPeer({ side: adapter });
  const lines: string[] = [];
  const write = (_: string, text: string): void => void lines.push(text);
  const log = { debug: false, fd: undefined, write, note: write, pass: () => {} };
  const descriptors = { errorText: (number: number) => `error ${number}` };
  const { stack } = peer;
  const ports = new Forwarding({ callers: sockets.callers, adapter, stack, descriptors, log, mostCallers }, [
    PORT,
    { ...PORT, protocol: "udp" },
  ]);
  ports.setEnds(4, ENDS);
  const collect = (): void =>
    void sockets.collect((socket, readable, writable) => {
      if (!ports.ready(socket, peer.now)) stack.ready(socket, readable, writable, peer.now);
    });
  return { sockets, peer, ports, lines, collect };
}

test("callers beyond the limit are reset, and the peer's own flows still find room", () => {
  const { sockets, peer, collect } = forwarding(2);
  const callers = [1, 2, 3].map(() => sockets.call(80)!);
  collect();
  expect(callers.map(({ end }) => end)).toEqual(["open", "open", "aborted"]);
  for (const port of [5001, 5002, 5003]) sockets.sendTo(80, port, Uint8Array.of(1));
  collect();
  expect(peer.stack.counts).toMatchObject({ tcp: { opened: 2, limited: 1 }, udp: { opened: 2, limited: 1 } });
  // One that ends makes room for another.
  peer.stack.close();
  const next = sockets.call(80)!;
  collect();
  expect(next.end).toBe("open");
  expect(peer.stack.counts.tcp).toMatchObject({ opened: 3, limited: 1 });
});

test("the ports are open once while either protocol is up", () => {
  const { sockets, ports, lines } = forwarding(2);
  ports.setEnds(6, { our: new Uint8Array(16).fill(1), peer: new Uint8Array(16).fill(2) });
  ports.setEnds(4, undefined);
  expect(sockets.call(80)).toBeDefined();
  ports.setEnds(6, undefined);
  expect(sockets.call(80)).toBeUndefined();
  expect(lines).toEqual(["Port 80/tcp leads to port 8080 of the peer", "Port 80/udp leads to port 8080 of the peer"]);
});
