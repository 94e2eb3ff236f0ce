import { describe, expect, test } from "bun:test";
import { fromHex, toHex } from "../../src/bytes/text.ts";
import { readRecord, type RecordItem, RecordWriter } from "../../src/record/pppdump-file.ts";
import { damaged } from "../kit/codec.ts";

const items = (hex: string): RecordItem[] => [...readRecord(fromHex(hex))];

describe("readRecord", () => {
  test("every kind of item", () => {
    expect(items("07 3b9aca00 01 0003 7eff03 06 05 02 0001 7e 05 00000100 03 04 41 01 0000")).toEqual([
      { type: "start", time: 1_000_000_000 },
      { type: "sent", data: fromHex("7eff03"), cut: false },
      { type: "time", tenths: 5 },
      { type: "received", data: fromHex("7e"), cut: false },
      { type: "time", tenths: 256 },
      { type: "end-sent" },
      { type: "end-received" },
      { type: "unknown", tag: 0x41 },
      { type: "sent", data: new Uint8Array(0), cut: false },
    ]);
  });

  test("a file that ends too soon", () => {
    expect(items("01 0005 6162")).toEqual([{ type: "sent", data: fromHex("6162"), cut: true }]);
    for (const hex of ["07", "073b9aca", "01", "0200", "05000000", "06"]) expect(items(hex)).toEqual([{ type: "cut" }]);
    expect(items("")).toEqual([]);
  });

  test("whatever the octets, it ends and gives no octet twice", () => {
    const file = fromHex("07 3b9aca00 01 0003 7eff03 06 05 02 0001 7e 05 00000100 03 04");
    for (const broken of damaged(file)) {
      let octets = 0;
      for (const item of readRecord(broken)) if ("data" in item) octets += item.data.length;
      expect(octets).toBeLessThanOrEqual(broken.length);
    }
  });
});

describe("RecordWriter", () => {
  const bytes = fromHex("00 7eff03 00");

  test("writes what pppd writes", () => {
    const writer = new RecordWriter(1_000_000_000_000);
    const file = [
      writer.start(),
      writer.sent(bytes, 1, 4, 1_000_000_000_099),
      writer.received(bytes, 1, 2, 1_000_000_000_100),
      writer.received(bytes, 1, 2, 1_000_000_000_199),
      writer.sent(bytes, 1, 2, 1_000_000_025_600),
      writer.received(bytes, 1, 2, 1_000_000_051_200),
      writer.endSent(1_000_000_051_200),
      writer.endReceived(1_000_000_052_000),
    ];
    expect(file.map((item) => toHex(item))).toEqual([
      "073b9aca00",
      "0100037eff03",
      "06010200017e",
      "0200017e",
      "06ff0100017e",
      "05000001000200017e",
      "03",
      "060804",
    ]);
  });

  test("tenths are those of the clock, and none is lost", () => {
    // From 0.37 s to 10.31 s the clock shows a new tenth a hundred times.
    const writer = new RecordWriter(1_000_000_000_370);
    expect(toHex(writer.start())).toBe("073b9aca00");
    let tenths = 0;
    for (let now = 1_000_000_000_370; now <= 1_000_000_010_370; now += 70) {
      const [first] = readRecord(writer.sent(bytes, 1, 2, now));
      if (first?.type === "time") tenths += first.tenths;
    }
    expect(tenths).toBe(100);
  });

  test("a clock put back writes no time", () => {
    const writer = new RecordWriter(1_000_000_000_000);
    expect(toHex(writer.sent(bytes, 1, 2, 999_999_000_000))).toBe("0100017e");
  });

  test("data longer than its length field can say are split", () => {
    const long = Uint8Array.from({ length: 70_000 }, (_, at) => at & 0xff);
    const read = [...readRecord(new RecordWriter(0).received(long, 0, long.length, 0))];
    expect(read.map((item) => ("data" in item ? item.data.length : -1))).toEqual([65535, 4465]);
    expect(Buffer.concat(read.map((item) => ("data" in item ? item.data : Buffer.of())))).toEqual(Buffer.from(long));
    expect(new RecordWriter(0).sent(long, 5, 5, 0).length).toBe(0);
  });

  test("what is written is read", () => {
    const writer = new RecordWriter(123_456_789);
    const file = Buffer.concat([writer.start(), writer.sent(bytes, 0, 5, 123_466_789)]);
    expect([...readRecord(file)]).toEqual([
      { type: "start", time: 123_456 },
      { type: "time", tenths: 100 },
      { type: "sent", data: Buffer.from(bytes), cut: false },
    ]);
  });
});
