// What setup has to know, from flags or from questions.

import type { Kind } from "../service-texts.ts";

export const ROLES = ["serve", "join"] as const;
export const FLOWS = ["rtscts", "none"] as const;
export const SHARES = ["no", "lan", "internet"] as const;

/** How the caller proves who he is: not at all, with a password that is kept for this, or as a user of the system. */
export type Authentication =
  | { readonly kind: "none" }
  | { readonly kind: "login" }
  | { readonly kind: "password"; readonly user: string; readonly password: string };

export interface Answers {
  /** This machine waits for the other one, or calls it. */
  readonly role: (typeof ROLES)[number];
  /** "/dev/ttyS1" */
  readonly port: string;
  readonly speed: number;
  /** Undefined: the other system is a Linux, with pppd or nullmodem. */
  readonly preset: string | undefined;
  /** Undefined: as the preset says. */
  readonly flow: (typeof FLOWS)[number] | undefined;
  readonly authentication: Authentication;
  /** "192.168.0.1:192.168.1.1", ours first. Undefined: those of the other machine. */
  readonly addresses: string | undefined;
  /** With serve: what the caller may reach. With join it is always "no". */
  readonly share: (typeof SHARES)[number];
  /** With join: the link becomes the way to the network, with the other machine's name servers. */
  readonly defaultRoute: boolean;
  /** With join and a modem: what to dial, and the access point of a mobile network. */
  readonly number: string;
  readonly apn: string | undefined;
  /** The file in /etc/ppp/peers of a join. */
  readonly name: string;
  readonly service: Kind | "none";
}
