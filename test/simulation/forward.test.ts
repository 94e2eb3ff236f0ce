// Two sessions in user-mode networking at the ends of a cable, in simulated time: ports of this machine that lead to the laptop, and
// what the laptop reaches at our address.

import { expect, test } from "bun:test";
import { bytesOf, textOf } from "../../src/bytes/text.ts";
import type { FakeSocket } from "../kit/fake-sockets.ts";
// Loaded before: in simulated time nothing is read from disk.
import "../../src/run/packets/usernet-port.ts";
import { Laplink } from "./laplink.ts";
import { parseStatus } from "../../src/run/live/parsed-status.ts";
import type { Status } from "../../src/run/live/published-status.ts";
import type { SimulatedSockets } from "./sockets.ts";

const PORT = ["/dev/ttyUSB0", "115200", "noauth", "nodetach", "usernet"];
const LINE = [...PORT, "noipv6"];

function laplink(seed: number, ours: readonly string[], laptops: readonly string[]) {
  const link = new Laplink({ seed });
  const { time, computers } = link;
  const near = computers[0].start([...LINE, "10.0.0.1:10.0.0.2", ...ours]);
  const far = computers[1].start([...LINE, "noipdefault", ...laptops]);
  const until = (isSo: () => boolean, ms = 90_000): void => expect(time.runUntil(isSo, ms)).toBe(true);
  const side = (at: 0 | 1): SimulatedSockets => computers[at].network.sockets.at(-1)!;
  until(() => [near, far].every(({ lines }) => lines.some((line) => line.startsWith("remote IP address"))));
  const status = (): Status => {
    const [publication] = computers[0].processes.publications.values();
    return parseStatus(publication!.text())!;
  };
  const end = (): void => {
    for (const one of [near, far]) {
      one.signal("SIGTERM");
      until(() => !one.isRunning);
    }
    expect([near.fault, far.fault, link.leftOn(0), link.leftOn(1)]).toEqual([undefined, undefined, [], []]);
  };
  return { time, computers, near, far, until, side, status, end };
}

test("a TCP port leads to the laptop: octets go both ways, and so do ends and resets", () => {
  const { near, until, side, status, end } = laplink(1, ["forward", "2222=22/tcp"], ["share=loopback"]);
  expect(near.lines).toContain("Port 2222/tcp leads to port 22 of the peer");
  const caller = side(0).call(2222)!;
  caller.give(bytesOf("SSH-2.0-caller"));
  until(() => side(1).played.all.length === 1);
  const server = side(1).played.last;
  expect([server.address, server.port]).toEqual(["127.0.0.1", 22]);
  server.give(bytesOf("SSH-2.0-server"));
  until(() => server.takenOctets > 0 && caller.takenOctets > 0);
  expect([textOf(server.received()), textOf(caller.received())]).toEqual(["SSH-2.0-caller", "SSH-2.0-server"]);
  caller.finish();
  until(() => server.isShut);
  expect(caller.isShut).toBe(false);
  server.finish();
  until(() => caller.end === "closed" && server.end === "closed");
  // The laptop's server breaks the connection.
  const other = side(0).call(2222)!;
  until(() => side(1).played.all.length === 2);
  side(1).played.last.fail(5);
  until(() => other.end === "aborted");
  // The caller breaks the connection.
  const broken = side(0).call(2222)!;
  until(() => side(1).played.all.length === 3);
  broken.fail(5);
  until(() => side(1).played.last.end === "aborted");
  // Nobody listens: the caller is reset.
  side(1).played.connecting = 1;
  const refused = side(0).call(2222)!;
  until(() => refused.end === "aborted");
  // The first one waits for old segments.
  expect(status()).toMatchObject({
    sharing: { way: "sockets" },
    flows: { tcp: { opened: 4, closed: 3, denied: 0, limited: 0 }, udp: { opened: 0 } },
  });
  end();
});

test("callers beyond what is taken at once, and those for whom no descriptor is left, wait", () => {
  const { near, until, side, end } = laplink(7, ["forward", "2222=22/tcp"], ["share=loopback"]);
  for (let count = 0; count < 100; count++) side(0).call(2222);
  until(() => side(1).played.all.length === 100);
  side(0).hasDescriptors = false;
  side(0).call(2222);
  const text = "No descriptor is left for a flow of the peer: raise the limit of open files (ulimit -n)";
  until(() => near.lines.includes(text));
  side(0).hasDescriptors = true;
  until(() => side(1).played.all.length === 101);
  expect(near.lines.filter((line) => line.startsWith("No descriptor")).length).toBe(1);
  end();
});

