// nullmodem status: what it prints for given links.

import { afterEach, expect, test } from "bun:test";
import { decoded } from "../../src/bytes/text.ts";
import { status } from "../../src/commands/status.ts";
import { NO_TRAFFIC } from "../../src/link/counters.ts";
import { parseStatus } from "../../src/run/live/parsed-status.ts";
import type { Status } from "../../src/run/live/published-status.ts";
import { FULL_STATUS } from "./full-status.ts";

const LINE = { framesReceived: 40, framesSent: 50, badFcs: 0, runts: 0, overlong: 0, aborted: 0, faults: 0 } as const;

const LINK: Status = {
  interface: "ppp0",
  pid: 812,
  namespace: "net:[1]",
  linkname: "lap",
  peer: "zaphod",
  up: 3723,
  mtu: 1500,
  ipv4: { our: "192.168.0.1", peer: "192.168.1.1" },
  compression: { receive: "Deflate (15)", transmit: "Deflate (15)" },
  counters: {
    received: {
      ...NO_TRAFFIC,
      bytes: 1_234_567,
      packets: 1,
      vjCompressed: 9,
      vjUncompressed: 1,
      compressedBytes: 400,
      incompressibleBytes: 100,
      uncompressedBytes: 1000,
    },
    sent: { ...NO_TRAFFIC, bytes: 999, packets: 12 },
  },
  lines: [
    { device: "/dev/ttyS0", speed: 115200, phase: "network", ...LINE, badFcs: 3, aborted: 1 },
    { device: "/dev/ttyS1", speed: 0, phase: "establish", ...LINE, badFcs: 1 },
  ],
};

let hasLeftChanges = false;
afterEach(() => void (hasLeftChanges = false));

async function run(argv: string[], ...samples: Status[][]) {
  let out = "";
  const code = await status(argv, {
    links: () => samples.shift() ?? [],
    hasLeftChanges: () => hasLeftChanges,
    sleep: async () => 2000,
    print: (text) => void (out += text),
  });
  return { code, out };
}

const LATER: Status = {
  ...LINK,
  counters: { ...LINK.counters, received: { ...LINK.counters.received, bytes: 1_256_767 } },
};

test("a link for people, its rates over the time it was watched", async () => {
  expect(await run([], [LINK], [LATER])).toEqual({
    code: 0,
    out: `ppp0  up 1 h 2 min, peer zaphod, linkname lap, pid 812
  IPv4        192.168.0.1 to 192.168.1.1, MTU 1500
  line        /dev/ttyS0 at 115200, phase network, 40 frames in, 50 out
  line        /dev/ttyS1, phase establish, 40 frames in, 50 out
  received    1.3 MB in 1 packet, now 11.1 kB/s
  sent        999 bytes in 12 packets, now 0 bytes/s
  compressed  in Deflate (15) 2.00 to 1, out Deflate (15)
  VJ headers  in 9 of 10, out 0 of 0
  bad frames  4 wrong FCS, 1 aborted
`,
  });
});

test("the name of a peer sends no control octets to the terminal", async () => {
  const peer = decoded("\x1b]0;owned\x07\x1b[2J\r\n\x7f\xc2\x9b2J\xe2\x80\xae\xff\xc3\xa9");
  // The third octet from the end is no UTF-8, so the text is not taken for UTF-8.
  const { out } = await run([], [{ ...LINK, peer }], [{ ...LINK, peer, linkname: "\u{202e}\x1bc" }]);
  expect(out).toMatch(/^[\x20-\x7e\n]+$/);
  expect(out).toContain("peer \\x1b]0;owned\\x07\\x1b[2J\\x0d\\x0a\\x7f\\xc2\\x9b2J");
  const json = (await run(["--json"], [{ ...LINK, peer }], [{ ...LINK, peer }])).out;
  expect(json).toMatch(/^[\x20-\x7e]+\n$/);
  expect(JSON.parse(json)[0].peer).toBe(peer);
  const french = (await run([], [{ ...LINK, peer: "été" }], [{ ...LINK, peer: "été" }])).out;
  expect(french).toContain("peer été,");
});

test("a link that is not up, and one that began while the other was watched", async () => {
  const { up: _, peer: __, linkname: ___, ipv4: ____, ...rest } = LINK;
  const young: Status = {
    ...rest,
    interface: "ppp1",
    pid: 9,
    compression: {},
    lines: [],
    counters: { received: NO_TRAFFIC, sent: NO_TRAFFIC },
  };
  const { out } = await run([], [LINK], [LINK, young]);
  expect(out.slice(out.indexOf("\n\n") + 2)).toBe(`ppp1  not up (no line), pid 9
  received    0 bytes in 0 packets
  sent        0 bytes in 0 packets
  compressed  no
  bad frames  none
`);
});

test("a link that is not up says how long nothing has come, except while it waits for a caller", async () => {
  const { up: _, linkname: __, peer: ___, ...down } = LINK;
  for (const [phase, silent, said] of [
    ["establish", 65, "phase establish, no frame came for 1 min 5 s"],
    ["establish", 1, "phase establish"],
    ["establish", undefined, "phase establish"],
    ["dead", 65, "phase dead"],
  ] as const) {
    const link: Status = { ...down, lines: [{ device: "/dev/ttyS0", speed: 0, phase, silent, ...LINE }] };
    expect((await run([], [link], [link])).out).toStartWith(`ppp0  not up (${said}), pid 812\n`);
  }
});

