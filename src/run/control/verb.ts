// A verb of `nullmodem ctl` and of the control socket.

import type { Reply } from "./control-connection.ts";
import type { ControlledLink, Steered } from "./controlled-link.ts";

/** What a verb is given. */
export interface VerbCall {
  /** What it acts on: a link, a bundle, or one line of a bundle. */
  readonly target: Steered;
  /** The link that the target is part of. */
  readonly link: ControlledLink;
  readonly words: readonly string[];
  readonly reply: Reply;
  /** The words are right, and the verb is about to be carried out: the log tells of it. */
  note(): void;
}

export interface Verb {
  readonly name: string;
  /** Its words, as they are typed. Empty: it has none. */
  readonly words: string;
  readonly about: string;
  /** Its answer may come at any time. */
  readonly isPatient?: boolean;
  /** Answers by the reply. Throws ControlError. */
  run(call: VerbCall): void;
}
