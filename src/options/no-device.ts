// The options that choose a line without a device.

import type { Config } from "./config.ts";

/** The name of the given one. */
export function noDeviceOption({ notty, pty, socket, socketListen }: Config): string | undefined {
  if (socketListen !== undefined) return "socket-listen";
  return socket !== undefined ? "socket" : notty ? "notty" : pty !== undefined ? "pty" : undefined;
}
