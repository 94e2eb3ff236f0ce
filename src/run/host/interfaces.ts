// Network interfaces and what hangs on them: addresses, routes, proxy ARP. IPv4 addresses are unsigned 32-bit numbers, IPv6
// addresses 16 octets. Every function throws HostError unless it says otherwise.

/** The index of an interface stays when the interface is renamed. The name is for messages. */
export interface NetDevice {
  readonly index: number;
  readonly name: string;
}

/** An interface whose packets we read and write. It goes when its descriptor is closed. */
export interface Tun extends NetDevice {
  /** Reads and writes whole IP packets, and never waits. */
  readonly fd: number;
  /** N of pppN; of any other interface the number that its name ends in, or 0. */
  readonly unit: number;
  /** Asks for the name, which may have changed. The last one stays when the interface is gone. Never throws. */
  readName(): void;
}

export interface TunWishes {
  /** The whole name. */
  readonly ifname?: string;
  /** N of pppN. When that is taken, the lowest free number is used. */
  readonly unit?: number;
}

export interface InterfaceSettings {
  readonly up?: boolean;
  readonly mtu?: number;
  /** How many packets the kernel queues for it. */
  readonly txQueueLength?: number;
}

export interface Interfaces {
  /** Call "open": there is no TUN here, or we may not use it. Call "TUNSETIFF": the name is taken or is no name. */
  openTun(wishes: TunWishes): Tun;
  /** Undefined: there is none of that name. */
  find(name: string): NetDevice | undefined;
  /** Changes these settings and no others. */
  set(device: NetDevice, settings: InterfaceSettings): void;
  queueLengthOf(device: NetDevice): number;
  /** Keeps the kernel from giving the interface a link-local address when it goes up. */
  noKernelLinkLocal(device: NetDevice): void;
  /** The kernel adds the route to the peer. */
  addAddress(device: NetDevice, our: number, peer: number): void;
  /** Does nothing when it is not there. */
  removeAddress(device: NetDevice, our: number, peer: number): void;
  /** With less than 128 bits, `peer` is our own address. */
  addAddress6(device: NetDevice, our: Uint8Array, peer: Uint8Array, bits?: number): void;
  /** Does nothing when it is not there. */
  removeAddress6(device: NetDevice, our: Uint8Array, peer: Uint8Array, bits?: number): void;
  /** The number of a VRF's routing table; undefined: the interface is no VRF. */
  vrfTable(name: string): number | undefined;
  joinVrf(device: NetDevice, vrf: string): void;
  /** The broadcast interface in whose subnet an address lies. */
  findForProxy(address: number): NetDevice | undefined;
  /** Answers ARP for an address of 4 octets on an interface. */
  addProxy(device: NetDevice, address: Uint8Array): void;
  /** Does nothing when it is not there. */
  removeProxy(device: NetDevice, address: Uint8Array): void;
}

/** A default route with all that the kernel said of it, so that it can be put back. */
export interface DefaultRoute {
  readonly device: NetDevice;
  /** 0: it has none. */
  readonly gateway: number;
  readonly metric: number;
  readonly fixed: Uint8Array;
  readonly attributes: readonly (readonly [type: number, value: Uint8Array])[];
}

export interface DefaultRoute6 {
  readonly device: NetDevice;
  /** It goes through a router. */
  readonly gateway: boolean;
  readonly metric: number;
}

/** The addresses of a network. */
export interface UsedNetwork {
  readonly address: number;
  readonly prefix: number;
}

/** Default routes, and all networks in use. `table` is that of a VRF; undefined: the main one. The route in use comes first in a list. */
export interface Routes {
  defaults(table: number | undefined): DefaultRoute[];
  defaults6(table: number | undefined): DefaultRoute6[];
  /** In front of others of that metric. Does nothing when it is there. Metric 0 is the kernel's own choice. */
  addDefault(family: 4 | 6, device: NetDevice, metric: number, table: number | undefined): void;
  /** Does nothing when it is not there. */
  removeDefault(family: 4 | 6, device: NetDevice, metric: number, table: number | undefined): void;
  /** Takes away what {@link defaults} found. Does nothing when it is not there. */
  take(route: DefaultRoute): void;
  /** The index of the interface by which packets to an IPv4 address leave; undefined: there is no way. Never throws. */
  through(address: Uint8Array): number | undefined;
  /** The IPv4 networks that a route of any table leads to, and those of our own addresses. */
  used(): UsedNetwork[];
  /** Puts back what was taken: in front of others of that metric, or behind them. */
  putBack(route: DefaultRoute, behind: boolean): void;
}
