// Options of user-mode networking: the peer's traffic goes through sockets of this process.

import { parsePrefix } from "../../bytes/prefix.ts";
import { decoded } from "../../bytes/text.ts";
import { OptionError } from "../error.ts";
import { INIT_ONLY, list, PRIORITY, PRIVILEGED, row } from "../row.ts";
import { flag } from "../row-kinds.ts";

/** The argument, if it is a prefix. The Config keeps the text, because octets cannot be frozen. */
function prefixText(name: string, argument: string): string {
  const text = decoded(argument);
  if (parsePrefix(text) === undefined)
    throw new OptionError(`${name}: ${argument} is no prefix such as 10.0.0.0/8 or fd00::/8`);
  return text;
}

export const USERNET = [
  flag(
    "usernet",
    "usernet",
    PRIORITY | PRIVILEGED | INIT_ONLY,
    "no interface: the peer's traffic goes through sockets of this process",
  ),
  row({
    name: "share-allow",
    rules: PRIORITY | PRIVILEGED | INIT_ONLY,
    about:
      "with share, usernet or forward: the peer may reach this prefix, and with such a list nothing else; repeat for more",
    fields: { shareAllow: list<string>() },
    set({ draft }, argument) {
      draft.shareAllow = [...draft.shareAllow, prefixText("share-allow", argument)];
    },
    value: ({ shareAllow }) => shareAllow.join(" share-allow "),
  }),
  row({
    name: "share-deny",
    rules: PRIORITY | PRIVILEGED | INIT_ONLY,
    about:
      "with share, usernet or forward: the peer may not reach this prefix; repeat for more. The longest prefix decides",
    fields: { shareDeny: list<string>() },
    set({ draft }, argument) {
      draft.shareDeny = [...draft.shareDeny, prefixText("share-deny", argument)];
    },
    value: ({ shareDeny }) => shareDeny.join(" share-deny "),
  }),
] as const;
