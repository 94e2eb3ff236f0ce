// The verbs of `nullmodem ctl` and of the control socket. A row is all that a verb needs.

import type { Reply } from "./control-connection.ts";
import { ControlError, type ControlledLink, type Steered } from "./controlled-link.ts";

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
  /** Answers by the reply. Throws ControlError. */
  run(call: VerbCall): void;
}

/** A verb without words that answers at once. */
function act(name: string, about: string, run: (target: Steered) => void): Verb {
  return {
    name,
    words: "",
    about,
    run({ target, words, reply, note }) {
      if (words.length > 0) throw new ControlError(`${name} takes no words`);
      note();
      run(target);
      reply.answer({});
    },
  };
}

export const VERBS: readonly Verb[] = [
  act("hangup", "end the link; with persist pppd tries again, as after SIGHUP", (target) => target.hangup()),
];
