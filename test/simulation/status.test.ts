// The published status of a link: what only a whole session knows.

import { expect, test } from "bun:test";
import { parseStatus } from "../../src/run/live/parsed-status.ts";
import { Laplink } from "./laplink.ts";

const LINE = ["/dev/ttyUSB0", "115200", "nodetach", "local", "noauth"];

function scene(near: readonly string[], far: readonly string[]) {
  const link = new Laplink({ seed: 7 });
  const [one, other] = link.computers;
  const server = one.start([...LINE, "10.0.0.1:10.0.0.2", ...near]);
  const client = other.start([...LINE, "noipdefault", "persist", ...far]);
  expect(link.time.runUntil(() => server.lines.some((line) => line.startsWith("remote IP address")), 60_000)).toBe(
    true,
  );
  const status = () => parseStatus([...one.processes.publications.values()][0]!.text())!;
  const end = (): void => {
    for (const process of [server, client]) process.signal("SIGTERM");
    expect(link.time.runUntil(() => !server.isRunning && !client.isRunning, 20_000)).toBe(true);
    expect([server.fault, client.fault]).toEqual([undefined, undefined]);
  };
  return { link, one, status, end };
}

test("it has the round trip of echoes, what was agreed on, and the signals of the port", () => {
  const { link, one, status, end } = scene(["lcp-echo-interval", "1", "mru", "1400"], ["asyncmap", "a0000"]);
  link.time.run(5500);
  const [line] = status().lines;
  expect(line?.roundTrip?.answered).toBeGreaterThanOrEqual(5);
  expect(line?.roundTrip).toMatchObject({ lost: 0, seconds: 0 });
  // An echo and its answer have 8 octets each and their frames 10 to 20 more: 2 to 4 ms at 115200.
  expect(line!.roundTrip!.least).toBeGreaterThan(1);
  expect(line!.roundTrip!.last).toBeLessThan(100);
  expect(line?.agreed).toEqual({
    receive: { mru: 1400, accm: "00000000", pcomp: true, accomp: true, fcs: 16 },
    transmit: { mru: 1500, accm: "000a0000", pcomp: true, accomp: true, fcs: 16 },
  });
  expect(status().vj).toEqual({ receive: true, transmit: true });
  expect(line?.ring?.size).toBe(65536);
  expect(line?.waiting).toBeGreaterThanOrEqual(0);
  one.processes.transfers = [{ name: "a", to: "peer", octets: 1, rate: 2 }];
  expect(status().transfers).toBeUndefined();
  end();
});

test("without echoes there is no round trip, and files on their way are those of the process of `files`", () => {
  const { link, one, status, end } = scene(["files", "/srv/pub", "noccp"], []);
  one.processes.transfers = [{ name: "a", to: "peer", octets: 1, of: 5, rate: 2 }];
  link.time.run(1000);
  expect(status().lines[0]?.roundTrip).toBeUndefined();
  expect(status().transfers).toEqual([...one.processes.transfers]);
  end();
});
