// The latency timer of a USB adapter by FTDI. The adapter keeps what it receives until it has 62 octets or the timer is over,
// usually for 16 ms. A link needs it at once.

import { LATENCY_MS } from "../diagnose/uart-trouble.ts";
import type { Machine } from "../machine.ts";
import { latencyRecord } from "../packets/left-over.ts";

/** Sets the timer to 1 ms. Returns what puts it back. Undefined when the port has none, or it must not be changed. */
export function quicken(
  { serial, processes }: Pick<Machine, "serial" | "processes">,
  directory: string,
  path: string,
): (() => void) | undefined {
  const found = serial.latencyOf(path);
  if (found === undefined || found <= LATENCY_MS) return undefined;
  const name = `latency-${path.slice(path.lastIndexOf("/") + 1)}`;
  const { release } = processes.share(directory, name, () => latencyRecord(path, found));
  if (!serial.setLatency(path, LATENCY_MS)) {
    release(() => {});
    return undefined;
  }
  return () =>
    release(() => {
      // Somebody else may have set it meanwhile.
      if (serial.latencyOf(path) === LATENCY_MS) serial.setLatency(path, found);
    });
}
