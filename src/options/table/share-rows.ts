// Options that give the peer this machine's network, by the kernel's forwarding or by sockets of this process.

import { parseAddress, addressPortText } from "../../bytes/prefix.ts";
import { decoded } from "../../bytes/text.ts";
import { OptionError } from "../error.ts";
import { field, GROUP, INIT_ONLY, list, PRIORITY, PRIVILEGED, row } from "../row.ts";
import { flag, sets } from "../row-kinds.ts";
import { parseSocketAddress } from "../socket-address.ts";

/** A port of this machine that leads to a port of the peer. */
export interface Forward {
  readonly protocol: "tcp" | "udp";
  /** An IPv4 or IPv6 address of this machine as text. Undefined: all of its addresses. */
  readonly address: string | undefined;
  readonly port: number;
  /** The peer's port. */
  readonly toPort: number;
}

const PROTOCOLS = ["tcp", "udp"] as const;

/** Reads "[ADDRESS:]PORT=PORT[/tcp|/udp]". Without a protocol it means both. */
function forwardsOf(argument: string): Forward[] {
  const text = decoded(argument);
  const [, from = "", to, suffix] = /^([^=]*)=(\d{1,5})(?:\/(tcp|udp))?$/.exec(text) ?? [];
  const where = parseSocketAddress(from);
  const toPort = Number(to);
  const isSound = where !== undefined && where.port > 0 && toPort > 0 && toPort <= 0xffff;
  if (!isSound || (where.host !== undefined && parseAddress(where.host) === undefined))
    throw new OptionError(
      `forward: ${argument} is not [ADDRESS:]PORT=PORT, such as 8080=80, 127.0.0.1:2222=22/tcp or [::1]:53=53/udp`,
    );
  const { host: address, port } = where;
  return PROTOCOLS.flatMap((protocol) =>
    suffix === undefined || suffix === protocol ? [{ protocol, address, port, toPort }] : [],
  );
}

/** The argument of the option that means this. */
function forwardText({ protocol, address, port, toPort }: Forward): string {
  return `${addressPortText(address, port)}=${toPort}/${protocol}`;
}

const share = flag(
  "share",
  "share",
  PRIORITY | PRIVILEGED | INIT_ONLY,
  "the peer reaches the networks of this machine, and the Internet through it",
);

const loopback = sets(
  "share=loopback",
  GROUP | PRIVILEGED | INIT_ONLY,
  "share, and at our address of the link also the services that listen only on this machine's loopback",
  { share: true, shareLoopback: true },
  { fields: field("shareLoopback", false), shares: [share] },
);

export const SHARE = [
  share,
  loopback,
  sets(
    "noshare",
    GROUP | INIT_ONLY,
    "the peer does not get this machine's network; nullmodem serve gives it by default",
    { share: false, shareLoopback: false },
    { shares: [share, loopback] },
  ),
  row({
    name: "forward",
    rules: PRIVILEGED | INIT_ONLY,
    about: "[ADDRESS:]PORT=PORT[/tcp|/udp]: this port of our machine leads to that port of the peer; repeat for more",
    fields: { forwards: list<Forward>() },
    set({ draft }, argument) {
      draft.forwards = [...draft.forwards, ...forwardsOf(argument)];
    },
    values: ({ forwards }) => forwards.map(forwardText),
  }),
] as const;
