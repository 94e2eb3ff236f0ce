// The options that make something else than a device the line.

import type { Config } from "./config.ts";

/** The name of the one that is given. */
export function noDeviceOption({ notty, pty, socket, socketListen }: Config): string | undefined {
  if (socketListen !== undefined) return "socket-listen";
  return socket !== undefined ? "socket" : notty ? "notty" : pty !== undefined ? "pty" : undefined;
}
