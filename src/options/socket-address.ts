// "HOST:PORT" of the socket option, "[ADDRESS:]PORT" of socket-listen. An IPv6 address is in brackets.

export interface SocketAddress {
  /** A name or an address. */
  readonly host: string | undefined;
  readonly port: number;
}

export function parseSocketAddress(text: string): SocketAddress | undefined {
  const [, bracketed, plain, digits] = /^(?:(?:\[([^\]]+)\]|([^:[\]]+)):)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  return digits === undefined || port > 0xffff ? undefined : { host: bracketed ?? plain, port };
}
