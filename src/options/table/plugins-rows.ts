// The options that belong to a plugin. They are unknown without it.

import { decoded } from "../../bytes/text.ts";
import { OptionError } from "../error.ts";
import type { PluginName } from "../plugins.ts";
import { quoted } from "../quoted.ts";
import { PRIVILEGED, row, unset, type Row } from "../row.ts";
import { number, text } from "../row-kinds.ts";

function of<Own extends object>(plugin: PluginName, own: Row<Own>): Row<Own> {
  return { ...own, plugin, about: `with ${plugin}: ${own.about}` };
}

const ntlmAuthHelper = row({
  name: "ntlm_auth-helper",
  rules: PRIVILEGED,
  about: "the command that asks Samba about the peer",
  fields: {
    /** The command starts with a full path. */
    ntlmAuthHelper: unset<string>(),
  },
  set({ draft }, argument) {
    const command = decoded(argument);
    if (!command.startsWith("/")) throw new OptionError("ntlm_auth-helper argument must be full path");
    draft.ntlmAuthHelper = command;
  },
  value: ({ ntlmAuthHelper = "" }) => quoted(ntlmAuthHelper),
});

export const PLUGINS = [
  of("winbind.so", ntlmAuthHelper),
  of("passprompt.so", text("promptprog", "promptprog", 0, "the program that asks for our PAP password")),
  of("minconn.so", number("minconnect", "minconnect", 0, 0, "seconds of connection before the idle limit counts")),
  // A negative number means no descriptor.
  of("passwordfd.so", number("passwordfd", "passwordfd", -1, 0, "read our password from this descriptor")),
] as const;
