import { expect, test } from "bun:test";
import { LqrMonitor } from "../../src/control/lqr-monitor.ts";
import { describePacket } from "../../src/describe/packet-text.ts";
import { LQR_LENGTH, type LinkQualityReport, parseLqr, putLqr } from "../../src/wire/lqr.ts";
import { Rng } from "../kit/rng.ts";

/** Address, control, protocol, FCS-16 and a flag. */
const OVERHEAD = 7;

/** One end: its monitor, the counters of its line, and its last packet. */
class End {
  sent: Uint8Array[] = [];
  readonly said: string[] = [];
  wakeAt = Infinity;
  packetsOut = 0;
  octetsOut = 0;
  packetsIn = 0;
  octetsIn = 0;
  errorsIn = 0;
  readonly monitor: LqrMonitor;

  constructor(magic: number) {
    const lower = {
      send: (_protocol: number, write: (buf: Uint8Array, at: number) => number) => {
        const buf = new Uint8Array(64);
        this.sent.push(buf.slice(0, write(buf, 0)));
        this.carry(LQR_LENGTH);
      },
      log: (level: string, text: string) => void this.said.push(`${level}: ${text}`),
      wakeAt: (at: number) => void (this.wakeAt = at),
    };
    const counters = {
      packetsOut: () => this.packetsOut,
      octetsOut: () => this.octetsOut,
      packetsIn: () => this.packetsIn,
      octetsIn: () => this.octetsIn,
      errorsIn: () => this.errorsIn,
      discardsIn: () => 0,
      frameOctets: (length: number) => length + OVERHEAD,
    };
    this.monitor = new LqrMonitor(lower, counters, () => magic);
  }

  carry(length: number): void {
    this.packetsOut++;
    this.octetsOut += length + OVERHEAD;
  }

  hear(packet: Uint8Array, now: number): void {
    this.packetsIn++;
    this.octetsIn += packet.length + OVERHEAD;
    if (packet.length === LQR_LENGTH) this.monitor.receive(packet, 0, packet.length, now);
  }

  take(): Uint8Array[] {
    return this.sent.splice(0);
  }
}

function report(end: End): LinkQualityReport | undefined {
  const last = end.sent.at(-1);
  return last && parseLqr(last, 0, last.length);
}

test("the first reports have only the counts that are known", () => {
  const [us, peer] = [new End(1), new End(2)];
  us.monitor.start(0, 10_000);
  peer.monitor.start(0, 0);
  expect(us.wakeAt).toBe(10_000);
  expect(peer.sent).toEqual([]);
  peer.carry(100);
  us.hear(new Uint8Array(100), 1);
  peer.errorsIn = 3;
  peer.hear(us.take()[0]!, 5);
  const say = (packet: Uint8Array): string =>
    describePacket(Uint8Array.of(0xc0, 0x25, ...packet), 0, 2 + packet.length, { hidePassword: true });
  expect(say(peer.sent[0]!)).toBe("[LQR magic=0x2 LastOut=1,1,55 PeerIn=1,1,0,3,55 PeerOut=1,2,162]");
  us.hear(peer.take()[0]!, 6);
  us.monitor.timeout(10_000);
  expect(say(us.sent[0]!)).toBe("[LQR magic=0x1 LastOut=1,2,162 PeerIn=1,2,0,0,162 PeerOut=2,2,110]");
  us.monitor.stop();
  us.monitor.timeout(20_000);
  expect([us.sent.length, us.wakeAt]).toEqual([1, Infinity]);
});

test("over a bad line both ends find exactly the packets that were lost", () => {
  const rng = new Rng(1989);
  const [us, peer] = [new End(1), new End(2)];
  // So many packets and octets before that the counters wrap.
  us.packetsOut = peer.packetsIn = 2 ** 32 - 100;
  us.octetsOut = 2 ** 32 - 1;
  us.monitor.start(0, 1000);
  peer.monitor.start(0, 1000);
  us.take();
  peer.take();
  const truth = { us: { sent: 0, lost: 0 }, peer: { sent: 0, lost: 0 } };
  for (let now = 1000; now <= 60_000; now += 1000) {
    for (const [from, to, count] of [
      [us, peer, truth.us],
      [peer, us, truth.peer],
    ] as const) {
      const carry = (packet: Uint8Array, loss: number): void => {
        count.sent++;
        if (rng.chance(loss)) count.lost++;
        else to.hear(packet, now);
      };
      // Its immediate answer precedes its next report.
      for (const packet of from.take()) carry(packet, 0.2);
      for (let packet = rng.below(20); packet > 0; packet--) {
        from.carry(99);
        carry(new Uint8Array(99), 0.1);
      }
      from.monitor.timeout(now);
      // The first and the last reports arrive. They describe what lies between them.
      for (const packet of from.take()) carry(packet, now === 1000 || now === 60_000 ? 0 : 0.2);
      if (now === 1000) count.sent = count.lost = 0;
    }
  }
  // For the last second, the peer, whose report came last, and we know both directions.
  us.monitor.timeout(61_000);
  peer.hear(us.take()[0]!, 61_000);
  expect(us.monitor.in).toEqual(truth.peer);
  expect(us.monitor.out).toEqual(truth.us);
  expect(peer.monitor.in).toEqual({ sent: truth.us.sent + 1, lost: truth.us.lost });
  expect(us.said.some((line) => /^info: Link quality: lost \d+ of \d+ packets to the peer, /.test(line))).toBe(true);
});

test("a report is sent again when the peer has twice not received it, and not because the peer asks often", () => {
  const [us, peer] = [new End(1), new End(2)];
  us.monitor.start(0, 10_000);
  peer.monitor.start(0, 1000);
  const second = (now: number, isHeard: boolean): number => {
    peer.monitor.timeout(now);
    for (const packet of peer.take()) us.hear(packet, now);
    const answers = us.take();
    if (isHeard) for (const packet of answers) peer.hear(packet, now);
    return answers.length;
  };
  for (const packet of us.take()) peer.hear(packet, 0);
  expect([1, 2, 3, 4].map((at) => second(at * 1000, true))).toEqual([0, 0, 0, 0]);
  us.monitor.timeout(10_000);
  us.take();
  expect([11, 12, 13].map((at) => second(at * 1000, at > 11))).toEqual([1, 1, 0]);
});

test("a peer that wants no reports gets none, our own reports are ignored, and no octets throw", () => {
  const us = new End(7);
  us.monitor.start(0, undefined);
  const buf = new Uint8Array(LQR_LENGTH);
  const rng = new Rng(3);
  for (let round = 0; round < 200; round++) us.hear(rng.bytes(LQR_LENGTH), round);
  us.monitor.receive(buf, 0, 20, 1);
  expect(us.said.at(-1)).toBe("debug: Received a link quality report of only 20 octets");
  expect([us.sent.length, us.wakeAt]).toEqual([0, Infinity]);
  us.monitor.start(0, 0);
  putLqr(buf, 0, { ...parseLqr(buf, 0, LQR_LENGTH)!, magic: 7 });
  us.hear(buf, 1);
  expect(report(us)).toBeUndefined();
  expect(us.said.at(-1)).toBe("warn: appear to have received our own link quality report!");
});
