// Why a proof failed, in terms of the secrets files: what was looked up for it is kept, and told when it comes to nothing.
// Not a secret is told.

import { printable } from "../../bytes/text.ts";
import type { AuthMethod } from "../../wire/auth-method.ts";
import { asSentence } from "../../options/secret-search.ts";

/** The names of methods, as log lines have them. */
const METHOD_NAMES: Readonly<Record<AuthMethod, string>> = {
  eap: "EAP",
  "chap-md5": "CHAP",
  "mschap-v2": "MS-CHAPv2",
  mschap: "MS-CHAP",
  pap: "PAP",
};

/** What a search in a secrets file came to: a line, in words, or why there is none. */
export interface Searched {
  readonly found: boolean;
  readonly text: string;
}

type PeerProof = { readonly client: string; readonly searched: Searched; readonly judge: "us" | "the system" };
type OurProof = { readonly user: string; readonly server: string | undefined; readonly searched: Searched };

export class Proofs {
  #peer: PeerProof | undefined;
  #ours: OurProof | undefined;

  /** A new attempt: nobody has proved anything. */
  clear(): void {
    this.#peer = this.#ours = undefined;
  }

  /** The peer says it is `client`, and the secret for it was looked up. */
  peerSearched(client: string, searched: Searched, judge: PeerProof["judge"] = "us"): void {
    this.#peer = { client, searched, judge };
  }

  /** We say that we are `user`, with the secret looked up for this server; undefined: not known which. */
  oursSearched(user: string, server: string | undefined, searched: Searched): void {
    this.#ours = { user, server, searched };
  }

  /** Why the peer's proof failed; undefined: not because of a secret. */
  ofPeer(): string | undefined {
    if (this.#peer === undefined) return undefined;
    const { client, searched, judge } = this.#peer;
    if (!searched.found) return asSentence(searched.text);
    if (judge === "the system")
      return `The system refused the user "${printable(client)}", whom ${searched.text} lets try`;
    return `The secret of "${printable(client)}" is not the one in ${searched.text}`;
  }

  /** Why ours failed. */
  ofOurs(): string | undefined {
    if (this.#ours === undefined) return undefined;
    const { user, server, searched } = this.#ours;
    if (!searched.found) return asSentence(searched.text);
    const name = server === undefined ? "" : ` to server "${printable(server)}"`;
    return `We said to be "${printable(user)}"${name}, with the secret from ${searched.text}`;
  }
}

/** Why the proof the peer wanted was not even tried. */
export function unprovenText(method: AuthMethod, refusedBy: string | undefined, searched: Searched): string {
  const wanted = `The peer wanted us to prove who we are with ${METHOD_NAMES[method]}`;
  if (refusedBy !== undefined) return `${wanted}, which the ${refusedBy} option forbids`;
  return searched.found ? wanted : `${wanted}: ${searched.text}`;
}
