// The network of a simulated computer: TUN interfaces with their addresses, routes, proxy ARP entries, kernel parameters.

import type {
  DefaultRoute,
  DefaultRoute6,
  Interfaces,
  NetDevice,
  Routes,
  Tun,
  UsedNetwork,
} from "../../src/run/host/interfaces.ts";
import type { FirewallTools } from "../../src/run/host/firewall.ts";
import type { Network } from "../../src/run/host/network.ts";
import { Poll } from "../../src/run/machine.ts";
import { errnoOf, SimulatedError } from "./errors.ts";
import type { FileTree } from "./files.ts";
import type { Internet } from "./internet.ts";
import { NftProgram } from "./nft-program.ts";
import { Channel, type Process } from "./process.ts";
import { SimulatedSockets } from "./sockets.ts";

interface Route {
  readonly family: 4 | 6;
  readonly device: NetDevice;
  readonly metric: number;
  readonly gateway: number;
}

export class SimulatedTun extends Channel implements NetDevice {
  isUp = false;
  mtu = 1500;
  queueLength = 500;
  readonly addresses: { readonly our: number; readonly peer: number }[] = [];
  readonly addresses6: { readonly our: Uint8Array; readonly peer: Uint8Array }[] = [];
  readonly #network: NetworkState;
  readonly index: number;
  name: string;
  readonly #queue: Uint8Array[] = [];
  #isRemoved = false;

  constructor(network: NetworkState, index: number, name: string) {
    super();
    this.#network = network;
    this.index = index;
    this.name = name;
  }

