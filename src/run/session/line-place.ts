// The word by which the options name a line.

import type { Config } from "../../options/config.ts";

export function placeOf({ device, socket, socketListen, pty }: Config): string {
  return device ?? socket ?? socketListen ?? (pty === undefined ? "/dev/stdin" : "pty");
}
