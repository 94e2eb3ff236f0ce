// The verbs of `nullmodem ctl` and of the control socket. A row is all that a verb needs.

import { CAPTURE } from "./capture-verb.ts";
import { ControlError, RENEGOTIABLE } from "./controlled-link.ts";
import { WAIT } from "./wait-verb.ts";
import type { Verb, VerbCall } from "./verb.ts";

/** A verb that answers at once. `read` checks its words and returns what they mean. */
function act<T>(
  [name, ...words]: readonly [name: string, ...words: string[]],
  about: string,
  read: (words: readonly string[]) => T | undefined,
  run: (call: VerbCall, meaning: T) => void,
): Verb {
  const usage = words.join(" ");
  return {
    name,
    words: usage,
    about,
    run(call) {
      const meaning = read(call.words);
      if (meaning === undefined)
        throw new ControlError(usage === "" ? `${name} takes no words` : `The words of ${name} are: ${usage}`);
      call.note();
      run(call, meaning);
      call.reply.answer({});
    },
  };
}

const none = (words: readonly string[]): true | undefined => (words.length === 0 ? true : undefined);

/** The only word. */
function one<T>(words: readonly string[], meaning: (word: string) => T | undefined): T | undefined {
  const [word] = words;
  return word === undefined || words.length > 1 ? undefined : meaning(word);
}

/** A line of fewer octets a second would need minutes for one packet. */
const LEAST_RATE = 10;
const MOST_RATE = 1_000_000_000;

function rateOf(word: string): number | undefined {
  if (word === "off") return 0;
  const rate = /^\d{1,10}$/.test(word) ? Number(word) : NaN;
  return rate >= LEAST_RATE && rate <= MOST_RATE ? rate : undefined;
}

export const VERBS: readonly Verb[] = [
  act(
    ["hangup"],
    "end the link as SIGHUP does: with persist pppd tries again, without it pppd ends",
    none,
    ({ target }) => target.hangup(),
  ),
  act(
    ["redial"],
    "end the link and begin the next at once, without holdoff and also without persist; with demand, begin it without traffic",
    none,
    ({ target }) => target.redial(),
  ),
  act(["quit"], "end pppd as SIGTERM and poff do, also with persist", none, ({ link }) => link.quit()),
  act(
    ["renegotiate", "[lcp|ccp|ipcp|ipv6cp]"],
    "negotiate the link again, or only this protocol; the interface stays",
    (words) => (words.length === 0 ? "lcp" : one(words, (word) => RENEGOTIABLE.find((protocol) => protocol === word))),
    ({ target }, protocol) => target.renegotiate(protocol),
  ),
  act(
    ["debug", "on|off"],
    "log the packets of the link, and of the whole bundle, as pppd's option debug does",
    (words) => one(words, (word) => (word === "on" ? true : word === "off" ? false : undefined)),
    ({ link }, isOn) => link.debug(isOn),
  ),
  act(
    ["datarate", "N|off"],
    "at most N octets a second: each way on pty, notty, socket and while record is on; on a tty only what is sent",
    (words) => one(words, rateOf),
    ({ target }, rate) => target.limitRate(rate),
  ),
  WAIT,
  CAPTURE,
];
