// Who may use the files: the users of pap-secrets and chap-secrets, with the passwords that they have there for us.

import { encoded, textOf } from "../../bytes/text.ts";
import type { Config } from "../../options/config.ts";
import { findSecret, LOGIN_SECRET, secretEntries } from "../../options/secrets.ts";
import { hasCode, type Machine } from "../machine.ts";

type Secrets = Pick<Config, "papSecrets" | "chapSecrets" | "name">;

/** Names and passwords, one character an octet. An entry for all names or without a password lets nobody in. */
export function fileUsers({ files }: Pick<Machine, "files">, config: Secrets): [name: string, password: string][] {
  const read = (path: string): string | undefined => {
    try {
      return textOf(files.read(path));
    } catch {
      return undefined;
    }
  };
  const users: [string, string][] = [];
  for (const file of [config.papSecrets, config.chapSecrets]) {
    const text = read(file) ?? "";
    for (const client of new Set(secretEntries(text, { file }).map((entry) => entry.client))) {
      const secret =
        client === "*" ? "" : (findSecret(text, client, encoded(config.name), { file, read })?.secret ?? "");
      if (secret !== "" && secret !== LOGIN_SECRET) users.push([client, secret]);
    }
  }
  return users;
}

/** A file of secrets that is there and that this process may not read. */
export function closedSecrets(
  { files }: Pick<Machine, "files">,
  { papSecrets, chapSecrets }: Pick<Secrets, "papSecrets" | "chapSecrets">,
): string | undefined {
  return [papSecrets, chapSecrets].find((path) => {
    try {
      files.read(path);
      return false;
    } catch (error) {
      return hasCode(error, "EACCES", "EPERM");
    }
  });
}
