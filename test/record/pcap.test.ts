import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromHex, toHex } from "../../src/bytes/text.ts";
import { pcapHeader, pcapPacket } from "../../src/record/pcap.ts";

const PACKET = fromHex("00ff03c02109000008deadbeef00");

test("blocks say their length at both ends and are padded to four octets", () => {
  expect(toHex(pcapHeader())).toBe(
    "0a0d0d0a0000001c1a2b3c4d00010000ffffffffffffffff0000001c" + "000000010000001400cc00000000000000000014",
  );
  // 1000000000.5 s is 38d7ea4ce2120 microseconds.
  expect(toHex(pcapPacket(true, 1_000_000_000_500, PACKET, 1, 13))).toBe(
    "00000006 00000030 00000000 00038d7e a4ce2120 0000000d 0000000d 01ff03c02109000008deadbeef000000 00000030".replaceAll(
      " ",
      "",
    ),
  );
});

const tshark = Bun.which("tshark");

test.skipIf(tshark === null)(`tshark reads it${tshark === null ? " [skipped: no tshark here]" : ""}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "pcap-"));
  try {
    const file = join(folder, "a.pcapng");
    writeFileSync(
      file,
      Buffer.concat([
        pcapHeader(),
        pcapPacket(true, 1_000_000_000_500, PACKET, 1, 13),
        pcapPacket(false, 1_000_000_001_250, fromHex("c021010100040000"), 0, 6),
      ]),
    );
    const fields = ["frame.time_epoch", "ppp.direction", "ppp.protocol", "ppp.code"].flatMap((field) => ["-e", field]);
    const { stdout, exitCode } = Bun.spawnSync([tshark!, "-r", file, "-T", "fields", ...fields]);
    expect(exitCode).toBe(0);
    // tshark's own numbers: 0 sent, 1 received.
    expect(stdout.toString()).toBe("1000000000.500000000\t0\t0xc021\t9\n1000000001.250000000\t1\t0xc021\t1\n");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
