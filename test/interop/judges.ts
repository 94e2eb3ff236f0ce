// Checks recorded sessions with another program. A result without complaints is empty.

export const TSHARK = Bun.which("tshark");

async function output(...command: string[]): Promise<string> {
  const child = Bun.spawn(command, { stdio: ["ignore", "pipe", "pipe"] });
  const [stdout] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return stdout;
}

/**
 * Checks a record file with tshark: no frame is malformed, and at least `least` frames are of the protocol. `ports`
 * carry only data, whatever protocol tshark knows for them.
 */
export async function dissected(file: string, protocol: number, ports: readonly number[], least = 50): Promise<string> {
  if (TSHARK === null) return "";
  const data = ports.flatMap((port) => ["-d", `tcp.port==${port},data`]);
  const fields = ["ppp.protocol", "_ws.col.Info"].flatMap((field) => ["-e", field]);
  const frames = (await output(TSHARK, "-r", file, ...data, "-T", "fields", ...fields)).trimEnd().split("\n");
  const found = frames.filter((frame) => Number(frame.split("\t")[0]) === protocol).length;
  if (found < least) return `of ${frames.length} frames ${found} have protocol 0x${protocol.toString(16)}`;
  // tshark loses TCP's options in compressed headers, also those of the kernel, and then reports them as missing.
  return frames.filter((frame) => !frame.startsWith("0x002d") && /malformed/i.test(frame)).join("\n");
}

/** tshark's own checks, also those of checksums. */
const CHECKSUMS = ["ip", "tcp", "udp"].flatMap((protocol) => ["-o", `${protocol}.check_checksum:TRUE`]);
const FAULTS = [
  "_ws.malformed || ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0",
  "icmp.checksum.status == 0 || icmpv6.checksum.status == 0",
].join(" || ");

/** Judges a record of a whole session: tshark sees packets of TCP in both directions and finds no packet malformed and no checksum wrong. */
export async function judged(file: string): Promise<string> {
  if (TSHARK === null) return "";
  const columns = ["tcp.flags.syn", "tcp.flags.ack", "_ws.col.Info"].flatMap((field) => ["-e", field]);
  const filter = `tcp.flags.syn == 1 || ${FAULTS}`;
  const frames = await output(TSHARK, "-r", file, ...CHECKSUMS, "-Y", filter, "-T", "fields", ...columns);
  const lines = frames.trimEnd().split("\n");
  // A request for a connection and the answer to it.
  if (!lines.some((line) => line.startsWith("1\t0")) || !lines.some((line) => line.startsWith("1\t1")))
    return `no connections in the record:\n${frames}`;
  // Linux writes a checksum of 0 as 0xFFFF, which is the same number in one's complement.
  const faults = lines.filter((line) => !line.includes("[TCP CHECKSUM 0xFFFF]"));
  return faults.filter((line) => !line.startsWith("1\t") || /malformed|checksum/i.test(line)).join("\n");
}
