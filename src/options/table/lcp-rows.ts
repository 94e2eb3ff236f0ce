// Options of the link control protocol.

import { decoded } from "../../bytes/text.ts";
import { parseEndpoint } from "../endpoint.ts";
import { OptionError } from "../error.ts";
import { scanNumber, toUint32 } from "../numbers.ts";
import { quoted } from "../quoted.ts";
import { GROUP, oneOf, PRIORITY, PRIVILEGED, row, unset } from "../row.ts";
import { alias, flag, number, sets, text } from "../row-kinds.ts";
import { numberWithin } from "../whole-number.ts";

const MAP = "control characters that the peer must escape, a bit map in hex";

function mapOf(name: string, word: string): number {
  const map = scanNumber(word, 16);
  if (map === undefined) throw new OptionError(`invalid numeric parameter '${decoded(word)}' for ${name} option`);
  return toUint32(map.value);
}

export const asyncmap = row({
  name: "asyncmap",
  about: MAP,
  fields: {
    /** The receive map to ask for: if bit n is set, the peer must escape control character n. All ones: do not ask. */
    asyncmap: 0,
  },
  set({ draft }, word) {
    draft.asyncmap = (draft.asyncmap | mapOf("asyncmap", word)) >>> 0;
  },
  value: (fields) => fields.asyncmap.toString(16),
});

const as = row({
  name: "-as",
  about: MAP,
  shares: [asyncmap],
  set({ draft }, word) {
    draft.asyncmap = (draft.asyncmap | mapOf("-as", word)) >>> 0;
  },
  value: (fields) => fields.asyncmap.toString(16),
});

const defaultAsyncmap = row({
  name: "default-asyncmap",
  about: "do not negotiate the map of control characters",
  argument: false,
  fields: {
    /** Also reject the peer's asyncmap option. */
    defaultAsyncmap: false,
  },
  shares: [asyncmap],
  set({ draft }) {
    draft.asyncmap = 0xffffffff;
    draft.defaultAsyncmap = true;
  },
  value: () => "",
});

const mru = row({
  name: "mru",
  rules: PRIORITY,
  about: "the largest packet we want to receive",
  fields: {
    mru: 1500,
    /** Do not ask for an MRU, and reject the peer's option. */
    defaultMru: false,
  },
  set({ draft, host }, word) {
    // 2.4.9 cuts a size out of range to 16 bits and sends it.
    draft.mru = numberWithin("mru", word, { min: 128, max: 16384, outside: "moved" }, host);
    draft.defaultMru = false;
  },
  value: (fields) => String(fields.mru),
});

const noaccomp = flag("noaccomp", "noaccomp", 0, "no address and control field compression");
const nomagic = flag("nomagic", "nomagic", 0, "no magic number");
const defaultMru = sets(
  "default-mru",
  GROUP,
  "do not negotiate the largest packet (MRU)",
  { defaultMru: true },
  { shares: [mru] },
);
const nopcomp = flag("nopcomp", "nopcomp", 0, "no protocol field compression");
const passive = flag("passive", "passive", 0, "wait for the peer if it does not answer our requests");
const silent = flag("silent", "silent", 0, "wait for the peer's first packet before sending any");
const mpshortseq = flag("mpshortseq", "mpshortseq", PRIORITY, "short sequence numbers in a bundle");

const all = row({
  name: "-all",
  about: "request no LCP option and accept none",
  argument: false,
  fields: {
    /** Ask for no option of LCP and IPCP, and accept none. */
    noOptions: false,
  },
  shares: [asyncmap, passive, silent, mpshortseq],
  set({ draft }) {
    draft.noOptions = true;
    // Earlier values of these fields do not count.
    draft.asyncmap = 0;
    draft.passive = false;
    draft.silent = false;
    draft.mpshortseq = false;
  },
  value: (fields) => (fields.noOptions ? "" : undefined),
});

// -1, which nolqr sets: no reports, even if the peer asks for them.
const lqrInterval = number(
  "lqr-interval",
  "lqrInterval",
  0,
  PRIORITY,
  "seconds between two quality reports (0: none)",
  {
    min: 0,
  },
);

