// The network: TCP connections that a link runs on, and what is asked of interfaces.

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
  /** How /proc names our network namespace; "" where it does not. */
  namespace(): string;
  readonly tcp: Tcp;
}

/** Each function but `lookUp` and `text` throws HostError. */
export interface Tcp {
  /** The addresses of a name. Empty: it has none. Never rejects. */
  lookUp(name: string, port: number): Promise<Endpoint[]>;
  /** "10.0.0.1:5000" */
  text(endpoint: Endpoint): string;
  /** Begins to connect, and returns the descriptor. */
  startConnecting(to: Endpoint): number;
  isConnected(fd: number): boolean;
  /** Returns a descriptor that callers can be taken from. Undefined: any address of ours. */
  listen(where: Endpoint | undefined, port: number): number;
  /** Undefined: nobody calls. */
  takeCaller(listening: number): { readonly fd: number; readonly from: Endpoint } | undefined;
}
