// What a reader of a live capture asks for, and what the capture is made of.

import type { Clock } from "../machine.ts";
import type { PacketLog } from "./packet-log.ts";

/** Packets that went over the line, those of the interface without compression, or both. */
const CAPTURED = ["line", "decompressed", "both"] as const;
export type Captured = (typeof CAPTURED)[number];

export interface CaptureWish {
  readonly packets: Captured;
  /** What is still kept of so many milliseconds comes first. 0: nothing. */
  readonly sinceMs: number;
}

/** Where the capture goes. */
export interface CaptureTarget {
  /** How many octets send() has room for. */
  readonly room: number;
  /** False: there is no room for it. Never waits. */
  send(bytes: Uint8Array): boolean;
  end(): void;
}

/** What a capture is made of. */
export interface CaptureSource {
  readonly packetLog: PacketLog;
  readonly clock: Pick<Clock, "now" | "wall">;
  readonly hidePassword: boolean;
}

/** The words of the verb: "both since 30". A text is what is wrong with them. */
export function captureWish(words: readonly string[]): CaptureWish | string {
  let packets: Captured = "line";
  let sinceMs = 0;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    const captured = CAPTURED.find((one) => one === word);
    if (captured !== undefined) packets = captured;
    else if (word !== "since") return `capture takes ${CAPTURED.join(", ")} and since, not ${JSON.stringify(word)}`;
    else {
      const seconds = words[++at] ?? "";
      if (!/^\d{1,9}(\.\d{1,3})?$/.test(seconds)) return "capture: since takes a number of seconds";
      sinceMs = Number(seconds) * 1000;
    }
  }
  return { packets, sinceMs };
}
