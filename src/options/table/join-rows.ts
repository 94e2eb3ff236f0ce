// Options of the side that calls and does not know who is at the other end.

import { PRIORITY } from "../row.ts";
import { flag, text } from "../row-kinds.ts";

export const JOIN = [
  flag("join", "join", PRIORITY, "find out the speed and the kind of the other end, and begin PPP with it"),
  text("join-number", "joinNumber", PRIORITY, "with join: the number to dial if there is a modem (777)"),
] as const;