test("a UDP port leads to the laptop, each caller as a flow of its own", () => {
  const { time, until, side, end } = laplink(2, ["forward", "5300=5301/udp"], ["share=loopback"]);
  const servers = (): FakeSocket[] => side(1).played.all;
  for (const [at, port] of [4000, 4001].entries()) {
    side(0).sendTo(5300, port, bytesOf(`from ${port}`));
    until(() => servers().length === at + 1 && servers()[at]!.datagrams.length === 1);
    expect(textOf(servers()[at]!.datagrams[0]!.bytes)).toBe(`from ${port}`);
  }
  side(0).sendTo(5300, 4000, bytesOf("again"));
  until(() => servers()[0]!.datagrams.length === 2);
  expect(servers()[1]!.datagrams.length).toBe(1);
  servers()[0]!.answer(bytesOf("answer"));
  const caller = side(0).udpCaller(4000)!;
  until(() => caller.datagrams.length === 1);
  expect(textOf(caller.datagrams[0]!.bytes)).toBe("answer");
  // The one that was answered lasts longer.
  time.run(40_000);
  expect([caller.end, side(0).udpCaller(4001)!.end]).toEqual(["open", "closed"]);
  side(0).sendTo(5300, 4001, bytesOf("once more"));
  until(() => servers()[1]!.datagrams.length === 2);
  time.run(181_000);
  expect(caller.end).toBe("closed");
  end();
});

test("a port that is taken does not end the link, and no port is open when it is down", () => {
  const words = ["forward", "80=8080", "forward", "127.0.0.1:8081=81/tcp"];
  const link = new Laplink({ seed: 3 });
  const { time, computers } = link;
  const near = computers[0].start([...LINE, "10.0.0.1:10.0.0.2", "persist", "holdoff", "1", ...words]);
  const until = (isSo: () => boolean): void => expect(time.runUntil(isSo, 90_000)).toBe(true);
  computers[0].network.takenPorts.add(80);
  const far = computers[1].start([...LINE, "noipdefault", "share=loopback"]);
  until(() => near.lines.some((line) => line.startsWith("Port 127.0.0.1:8081/tcp leads")));
  for (const protocol of ["tcp", "udp"])
    expect(near.lines).toContain(
      `Port 80/${protocol} is not forwarded: Address already in use (another program, or another link, has this port)`,
    );
  expect(computers[0].network.sockets[0]!.call(8081)).toBeDefined();
  far.signal("SIGTERM");
  until(() => !far.isRunning);
  until(() => computers[0].network.sockets.every((one) => one.call(8081) === undefined));
  expect([near.isRunning, near.fault]).toEqual([true, undefined]);
});

test("our address leads to this machine's services, those of its loopback only with share=loopback", () => {
  for (const [seed, words, address, first = 192] of [
    [4, [], "192.168.1.5"],
    [5, ["share=loopback"], "127.0.0.1"],
    [6, ["share-deny", "10.0.0.1"], undefined],
    [7, ["share-deny", "198.51.100.2"], undefined],
    [11, ["share=loopback", "share-deny", "198.51.100.2"], "127.0.0.1"],
    [8, [], undefined, 0],
    [9, [], undefined, 127],
  ] as const) {
    // The laptop's own forwarded port leads to us.
    const { until, side, end, near, computers } = laplink(seed, words, ["forward", "2222=22/tcp"]);
    // The last ones have no address but that of the loopback, or none at all.
    side(0).own = first === 192 ? Uint8Array.of(192, 168, 1, 5) : Uint8Array.of(first, 0, 0, first && 1);
    computers[0].network.ownAddresses = [Uint8Array.of(198, 51, 100, 2)];
    const caller = side(1).call(2222)!;
    if (address === undefined) {
      until(() => caller.end === "aborted");
      expect(side(0).played.all).toEqual([]);
      if (words.length > 0) until(() => near.lines.some((line) => line.startsWith("The peer may not go to 10.0.0.1")));
    } else {
      until(() => side(0).played.all.length === 1);
      expect(side(0).played.last.address).toBe(address);
    }
    end();
  }
});

test("a link without IPv4 forwards by IPv6", () => {
  const { time, computers } = new Laplink({ seed: 10 });
  const near = computers[0].start([...PORT, "noip", "+ipv6", "forward", "2222=22/tcp", "forward", "5300=5301/udp"]);
  const far = computers[1].start([...PORT, "noip", "+ipv6", "share=loopback"]);
  const until = (isSo: () => boolean): void => expect(time.runUntil(isSo, 90_000)).toBe(true);
  until(() => [near, far].every(({ lines }) => lines.some((line) => line.startsWith("remote LL address"))));
  const [ours, laptops] = computers.map(({ network }) => network.sockets.at(-1)!);
  const caller = ours!.call(2222)!;
  until(() => laptops!.played.all.length === 1);
  const server = laptops!.played.last;
  expect(server).toMatchObject({ address: `${"0.".repeat(15)}1`, port: 22 });
  server.give(bytesOf("hello"));
  until(() => caller.takenOctets === 5);
  ours!.sendTo(5300, 4000, bytesOf("ping"));
  until(() => laptops!.played.last.datagrams.length === 1);
  for (const one of [near, far]) {
    one.signal("SIGTERM");
    until(() => !one.isRunning);
    expect(one.fault).toBeUndefined();
  }
});
