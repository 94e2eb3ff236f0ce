// All fuzz targets.

import { CALLER } from "./caller.ts";
import { CONTROL } from "./control.ts";
import { FAR } from "./far.ts";
import { FRONT } from "./front.ts";
import { HTTP } from "./http.ts";
import { LINK } from "./link.ts";
import { CHAT, FILTER, OPTIONS, RECORD, SECRETS } from "./readers.ts";
import { PACKET_RING } from "./packet-ring.ts";
import { PROXY } from "./proxy.ts";
import { QUEUE } from "./queue.ts";
import { SEGMENTS } from "./segments.ts";
import { SLIP } from "./slip.ts";
import { SMB } from "./smb.ts";
import { STACK } from "./stack.ts";
import type { Target } from "./target.ts";
import { TAP } from "./tap.ts";
import { TELNET } from "./telnet.ts";

export const TARGETS: readonly Target[] = [
  LINK,
  FRONT,
  CALLER,
  FAR,
  STACK,
  PROXY,
  HTTP,
  SMB,
  QUEUE,
  SEGMENTS,
  TAP,
  TELNET,
  CONTROL,
  SLIP,
  OPTIONS,
  SECRETS,
  CHAT,
  RECORD,
  PACKET_RING,
  FILTER,
];
