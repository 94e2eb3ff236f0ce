// pppd's plugins. A shared object of pppd's cannot be loaded here: those of its package are known by their names, and are
// a part of this program or refused with the reason. Which path somebody gives one by does not matter.

import { OptionError } from "./error.ts";
import type { OptionHost } from "./host.ts";

/** Those that are a part of this program, and what each says when it is loaded. */
const BUILT_IN = {
  "passwordfd.so": [],
  "passprompt.so": [],
  "minconn.so": ["plugin_init"],
  "winbind.so": ["WINBIND plugin initialized."],
} as const;
export type PluginName = keyof typeof BUILT_IN;

const SOCKETS = "hands a connection to the kernel's PPP, which this program does without";
const RADIUS = "RADIUS is not built in, and without it nobody would be checked";

/** Why the others are not, and what to do instead. */
export const REFUSED: Readonly<Record<string, readonly [why: string, instead?: string]>> = {
  "pppoe.so": [
    SOCKETS,
    "instead of it and the interface's name: pty 'pppoe -I eth0 -T 80 -m 1452' (program of rp-pppoe)",
  ],
  "rp-pppoe.so": [SOCKETS, "instead of it and the interface's name: pty 'pppoe -I eth0 -T 80 -m 1452' (rp-pppoe's)"],
  "pppoatm.so": [SOCKETS],
  "pppol2tp.so": [
    SOCKETS,
    "L2TP daemons that run pppd on a terminal (xl2tpd without its kernel support) need no plugin",
  ],
  "openl2tp.so": [SOCKETS],
  "pptp.so": [SOCKETS, "instead of it: pty 'pptp ADDRESS --nolaunchpppd'"],
  "radius.so": [RADIUS],
  "radattr.so": [RADIUS],
  "radrealms.so": [RADIUS],
  "dhcpv6relay.so": ["not built in"],
};

/** Where pppd looks for a plugin without a slash in its name. */
const FOLDER = "/usr/lib/pppd/2.4.9";

/** The built-in plugin that the word names; the host hears what it says when it is loaded. Throws OptionError. */
export function loadPlugin(word: string, host: OptionHost): PluginName {
  const name = word.slice(word.lastIndexOf("/") + 1);
  const path = word.includes("/") ? word : `${FOLDER}/${word}`;
  const failed = `Couldn't load plugin ${word}`;
  const refused = Object.hasOwn(REFUSED, name) ? REFUSED[name] : undefined;
  if (refused !== undefined) {
    const [why, instead] = refused;
    throw new OptionError([`${path}: ${why}`, failed], { hints: instead === undefined ? [] : [instead] });
  }
  if (!isBuiltIn(name)) {
    const found = host.statDevice(path);
    const reason =
      "errno" in found
        ? `cannot open shared object file: ${found.reason}`
        : `this program has pppd's own plugins built in and loads no others (${Object.keys(BUILT_IN).join(", ")})`;
    throw new OptionError([`${path}: ${reason}`, failed]);
  }
  host.inform(`Plugin ${word} loaded.`);
  for (const line of BUILT_IN[name]) host.inform(line);
  return name;
}

function isBuiltIn(name: string): name is PluginName {
  return Object.hasOwn(BUILT_IN, name);
}
