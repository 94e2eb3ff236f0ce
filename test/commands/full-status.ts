// A status with every field, for tests of what is printed.

import { NO_TRAFFIC } from "../../src/link/counters.ts";
import type { AgreedWay } from "../../src/link/agreed.ts";
import type { LineStatus, Status } from "../../src/run/live/published-status.ts";

const WAY: AgreedWay = { mru: 1500, accm: "00000000", pcomp: true, accomp: true, fcs: 16 };
const FLOW = { opened: 12, closed: 9, denied: 2, limited: 1, fromPeer: 1200, toPeer: 3_400_000 };

export const FULL_LINE: LineStatus = {
  device: "/dev/ttyS0",
  speed: 921600,
  climbedFrom: 115200,
  phase: "network",
  silent: 2,
  framesReceived: 40,
  framesSent: 50,
  badFcs: 3,
  runts: 1,
  overlong: 0,
  aborted: 2,
  faults: 0,
  roundTrip: { last: 12.3, least: 9.5, average: 11.25, answered: 55, lost: 2, seconds: 4 },
  modem: { dtr: true, rts: true, cts: true, dsr: true, dcd: false, ri: false },
  waiting: 130,
  ring: { octets: 100, size: 65536 },
  agreed: {
    receive: { ...WAY, auth: "chap-md5", mrru: 1500, endpoint: "3:0a0b0c" },
    transmit: { ...WAY, accm: "000a0000", auth: "pap", mrru: 1600, endpoint: "1:31" },
  },
};

export const FULL_STATUS: Status = {
  interface: "ppp0",
  pid: 812,
  namespace: "net:[1]",
  linkname: "lap",
  peer: "zaphod",
  up: 3723,
  mtu: 1500,
  ipv4: { our: "192.168.0.1", peer: "192.168.1.1" },
  ipv6: { our: "fe80::1", peer: "fe80::2" },
  compression: { receive: "Deflate (15)", transmit: "Deflate (15)" },
  counters: {
    received: { ...NO_TRAFFIC, bytes: 1_234_567, packets: 900 },
    sent: { ...NO_TRAFFIC, bytes: 999, packets: 12 },
  },
  sharing: { way: "kernel", by: "nft's table nullmodem-5", seconds: 61 },
  network: "fd01:2:3::/64",
  flows: { tcp: FLOW, udp: FLOW, echoes: FLOW },
  proxy: "127.0.0.1:1080",
  files: "http://192.168.0.1/",
  transfers: [{ name: "pub/notes.txt", to: "peer", octets: 300_000, of: 1_200_000, rate: 11_000 }],
  vj: { receive: true, transmit: false },
  interleave: true,
  queue: { packets: 12, octets: 18_000, dropped: 3, marked: 4, overflowed: 0 },
  lines: [FULL_LINE],
};
