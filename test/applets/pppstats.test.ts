// Compares pppstats with the output of pppstats 2.4.9 (fixtures/pppstats), and runs it on interfaces of a private
// network.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { pppstats, type PppstatsHost } from "../../src/applets/pppstats.ts";
import { fromHex } from "../../src/bytes/text.ts";
import { type Counters, NO_TRAFFIC, type Traffic } from "../../src/link/counters.ts";
import { closeFd, libc, Memory, OsError } from "../../src/os/ffi/libc.ts";
import { addAddress, noKernelLinkLocal, setLink } from "../../src/os/net/netif.ts";
import { openTun } from "../../src/os/net/tun.ts";
import { tunMissing } from "../kit/machine.ts";
import { enterNetns, noNetns } from "../kit/netns.ts";
import { Program } from "../kit/program.ts";

const ROOT = join(import.meta.dir, "../..");

interface Call {
  readonly command: string;
  readonly argv: string[];
  /** Its output and its error messages. */
  readonly text: string;
  readonly status: number;
}

/** Blocks of `$ pppstats …`, its output, `[status N]`. */
function captured(name: string): Call[] {
  const text = readFileSync(join(ROOT, "fixtures/pppstats", name), "utf8");
  return [...text.matchAll(/^\$ (pppstats ?(.*))\n([^]*?)\[status (\d+)\]$/gm)].map(
    ([, command = "", words = "", output = "", status]) => ({
      command,
      argv: words === "" ? [] : words.split(" ").map((word) => (word === "''" ? "" : word)),
      text: output,
      status: Number(status),
    }),
  );
}

function counters(received: Partial<Traffic>, sent: Partial<Traffic>): Counters {
  return { received: { ...NO_TRAFFIC, ...received }, sent: { ...NO_TRAFFIC, ...sent } };
}

function plus(start: Traffic, more: Partial<Traffic>): Traffic {
  const sum = { ...start };
  for (const [field, value] of Object.entries(more)) sum[field as keyof Traffic] += value;
  return sum;
}

/** Runs pppstats on these counters, one after the other. The last is repeated. */
async function run(argv: string[], samples: readonly (Counters | OsError)[]) {
  const left = [...samples];
  const asked: string[] = [];
  const ticks: number[] = [];
  let out = "";
  let err = "";
  const host: PppstatsHost = {
    counters: (ifname) => {
      asked.push(ifname);
      const sample = left.length > 1 ? left.shift()! : left[0]!;
      if (sample instanceof OsError) throw sample;
      return sample;
    },
    print: async (text) => void (out += text),
    complain: (text) => void (err += `${text}\n`),
    tick: async (seconds) => void ticks.push(seconds),
  };
  const status = await pppstats(argv, host);
  return { status, out, err, asked, ticks };
}

const noDevice = new OsError("test", "ppp0", constants.errno.ENODEV);
const notPpp = new OsError("test", "lo", constants.errno.EOPNOTSUPP);

