// A listening datagram socket, like that of a service manager or a syslog daemon.

import { check, closeFd, libc, Memory, setNonblocking } from "../../src/os/ffi/libc.ts";

const AF_UNIX = 1;
const DGRAM = 2;

export class Datagrams {
  readonly #fd: number;

  /** `name` is a path or, after an @, an abstract name. */
  constructor(name: string) {
    const bytes = Buffer.from(name);
    const abstract = name.startsWith("@");
    const address = new Memory(2 + bytes.length + (abstract ? 0 : 1));
    address.view.setUint16(0, AF_UNIX, true);
    address.bytes.set(bytes, 2);
    if (abstract) address.bytes[2] = 0;
    this.#fd = check(libc.socket(AF_UNIX, DGRAM, 0), "socket");
    check(libc.bind(this.#fd, address.address, address.bytes.length), "bind", name);
    setNonblocking(this.#fd, true);
  }

  /** All datagrams that arrived and were not taken, or the first `most` of them. */
  take(most = Infinity): string[] {
    const memory = new Memory(65536);
    const taken: string[] = [];
    for (let count: number; taken.length < most;) {
      if ((count = libc.recv(this.#fd, memory.address, memory.bytes.length, 0)) < 0) break;
      taken.push(Buffer.from(memory.bytes.subarray(0, count)).toString());
    }
    return taken;
  }

  close(): void {
    closeFd(this.#fd);
  }
}
