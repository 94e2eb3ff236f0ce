// Options of the detecting front: which callers a port answers before PPP begins, and the modem that it plays for some.

import { decoded } from "../../bytes/text.ts";
import { OptionError } from "../error.ts";
import { parsePhoneNumber, type PhoneNumber } from "../phone-book.ts";
import { quoted } from "../quoted.ts";
import { COMMAND, GROUP, list, LIST, PRIORITY, PRIVFIX, PRIVILEGED, row, unset } from "../row.ts";
import { flag, sets, text } from "../row-kinds.ts";

const NAME = "autodetect";
/** The callers that lead to PPP or SLIP. */
const ANSWERED = ["ppp", "windows", "modem", "login", "slip", "cslip"] as const;
/** Those that are answered without a list. Nobody gets login prompts unless they are asked for. */
const DEFAULT = ["ppp", "windows", "modem"] as const;
type Answered = (typeof ANSWERED)[number];

function isCaller(word: string): word is Answered {
  return ANSWERED.some((one) => one === word);
}

const autodetect = row({
  name: NAME,
  rules: PRIORITY,
  about: "find out who calls, and answer those that are listed: ppp,windows,modem (the default),login,slip,cslip",
  argument: false,
  // `login` alone is pppd's own option.
  follows: (word) => word !== "login" && word.split(",").every(isCaller),
  fields: {
    /** The callers to answer. Empty: PPP begins at once. */
    autodetect: list<Answered>(),
  },
  set({ draft }, word) {
    const words = word === NAME ? [...DEFAULT] : decoded(word).split(",");
    draft.autodetect = words.filter(isCaller);
  },
  value: ({ autodetect }) => autodetect.join(","),
});

const slip = row({
  name: "slip",
  rules: PRIORITY,
  about: "speak SLIP instead of PPP",
  argument: false,
  fields: {
    /** Undefined: PPP. */
    slip: unset<"slip" | "cslip">(),
  },
  set({ draft }) {
    draft.slip = "slip";
  },
  value: ({ slip }) => (slip === "slip" ? "" : undefined),
});

export const FRONT = [
  autodetect,
  slip,
  sets("cslip", GROUP, "speak SLIP with compressed headers instead of PPP", { slip: "cslip" }, { shares: [slip] }),
  row({
    name: "find-speed",
    rules: PRIORITY,
    about: "autodetect, and look for the caller's speed",
    argument: false,
    shares: [autodetect],
    fields: { findSpeed: false },
    set({ draft }) {
      draft.findSpeed = true;
      if (draft.autodetect.length === 0) draft.autodetect = [...DEFAULT];
    },
    value: ({ findSpeed }) => (findSpeed ? "" : undefined),
  }),
  text(
    "autodetect-getty",
    "autodetectGetty",
    COMMAND | PRIORITY | PRIVFIX,
    "with autodetect, the command that gets the port while a person uses it",
  ),
  text("modem-connect", "modemConnect", PRIORITY, "the text of CONNECT for modem programs, such as 'CONNECT 2400'"),
  flag(
    "modem-ring",
    "modemRing",
    PRIORITY,
    "with autodetect, RING until the program at the other end answers (ATA, S0)",
  ),
  row({
    name: "phone",
    rules: PRIVILEGED | LIST,
    about: "a number of the modem, NUMBER=HOST:PORT",
    fields: {
      /** The later one of two with the same number counts. */
      phoneNumbers: list<PhoneNumber>(),
    },
    set({ draft }, argument) {
      const number = parsePhoneNumber(decoded(argument));
      if (number === undefined) throw new OptionError(`phone wants NUMBER=HOST:PORT, not ${decoded(argument)}`);
      draft.phoneNumbers = [...draft.phoneNumbers, number];
    },
    values: ({ phoneNumbers }) => phoneNumbers.map(({ number, host }) => quoted(`${number}=${host}`)),
  }),
  text("phonebook", "phonebook", PRIORITY | PRIVILEGED, "file of the modem's numbers, NUMBER = HOST:PORT on each line"),
  flag("modem-strict", "modemStrict", PRIORITY, "answer ERROR to modem commands that are unknown, not OK"),
] as const;
