// Searches in pap-secrets and chap-secrets, and what they found, in words.

import type { Config } from "../../options/config.ts";
import type { FileText, OptionHost } from "../../options/host.ts";
import { lineText, missingText } from "../../options/secret-search.ts";
import { accessWarning, findSecret, type FoundSecret } from "../../options/secrets.ts";
import type { Log } from "../log.ts";
import type { OptionsInForce } from "../settings/options-in-force.ts";
import type { Searched } from "./proofs.ts";

type Kind = "pap" | "chap";
type Name = string | undefined;

export class SecretFiles {
  readonly #options: OptionsInForce;
  readonly #host: OptionHost;
  readonly #log: Log;

  constructor(options: OptionsInForce, host: OptionHost, log: Log) {
    this.#options = options;
    this.#host = host;
    this.#log = log;
  }

  get #config(): Config {
    return this.#options.config;
  }

  /** The entry for a client and a server. An undefined name is not known yet and matches any. */
  find(kind: Kind, client: Name, server: Name): FoundSecret | undefined {
    const text = this.text(this.#path(kind));
    if (text === undefined) return undefined;
    return findSecret(text, client, server, { file: this.#path(kind), read: (indirect) => this.text(indirect) });
  }

  /**
   * The entry for a peer, after a check of the file's mode. Undefined when the file cannot be read, which is logged, null
   * when it has no entry for the peer.
   */
  findPeer(kind: Kind, client: string): FoundSecret | null | undefined {
    const path = this.#path(kind);
    const file = this.#host.readFile(path, "root");
    if ("errno" in file) {
      const name = kind === "pap" ? "PAP password" : "chap secret";
      this.#log.write("error", `Can't open ${name} file ${path}: ${file.reason}`);
      return undefined;
    }
    this.#warnOfAccess(path, file);
    const found = findSecret(file.text, client, this.#config.name, {
      file: path,
      read: (indirect) => this.text(indirect),
      ...(kind === "pap" && { warn: (text: string) => this.#log.write("warn", text) }),
    });
    return found ?? null;
  }

  /** Warns when others may read the file. */
  checkAccess(kind: Kind): void {
    const path = this.#path(kind);
    const file = this.#host.readFile(path, "root");
    if (!("errno" in file)) this.#warnOfAccess(path, file);
  }

  /** Describes the result of a search. */
  searched(kind: Kind, client: Name, server: Name, found = this.find(kind, client, server)): Searched {
    const file = this.#path(kind);
    if (found !== undefined) return { found: true, text: lineText(file, found.entry) };
    return { found: false, text: missingText({ file, client, server }, this.text(file)) };
  }

  /** The text of a file. Undefined when it cannot be read. */
  text(path: string): string | undefined {
    const file = this.#host.readFile(path, "root");
    return "errno" in file ? undefined : file.text;
  }

  #path(kind: Kind): string {
    return kind === "pap" ? this.#config.papSecrets : this.#config.chapSecrets;
  }

  #warnOfAccess(path: string, { mode }: FileText): void {
    const warning = accessWarning(path, mode);
    if (warning !== undefined) this.#log.write("warn", warning);
  }
}
