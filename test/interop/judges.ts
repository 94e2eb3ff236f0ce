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