const fcs = row({
  name: "fcs",
  rules: PRIORITY,
  about: "the frame check sequence to ask for: 16, 32 or null",
  fields: {
    /** Bits (0, 16 or 32) of the FCS to ask the peer for. Undefined: only 16, without this option. */
    fcs: oneOf<0 | 16 | 32 | undefined>(16),
  },
  set({ draft }, word) {
    if (!/^(16|32|null)$/.test(word)) throw new OptionError(`fcs option value must be 16, 32 or null`);
    draft.fcs = word === "null" ? 0 : word === "32" ? 32 : 16;
  },
  value: ({ fcs }) => (fcs === 0 ? "null" : String(fcs ?? 16)),
});

const endpoint = row({
  name: "endpoint",
  rules: PRIORITY,
  about: "the endpoint discriminator, which identifies this end of a bundle",
  fields: {
    /** CLASS:VALUE as it was written. */
    endpoint: unset<string>(),
  },
  set({ draft, host }, word) {
    if (parseEndpoint(word, (name) => host.hardwareAddress(name)) === undefined)
      throw new OptionError(`Can't parse '${decoded(word)}' as an endpoint discriminator`);
    draft.endpoint = decoded(word);
  },
  value: (fields) => quoted(fields.endpoint ?? ""),
});

export const LCP = [
  all,
  noaccomp,
  alias(noaccomp, "-ac"),
  asyncmap,
  as,
  defaultAsyncmap,
  alias(defaultAsyncmap, "-am"),
  nomagic,
  alias(nomagic, "-mn"),
  mru,
  defaultMru,
  alias(defaultMru, "-mru"),
  flag("interactive", "interactive", 0, "small packets on a slow line, so that ping is quick beside a file"),
  number("mtu", "mtu", 16384, 0, "the largest packet we send", { min: 128, max: 16384 }),
  nopcomp,
  alias(nopcomp, "-pc"),
  passive,
  alias(passive, "-p"),
  silent,
  number(
    "lcp-echo-failure",
    "lcpEchoFailure",
    0,
    PRIORITY,
    "end the link after that many unanswered echo requests (0: never)",
  ),
  number("lcp-echo-interval", "lcpEchoInterval", 0, PRIORITY, "seconds between two echo requests (0: none)", {
    min: 0,
    outside: "moved",
  }),
  flag("lcp-echo-adaptive", "lcpEchoAdaptive", 0, "send no echo requests while packets arrive"),
  text("lcp-rtt-file", "lcpRttFile", PRIORITY | PRIVILEGED, "a file for the round-trip times of echoes"),
  number("lcp-restart", "lcpRestart", 3, PRIORITY, "seconds between two LCP requests", { min: 1, outside: "moved" }),
  number("lcp-max-terminate", "lcpMaxTerminate", 2, PRIORITY, "how many LCP terminate requests to send"),
  number("lcp-max-configure", "lcpMaxConfigure", 10, PRIORITY, "how many LCP configure requests to send"),
  number("lcp-max-failure", "lcpMaxFailure", 5, PRIORITY, "how many LCP naks to send before a reject"),
  lqrInterval,
  sets("nolqr", GROUP, "no link quality reports", { lqrInterval: -1 }, { shares: [lqrInterval] }),
  fcs,
  sets("nofcs", GROUP, "no other frame check sequence than 16 bits", { fcs: undefined }, { shares: [fcs] }),
  flag("receive-all", "receiveAll", 0, "accept control characters that should have been escaped"),
  number("mrru", "mrru", undefined, PRIORITY, "the largest packet of a bundle that we receive", {
    min: 128,
    max: 65535,
    outside: "moved",
  }),
  mpshortseq,
  sets("nompshortseq", GROUP, "long sequence numbers in a bundle", { mpshortseq: false }, { shares: [mpshortseq] }),
  endpoint,
  flag("noendpoint", "noendpoint", 0, "neither send nor accept an endpoint discriminator"),
] as const;

export const CBCP = [text("callback", "callback", PRIORITY, "a telephone number at which to be called back")] as const;
