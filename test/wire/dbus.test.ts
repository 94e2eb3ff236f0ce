// D-Bus messages: exact octets, both orders of octets, every truncation and every wrong bit.

import { expect, test } from "bun:test";
import { fromHex, toHex } from "../../src/bytes/text.ts";
import { dbusCall, dbusError, dbusLength, DbusType, parseDbus } from "../../src/wire/dbus.ts";
import { messageOf } from "../kit/memory-bus.ts";

/** The text with its length before it and a NUL behind it. */
const text = (value: string): string =>
  `${value.length.toString(16).padStart(2, "0")}000000 ${Buffer.from(value).toString("hex")} 00`;

test("a call has the octets of the specification: fixed part, header fields aligned to 8, body", () => {
  const target = { destination: "a.b", path: "/c", interface: "d.e", member: "Fgh" };
  // "Message Format": order, type, flags, version; length of the body; serial number; length of the header fields.
  const head = "6c 01 00 01 04000000 07000000 47000000";
  const fields = [
    `01 01 6f 00 ${text("/c")} 0000000000`,
    `06 01 73 00 ${text("a.b")} 00000000`,
    `02 01 73 00 ${text("d.e")} 00000000`,
    `03 01 73 00 ${text("Fgh")} 00000000`,
    "08 01 67 00 01 75 00",
  ];
  const call = dbusCall(7, target, [["u", 0x01020304]]);
  expect(toHex(call)).toBe(toHex(fromHex(`${head} ${fields.join(" ")} 00 04030201`)));
});

test("a reply in the other order of octets is read, with the texts at its beginning", () => {
  const reply = messageOf(DbusType.Reply, 5, ["zaphod", "", "\u00e9"]);
  const padded = new Uint8Array(reply.length + 9).fill(0xa5);
  padded.set(reply, 5);
  expect(parseDbus(padded, 5, 5 + reply.length)).toMatchObject({ replyTo: 5, texts: ["zaphod", "", "\u00c3\u00a9"] });
});

test("an error to a caller names it, and what it called", () => {
  const call = { type: 1, serial: 9, wantsReply: true, replyTo: 0, errorName: "", sender: ":1.4", texts: [] };
  const bytes = dbusError(3, call, "x.y.Unknown");
  expect(parseDbus(bytes, 0, bytes.length)).toMatchObject({ type: 3, replyTo: 9, errorName: "x.y.Unknown", texts: [] });
});

test("no part of a message and no wrong bit makes the reader throw or read beyond it", () => {
  const whole = messageOf(DbusType.Error, 5, ["there is none", "b"], "org.example.No");
  for (let end = 0; end < whole.length; end++) {
    expect(parseDbus(whole, 0, end)).toBeUndefined();
    expect(dbusLength(whole, 0, end)).toBe(end < 16 ? 0 : whole.length);
  }
  for (let bit = 0; bit < 8 * whole.length; bit++) {
    const wrong = whole.slice();
    wrong[bit >> 3]! ^= 1 << (bit & 7);
    const length = dbusLength(wrong, 0, wrong.length);
    const read = parseDbus(wrong, 0, wrong.length);
    if (length !== whole.length) expect(read).toBeUndefined();
    for (const each of read?.texts ?? []) expect(each.length).toBeLessThan(whole.length);
  }
});
