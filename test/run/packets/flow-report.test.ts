// What the log is told of flows that were refused: at once, and then once a minute at most.

import { expect, test } from "bun:test";
import { FlowReport } from "../../../src/run/packets/flow-report.ts";
import { SocketAdapter } from "../../../src/run/packets/socket-adapter.ts";
import type { Sockets } from "../../../src/run/host/sockets.ts";
import { FAILED, Failure } from "../../../src/stack/socket-side.ts";
import { udpPacket } from "../../kit/segment-text.ts";
import { PEER, StackPeer } from "../../kit/stack-peer.ts";

function reported(sockets: Partial<Sockets> = {}) {
  const peer = new StackPeer({ mostFlows: 4 });
  const lines: string[] = [];
  const write = (level: string, text: string): void => void lines.push(`${level} ${text}`);
  const adapter = new SocketAdapter(sockets as Sockets);
  const report = new FlowReport(peer.stack, adapter, {
    debug: false,
    fd: undefined,
    write,
    note: write,
    pass: () => {},
  });
  let port = 1;
  const send = (to: string, times: number): void => {
    for (let time = 0; time < times; time++)
      peer.sendPacket(udpPacket({ from: PEER, to, fromPort: port++, toPort: 7000 }, [1]));
  };
  return { adapter, report, lines, send };
}

test("an address that a rule closes is named at once; then once a minute, with a number", () => {
  const { report, lines, send } = reported();
  report.look(0);
  send("169.254.169.254", 1);
  report.look(1);
  send("169.254.1.2", 500);
  for (let now = 2; now < 60_001; now += 1000) report.look(now);
  const first = "notice The peer may not go to 169.254.169.254 (see share-allow and share-deny)";
  expect(lines).toEqual([first]);
  report.look(60_001);
  report.look(200_000);
  expect(lines).toEqual([
    first,
    "notice The peer may not go to 169.254.1.2 (see share-allow and share-deny); 500 times since it was last said",
  ]);
});

test("limits are told of by kind, and so is a lack of descriptors", () => {
  const { adapter, report, lines, send } = reported();
  send("192.0.2.80", 4);
  report.look(0);
  adapter.exhausted = 2;
  report.look(1);
  expect(lines).toEqual([
    "warn There are as many flows of UDP with the peer as there may be: one was refused or given up",
    "warn No descriptor is left for a flow of the peer: raise the limit of open files (ulimit -n); 2 times since it was last said",
  ]);
});

test.each<readonly [string, readonly string[], number, readonly string[]]>([
  [
    "a user outside ping_group_range is told of once",
    [],
    13,
    ["info Pings are not carried: this user is not in net.ipv4.ping_group_range"],
  ],
  ["a broadcast address alone is nothing to tell of", ["127.0.0.1"], 13, []],
  ["nor is a kernel without such sockets", [], 93, []],
])("%s", (_, allowed, error, told) => {
  const { report, lines, adapter } = reported({
    openEchoes: (address: Uint8Array) => (allowed.includes(address.join(".")) ? 5 : -error),
    close: () => {},
  });
  for (const now of [1, 2]) {
    expect(adapter.openEchoes(Uint8Array.of(192, 0, 2, 255))).toBeLessThan(0);
    expect(adapter.failure(FAILED)).toBe(Failure.UNSUPPORTED);
    report.look(now * 100_000);
  }
  expect(lines).toEqual([...told]);
});
