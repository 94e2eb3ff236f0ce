// Compares our pppdump with Debian's octet for octet, and reads our files with tshark.

import { expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeflateCompressor } from "../../src/compress/deflate.ts";
import { RecordWriter } from "../../src/record/pppdump-file.ts";
import { RecordMaker } from "../kit/record-maker.ts";
import { Rng } from "../kit/rng.ts";

const REAL = ["/usr/sbin/pppdump", Bun.which("pppdump")].find((path) => path && existsSync(path));
const WHY = REAL === undefined ? " [skipped: no pppdump here, Debian's package ppp has it]" : "";
const ROOT = join(import.meta.dir, "../..");
const SESSIONS = join(ROOT, "fixtures/sessions");

const FLAGS = [
  [],
  ["-h"],
  ["-p"],
  ["-a"],
  ["-p", "-a"],
  ["-ha"],
  ["-r"],
  ["-rp"],
  ["-rpa"],
  ["-p", "-m", "20"],
  ["-hp"],
];

// One process for many runs of our pppdump. Jobs and outputs are lines of JSON.
const WORKER = `
  import { pppdump } from ${JSON.stringify(join(ROOT, "src/applets/pppdump.ts"))};
  const jobs = JSON.parse(await Bun.stdin.text());
  const outputs = [];
  let output = "";
  const say = (text) => void (output += text);
  for (const argv of jobs) {
    output = "";
    const code = await pppdump(argv, say);
    outputs.push([code, output]);
  }
  await Bun.write(Bun.stdout, JSON.stringify(outputs));
`;

function ours(jobs: readonly (readonly string[])[]): [number, string][] {
  const child = Bun.spawnSync([process.execPath, "-e", WORKER], { stdin: Buffer.from(JSON.stringify(jobs)) });
  return JSON.parse(child.stdout.toString());
}

function compare(files: readonly string[]): void {
  const jobs = files.flatMap((file) => FLAGS.map((flags) => [...flags, file]));
  const outputs = ours(jobs);
  expect(outputs.length).toBe(jobs.length);
  for (const [index, argv] of jobs.entries()) {
    const real = Bun.spawnSync([REAL!, ...argv]);
    expect([argv.join(" "), real.exitCode, real.stdout.toString("latin1")]).toEqual([
      argv.join(" "),
      ...outputs[index]!,
    ]);
  }
}

test.skipIf(REAL === undefined)(
  `recorded sessions${WHY}`,
  () => {
    const files = readdirSync(SESSIONS).filter((name) => name.endsWith(".rec"));
    expect(files.length).toBeGreaterThan(10);
    compare(files.map((name) => join(SESSIONS, name)));
  },
  60_000,
);

