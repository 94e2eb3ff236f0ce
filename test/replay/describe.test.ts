// Sessions of two real pppds: our description of a recording (`record`) is compared with pppd's own log (`debug`).

import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Deframer } from "../../src/frame/deframer.ts";
import { readRecord } from "../../src/record/pppdump-file.ts";
import { describePacket } from "../../src/describe/packet-text.ts";

const SESSIONS = join(import.meta.dir, "../../fixtures/sessions");
const NAMES = readdirSync(SESSIONS)
  .filter((name) => name.endsWith(".rec"))
  .map((name) => name.slice(0, -".rec".length));

/** All packets of the file as `sent […]` or `rcvd […]`, in order. */
function described(file: Uint8Array): string[] {
  const lines: string[] = [];
  const sides = { sent: new Deframer(), received: new Deframer() };
  sides.sent.accm = sides.received.accm = 0;
  for (const item of readRecord(file)) {
    if (item.type !== "sent" && item.type !== "received") continue;
    const side = sides[item.type];
    for (let at = 0; at < item.data.length;) {
      at = side.push(item.data, at, item.data.length);
      if (side.length === 0) continue;
      const packet = uncompressed(side.frame.slice(0, side.length));
      const word = item.type === "sent" ? "sent" : "rcvd";
      lines.push(`${word} ${describePacket(packet, 0, packet.length, { hidePassword: true })}`);
    }
  }
  return lines;
}

/** The packet, beginning with a protocol field of two octets. */
function uncompressed(frame: Uint8Array): Uint8Array {
  const packet = frame[0] === 0xff && frame[1] === 3 ? frame.subarray(2) : frame;
  return packet[0]! % 2 === 0 ? packet : Uint8Array.of(0, ...packet);
}

test("there are sessions", () => {
  expect(NAMES.length).toBeGreaterThan(10);
});

test.each(NAMES)("%s", (name) => {
  const ours = described(readFileSync(join(SESSIONS, `${name}.rec`)));
  const log = readFileSync(join(SESSIONS, `${name}.txt`), "utf8")
    .trimEnd()
    .split("\n");
  // The kernel passes only unreadable data packets to pppd. pppd hides echoes once a network protocol is up.
  const logged = log.filter((line) => !line.includes(" data] "));
  const hidden = /^(sent|rcvd) \[(LCP Echo|(IP|IPV6|Compressed) data|proto=0x2[df]|CCP Reset)/;
  const missing = left(logged, ours);
  const beyond = left(ours, logged).filter((line) => !hidden.test(line));
  expect(missing).toEqual([]);
  // The end of the log may cut off the last lines.
  expect(beyond.length).toBeLessThanOrEqual(1);
});

/** The lines that are not in `others`, each counted. pppd reads two queues, so the order may differ. */
function left(lines: readonly string[], others: readonly string[]): string[] {
  const count = new Map<string, number>();
  for (const line of others) count.set(line, (count.get(line) ?? 0) + 1);
  return lines.filter((line) => {
    const found = count.get(line) ?? 0;
    count.set(line, found - 1);
    return found <= 0;
  });
}
