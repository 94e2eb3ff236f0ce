// A password from the terminal, without echo, and a pipe that hands a password to a reader of a descriptor.

import { readSync } from "node:fs";
import { check, closeFd, libc, Memory, O, openFd } from "../ffi/libc.ts";
import { LFLAG, readTermios, writeTermios } from "../serial/termios.ts";

const LONGEST = 1024;
const INTERRUPT = 3;
const ERASE = [8, 127];

/** Asks on the terminal of this process. Undefined: there is none, or the user has pressed Ctrl-C or Ctrl-D. */
export function askHidden(question: string): string | undefined {
  let fd: number;
  try {
    fd = openFd("/dev/tty", O.RDWR | O.NOCTTY);
  } catch {
    return undefined;
  }
  const found = readTermios(fd);
  try {
    // Without ISIG a Ctrl-C cannot end us before the echo is on again.
    writeTermios(fd, { ...found, lflag: found.lflag & ~(LFLAG.ECHO | LFLAG.ICANON | LFLAG.ISIG) }, "now");
    put(fd, question);
    return readLine(fd);
  } finally {
    writeTermios(fd, found, "now");
    put(fd, "\n");
    closeFd(fd);
  }
}

function put(fd: number, text: string): void {
  const octets = Buffer.from(text);
  const memory = new Memory(octets.length);
  memory.bytes.set(octets);
  libc.write(fd, memory.address, octets.length);
}

function readLine(fd: number): string | undefined {
  const octets: number[] = [];
  const one = new Uint8Array(1);
  for (;;) {
    if (readSync(fd, one, 0, 1, null) === 0) return undefined;
    const octet = one[0]!;
    if (octet === 10 || octet === 13) return Buffer.from(octets).toString();
    if (octet === INTERRUPT || octet === 4) return undefined;
    if (ERASE.includes(octet)) octets.pop();
    else if (octets.length < LONGEST) octets.push(octet);
  }
}

/** A descriptor from which the text can be read once. It must fit into a pipe. */
export function pipeWith(text: string): number {
  const pipe = new Memory(8);
  check(libc.pipe2(pipe.address, O.CLOEXEC), "pipe2");
  const writeEnd = pipe.view.getInt32(4, true);
  put(writeEnd, text);
  closeFd(writeEnd);
  return pipe.view.getInt32(0, true);
}
