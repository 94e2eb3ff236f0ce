// The verbs of `nullmodem ctl` and of the control socket. A row is all that a verb needs.

import { CAPTURE } from "./capture-verb.ts";
import { ControlError, type Steered } from "./controlled-link.ts";
import type { Verb } from "./verb.ts";

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
  CAPTURE,
];
