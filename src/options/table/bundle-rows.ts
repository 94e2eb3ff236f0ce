// Options of bundles, and the one that loads a plugin.

import { decoded } from "../../bytes/text.ts";
import { loadPlugin, type PluginName } from "../plugins.ts";
import { GROUP, list, LIST, PRIORITY, PRIVILEGED, row } from "../row.ts";
import { alias, flag, sets, text } from "../row-kinds.ts";

const multilink = flag("multilink", "multilink", PRIORITY, "join several links into a bundle");
const nomultilink = sets("nomultilink", GROUP, "no bundle of links", { multilink: false }, { shares: [multilink] });

const interleave = flag(
  "interleave",
  "interleave",
  PRIORITY,
  "send long packets in pieces, and short ones between them",
);
const nointerleave = sets(
  "nointerleave",
  GROUP,
  "send no packet in pieces",
  { interleave: false },
  { shares: [interleave] },
);

const mpdevice = row({
  name: "mpdevice",
  rules: PRIVILEGED | LIST,
  about: "another serial port for the bundle",
  fields: {
    /** Full paths. */
    mpDevices: list<string>(),
  },
  set({ draft }, argument) {
    const path = decoded(argument);
    draft.mpDevices = [...draft.mpDevices, path.startsWith("/") ? path : `/dev/${path}`];
  },
});

const plugin = row({
  name: "plugin",
  rules: PRIVILEGED | LIST,
  about: "load a plugin",
  fields: {
    /** The loaded plugins, in order. One may be there twice. */
    plugins: list<PluginName>(),
  },
  set({ draft, host }, argument) {
    draft.plugins = [...draft.plugins, loadPlugin(decoded(argument), host)];
  },
});

export const BUNDLE = [
  multilink,
  alias(multilink, "mp", GROUP),
  nomultilink,
  alias(nomultilink, "nomp"),
  interleave,
  nointerleave,
  text("bundle", "bundle", PRIORITY, "a name for the bundle"),
  mpdevice,
  plugin,
] as const;
