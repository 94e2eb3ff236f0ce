// The network: interfaces and routes, TCP connections that a link runs on, kernel parameters, name servers.

import type { FirewallTools } from "./firewall.ts";
import type { MessageBus } from "./message-bus.ts";
import type { Interfaces, Routes } from "./interfaces.ts";
import type { Sockets } from "./sockets.ts";
import type { Resolver } from "./resolver.ts";

export interface Endpoint {
  readonly family: 4 | 6;
  readonly address: string;
  readonly port: number;
}

export interface Network {
  /** The address of the first Ethernet interface. */
  firstEthernetMac(): Uint8Array | undefined;
  /** The hardware address of an interface; undefined: there is no such interface. */
  macOf(ifname: string): Uint8Array | undefined;
  /** The addresses of our interfaces, without those of the loopback and link-local ones. Never throws. */
  ownAddresses(family: 4 | 6): Uint8Array[];
  /** How /proc names our network namespace; "" where it does not. */
  namespace(): string;
  readonly interfaces: Interfaces;
  readonly routes: Routes;
  readonly tcp: Tcp;
  readonly messageBus: MessageBus;
  readonly datagrams: Datagrams;
  /** Sockets for user-mode networking. Throws HostError. */
  openSockets(): Sockets;
  /** A kernel parameter, "net/ipv4/ip_forward"; undefined: there is none, or none can be read. Never throws. */
  readSysctl(name: string): string | undefined;
  /** False: it may not be written. Never throws. */
  writeSysctl(name: string, value: string): boolean;
  /**
   * Keeps a port from other programs, without taking callers. An address of zeros means all addresses of its family. Returns a
   * descriptor, or minus the error number.
   */
  reservePort(protocol: "tcp" | "udp", address: Uint8Array, port: number): number;
  /** The programs that change the packet filter for this address family. Never throws. */
  firewallTools(family: 4 | 6): FirewallTools;
  mayWriteSysctl(name: string): boolean;
  /** The program that collects name servers for the system; undefined: none that we know. */
  resolver(): Resolver | undefined;
  /** The same, if it is resolvconf. */
  resolvconf(): Resolver | undefined;
  /** Writes `<confdir>/resolv.conf` for scripts. Returns the message for the log when that fails. */
  writeResolvConf(confdir: string, servers: readonly string[]): string | undefined;
}

/** A UDP port that answers whoever sends to it. */
export interface Datagrams {
  /** Takes datagrams at an address of ours, only those that come in by the device. Port 0: any that is free. Throws HostError. */
  bind(where: Endpoint, device: string | undefined): number;
  /** The next datagram, borrowed. Undefined: there is none. */
  receive(fd: number): { readonly octets: Uint8Array; readonly from: Endpoint } | undefined;
  send(fd: number, octets: Uint8Array, to: Endpoint): void;
}

/** Each function but `lookUp` throws HostError. */
export interface Tcp {
  /** The addresses of a name. Empty: it has none. Never rejects. */
  lookUp(name: string, port: number): Promise<Endpoint[]>;
  /** "10.0.0.1:5000" */
  /** Begins to connect, and returns the descriptor. */
  startConnecting(to: Endpoint): number;
  isConnected(fd: number): boolean;
  /** Returns a descriptor that callers can be taken from. Undefined: any address of ours. */
  listen(where: Endpoint | undefined, port: number): number;
  /** The same for many callers at once, at one address of ours. Port 0: any that is free. Only those that come in by the device. */
  listenForMany(where: Endpoint, device: string | undefined): number;
  /** The port of a listening socket, or of one for datagrams. */
  portOf(listening: number): number;
  /** Undefined: no caller yet. */
  takeCaller(listening: number): { readonly fd: number; readonly from: Endpoint } | undefined;
}
