// The options that belong to a plugin. They are unknown without it.

import { decoded } from "../../bytes/text.ts";
import { OptionError } from "../error.ts";
import { quoted } from "../quoted.ts";
import { PRIVILEGED, row, unset } from "../row.ts";
import { number, ofPlugin as of, text } from "../row-kinds.ts";
import { PPPOE } from "./pppoe-rows.ts";

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
  ...PPPOE,
] as const;
