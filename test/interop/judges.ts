// Other people's programs that read what we recorded of a session. Each says what it finds wrong; nothing when all is well.

import { existsSync } from "node:fs";

const TSHARK = Bun.which("tshark");
const PPPDUMP = "/usr/sbin/pppdump";

async function output(...command: string[]): Promise<string> {
  const child = Bun.spawn(command, { stdio: ["ignore", "pipe", "pipe"] });
  const [stdout] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return stdout;
}

/** tshark on a record file: what we sent is well-formed, and at least `least` frames, both ways, are of the protocol. */
export async function dissected(file: string, protocol: number, least = 50): Promise<string> {
  if (TSHARK === null) return "";
  const fields = ["ppp.direction", "ppp.protocol", "_ws.col.Info"].flatMap((field) => ["-e", field]);
  const frames = (await output(TSHARK, "-r", file, "-T", "fields", ...fields)).trimEnd().split("\n");
  const found = frames.filter((frame) => Number(frame.split("\t")[1]) === protocol).length;
  if (found < least) return `of ${frames.length} frames ${found} have protocol 0x${protocol.toString(16)}`;
  return frames.filter((frame) => /^0.*malformed/i.test(frame)).join("\n");
}

/**
 * Debian's pppdump on a record file: it unpacks BSD-Compress, as long as no packet went plain (it mishandles the Linux
 * kernel's own after one). `pings` ICMP packets must have come compressed, and out of it whole.
 */
export async function unpacked(file: string, pings: number): Promise<string> {
  if (!existsSync(PPPDUMP)) return "";
  const packed = (await output(PPPDUMP, "-p", file)).match(/^(sent|rcvd) {2}fd /gm) ?? [];
  const icmp =
    (await output(PPPDUMP, "-p", "-d", file)).match(/^(sent|rcvd) {2}21 45 00 .. .. .. .. .. .. .. 01 /gm) ?? [];
  if (packed.length === pings && icmp.length === pings) return "";
  return `of ${pings} packets ${packed.length} went packed, pppdump unpacks ${icmp.length}`;
}
