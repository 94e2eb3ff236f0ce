// A null-modem cable between two ports of the lab's PC, with the wires of the modem lines.

import { closeFd, libc, Memory, O, openFd } from "../../src/os/ffi/libc.ts";
import { readTermios, writeTermios } from "../../src/os/serial/termios.ts";
import type { ModemLines } from "./lab/qemu.ts";

/** One end: the terminal at the other end of the port's line, and the port's modem lines. */
export interface PcPort {
  readonly terminal: string;
  readonly lines: ModemLines;
}

const TURN_MS = 2;
const ROOM = 4096;

export class NullModem {
  readonly #ports: readonly [PcPort, PcPort];
  readonly #fds: readonly [number, number];
  readonly #memory = new Memory(ROOM);
  readonly #timer: Timer;
  readonly #hasCarrier: boolean;
  /** Octets that the terminal of each port has not taken yet. */
  readonly #pending: [Uint8Array, Uint8Array] = [new Uint8Array(0), new Uint8Array(0)];
  /** What each port sees: CTS and DSR. */
  #seen = ["", ""];

  /** With `hasCarrier` false, the wire to the second port's DCD is missing. */
  constructor(ports: readonly [PcPort, PcPort], hasCarrier: boolean) {
    this.#ports = ports;
    this.#hasCarrier = hasCarrier;
    const [first, second] = ports.map(({ terminal }) => openFd(terminal, O.RDWR | O.NOCTTY | O.NONBLOCK));
    this.#fds = [first!, second!];
    for (const fd of this.#fds) writeTermios(fd, { ...readTermios(fd), iflag: 0, oflag: 0, lflag: 0 }, "now");
    this.#timer = setInterval(() => this.#turn(), TURN_MS);
  }

  #turn(): void {
    for (const to of [0, 1] as const) {
      const from = to === 0 ? 1 : 0;
      this.#relay(from, to);
      const [dtr, rts] = [this.#ports[from].lines.drives("dtr"), this.#ports[from].lines.drives("rts")];
      const seen = `${dtr} ${rts}`;
      if (this.#seen[to] === seen) continue;
      this.#seen[to] = seen;
      this.#ports[to].lines.set({ cts: rts, dsr: dtr, carrier: dtr && (to === 0 || this.#hasCarrier) });
    }
  }

  #relay(from: 0 | 1, to: 0 | 1): void {
    for (;;) {
      const left = this.#pending[to];
      this.#memory.bytes.set(left);
      const taken = left.length === 0 ? 0 : Math.max(0, libc.write(this.#fds[to], this.#memory.address, left.length));
      this.#pending[to] = left.slice(taken);
      if (this.#pending[to].length > 0) return;
      const got = libc.read(this.#fds[from], this.#memory.address, ROOM);
      if (got <= 0) return;
      this.#pending[to] = this.#memory.bytes.slice(0, got);
    }
  }

  /** Takes the cable away. Both ports see their lines up again. */
  close(): void {
    clearInterval(this.#timer);
    for (const fd of this.#fds) closeFd(fd);
    for (const { lines } of this.#ports) lines.set({ cts: true, dsr: true, carrier: true });
  }
}