describe("prints what pppstats 2.4.9 prints", () => {
  const compressed = counters(
    {
      bytes: 15890,
      packets: 296,
      vjCompressed: 193,
      vjUncompressed: 71,
      compressedBytes: 2950,
      compressedPackets: 96,
      incompressibleBytes: 2174,
      incompressiblePackets: 193,
      uncompressedBytes: 8306,
    },
    {
      bytes: 2057313,
      packets: 1404,
      vjCompressed: 1210,
      vjUncompressed: 162,
      vjSearches: 15,
      vjMisses: 1,
      compressedBytes: 1086671,
      compressedPackets: 1378,
      incompressibleBytes: 27645,
      incompressiblePackets: 19,
      uncompressedBytes: 2003511,
    },
  );
  test.each(captured("compressed.txt"))("VJ and Deflate: $command", async ({ argv, text, status }) => {
    expect(await run(argv, [compressed])).toMatchObject({ out: text, err: "", status });
  });

  const plain = counters({ bytes: 16819, packets: 324 }, { bytes: 2054281, packets: 1382 });
  test.each(captured("plain.txt"))("neither: $command", async ({ argv, text, status }) => {
    expect(await run(argv, [plain])).toMatchObject({ out: text, err: "", status, asked: ["ppp0"] });
  });

  // Bytes and packets of the first row, received and sent. Each second row has twenty pings more, except with -a -v.
  const plainStarts = [
    [17743, 335, 2055205, 1393],
    [19423, 355, 2056885, 1413],
    [21103, 375, 2058565, 1433],
    [22783, 395, 2060245, 1453],
    [24463, 415, 2061925, 1473],
    [26143, 435, 2063605, 1493],
    [27823, 455, 2065285, 1513],
    [29503, 475, 2066965, 1533],
    [31183, 495, 2068729, 1554],
    [32947, 516, 2070409, 1574],
  ] as const;
  const plainRates = captured("rates-plain.txt").map((call, at) => ({ ...call, start: plainStarts[at]! }));
  test.each(plainRates)("neither, under load: $command", async ({ command, argv, text, status, start }) => {
    const [rxBytes, rxPackets, txBytes, txPackets] = start;
    const first = counters({ bytes: rxBytes, packets: rxPackets }, { bytes: txBytes, packets: txPackets });
    const pings = { bytes: 1680, packets: 20 };
    const sent = command.endsWith("-a -v") ? { bytes: 1596, packets: 19 } : pings;
    const second = counters(plus(first.received, pings), plus(first.sent, sent));
    expect(await run(argv, [first, second])).toMatchObject({ out: text, err: "", status, ticks: [2] });
  });

  // If a report does not show the parts of its ratio, the compressed bytes are chosen to give that ratio.
  const received = { vjCompressed: 192, vjUncompressed: 73, incompressibleBytes: 2156, incompressiblePackets: 192 };
  const sent = {
    vjCompressed: 1290,
    vjUncompressed: 83,
    vjSearches: 15,
    vjMisses: 1,
    incompressibleBytes: 27645,
    incompressiblePackets: 19,
  };
  const pings = { bytes: 1680, packets: 20, uncompressedBytes: 1760, compressedPackets: 20 };
  const compressedStarts: Partial<Traffic>[][] = [
    [{ bytes: 15102, packets: 287 }, pings, { bytes: 2055477, packets: 1395 }, pings],
    [{ bytes: 16782, packets: 307 }, pings, { bytes: 2057157, packets: 1415 }, pings],
    [
      { bytes: 18462, packets: 327, uncompressedBytes: 11040, compressedBytes: 3812 },
      { ...pings, compressedBytes: 555 },
      { bytes: 2058837, packets: 1435, uncompressedBytes: 2001239, compressedBytes: 1084667 },
      { ...pings, compressedBytes: 548 },
    ],
    [
      { bytes: 20142, packets: 347, uncompressedBytes: 12800, compressedBytes: 4375 },
      { bytes: 1728, packets: 21, uncompressedBytes: 1812, compressedBytes: 559 },
      { bytes: 2060517, packets: 1455, uncompressedBytes: 2002999, compressedBytes: 1085215 },
      { bytes: 1728, packets: 21, uncompressedBytes: 1812, compressedBytes: 563 },
    ],
    [
      { bytes: 21954, packets: 369, uncompressedBytes: 14700, compressedBytes: 4980 },
      { ...pings, compressedBytes: 544 },
      { bytes: 2062329, packets: 1477, uncompressedBytes: 2004899, compressedBytes: 1087244 },
      { ...pings, compressedBytes: 544 },
    ],
    [
      { packets: 402, uncompressedBytes: 16460, compressedBytes: 5524, compressedPackets: 190 },
      { ...pings, compressedBytes: 546 },
      { packets: 1510, uncompressedBytes: 2006659, compressedBytes: 1087788, compressedPackets: 1471 },
      { ...pings, compressedBytes: 549 },
    ],
    [
      { packets: 422, uncompressedBytes: 18220, compressedBytes: 6070, compressedPackets: 210 },
      { ...pings, compressedBytes: 548 },
      { packets: 1530, uncompressedBytes: 2008419, compressedBytes: 1088337, compressedPackets: 1491 },
      { ...pings, compressedBytes: 548 },
    ],
    [
      { bytes: 26994, packets: 429, uncompressedBytes: 19980, compressedBytes: 6618 },
      { ...pings, compressedBytes: 552 },
      { bytes: 2067369, packets: 1537, uncompressedBytes: 2010179, compressedBytes: 1088885 },
      { ...pings, compressedBytes: 555 },
    ],
  ];
  const compressedRates = captured("rates-compressed.txt").map((call, at) => ({ ...call, at }));
  test.each(compressedRates)("VJ and Deflate, under load: $command", async ({ argv, text, status, at }) => {
    const [rx = {}, rxMore = {}, tx = {}, txMore = {}] = compressedStarts[at]!;
    const first = counters({ ...received, ...rx }, { ...sent, ...tx });
    const second = counters(plus(first.received, rxMore), plus(first.sent, txMore));
    expect(await run(argv, [first, second])).toMatchObject({ out: text, err: "", status, ticks: [2] });
  });

  test("the titles again every 20 rows", async () => {
    const [call] = captured("long.txt");
    const idle = counters({ bytes: 34627, packets: 536 }, { bytes: 2072089, packets: 1594 });
    expect(await run(call!.argv, [idle])).toMatchObject({ out: call!.text, status: 0 });
  });

  test.each(captured("errors.txt"))("refuses: $command", async ({ argv, text, status }) => {
    const trouble = argv.at(-1) === "lo" ? notPpp : noDevice;
    expect(await run(argv, [trouble])).toMatchObject({ out: "", err: text, status });
  });
});

