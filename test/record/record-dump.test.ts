import { expect, test } from "bun:test";
import { fromHex } from "../../src/bytes/text.ts";
import { Dump, type DumpOptions } from "../../src/record/record-dump.ts";
import { readRecord } from "../../src/record/pppdump-file.ts";

const PLAIN: DumpOptions = {
  view: "text",
  reverse: false,
  decompress: false,
  absolute: false,
  mru: 1500,
  dateText: (seconds) => `date ${seconds}`,
  clockText: (seconds) => `clock ${seconds}`,
};

function dump(hex: string, options: Partial<DumpOptions> = {}): string {
  const renderer = new Dump({ ...PLAIN, ...options });
  return [...readRecord(fromHex(hex))].map((item) => renderer.item(item)).join("");
}

// A whole Terminate-Ack; an aborted frame; a frame that is too short; one with a wrong FCS; an unfinished one.
const FRAMES = "01 0021 7eff7d23c0217d267d227d207d24947d2d7e 414243447d7e 41427e 616263 7e 7878";

test("text: what cannot be printed in hex, quotes and backslashes escaped", () => {
  expect(dump("07 00000001 01 0005 7e41225c0a 06 07 02 0001 ff 03")).toBe(
    'start date 1\nsent "~A\\"\\\\\\0a"\ntime  0.7s\nrcvd "\\ff"\nend send\n',
  );
});

test("text wraps before column 78", () => {
  expect(dump(`01 0048 ${"61".repeat(72)}`)).toBe(`sent "${"a".repeat(71)}\n      a"\n`);
  expect(dump(`01 0047 ${"61".repeat(71)}`)).toBe(`sent "${"a".repeat(71)}"\n`);
  expect(dump(`01 0046 ${"61".repeat(69)}ff`)).toBe(`sent "${"a".repeat(69)}\n      \\ff"\n`);
});

test("hex: sixteen to a row", () => {
  expect(dump("02 0011 7eff03c02101010014020600000000 2041", { view: "hex" })).toBe(
    "rcvd   7e ff 03 c0 21 01 01 00 14 02 06 00 00 00 00 20  ~...!.......... \n" +
      "       41                                               A\n",
  );
});

test("packets: whole, aborted, short, damaged and unfinished", () => {
  expect(dump(`${FRAMES} 03`, { view: "packets" })).toBe(
    [
      "sent  ff 03 c0 21 06 02 00 04                          ...!....",
      "sent aborted packet:",
      "           41 42                                            AB",
      "     BAD FCS: (residue = d2cd)",
      "sent short packet [2 bytes]: 41 42",
      "sent  61                                               a",
      "     BAD FCS: (residue = 61da)",
      "end send  [2 bytes in incomplete packet]",
      "",
    ].join("\n"),
  );
});

test("a frame may come in any number of pieces", () => {
  const piece = (hex: string) => `01 ${(hex.length / 2).toString(16).padStart(4, "0")} ${hex}`;
  const frame = "7eff7d23c0217d267d227d207d24947d2d7e";
  const whole = dump(piece(frame), { view: "packets" });
  for (let at = 2; at < frame.length; at += 2)
    expect(dump(piece(frame.slice(0, at)) + piece(frame.slice(at)), { view: "packets" })).toBe(whole);
});

test("the MRU counts what follows the protocol", () => {
  const frame = "01 0012 7eff7d23c0217d267d227d207d24947d2d7e";
  expect(dump(frame, { view: "packets", mru: 4 })).not.toContain("ERROR");
  expect(dump(frame, { view: "packets", mru: 3 })).toStartWith("     ERROR: length (4) > MRU (3)\n");
});

test("reverse swaps the names; ends only where packets are shown", () => {
  expect(dump("01 0001 41 03", { reverse: true })).toBe('rcvd "A"\nend send\n');
  expect(dump("01 0001 41 03", { reverse: true, view: "packets" })).toBe("end recv  [1 bytes in incomplete packet]\n");
});

test("absolute times, and the octets since the start", () => {
  expect(dump("07 00000064 01 0002 4141 06 0e 02 0001 41 06 07 07 000000c8 06 01", { absolute: true })).toBe(
    'start date 100\nsent "AA"\ntime  clock 101.4  (sent 2, rcvd 0)\nrcvd "A"\n' +
      "time  clock 102.1  (sent 2, rcvd 1)\nstart date 200\ntime  clock 200.1  (sent 0, rcvd 0)\n",
  );
});

test("a file cut short", () => {
  expect(dump("01 0005 6162")).toBe('sent "ab\nEOF\n');
  expect(dump("01 0005 6162", { view: "hex" })).toBe("sent   61 62\nEOF\n");
  expect(dump("01 0005 6162", { view: "packets" })).toBe("\nEOF\n[2 bytes in incomplete send packet]\n");
  expect(dump("01 0005", { view: "hex" })).toBe("sent  \nEOF\n");
  expect(dump("01 0000", { view: "hex" })).toBe(`sent  ${" ".repeat(50)}\n`);
  expect(dump("09 07 00")).toBe("?09\nEOF\n");
});
