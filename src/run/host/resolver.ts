// The program that collects the name servers of all interfaces for the system: systemd-resolved or resolvconf.

/** A program to run, its arguments and its standard input. */
export interface ResolverRequest {
  readonly argv: readonly [program: string, ...args: string[]];
  readonly input: string;
}

export interface Resolver {
  readonly name: string;
  /** What prints an interface's name servers; undefined: `has` needs nothing printed. */
  readonly asks: ((ifname: string) => ResolverRequest) | undefined;
  /** The interface has name servers. `printed` is the output of `asks`. */
  has(ifname: string, printed: string): boolean;
  add(ifname: string, servers: readonly string[]): ResolverRequest;
  /** Undefined: an interface that is gone is forgotten without being asked. */
  remove(ifname: string): ResolverRequest | undefined;
}
