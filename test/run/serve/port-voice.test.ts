import { expect, test } from "bun:test";
import { report } from "../../../src/run/diagnose/finding.ts";
import { Exit } from "../../../src/run/exit.ts";
import { PortVoice } from "../../../src/run/serve/port-voice.ts";

function setUp() {
  const events: string[] = [];
  const logged: string[] = [];
  const print = (line: string): void => void events.push(line);
  const write = (level: string, text: string): void => void logged.push(`${level} ${text}`);
  const log = { debug: true, fd: undefined, write, note: write, pass: () => {} };
  const voice = new PortVoice({ name: "ttyS0", print, printOnce: print, denied: () => {} }, log);
  return { voice, events, logged };
}

const UP = { type: "ipv4-up", our: 0x0a000001, peer: 0x0a000002, dns: [0, 0], wins: [0, 0] } as const;

test("findings and troubles are events, all other lines are in the log only", () => {
  const { voice, events, logged } = setUp();
  voice.write("notice", "Connect: ppp0 <--> /dev/ttyS0");
  voice.write("debug", "rcvd");
  report(voice, [{ code: "caller-ppp", text: "Recognised PPP", severity: "info" }]);
  report(voice, [{ code: "x", text: "No TUN", remedy: "modprobe tun", severity: "error" }]);
  expect(events).toEqual(["ttyS0: Recognised PPP", "ttyS0: No TUN; modprobe tun"]);
  expect(logged).toEqual([
    "notice ttyS0: Connect: ppp0 <--> /dev/ttyS0",
    "info ttyS0: Recognised PPP",
    "error ttyS0: No TUN; modprobe tun",
  ]);
  voice.debug = true;
  voice.write("debug", "rcvd");
  expect(logged.at(-1)).toBe("debug ttyS0: rcvd");
});

test("a repeated trouble is one event, and in the log each time, until the line has changed or a link was up", () => {
  const { voice, events, logged } = setUp();
  for (let time = 0; time < 3; time++) voice.write("error", "Device ttyS0 is locked by pid 1");
  expect([events.length, logged.length]).toEqual([1, 3]);
  voice.lineChanged("/dev/ttyS0 is back");
  voice.write("error", "Device ttyS0 is locked by pid 1");
  expect(events).toEqual([
    "ttyS0: Device ttyS0 is locked by pid 1",
    "ttyS0: is back",
    "ttyS0: Device ttyS0 is locked by pid 1",
  ]);
});

test("a caller that comes back before it is missed has a link that ends, and a new one", () => {
  const { voice, events } = setUp();
  const network = voice.network("ppp7");
  network.up!({ ...UP } as never);
  network.down!({ protocol: "ipv4", was: undefined, isLast: true, seconds: 9, octetsIn: 5, octetsOut: 6 });
  network.up!({ ...UP } as never);
  expect(events).toEqual([
    "ttyS0: link up on ppp7: 10.0.0.1 here, 10.0.0.2 there",
    "ttyS0: link down: the other end has begun anew (after 9 s, 6 bytes sent, 5 received)",
    "ttyS0: link up on ppp7: 10.0.0.1 here, 10.0.0.2 there",
  ]);
});

test("link-local addresses are written in their short form", () => {
  const { voice, events } = setUp();
  const [our, peer] = [
    { high: 0, low: 1 },
    { high: 0x0250b6ff, low: 0xfe112233 },
  ];
  voice.network("ppp7").up!({ type: "ipv6-up", our, peer } as never);
  expect(events).toEqual(["ttyS0: link up on ppp7: fe80::1 here, fe80::250:b6ff:fe11:2233 there"]);
});

test("a link: the user, the addresses, the reason of its end and its traffic", () => {
  const { voice, events } = setUp();
  const network = voice.network("ppp7");
  voice.authenticated("zaphod");
  network.up!({ ...UP } as never);
  network.down!({ protocol: "ipv4", was: undefined, isLast: true, seconds: 150, octetsIn: 5, octetsOut: 6 });
  voice.ended(Exit.PEER_DEAD, false);
  voice.network("ppp7");
  voice.ended(Exit.PEER_AUTH, false);
  voice.network("ppp7");
  voice.ended(Exit.USER_REQUEST, false);
  expect(events).toEqual([
    "ttyS0: link up on ppp7: 10.0.0.1 here, 10.0.0.2 there, user zaphod",
    "ttyS0: link down: nothing comes from the other end any more: it is off, or the cable is out (after 3 min, 6 bytes sent, 5 received)",
    "ttyS0: no link: the other end did not prove who it is",
  ]);
});

test("a terminal gets no control characters from a caller's name", () => {
  const { voice, events } = setUp();
  const network = voice.network("ppp7");
  voice.authenticated("zaphod\x1b]0;title\x07\nttyS1: link up");
  network.up!({ ...UP } as never);
  expect(events).toEqual([
    "ttyS0: link up on ppp7: 10.0.0.1 here, 10.0.0.2 there, user zaphod\\x1b]0;title\\x07\\x0attyS1: link up",
  ]);
});

test("of ever new troubles only the last are remembered", () => {
  const { voice, events } = setUp();
  for (let caller = 0; caller < 200; caller++) voice.write("warn", `User ${caller} is unknown`);
  voice.write("warn", "User 199 is unknown");
  expect(events.length).toBe(200);
  voice.write("warn", "User 0 is unknown");
  expect(events.length).toBe(201);
});

test("a line that has become faster is an event of its port", () => {
  const { voice, events, logged } = setUp();
  const text = "The line has 3000000 bits per second from now on, as agreed; it had 115200";
  voice.write("info", text);
  voice.write("info", "Looking for something");
  expect(events).toEqual([`ttyS0: ${text}`]);
  expect(logged).toHaveLength(2);
});
