// A call from the modem that we play to a TCP host of the phone book: looks the host up, connects, and gives the connection a
// port in the loop.

import type { Ring } from "../../bytes/ring.ts";
import { HOST_STAGE, Pipe } from "../../front/pipe.ts";
import { CALLING, Telnet } from "../../front/telnet.ts";
import { parseSocketAddress } from "../../options/socket-address.ts";
import type { Endpoint } from "../host/network.ts";
import { LineBuffers } from "../loop/buffers.ts";
import { LinePort } from "../loop/line-port.ts";
import type { Loop } from "../loop/loop.ts";
import { Pacer } from "../loop/pacer.ts";
import { hasCode, isHostError, type Machine } from "../machine.ts";

/** The interval between looks at a name query and at a connection that is being made. */
const LOOK_MS = 10;

export type Outcome = { readonly result: "BUSY" | "NO DIALTONE" | "NO CARRIER"; readonly reason: string };

export interface PhoneCallHost {
  readonly machine: Machine;
  readonly loop: Loop;
  /** "HOST:PORT" */
  readonly address: string;
  /** The caller's rings. */
  readonly input: Ring;
  readonly output: Ring;
}

export class PhoneCall {
  /** What the caller is connected to. */
  pipe: Pipe | undefined;
  /** Why there is no connection. */
  outcome: Outcome | undefined;
  /** When {@link look} is to be called. */
  nextLookAt: number;
  readonly #host: PhoneCallHost;
  readonly #deadline: number;
  #addresses: Endpoint[] | undefined;
  #fd = -1;
  #port: LinePort | undefined;
  #hasHungUp = false;
  #isClosed = false;

  constructor(host: PhoneCallHost, patienceMs: number, now: number) {
    const { host: name = "", port = 0 } = parseSocketAddress(host.address) ?? {};
    this.#host = host;
    this.#deadline = now + patienceMs;
    this.nextLookAt = now + LOOK_MS;
    void host.machine.network.tcp.lookUp(name, port).then((addresses) => {
      this.#addresses = addresses.length > 0 ? addresses : undefined;
      if (addresses.length === 0) this.#fails("NO CARRIER", "unknown host");
    });
  }

  /** The host has hung up, and the caller has got all that it sent. */
  get hasEnded(): boolean {
    return this.#hasHungUp && this.#port!.buffers.input.length === 0;
  }

  get turnMs(): number {
    return this.#addresses === undefined && this.outcome === undefined ? LOOK_MS : Infinity;
  }

  look(now: number): void {
    if (this.pipe !== undefined || this.outcome !== undefined) return;
    this.nextLookAt = now + LOOK_MS;
    if (now >= this.#deadline) this.#fails("NO CARRIER", "no answer");
    else if (this.#fd >= 0) this.#finish();
    else if (this.#addresses !== undefined) this.#connect();
  }

  /** Tries the next address. */
  #connect(): void {
    const address = this.#addresses?.shift();
    if (address === undefined) return;
    this.#trying(() => (this.#fd = this.#host.machine.network.tcp.startConnecting(address)));
  }

  #finish(): void {
    this.#trying(() => {
      if (!this.#host.machine.network.tcp.isConnected(this.#fd)) return;
      this.#join();
    });
  }

  #trying(step: () => void): void {
    try {
      step();
    } catch (error) {
      if (!isHostError(error)) throw error;
      if (this.#fd >= 0) this.#host.machine.descriptors.close(this.#fd);
      this.#fd = -1;
      if ((this.#addresses?.length ?? 0) > 0) return;
      const result = hasCode(error, "ECONNREFUSED")
        ? "BUSY"
        : hasCode(error, "ENETUNREACH", "EHOSTUNREACH")
          ? "NO DIALTONE"
          : "NO CARRIER";
      this.#fails(result, error.reason);
    }
  }

  #fails(result: Outcome["result"], reason: string): void {
    this.outcome ??= { result, reason };
    this.nextLookAt = Infinity;
  }

  #join(): void {
    const { machine, loop, input, output } = this.#host;
    const buffers = new LineBuffers(machine.descriptors);
    const hungUp = (): void => void (this.#hasHungUp = true);
    const telnet = new Telnet(CALLING);
    const device = { fd: this.#fd, writeFd: this.#fd, countsOutput: false };
    this.#port = new LinePort({ machine, buffers, pacer: new Pacer(0), telnet, hungUp }, device, HOST_STAGE);
    this.pipe = new Pipe({ input, output, hostInput: buffers.input, hostOutput: buffers.output });
    this.nextLookAt = Infinity;
    loop.add(this.#port);
  }

  /** Ends the connection, or the attempt to make one. A second call does nothing. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.nextLookAt = Infinity;
    if (this.#port !== undefined) this.#host.loop.remove(this.#port);
    if (this.#fd >= 0) this.#host.machine.descriptors.close(this.#fd);
    this.#fd = -1;
  }
}
