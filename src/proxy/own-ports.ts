// What comes to our own ports on the link: answers to name queries, and datagrams for programs.

import { DNS_PORT } from "../wire/dns.ts";
import type { OwnDatagrams } from "../stack/flow.ts";
import type { Ends } from "../stack/ip-packet.ts";
import type { DatagramRelay } from "./datagram-relay.ts";
import type { NameLookup } from "./name-lookup.ts";

export class OwnPorts implements OwnDatagrams {
  readonly #names: NameLookup;
  readonly #relay: DatagramRelay | undefined;

  constructor(names: NameLookup, relay: DatagramRelay | undefined) {
    this.#names = names;
    this.#relay = relay;
  }

  receive(ends: Ends, ports: number, bytes: Uint8Array, start: number, end: number, now: number): boolean {
    const isName = (ports & 0xffff) === DNS_PORT;
    if (isName && this.#names.receive(ends.peer, ports >>> 16, bytes, start, end, now)) return true;
    return this.#relay?.deliver(ends, ports, bytes, start, end, now) === true;
  }

  failed(peer: Uint8Array, ports: number, now: number): void {
    if ((ports & 0xffff) === DNS_PORT) this.#names.failed(peer, ports >>> 16, now);
  }
}
