// Stops the output of a line, as an XOFF or a low CTS does: tcflow(3).

import type { Pointer } from "bun:ffi";
import { libc } from "../../src/os/ffi/libc.ts";

const TCXONC = 0x540a;
const TCOOFF = 0;

/** Stops the output of a terminal until it is started again. */
export function stopOutput(fd: number): void {
  // The argument is a plain number in place of the pointer.
  if (libc.ioctl(fd, TCXONC, TCOOFF as Pointer) < 0) throw new Error("tcflow failed");
}