  /** The kernel sends a packet through the interface. False: there is no room in its queue, or it is down. */
  transmit(packet: Uint8Array): boolean {
    if (!this.isUp || this.#queue.length >= this.queueLength) return false;
    this.#queue.push(packet);
    if (this.#queue.length === 1) this.changed();
    return true;
  }

  get queued(): number {
    return this.#queue.length;
  }

  /** Somebody removes it. */
  remove(): void {
    this.#isRemoved = true;
    this.#network.drop(this);
    this.changed();
  }

  events(): number {
    if (this.#isRemoved) return Poll.ERR;
    return (this.#queue.length > 0 ? Poll.IN : 0) | Poll.OUT;
  }

  override read(into: Uint8Array, length: number): number {
    if (this.#isRemoved) return -errnoOf("EBADFD");
    const packet = this.#queue.shift();
    if (packet === undefined) return -errnoOf("EAGAIN");
    into.set(packet.subarray(0, length));
    return Math.min(length, packet.length);
  }

  override write(bytes: Uint8Array): number {
    if (this.#isRemoved) return -errnoOf("EBADFD");
    if (!this.isUp) return -errnoOf("EIO");
    this.#network.received(bytes);
    return bytes.length;
  }

  close(): void {
    this.#queue.length = 0;
    this.#network.drop(this);
  }
}

export class NetworkState {
  readonly tuns: SimulatedTun[] = [];
  readonly routes: Route[] = [];
  /** Networks that the computer reaches otherwise. */
  readonly lans: UsedNetwork[] = [];
  readonly proxies = new Set<string>();
  /** What sockets of its programs reach. */
  internet: Internet | undefined;
  readonly nft = new NftProgram();
  firewallTools: FirewallTools = { nft: undefined, iptables: [], firewallCmd: undefined };
  /** What a TCP connection to "ADDRESS:PORT" leads to. Connections to others are refused. */
  readonly hosts = new Map<string, () => Channel>();
  /** The sockets that its sessions have opened for user-mode networking. */
  readonly sockets: SimulatedSockets[] = [];
  /** Ports that other programs have. */
  ownAddresses: readonly Uint8Array[] = [];
  readonly takenPorts = new Set<number>();
  /** Where it listens for many callers, and the interface by which they come in. */
  readonly served: { address: string; port: number; device: string | undefined }[] = [];
  /** The same, of UDP only. */
  readonly takenUdpPorts = new Set<number>();
  /** Those that call this computer by TCP. */
  readonly callers: Channel[] = [];
  readonly sysctls = new Map([
    ["net/ipv4/ip_forward", "0"],
    ["net/ipv4/ip_dynaddr", "0"],
    ["net/ipv6/conf/all/forwarding", "0"],
    ["net/ipv6/conf/default/forwarding", "0"],
    ["net/ipv6/conf/default/accept_ra", "1"],
    ["net/ipv6/conf/eth0/forwarding", "0"],
    ["net/ipv6/conf/eth0/accept_ra", "1"],
  ]);
  /** Nobody may write kernel parameters, as in a container. */
  isReadOnly = false;
  /** The kernel got a packet from an interface. It is borrowed until the call returns. */
  received: (packet: Uint8Array) => void = () => {};
  readonly ethernet: NetDevice = { index: 2, name: "eth0" };
  #indexes = 3;

  constructor() {
    this.routes.push({ family: 4, device: this.ethernet, metric: 0, gateway: 0xc0a80001 });
  }

  open(ifname: string | undefined, unit: number | undefined): SimulatedTun {
    const isTaken = (name: string): boolean => this.tuns.some((tun) => tun.name === name);
    let name = ifname ?? `ppp${unit ?? 0}`;
    if (ifname !== undefined && isTaken(ifname)) throw new SimulatedError("TUNSETIFF", ifname, "EBUSY");
    for (let number = 0; isTaken(name); number++) name = `ppp${number}`;
    const tun = new SimulatedTun(this, this.#indexes++, name);
    this.tuns.push(tun);
    return tun;
  }

  /** The interface is gone, and all that hung on it. */
  drop(tun: SimulatedTun): void {
    tun.isUp = false;
    tun.addresses.length = tun.addresses6.length = 0;
    this.dropRoutes(tun);
    const at = this.tuns.indexOf(tun);
    if (at >= 0) this.tuns.splice(at, 1);
  }

  dropRoutes({ index }: NetDevice): void {
    for (let at = this.routes.length - 1; at >= 0; at--)
      if (this.routes[at]!.device.index === index) this.routes.splice(at, 1);
  }

  tun({ index, name }: NetDevice, call: string): SimulatedTun {
    const found = this.tuns.find((tun) => tun.index === index);
    if (found === undefined) throw new SimulatedError(call, name, "ENODEV");
    return found;
  }

  /** All that a session can change, in words. */
  get state(): string[] {
    return [
      ...this.tuns.map(({ name }) => `interface ${name}`),
      ...this.routes.map(({ family, device, metric }) => `default route ${family} ${device.name} ${metric}`),
      ...[...this.nft.tables.keys()].map((table) => `nft table ${table}`),
      ...[...this.proxies].map((proxy) => `proxy ${proxy}`),
      ...[...this.sysctls].map(([name, value]) => `${name} ${value}`),
    ];
  }
}

function interfacesOf(state: NetworkState, process: Process): Interfaces {
  return {
    openTun({ ifname, unit }): Tun {
      const tun = state.open(ifname, unit);
      const number = Number(/(\d+)$/.exec(tun.name)?.[1] ?? 0);
      let { name } = tun;
      return {
        fd: process.open(tun),
        index: tun.index,
        get name() {
          return name;
        },
        unit: number,
        readName: () => void ({ name } = tun),
      };
    },
    find: (name) => [state.ethernet, ...state.tuns].find((device) => device.name === name),
    set(device, { up, mtu, txQueueLength }) {
      const tun = state.tun(device, "RTM_SETLINK");
      if (up !== undefined) tun.isUp = up;
      if (up === false) state.dropRoutes(tun);
      if (mtu !== undefined) tun.mtu = mtu;
      if (txQueueLength !== undefined) tun.queueLength = txQueueLength;
    },
    queueLengthOf: (device) => state.tun(device, "RTM_GETLINK").queueLength,
    noKernelLinkLocal: () => {},
    addAddress(device, our, peer) {
      state.tun(device, "RTM_NEWADDR").addresses.push({ our, peer });
    },
    removeAddress(device, our, peer) {
      const { addresses } = state.tun(device, "RTM_DELADDR");
      const at = addresses.findIndex((one) => one.our === our && one.peer === peer);
      if (at >= 0) addresses.splice(at, 1);
    },
    addAddress6(device, our, peer) {
      const { addresses6 } = state.tun(device, "RTM_NEWADDR");
      if (addresses6.some((one) => Buffer.from(one.our).equals(our)))
        throw new SimulatedError("RTM_NEWADDR", device.name, "EEXIST");
      addresses6.push({ our: our.slice(), peer: peer.slice() });
    },
    removeAddress6(device, our) {
      const { addresses6 } = state.tun(device, "RTM_DELADDR");
      const at = addresses6.findIndex((one) => Buffer.from(one.our).equals(our));
      if (at >= 0) addresses6.splice(at, 1);
    },
    vrfTable: () => undefined,
    joinVrf: (device) => {
      throw new SimulatedError("RTM_SETLINK", device.name, "ENODEV");
    },
    findForProxy: () => state.ethernet,
    addProxy: (device, address) => void state.proxies.add(`${device.name} ${address.join(".")}`),
    removeProxy: (device, address) => void state.proxies.delete(`${device.name} ${address.join(".")}`),
  };
}

function routesOf(state: NetworkState): Routes {
  const of = (family: 4 | 6): Route[] =>
    state.routes.filter((route) => route.family === family).sort((a, b) => a.metric - b.metric);
  const isSame = (route: Route, family: 4 | 6, { index }: NetDevice, metric: number): boolean =>
    route.family === family && route.device.index === index && route.metric === metric;
  const remove = (family: 4 | 6, device: NetDevice, metric: number): void => {
    const at = state.routes.findIndex((route) => isSame(route, family, device, metric));
    if (at >= 0) state.routes.splice(at, 1);
  };
  const requireUp = (device: NetDevice): void => {
    if (device.index !== state.ethernet.index && !state.tun(device, "RTM_NEWROUTE").isUp)
      throw new SimulatedError("RTM_NEWROUTE", device.name, "ENETDOWN");
  };
  return {
    defaults: (): DefaultRoute[] =>
      of(4).map(({ device, gateway, metric }) => ({
        device: { index: device.index, name: device.name },
        gateway,
        metric,
        fixed: new Uint8Array(12),
        attributes: [],
      })),
    defaults6: (): DefaultRoute6[] => of(6).map(({ device, metric }) => ({ device, gateway: false, metric })),
    addDefault(family, device, metric) {
      requireUp(device);
      if (state.routes.some((route) => isSame(route, family, device, metric))) return;
      state.routes.unshift({ family, device: { index: device.index, name: device.name }, metric, gateway: 0 });
    },
    removeDefault: remove,
    through: (address) => {
      const number = Buffer.from(address).readUInt32BE();
      return (state.tuns.find(({ addresses }) => addresses.some(({ peer }) => peer === number)) ?? state.ethernet)
        .index;
    },
    used: () => [
      ...state.lans,
      ...state.tuns.flatMap(({ addresses }) =>
        addresses.flatMap(({ our, peer }) => [our, peer]).map((address) => ({ address, prefix: 32 })),
      ),
    ],
    take: ({ device, metric }) => remove(4, device, metric),
    putBack({ device, metric, gateway }, behind) {
      requireUp(device);
      const route: Route = { family: 4, device, metric, gateway };
      if (behind) state.routes.push(route);
      else state.routes.unshift(route);
    },
  };
}

class Listener extends Channel {
  readonly port: number;

  constructor(port = 0) {
    super();
    this.port = port;
  }

  events(): number {
    return 0;
  }
  close(): void {}
}

export function networkOf(state: NetworkState, process: Process, files: FileTree, mac: Uint8Array): Network {
  return {
    firstEthernetMac: () => mac,
    macOf: (ifname) => (ifname === "eth0" ? mac : undefined),
    ownAddresses: (family) => state.ownAddresses.filter(({ length }) => length === (family === 4 ? 4 : 16)),
    namespace: () => "net:[1]",
    interfaces: interfacesOf(state, process),
    routes: routesOf(state),
    tcp: {
      lookUp: async (address, port) => (/^[\d.]+$/.test(address) ? [{ family: 4, address, port }] : []),
      startConnecting({ address, port }) {
        const host = state.hosts.get(`${address}:${port}`);
        if (host === undefined) throw new SimulatedError("connect", address, "ECONNREFUSED");
        return process.open(host());
      },
      isConnected: () => true,
      listen: () => process.open(new Listener()),
      listenForMany({ address, port }, device) {
        if (state.takenPorts.has(port)) throw new SimulatedError("bind", address, "EADDRINUSE");
        state.served.push({ address, port, device });
        return process.open(new Listener(port));
      },
      portOf: (fd) => (process.channel(fd) as Listener).port,
      takeCaller() {
        const caller = state.callers.shift();
        return caller && { fd: process.open(caller), from: { family: 4, address: "127.0.0.1", port: 40_000 } };
      },
    },
    messageBus: {
      connect: async () => {
        throw new Error("there is no bus in the simulated world");
      },
    },
    datagrams: {
      bind({ address, port }, device) {
        if (state.takenPorts.has(port)) throw new SimulatedError("bind", address, "EADDRINUSE");
        state.served.push({ address, port, device });
        return process.open(new Listener(port));
      },
      receive: () => undefined,
      send() {},
    },
    openSockets() {
      if (state.internet !== undefined) return state.internet.socketsOf(process);
      const sockets = new SimulatedSockets(process, state.takenPorts, state.takenUdpPorts);
      state.sockets.push(sockets);
      return sockets;
    },
    readSysctl: (name) => state.sysctls.get(name),
    writeSysctl(name, value) {
      if (!state.sysctls.has(name) || state.isReadOnly) return false;
      state.sysctls.set(name, value);
      return true;
    },
    firewallTools: () => state.firewallTools,
    reservePort: (_protocol, _address, port) =>
      state.takenPorts.has(port) ? -errnoOf("EADDRINUSE") : process.open(new Listener()),
    mayWriteSysctl: (name) => state.sysctls.has(name) && !state.isReadOnly,
    resolver: () => undefined,
    resolvconf: () => undefined,
    writeResolvConf(confdir, servers) {
      if (files.isFull) return `Failed to create ${confdir}/resolv.conf: No space left on device`;
      files.put(`${confdir}/resolv.conf`, servers.map((server) => `nameserver ${server}\n`).join(""));
      return undefined;
    },
  };
}
