// The verb wait: it is answered when the link is up, or has ended.

import { ControlError, type LinkState } from "./controlled-link.ts";
import type { Verb } from "./verb.ts";

export const WAIT: Verb = {
  name: "wait",
  words: "up|down",
  about: "return when the link is up, or when it has ended; for scripts: timeout 60 nullmodem ctl ppp0 wait up",
  isPatient: true,
  run({ link, words, reply }) {
    const [state, ...more] = words;
    if (!isState(state) || more.length > 0) throw new ControlError("The words of wait are: up|down");
    const cancel = link.awaitState(state, (isReached) => {
      if (isReached) reply.answer({ interface: link.interface });
      else reply.fail("The session has ended");
    });
    reply.onGone(cancel);
  },
};

function isState(word: string | undefined): word is LinkState {
  return word === "up" || word === "down";
}
