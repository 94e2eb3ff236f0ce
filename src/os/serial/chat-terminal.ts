// The terminal settings of a chat's line: raw while the chat runs, and then as they were.

import { CC, flushTty, IFLAG, readTermios, sendBreak, type Termios, writeTermios } from "./termios.ts";

export class ChatTerminal {
  readonly #fd: number;
  readonly #found: Termios;

  /** Makes the terminal raw. Throws OsError: call "TCGETS2" when it cannot be asked, which means that it is no terminal. */
  constructor(fd: number) {
    this.#fd = fd;
    this.#found = readTermios(fd);
    const cc = this.#found.cc.slice();
    cc[CC.VERASE] = cc[CC.VKILL] = cc[CC.VTIME] = 0;
    cc[CC.VMIN] = 1;
    // Debian's chat sets ISTRIP as well, which spoils what follows the last match: the peer's first frame. The engine
    // looks at seven bits anyway.
    const iflag = this.#found.iflag | IFLAG.IGNBRK | IFLAG.IGNPAR;
    writeTermios(fd, { ...this.#found, iflag, oflag: 0, lflag: 0, cc }, "now");
  }

  /** Puts the settings back. Throws OsError. */
  restore(): void {
    writeTermios(this.#fd, this.#found, "now");
  }

  /** Throws away what was written to a descriptor and not yet sent. Throws OsError. */
  flushOutput(fd: number): void {
    flushTty(fd, "output");
  }

  /** Throws OsError. */
  sendBreak(): void {
    sendBreak(this.#fd);
  }
}