test.skipIf(REAL === undefined)(
  `files made up, broken ones among them${WHY}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), "pppdump-"));
    try {
      const rng = new Rng(20250101);
      const files = Array.from({ length: 60 }, (_, index) => {
        const file = join(folder, `${index}`);
        writeFileSync(file, madeUp(rng));
        return file;
      });
      compare(files);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
  120_000,
);

test.skipIf(REAL === undefined)(
  `several files, standard input, and what it refuses${WHY}`,
  () => {
    const [one, two] = [join(SESSIONS, "howto-client.rec"), join(SESSIONS, "chap-md5-server.rec")];
    const main = join(ROOT, "src/main.ts");
    const run = (argv: readonly string[], stdin?: Uint8Array) => {
      const input = stdin === undefined ? {} : { stdin };
      const real = Bun.spawnSync([REAL!, ...argv], input);
      const own = Bun.spawnSync([process.execPath, main, "pppdump", ...argv], input);
      return { real, own };
    };
    const inputs: [string[], Uint8Array?][] = [
      [["-pa", one, two]],
      [[one, "-h"]],
      [["-m1500", "-p", "--", one]],
      [[], Buffer.from([1, 0, 3, 0x61, 0x62, 0x63])],
      [[one, "/nowhere/at/all", two]],
      [["-z"]],
      [["-m"]],
    ];
    for (const [argv, stdin] of inputs) {
      const { real, own } = run(argv, stdin);
      expect([argv, own.exitCode, own.stdout.toString("latin1")]).toEqual([
        argv,
        real.exitCode,
        real.stdout.toString("latin1"),
      ]);
      expect(own.stderr.toString()).toBe(real.stderr.toString().replaceAll(REAL!, "pppdump"));
    }
  },
  60_000,
);

test("standard input is shown as asked, where pppdump shows text whatever it is told", () => {
  const main = join(ROOT, "src/main.ts");
  const own = Bun.spawnSync([process.execPath, main, "pppdump", "-h"], { stdin: Buffer.from([1, 0, 1, 0x61]) });
  expect(own.stdout.toString()).toBe(`sent   61${" ".repeat(47)}a\n`);
  expect(own.exitCode).toBe(0);
});

/** A record file of frames and noise, some of them cut. Times stay below those that pppdump takes for negative. */
function madeUp(rng: Rng): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (let items = rng.below(8); items >= 0; items--) {
    const kind = rng.below(20);
    if (kind < 13) pieces.push(data(rng, 0));
    else if (kind < 15) pieces.push(Uint8Array.of(6, rng.below(256)));
    else if (kind < 16) pieces.push(Uint8Array.of(5, 0, ...rng.bytes(3)));
    else if (kind < 17) pieces.push(Uint8Array.of(7, ...rng.bytes(4)));
    else if (kind < 19) pieces.push(Uint8Array.of(rng.pick([3, 4])));
    else pieces.push(Uint8Array.of(rng.pick([0, 8, 0x41, 0xff])));
  }
  if (rng.chance(0.3)) pieces.push(data(rng, 1 + rng.below(300)));
  return Buffer.concat(pieces);
}

function data(rng: Rng, missing: number): Uint8Array {
  const octets: number[] = [];
  for (let count = rng.below(150); count > 0; count--)
    octets.push(rng.chance(0.15) ? rng.pick([0x7e, 0x7d, 0x22, 0x5c, 0xff, 0x03]) : rng.below(256));
  const length = octets.length + missing;
  return Uint8Array.of(rng.pick([1, 2]), length >> 8, length & 0xff, ...octets);
}

// ── -d ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * A BSD-Compress payload in which no string of two octets occurs twice, so that each octet is one code of nine bits.
 * The real pppdump, built for the wrong octet order, decodes longer strings wrongly.
 */
function bsdPayload(sequence: number, packet: readonly number[]): number[] {
  const codes = packet.map((octet) => octet.toString(2).padStart(9, "0")).join("");
  const bits = codes.padEnd(Math.ceil(codes.length / 8) * 8, "1");
  return [sequence >> 8, sequence & 0xff, ...(bits.match(/.{8}/g) ?? []).map((octet) => parseInt(octet, 2))];
}

const ACK = "80fd 0201 0007 1503 2f";
const RESET = "80fd 0f01 0004";
const PACKET = [0x21, 0x45, 0x61, 0x62, 0x63];
const LONG = [0x22, ...Array.from({ length: 40 }, (_, at) => at + 1)];
const compressed = (sequence: number, packet = PACKET): number[] => [0xfd, ...bsdPayload(sequence, packet)];

type Step = string | number[] | { rcvd: string } | { spoilt: string | number[] };

/** Everything is sent unless marked otherwise. */
const SCENES: Readonly<Record<string, readonly Step[]>> = {
  "three in order": [ACK, compressed(0), compressed(1), compressed(2)],
  "a lost one, nothing until the reset": [ACK, compressed(0), compressed(2), compressed(3), RESET, compressed(0)],
  "fatal, nothing until CCP begins again": [
    ACK,
    [0xfd, 0, 0, 255, 255],
    compressed(0),
    RESET,
    compressed(0),
    ACK,
    compressed(0),
  ],
  "a reset the other way": [ACK, compressed(0), { rcvd: RESET }, compressed(1)],
  "an Ack the other way": [{ rcvd: ACK }, compressed(0)],
  "a Nak, a Nak the other way": [
    ACK,
    { rcvd: "80fd 0301 0007 1503 2f" },
    compressed(0),
    "80fd 0301 0007 1503 2f",
    compressed(1),
  ],
  "a Reject": [ACK, "80fd 0401 0007 1503 2f", compressed(0)],
  "requests and ends change nothing": [
    ACK,
    "80fd 0101 0007 1503 2f",
    "80fd 0501 0004",
    "80fd 0601 0004",
    compressed(0),
  ],
  "an Ack of nothing": [ACK, compressed(0), "80fd 0201 0004", compressed(1)],
  "an Ack of MPPE": [ACK, compressed(0), "80fd 0201 000a 1206 01000040", compressed(1)],
  "two options, the first counts": ["80fd 0201 000b 1503 2f 1a04 7800", compressed(0)],
  "an Ack longer than its packet": ["80fd 0201 0020 1503 2f", compressed(0)],
  "an Ack with octets behind it": ["80fd 0201 0007 1503 2f 0000", compressed(0)],
  "an option longer than the Ack": ["80fd 0201 0007 1508 2f", compressed(0)],
  "an option of another length": ["80fd 0201 0008 1504 2f00", compressed(0)],
  "8 bits, 16 bits, another version": [
    "80fd 0201 0007 1503 28",
    compressed(0),
    "80fd 0201 0007 1503 30",
    compressed(0),
    "80fd 0201 0007 1503 4f",
    compressed(0),
  ],
  "whole headers": [`ff03 ${ACK}`, [0xff, 3, 0, ...compressed(0)], [0xff, 3, ...compressed(1)], [0, ...compressed(2)]],
  "plain packets between": [
    ACK,
    [0x21, 0x45, 0x61, 0x62],
    compressed(1),
    [0xff, 3, 0, 0x21, 1, 2, 3],
    compressed(3),
    [0x80, 0x21, 1, 1, 0, 4],
    compressed(4),
    [0xc0, 0x21, 9, 1, 0, 4],
    compressed(4),
  ],
  "a damaged Ack, a damaged packet": [{ spoilt: ACK }, compressed(0), ACK, { spoilt: compressed(0) }, compressed(0)],
  "longer than the MRU": [ACK, compressed(0, LONG)],
  "a protocol of two octets": [ACK, compressed(0, [0, 0x21, 0x45, 0x61])],
};

function madeOf(steps: readonly Step[]): Uint8Array {
  const octetsOf = (step: string | number[]): ArrayLike<number> =>
    typeof step === "string" ? Buffer.from(step.replaceAll(" ", ""), "hex") : step;
  const maker = new RecordMaker();
  for (const step of steps) {
    if (typeof step === "string" || Array.isArray(step)) maker.frame("sent", octetsOf(step));
    else if ("rcvd" in step) maker.frame("received", octetsOf(step.rcvd));
    else maker.frame("sent", octetsOf(step.spoilt), true);
  }
  return maker.file;
}

test.skipIf(REAL === undefined)(
  `-d: when it decompresses, and when it says that it cannot${WHY}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), "pppdump-"));
    try {
      const jobs = Object.entries(SCENES).flatMap(([name, steps]) => {
        const file = join(folder, name);
        writeFileSync(file, madeOf(steps));
        return [
          ["-pd", file],
          ["-rpd", file],
          ["-pd", "-m", "20", file],
          ["-d", file],
          ["-hd", file],
        ];
      });
      const outputs = ours(jobs);
      for (const [index, argv] of jobs.entries()) {
        const real = Bun.spawnSync([REAL!, ...argv]);
        // The message of its decompressor.
        const text = real.stdout.toString("latin1").replace(/^bsd_decomp0: .*\n/gm, "");
        expect([argv.join(" "), ...outputs[index]!]).toEqual([argv.join(" "), real.exitCode, text]);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
  60_000,
);

const tshark = Bun.which("tshark");

test.skipIf(tshark === null)(
  `tshark reads our record file${tshark === null ? " [skipped: no tshark here]" : ""}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), "record-"));
    try {
      const file = join(folder, "a.rec");
      const start = 1_700_000_000_250;
      const writer = new RecordWriter(start);
      const request = Buffer.from(
        "7eff7d23c0217d217d217d207d347d227d267d207d207d207d207d257d26deadbeef7d277d227d287d2252a57e",
        "hex",
      );
      writeFileSync(
        file,
        Buffer.concat([
          writer.start(),
          writer.sent(request, 0, request.length, start + 300),
          writer.received(request, 0, 7, start + 30_000),
          writer.received(request, 7, request.length, start + 30_000),
          // There are no end items: tshark 4.0 reports any file that ends with one as cut short, including pppd's own.
        ]),
      );
      const fields = ["frame.time_relative", "ppp.direction", "ppp.protocol", "ppp.code"].flatMap((field) => [
        "-e",
        field,
      ]);
      const read = Bun.spawnSync([tshark!, "-r", file, "-T", "fields", ...fields]);
      expect(read.exitCode).toBe(0);
      expect(read.stdout.toString()).toBe("0.000000000\t0\t0xc021\t1\n29.700000000\t1\t0xc021\t1\n");
      const whole = Bun.spawnSync([tshark!, "-r", file, "-V"]).stdout.toString();
      expect(whole).not.toMatch(/malformed/i);
      expect(whole).toContain("deadbeef");
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

// ── --pcapng ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const MAIN = join(ROOT, "src/main.ts");
const NO_TSHARK = tshark === null ? " [skipped: no tshark here]" : "";

function pppdump(argv: readonly string[], stdin?: Uint8Array) {
  const input = stdin === undefined ? {} : { stdin };
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, MAIN, "pppdump", ...argv], input);
  return { status: exitCode, out: stdout, err: stderr.toString() };
}

/** One row for each packet. ppp.direction 0 is sent, 1 received. */
function seenByTshark(file: string, ...fields: string[]): string[] {
  const read = Bun.spawnSync([tshark!, "-r", file, "-T", "fields", ...fields.flatMap((field) => ["-e", field])]);
  expect([read.exitCode, file]).toEqual([0, file]);
  return read.stdout.toString().split("\n").slice(0, -1);
}

test.skipIf(tshark === null)(
  `tshark sees the packets and directions that pppdump -p shows${NO_TSHARK}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), "pppdump-"));
    try {
      const files = readdirSync(SESSIONS).filter((name) => name.endsWith("-client.rec"));
      expect(files.length).toBeGreaterThan(5);
      const job = files.flatMap((name) => ["--pcapng", join(folder, `${name}ng`), join(SESSIONS, name)]);
      const jobs = files.map((_, at) => job.slice(3 * at, 3 * at + 3));
      expect(ours(jobs).map(([code]) => code)).toEqual(files.map(() => 0));
      for (const [at, [, text]] of ours(files.map((name) => ["-p", join(SESSIONS, name)])).entries()) {
        const name = files[at]!;
        const shown: string[] = text.split("\n").flatMap((row) => /^(sent|rcvd) {2}[0-9a-f]/.exec(row)?.[1] ?? []);
        expect(shown.length).toBeGreaterThan(5);
        const seen = seenByTshark(join(folder, `${name}ng`), "ppp.direction", "frame.protocols");
        expect<string[]>(seen.map((row) => (row.startsWith("0") ? "sent" : "rcvd"))).toEqual(shown);
        for (const row of seen) expect(row).toContain("ppp");
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
  60_000,
);

test.skipIf(tshark === null)(
  `--pcapng: times, -d, -r, several files, standard input and output, bad frames left out${NO_TSHARK}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), "pppdump-"));
    try {
      const [one, two, out] = ["one", "two", "out"].map((name) => join(folder, name)) as [string, string, string];
      const compressor = new DeflateCompressor(15);
      // An ICMP echo request that is long enough for compression.
      const ping = Buffer.from("450000540001400040010000c0a80001c0a80101080000000001000100".padEnd(168, "00"), "hex");
      const maker = new RecordMaker().frame("sent", Buffer.from("80fd020100081a047800", "hex"));
      maker.now += 1500;
      maker.compressed("sent", compressor, 0x21, ping).frame("received", [0x21, ...ping], true);
      maker.octets("received", Uint8Array.of(0x7e, 0x21, 0x45, 0x7d, 0x7e));
      maker.now += 500;
      maker.frame("received", [0x21, ...ping]);
      writeFileSync(one, maker.file);
      writeFileSync(two, new RecordMaker(1_700_000_100_000).frame("sent", [0xc0, 0x21, 9, 1, 0, 8, 0, 0, 0, 0]).file);

      expect(pppdump(["-d", "--pcapng", out, one, two])).toMatchObject({
        status: 0,
        err: "pppdump: 2 bad frames left out\n",
      });
      const fields = ["frame.time_epoch", "ppp.direction", "ppp.protocol", "ip.dst"];
      expect(seenByTshark(out, ...fields)).toEqual([
        "1700000000.000000000\t0\t0x80fd\t",
        "1700000001.500000000\t0\t0x0021\t192.168.1.1",
        "1700000002.000000000\t1\t0x0021\t192.168.1.1",
        "1700000100.000000000\t0\t0xc021\t",
      ]);

      const piped = pppdump(["-r", "--pcapng=-"], maker.file);
      writeFileSync(out, piped.out);
      expect(seenByTshark(out, "ppp.direction", "ppp.protocol")).toEqual(["1\t0x80fd", "1\t0x00fd", "0\t0x0021"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
  60_000,
);

test("empty, cut, damaged, no file at all: what can be read, a word about the rest, and no stack", () => {
  const folder = mkdtempSync(join(tmpdir(), "pppdump-"));
  try {
    const whole = new RecordMaker().frame("sent", [0xc0, 0x21, 9, 1, 0, 8, 0, 0, 0, 0]).file;
    const file = join(folder, "a.rec");
    const out = join(folder, "out");
    const given = (bytes: Uint8Array): void => writeFileSync(file, bytes);

    given(new Uint8Array(0));
    expect(pppdump(["-pd", file])).toMatchObject({ status: 0, err: "" });
    expect(pppdump(["--pcapng", out, file])).toMatchObject({ status: 0, err: "pppdump: no packets in it\n" });
    given(whole.subarray(0, whole.length - 3));
    expect(pppdump(["--pcapng", out, file]).err).toBe(
      "pppdump: the record ends in the middle of an item\npppdump: no packets in it\n",
    );
    given(Buffer.concat([whole, Buffer.from("hello")]));
    expect(pppdump(["--pcapng", out, file])).toMatchObject({
      status: 0,
      err: "pppdump: 5 octets that are no record\n",
    });

    expect(pppdump(["--pcapng", out, folder])).toMatchObject({ status: 1, err: `${folder}: Is a directory\n` });
    expect(pppdump(["-p", folder])).toMatchObject({ status: 1, err: `${folder}: Is a directory\n` });
    expect(pppdump(["--pcapng", out, "/nowhere"])).toMatchObject({ status: 1 });
    expect(pppdump(["--pcapng", "/nowhere/out", file])).toMatchObject({
      status: 1,
      err: "/nowhere/out: No such file or directory\n",
    });
    expect(pppdump(["--pcapng"]).err).toStartWith("pppdump: option '--pcapng' requires an argument\nUsage: ");
    if (existsSync("/dev/full"))
      expect(pppdump(["--pcapng", "/dev/full", file])).toMatchObject({
        status: 1,
        err: "/dev/full: No space left on device\n",
      });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
