// What the log says of a network phase, in pppd's words.

import { ipv4Text } from "../../wire/ip.ts";
import type { Log } from "../log.ts";
import type { PacketPort } from "../packets/port.ts";
import {
  addressTexts,
  type Ipv4Up,
  type Ipv6Up,
  type NetworkDown,
  type NetworkObserver,
  type NetworkUp,
} from "./network-observer.ts";

export class LogObserver implements NetworkObserver {
  readonly #log: Log;
  readonly #port: PacketPort;

  constructor(log: Log, port: PacketPort) {
    this.#log = log;
    this.#port = port;
  }

  up(event: NetworkUp): void {
    if (event.type === "ipv4-up") {
      if (!this.#port.hasIpv4) this.#ipv4Up(event);
    } else if (!this.#port.hasIpv6) this.#ipv6Up(event);
  }

  #ipv4Up(event: Ipv4Up): void {
    const [our, peer] = addressTexts(event);
    const [primary, secondary] = event.dns;
    this.#log.write("notice", `local  IP address ${our}`);
    if (event.peer !== 0) this.#log.write("notice", `remote IP address ${peer}`);
    if (primary !== 0) this.#log.write("notice", `primary   DNS address ${ipv4Text(primary)}`);
    if (secondary !== 0) this.#log.write("notice", `secondary DNS address ${ipv4Text(secondary)}`);
  }

  #ipv6Up(event: Ipv6Up): void {
    const [our, peer] = addressTexts(event);
    this.#log.write("notice", `local  LL address ${our}`);
    if (event.peer.high !== 0 || event.peer.low !== 0) this.#log.write("notice", `remote LL address ${peer}`);
  }

  down({ isLast, seconds, octetsIn, octetsOut }: NetworkDown): void {
    if (!isLast) return;
    const tenths = Math.floor((seconds + 5) / 6);
    this.#log.write("info", `Connect time ${Math.floor(tenths / 10)}.${tenths % 10} minutes.`);
    this.#log.write("info", `Sent ${octetsOut} bytes, received ${octetsIn} bytes.`);
  }
}