describe("options", () => {
  const idle = counters({ packets: 1 }, {});

  test("five seconds from row to row unless -w says something else", async () => {
    expect((await run(["-c", "3"], [idle])).ticks).toEqual([5, 5]);
    expect((await run(["-c3", "-w7x"], [idle])).ticks).toEqual([7, 7]);
  });

  test("-w alone goes on until the interface is gone", async () => {
    const { status, out, err } = await run(["-w", "1"], [...Array<Counters>(30).fill(idle), noDevice]);
    expect(out.split("\n").filter((line) => line.startsWith("       0"))).toHaveLength(30);
    expect({ status, err }).toEqual({ status: 1, err: "pppstats: couldn't get PPP statistics: No such device\n" });
  });

  test("the interface may come before the options", async () => {
    expect((await run(["ppp7", "-c", "1", "-a"], [idle])).asked).toEqual(["ppp7"]);
  });

  test("a new link under the old name starts at zero", async () => {
    const rows = [
      counters({ bytes: 9000, packets: 90 }, { bytes: 8000, packets: 80 }),
      counters({ bytes: 500, packets: 5 }, { bytes: 400, packets: 4 }),
    ];
    const { out } = await run(["-w", "1", "-c", "2"], rows);
    expect(out.split("\n")[2]).toBe("     500      5      0      0      0  |      400      4      0      0      4");
  });

  test("a count past 32 bits is shown whole", async () => {
    const { out } = await run([], [counters({ bytes: 6_000_000_000, packets: 4_000_000 }, {})]);
    expect(out).toContain("\n6000000000 4000000 ");
  });
});

describe("trouble with the output", () => {
  const broken = (code: "EPIPE" | "ENOSPC"): PppstatsHost => ({
    counters: () => counters({}, {}),
    print: async () => {
      throw Object.assign(new Error(code), { code, errno: -constants.errno[code] });
    },
    complain: (text) => void said.push(text),
    tick: async () => {},
  });
  let said: string[] = [];
  beforeEach(() => (said = []));

  test("without a reader it ends as by SIGPIPE, without a message", async () => {
    expect(await pppstats(["-w", "1"], broken("EPIPE"))).toBe(141);
    expect(said).toEqual([]);
  });

  test("the disk is full", async () => {
    expect(await pppstats(["-w", "1"], broken("ENOSPC"))).toBe(1);
    expect(said).toEqual(["pppstats: write error: No space left on device"]);
  });

  test("messages go to standard error", async () => {
    const run = pppstatsHere("-x");
    expect(await run.exit()).toBe(1);
    expect(run.lines.map(({ stream, text }) => `${stream} ${text}`)).toEqual([
      "err pppstats: invalid option -- 'x'",
      "err Usage: pppstats [-a|-d] [-v|-r|-z] [-c count] [-w wait] [interface]",
    ]);
  });
});

const noTun = noNetns ?? tunMissing();
const skipped = noTun === undefined ? "" : ` [skipped: ${noTun}]`;

describe.skipIf(noTun !== undefined)(`in a network of its own${skipped}`, () => {
  let leave = (): void => {};
  beforeAll(() => (leave = enterNetns()));
  afterAll(() => leave());

  test("counts received and sent packets, and ends with the interface", async () => {
    const tun = openTun();
    let open = true;
    try {
      noKernelLinkLocal(tun);
      addAddress(tun, 0x0a090001, 0x0a090002);
      setLink(tun, { up: true });
      // An ICMP message of a type that is never answered, 10.9.0.2 > 10.9.0.1, with a wrong checksum.
      const packet = new Memory(28);
      packet.bytes.set(fromHex("4500001c 00000000 40010000 0a090002 0a090001 63000000 00000000"));
      expect(libc.write(tun.fd, packet.address, 28)).toBe(28);

      const once = pppstatsHere();
      expect(await once.exit()).toBe(0);
      expect(once.lines.map(({ text }) => text)).toEqual([
        "      IN   PACK VJCOMP  VJUNC  VJERR  |      OUT   PACK VJCOMP  VJUNC NON-VJ",
        "      28      1      0      0      0  |        0      0      0      0      0",
      ]);

      const watching = pppstatsHere("-w", "1", tun.name);
      await watching.waitFor(/^ +28 +1 /);
      closeFd(tun.fd);
      open = false;
      expect(await watching.exit()).toBe(1);
      expect(watching.lines.at(-1)?.text).toBe("pppstats: couldn't get PPP statistics: No such device");
    } finally {
      if (open) closeFd(tun.fd);
    }
  });

  test("lo is no PPP interface, ppp0 is not there", async () => {
    const lo = pppstatsHere("lo");
    expect(await lo.exit()).toBe(1);
    expect(lo.text).toBe("pppstats: couldn't get PPP statistics: Operation not supported\n");
    const none = pppstatsHere();
    expect(await none.exit()).toBe(1);
    expect(none.text).toBe("pppstats: nonexistent interface 'ppp0' specified\n");
  });
});

function pppstatsHere(...argv: string[]): Program {
  return new Program([process.execPath, "src/main.ts", "pppstats", ...argv], { cwd: ROOT });
}
