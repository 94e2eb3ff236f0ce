// Options of the control socket, by which `nullmodem ctl` steers a link.

import { PRIVILEGED } from "../row.ts";
import { text } from "../row-kinds.ts";

export const CONTROL = [
  text(
    "control-group",
    "controlGroup",
    PRIVILEGED,
    "a group whose members may control the link with nullmodem ctl, as root may",
  ),
] as const;
