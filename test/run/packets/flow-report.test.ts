// What the log is told of flows that were refused: at once, and then once a minute at most.

import { expect, test } from "bun:test";
import { FlowReport } from "../../../src/run/packets/flow-report.ts";
import { SocketAdapter } from "../../../src/run/packets/socket-adapter.ts";
import type { Sockets } from "../../../src/run/host/sockets.ts";
import { udpPacket } from "../../kit/segment-text.ts";
import { PEER, StackPeer } from "../../kit/stack-peer.ts";

function reported() {
  const peer = new StackPeer({ mostFlows: 4 });
  const lines: string[] = [];
  const write = (level: string, text: string): void => void lines.push(`${level} ${text}`);
  // The adapter opens no socket here.
  const adapter = new SocketAdapter({} as Sockets);
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
