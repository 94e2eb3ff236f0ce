// The addresses of this machine's interfaces.

import { networkInterfaces } from "node:os";
import { parseAddress } from "../../bytes/prefix.ts";

const LINK_LOCAL = /^(169\.254\.|fe[89ab])/;

/** Those that are neither of the loopback nor link-local. */
export function interfaceAddresses(family: 4 | 6): Uint8Array[] {
  return allAddresses()
    .filter(({ address, internal, family: name }) => !internal && name === `IPv${family}` && !LINK_LOCAL.test(address))
    .map(({ address }) => parseAddress(address)!);
}

function allAddresses() {
  try {
    return Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  } catch {
    // A service may be forbidden to ask the kernel.
    return [];
  }
}
