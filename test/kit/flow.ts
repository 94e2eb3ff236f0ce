// A line that takes no output, as when its far end says XOFF or its CTS is low: tcflow(3).

import type { Pointer } from "bun:ffi";
import { libc } from "../../src/os/ffi/libc.ts";

const TCXONC = 0x540a;
const TCOOFF = 0;

/** Stops the output of a terminal until somebody starts it again. */
export function stopOutput(fd: number): void {
  // The argument is a plain number in the pointer's place.
  if (libc.ioctl(fd, TCXONC, TCOOFF as Pointer) < 0) throw new Error("tcflow failed");
}
