import { expect, test } from "bun:test";
import { fromHex, toHex } from "../../src/bytes/text.ts";
import { interfaceBlock, journalBlock, packetBlock, sectionBlock } from "../../src/record/pcapng.ts";

const ECHO = fromHex("ff03c02109000008deadbeef");

test("blocks say their length at both ends, and the parts are padded to four octets", () => {
  expect(toHex(sectionBlock())).toBe(
    "0a0d0d0a 30000000 4d3c2b1a 01000000 ffffffffffffffff 0400 0900 6e756c6c6d6f64656d000000 00000000 30000000".replaceAll(
      " ",
      "",
    ),
  );
  expect(toHex(interfaceBlock("/dev/ttyS0", "x"))).toBe(
    "01000000 30000000 cc00000000000000 0200 0a00 2f6465762f7474795330 0000 0300 0100 78000000 00000000 30000000".replaceAll(
      " ",
      "",
    ),
  );
  // 1000000000.5 s is 38d7ea4ce2120 microseconds.
  expect(toHex(packetBlock({ line: 0, isSent: true, time: 1_000_000_000_500, octets: ECHO }))).toBe(
    "06000000 3c000000 00000000 7e8d0300 2021cea4 0d000000 0d000000 01ff03c02109000008deadbeef000000 0200 0400 02000000 00000000 3c000000".replaceAll(
      " ",
      "",
    ),
  );
});

test("a packet that is cut tells its whole length, and comments stand before its direction", () => {
  const block = packetBlock({
    line: 2,
    isSent: false,
    time: 0,
    octets: ECHO,
    length: 1500,
    comments: ["one", "three"],
  });
  expect(toHex(block, 8, 28)).toBe("02000000" + "00000000" + "00000000" + "0d000000" + "dd050000");
  expect(toHex(block, 44)).toBe(
    "0100 0300 6f6e6500 0100 0500 7468726565000000 0200 0400 01000000 00000000 50000000".replaceAll(" ", ""),
  );
});

const tshark = Bun.which("tshark");
const NO_TSHARK = tshark === null ? " [skipped: no tshark here]" : "";
const FIELDS = ["frame.time_epoch", "ppp.direction", "frame.packet_flags_direction", "ppp.protocol", "frame.interface_name",
  "frame.comment", "systemd_journal.message"].flatMap((field) => ["-e", field]); // prettier-ignore

test.skipIf(tshark === null)(`tshark reads it from a pipe, comments and lines of the log too${NO_TSHARK}`, () => {
  const stdin = Buffer.concat([
    sectionBlock(),
    interfaceBlock("ttyS0", "x"),
    packetBlock({ line: 0, isSent: true, time: 1_000_000_000_500, octets: ECHO, comments: ["it begins"] }),
    journalBlock(1_000_000_001_000, "phase\nnetwork"),
    packetBlock({ line: 0, isSent: false, time: 1_000_000_001_250, octets: fromHex("c02101010004"), length: 900 }),
  ]);
  const { stdout, exitCode } = Bun.spawnSync([tshark!, "-r", "-", "-T", "fields", ...FIELDS], { stdin });
  expect(exitCode).toBe(0);
  // tshark's own numbers: 0 sent, 1 received.
  expect(stdout.toString().split("\n")).toEqual([
    "1000000000.500000000\t0\t0x00000002\t0xc021\tttyS0\tit begins\t",
    "1000000001.000000000\t\t\t\t\t\tphase network",
    "1000000001.250000000\t1\t0x00000001\t0xc021\tttyS0\t\t",
    "",
  ]);
});

const dumpcap = Bun.which("dumpcap");

test.skipIf(dumpcap === null)(
  `dumpcap, which reads the pipe of wireshark -k -i -, takes it${dumpcap === null ? " [skipped: no dumpcap here]" : ""}`,
  () => {
    const stdin = Buffer.concat([
      sectionBlock(),
      interfaceBlock("ttyS0", "x"),
      journalBlock(1, "up"),
      packetBlock({ line: 0, isSent: true, time: 1, octets: ECHO }),
    ]);
    const { stdout, stderr } = Bun.spawnSync([dumpcap!, "-q", "-i", "-", "-w", "-"], { stdin });
    expect(stderr.toString()).not.toContain("endian");
    expect(toHex(stdout)).toContain(toHex(ECHO));
    expect(stdout.toString("latin1")).toContain("MESSAGE=up");
  },
);