test("--json, one interface of several, none at all", async () => {
  const other = { ...LINK, interface: "ppp1" };
  const { code, out } = await run(["--json", "ppp0"], [LINK, other], [LATER, other]);
  expect({ code, links: JSON.parse(out) }).toEqual({
    code: 0,
    links: [{ ...LATER, rates: { received: 11100, sent: 0 } }],
  });
  expect(await run(["--json"])).toEqual({ code: 1, out: "[]\n" });
  expect((await run(["ppp7"], [LINK])).code).toBe(1);
  expect((await run(["--xml"], [LINK])).code).toBe(2);
});

test("flows through sockets, and the way in which the network is shared", async () => {
  const none = { opened: 0, closed: 0, denied: 0, limited: 0, fromPeer: 0, toPeer: 0 };
  const link: Status = {
    ...LINK,
    sharing: { way: "sockets", seconds: 61 },
    flows: {
      tcp: { ...none, opened: 12, closed: 9, fromPeer: 1200, toPeer: 3_400_000 },
      udp: { ...none, opened: 5, closed: 5, denied: 2, limited: 1 },
      echoes: none,
    },
  };
  const { out } = await run([], [link], [link]);
  expect(out).toContain("  shared by   sockets of the program, for 1 min 1 s\n");
  expect(out).toContain("  TCP         3 open, 9 closed; 1.2 kB from the peer, 3.4 MB to it\n");
  expect(out).toContain(
    "  UDP         0 open, 5 closed, 2 denied by a rule, 1 beyond the limit; 0 bytes from the peer, 0 bytes to it\n",
  );
  expect(out).not.toContain("pings");
  const json: unknown = JSON.parse((await run(["--json"], [link], [link])).out);
  expect(json).toMatchObject([{ sharing: link.sharing, flows: link.flows }]);
  const kernel: Status = {
    ...LINK,
    sharing: { way: "kernel", by: "nft's table nullmodem-5", seconds: 3 },
    network: "fd01:2:3::/64",
  };
  const text = (await run([], [kernel], [kernel])).out;
  expect(text).toContain("the kernel with nft's table nullmodem-5, for 3 s\n");
  expect(text).toContain("  network     fd01:2:3::/64 for the peer\n");
});

test("flows that are no counts, and other parts of a wrong type, are as good as missing", () => {
  const text = (more: object): string => JSON.stringify({ ...LINK, ...more });
  expect(parseStatus(text({}))).toBeDefined();
  for (const flows of [5, {}, { tcp: {}, udp: {}, echoes: {} }, null])
    expect([parseStatus(text({ flows }))?.pid, parseStatus(text({ flows }))?.flows]).toEqual([LINK.pid, undefined]);
  expect(parseStatus(text({ sharing: "yes" }))?.sharing).toBeUndefined();
  expect(parseStatus(text({ network: 7 }))?.network).toBeUndefined();
});

test("what a killed pppd has left is told of, and how to take it back", async () => {
  hasLeftChanges = true;
  const told = "A killed pppd has left changes: sudo nullmodem cleanup\n";
  expect((await run([], [LINK], [LINK])).out).toEndWith(told);
  expect(await run([], [])).toEqual({ code: 1, out: told });
  expect((await run(["--json"], [LINK], [LINK])).out).not.toContain(told);
});

test("a proxy has a row", async () => {
  const link = { ...LINK, proxy: "127.0.0.1:1080" };
  expect((await run([], [link], [link])).out).toContain("  proxy       127.0.0.1:1080\n");
  expect(parseStatus(JSON.stringify({ ...LINK, proxy: 5 }))?.proxy).toBeUndefined();
});

test("the round trip, the signals, what was agreed on, the queue and the files under way", async () => {
  const { out } = await run([], [FULL_STATUS], [FULL_STATUS]);
  for (const row of [
    "signals     on DTR RTS CTS DSR, off DCD RI",
    "round trip  12.3 ms, least 9.5 ms, average 11.3 ms; 55 echoes answered, 2 lost, 4 s ago",
    "waiting     130 bytes for the line",
    "climb       from 115200 bits per second",
    "in form     MRU 1500, ACCM 00000000, pcomp, accomp, proved by chap-md5, multilink MRRU 1500, endpoint 3:0a0b0c",
    "out form    MRU 1500, ACCM 000a0000, pcomp, accomp, we proved by pap, multilink MRRU 1600, endpoint 1:31",
    "queue       12 packets (18.0 kB), 3 dropped, 4 marked, 0 without room",
    "to peer     pub/notes.txt: 25 % of 1.2 MB, 11.0 kB/s",
  ])
    expect(out).toContain(`  ${row}\n`);
  const name = "a\u001b[2J\n.txt";
  const evil = { ...FULL_STATUS, transfers: [{ name, to: "us", octets: 5, rate: 0 }] } as const;
  expect((await run([], [evil], [evil])).out).toContain("from peer   a\\x1b[2J\\x0a.txt: 5 bytes, 0 bytes/s\n");
});
