// Describes a search in a secrets file: the line that was looked for, and the line that was found or nearly fits. It
// contains no secret. Names are byte strings (bytes/text.ts).

import { printable } from "../bytes/text.ts";
import { type SecretEntry, secretEntries } from "./secrets.ts";

/** The names that were looked for. An undefined name is not known and matches any. */
export interface SecretSearch {
  readonly file: string;
  readonly client: string | undefined;
  readonly server: string | undefined;
}

type Line = Pick<SecretEntry, "client" | "server" | "line">;

/** `line 3 of /etc/ppp/pap-secrets (client "zaphod", server "*")` */
export function lineText(file: string, { line, client, server }: Line): string {
  return `line ${line} of ${file} (client "${printable(client)}", server "${printable(server)}")`;
}

/**
 * `no line of F is for client "x" and server "y"`, and the line that is for one of them. `text` is the text of the
 * file.
 */
export function missingText({ file, client, server }: SecretSearch, text: string | undefined): string {
  if (text === undefined) return `there is no ${file} to be read`;
  const nobody = `no line of ${file} is for ${named("client", client)} and ${named("server", server)}`;
  const entries = secretEntries(text, { file });
  const near =
    (client !== undefined && entries.find((entry) => entry.client === client)) ||
    (server !== undefined && entries.find((entry) => entry.server === server));
  return near
    ? `${nobody}; line ${near.line} is for ${named("client", near.client)} and ${named("server", near.server)}`
    : nobody;
}

function named(role: "client" | "server", name: string | undefined): string {
  return name === undefined || name === "*" ? `any ${role}` : `${role} "${printable(name)}"`;
}

/** The text as a message: with a capital letter. */
export function asSentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
