// Options that give the peer this machine's network, by the kernel's forwarding or by sockets of this process.

import { field, PRIVILEGED } from "../row.ts";
import { flag, sets } from "../row-kinds.ts";

const share = flag(
  "share",
  "share",
  PRIVILEGED,
  "the peer reaches the networks of this machine, and the Internet through it",
);

export const SHARE = [
  share,
  sets(
    "share=loopback",
    PRIVILEGED,
    "share, and at our address of the link also the services that listen only on this machine's loopback",
    { share: true, shareLoopback: true },
    { fields: field("shareLoopback", false), shares: [share] },
  ),
] as const;
