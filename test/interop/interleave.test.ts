// Packets in pieces to a real pppd with `multilink` on one link: its kernel reassembles them while pings overtake, and its
// compression and ours stay in step.

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addressEnd, protocolAt, protocolEnd } from "../../src/frame/header.ts";
import { readRecord } from "../../src/record/pppdump-file.ts";
import { Unframer } from "../../src/record/unframer.ts";
import { Protocol } from "../../src/wire/protocols.ts";
import { openLaplink } from "../kit/end.ts";
import { missing } from "../kit/lab.ts";
import { closeMachines, machinesMissing, tunMissing } from "../kit/machine.ts";
import { Payload } from "../kit/transfer.ts";
import { PATIENT } from "./patient-options.ts";

setDefaultTimeout(200_000);
const skip = missing() ?? machinesMissing() ?? tunMissing();
const on = (name: string): string => (skip === undefined ? name : `${name} [skipped: ${skip}]`);
const BAUD = 115200;
const folder = mkdtempSync(join(tmpdir(), "nullmodem-interleave-"));

afterAll(async () => {
  rmSync(folder, { recursive: true });
  await closeMachines();
});

/** The protocols of the frames that we sent, and of each with MP's header whether the packet is in pieces. */
function sentFrames(record: string): string[] {
  const unframer = new Unframer();
  const found: string[] = [];
  for (const item of readRecord(readFileSync(record)))
    if (item.type === "sent")
      unframer.push(item.data, (frame) => {
        const start = addressEnd(frame, 0, frame.length);
        const at = protocolEnd(frame, start, frame.length);
        const protocol = at < 0 ? 0 : protocolAt(frame, start, at);
        const isPiece = protocol === Protocol.MP && (frame[at]! & 0xc0) !== 0xc0;
        found.push(isPiece ? "piece" : protocol === Protocol.MP ? "whole" : "plain");
      });
  return found;
}

test.skipIf(skip !== undefined)(
  on("a real pppd with multilink takes long packets in pieces, and pings between them"),
  async () => {
    const payload = new Payload({ options: `noauth\nlocal\nnodetach\nnoipv6\ndebug\n${PATIENT}` });
    const link = await openLaplink("real", "ours", { cable: { baud: BAUD }, etc: payload.etc });
    try {
      const record = join(folder, "client.rec");
      const server = await link.server.start(`pppd /dev/ttyS1 ${BAUD} 10.0.0.1:10.0.0.2 multilink`);
      const client = await link.client.start(`pppd /dev/ttyS0 ${BAUD} interleave record ${record}`);
      for (const run of [server, client]) await run.waitFor(/^remote IP address/);
      await client.waitFor("Deflate (15) compression enabled");
      const pinging = link.client.run("ping -n -c 25 -i 0.2 -W 60 10.0.0.1");
      await payload.transfer(link, { server: "10.0.0.1", client: "10.0.0.2" });
      // The pppd's short queue drops some of the answers.
      const [, answered] = / (\d+) received/.exec((await pinging).stdout) ?? [];
      expect(Number(answered)).toBeGreaterThan(10);
      await link.client.run("kill -TERM $(head -n1 /var/run/ppp0.pid)");
      expect(await client.exit()).toBe(5);
      await server.exit();
      const frames = sentFrames(record);
      const pieces = frames.filter((frame) => frame === "piece").length;
      expect(pieces).toBeGreaterThan(30);
      const isBetween = (frame: string, at: number): boolean =>
        frame === "plain" && frames[at - 1] === "piece" && frames[at + 1] === "piece";
      expect(frames.filter(isBetween).length).toBeGreaterThan(2);
      // The pppd knows no compression of a single link. No history was lost.
      expect(client.lines.some((line) => line.startsWith("rcvd [LCP ProtRej id=") && line.includes("80 fb"))).toBe(
        true,
      );
      for (const run of [server, client]) expect(run.lines.filter((line) => /CCP ResetReq/.test(line))).toEqual([]);
    } finally {
      await link.close();
      payload.remove();
    }
  },
);
