// The options that come with a plugin, and are unknown without it.

import { OptionError } from "../error.ts";
import type { PluginName } from "../plugins.ts";
import { number, PRIVILEGED, decoded, quoted, special, text, type Row } from "../row.ts";

function of(plugin: PluginName, row: Row): Row {
  return { ...row, plugin, about: `with ${plugin}: ${row.about}` };
}

export const PLUGINS: readonly Row[] = [
  of(
    "winbind.so",
    special(
      "ntlm_auth-helper",
      PRIVILEGED,
      "the command that asks Samba about the peer",
      ({ config }, argument) => {
        const command = decoded(argument);
        if (!command.startsWith("/")) throw new OptionError("ntlm_auth-helper argument must be full path");
        config.ntlmAuthHelper = command;
      },
      (config) => quoted(config.ntlmAuthHelper ?? ""),
    ),
  ),
  of("passprompt.so", text("promptprog", "promptprog", 0, "the program that asks for our PAP password")),
  of("minconn.so", number("minconnect", "minconnect", 0, "seconds of connection before the idle limit counts")),
  of("passwordfd.so", number("passwordfd", "passwordfd", 0, "read our password from this descriptor")),
];
