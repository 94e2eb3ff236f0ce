// pppd's plugins. A shared object of pppd cannot be loaded here. Those of pppd's package, and NetworkManager's, are known
// by name: each is a part of this program, or is refused with the reason. The path that names a plugin does not matter.

import { OptionError } from "./error.ts";
import type { OptionHost } from "./host.ts";

/** The plugins that are a part of this program, with the message of each. */
const BUILT_IN = {
  "passwordfd.so": [],
  "passprompt.so": [],
  "minconn.so": ["plugin_init"],
  "winbind.so": ["WINBIND plugin initialized."],
  "nm-pppd-plugin.so": [],
  "rp-pppoe.so": [],
} as const;
export type PluginName = keyof typeof BUILT_IN;
export const PLUGIN_NAMES: readonly string[] = Object.keys(BUILT_IN);

const SOCKETS = "hands a connection to the kernel's PPP, which this program does without";
const RADIUS = "RADIUS is not built in, and without it nobody would be checked";

/** The reason why each other plugin is refused, and what to do instead. */
export const REFUSED: Readonly<Record<string, readonly [why: string, instead?: string]>> = {
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

/** The folder where pppd looks for a plugin without a slash in its name. */
const FOLDER = "/usr/lib/pppd/2.4.9";

/** Another name of a built-in plugin. */
const SAME: Readonly<Record<string, PluginName>> = { "pppoe.so": "rp-pppoe.so" };

/** Finds the built-in plugin that the word names. Its message goes to the host. Throws OptionError. */
export function loadPlugin(word: string, host: OptionHost): PluginName {
  const file = word.slice(word.lastIndexOf("/") + 1);
  const name = SAME[file] ?? file;
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
