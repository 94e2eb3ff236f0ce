// Explains a failed proof by the secrets files. It keeps what was looked up and describes that when the proof fails. It
// never shows a secret.

import { printable } from "../../bytes/text.ts";
import type { AuthMethod } from "../../wire/auth-method.ts";
import { asSentence } from "../../options/secret-search.ts";

/** The names of the methods in log lines. */
const METHOD_NAMES: Readonly<Record<AuthMethod, string>> = {
  eap: "EAP",
  "chap-md5": "CHAP",
  "mschap-v2": "MS-CHAPv2",
  mschap: "MS-CHAP",
  pap: "PAP",
};

/** The result of a search in a secrets file: a description of the line, or the reason why there is none. */
export interface Searched {
  readonly found: boolean;
  readonly text: string;
}

type PeerProof = { readonly client: string; readonly searched: Searched; readonly judge: "us" | "the system" };
type OurProof = { readonly user: string; readonly server: string | undefined; readonly searched: Searched };

export class Proofs {
  #peer: PeerProof | undefined;
  #ours: OurProof | undefined;

  /** Forgets the last attempt. */
  clear(): void {
    this.#peer = this.#ours = undefined;
  }

  /** Keeps the search for the secret of the peer, which says that it is `client`. */
  peerSearched(client: string, searched: Searched, judge: PeerProof["judge"] = "us"): void {
    this.#peer = { client, searched, judge };
  }

  /** Keeps the search for our secret: our name is `user`. `server` is undefined when its name is not known. */
  oursSearched(user: string, server: string | undefined, searched: Searched): void {
    this.#ours = { user, server, searched };
  }

  /** Why the peer's proof failed. Undefined when no secret is the reason. */
  ofPeer(): string | undefined {
    if (this.#peer === undefined) return undefined;
    const { client, searched, judge } = this.#peer;
    if (!searched.found) return asSentence(searched.text);
    if (judge === "the system")
      return `The system refused the user "${printable(client)}", whom ${searched.text} lets try`;
    return `The secret of "${printable(client)}" is not the one in ${searched.text}`;
  }

  /** Why our proof failed. */
  ofOurs(): string | undefined {
    if (this.#ours === undefined) return undefined;
    const { user, server, searched } = this.#ours;
    if (!searched.found) return asSentence(searched.text);
    const name = server === undefined ? "" : ` to server "${printable(server)}"`;
    return `We said to be "${printable(user)}"${name}, with the secret from ${searched.text}`;
  }
}

/** Why we did not even try the proof that the peer wanted. */
export function unprovenText(method: AuthMethod, refusedBy: string | undefined, searched: Searched): string {
  const wanted = `The peer wanted us to prove who we are with ${METHOD_NAMES[method]}`;
  if (refusedBy !== undefined) return `${wanted}, which the ${refusedBy} option forbids`;
  return searched.found ? wanted : `${wanted}: ${searched.text}`;
}
