// Options of the packets that are always kept.

import { PRIVILEGED } from "../row.ts";
import { text } from "../row-kinds.ts";

export const CAPTURE = [
  text("crash-capture", "crashCapture", PRIVILEGED, "a folder for the latest packets of a link that dies of a fault"),
] as const;
