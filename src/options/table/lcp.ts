// Options of the link control protocol.

import { parseEndpoint } from "../endpoint.ts";
import { OptionError } from "../error.ts";
import { scanNumber, toUint32 } from "../numbers.ts";
import {
  alias,
  decoded,
  flag,
  GROUP,
  number,
  PRIORITY,
  PRIVILEGED,
  quoted,
  special,
  text,
  type Row,
  type Setting,
} from "../row.ts";

const asyncmap = (name: string): Row =>
  special(
    name,
    0,
    "control characters the peer must escape, a map in hex",
    ({ config }, word) => {
      const map = scanNumber(word, 16);
      if (map === undefined) throw new OptionError(`invalid numeric parameter '${decoded(word)}' for ${name} option`);
      config.asyncmap = (config.asyncmap | toUint32(map.value)) >>> 0;
    },
    (config) => config.asyncmap.toString(16),
  );

const defaultAsyncmap: Row = {
  ...flag("default-asyncmap", 0, "do not negotiate the map of control characters", {
    asyncmap: 0xffffffff,
    defaultAsyncmap: true,
  }),
  value: () => "",
};
const noaccomp = flag("noaccomp", 0, "no address and control field compression", { noaccomp: true });
const nomagic = flag("nomagic", 0, "no magic number", { nomagic: true });
// 2.4.9 sends a size out of range cut to 16 bits.
const mru = number("mru", "mru", PRIORITY, "the largest packet we want to receive", {
  min: 128,
  max: 16384,
  outside: "moved",
});
const defaultMru = flag("default-mru", GROUP, "do not negotiate the size of packets", { defaultMru: true });
const nopcomp = flag("nopcomp", 0, "no protocol field compression", { nopcomp: true });
const passive = flag("passive", 0, "wait for the peer when it does not answer", { passive: true });

function setFcs({ config }: Setting, word: string): void {
  if (!/^(16|32|null)$/.test(word)) throw new OptionError(`fcs option value must be 16, 32 or null`);
  config.fcs = word === "null" ? 0 : word === "32" ? 32 : 16;
}

export const LCP: readonly Row[] = [
  {
    ...flag("-all", 0, "ask for no LCP option and grant none", { noOptions: true }),
    // Whatever was said of these before.
    set: ({ config }) =>
      void Object.assign(config, { noOptions: true, asyncmap: 0, passive: false, silent: false, mpshortseq: false }),
  },
  noaccomp,
  alias(noaccomp, "-ac"),
  asyncmap("asyncmap"),
  asyncmap("-as"),
  defaultAsyncmap,
  alias(defaultAsyncmap, "-am"),
  nomagic,
  alias(nomagic, "-mn"),
  {
    ...mru,
    set(setting, word) {
      mru.set(setting, word);
      setting.config.defaultMru = false;
    },
  },
  defaultMru,
  alias(defaultMru, "-mru"),
  number("mtu", "mtu", 0, "the largest packet we send", { min: 128, max: 16384 }),
  nopcomp,
  alias(nopcomp, "-pc"),
  passive,
  alias(passive, "-p"),
  flag("silent", 0, "send nothing before the peer does", { silent: true }),
  number("lcp-echo-failure", "lcpEchoFailure", PRIORITY, "end the link after that many unanswered echoes (0: never)"),
  number("lcp-echo-interval", "lcpEchoInterval", PRIORITY, "seconds between two echo requests (0: none)", {
    min: 0,
    outside: "moved",
  }),
  flag("lcp-echo-adaptive", 0, "no echo request while packets come in", { lcpEchoAdaptive: true }),
  text("lcp-rtt-file", "lcpRttFile", PRIORITY | PRIVILEGED, "a file for the times echoes take"),
  number("lcp-restart", "lcpRestart", PRIORITY, "seconds between two LCP requests", { min: 1, outside: "moved" }),
  number("lcp-max-terminate", "lcpMaxTerminate", PRIORITY, "how many LCP terminate requests to send"),
  number("lcp-max-configure", "lcpMaxConfigure", PRIORITY, "how many LCP configure requests to send"),
  number("lcp-max-failure", "lcpMaxFailure", PRIORITY, "how many LCP naks before a reject"),
  number("lqr-interval", "lqrInterval", PRIORITY, "seconds between two quality reports (0: none)", { min: 0 }),
  flag("nolqr", GROUP, "no link quality reports", { lqrInterval: -1 }),
  special("fcs", PRIORITY, "the frame check sequence to ask for: 16, 32 or null", setFcs, ({ fcs }) =>
    fcs === 0 ? "null" : String(fcs ?? 16),
  ),
  flag("nofcs", GROUP, "no other frame check sequence than 16 bits", { fcs: undefined }),
  flag("receive-all", 0, "take control characters that should have been escaped", { receiveAll: true }),
  number("mrru", "mrru", PRIORITY, "the largest packet of a bundle", { min: 128, max: 65535, outside: "moved" }),
  flag("mpshortseq", PRIORITY, "short sequence numbers in a bundle", { mpshortseq: true }),
  flag("nompshortseq", GROUP, "long sequence numbers in a bundle", { mpshortseq: false }),
  special(
    "endpoint",
    PRIORITY,
    "what tells this end from others in a bundle",
    ({ config, host }, word) => {
      if (parseEndpoint(word, (name) => host.hardwareAddress(name)) === undefined)
        throw new OptionError(`Can't parse '${decoded(word)}' as an endpoint discriminator`);
      config.endpoint = decoded(word);
    },
    (config) => quoted(config.endpoint ?? ""),
  ),
  flag("noendpoint", 0, "neither send nor take an endpoint", { noendpoint: true }),
];

export const CBCP: readonly Row[] = [
  text("callback", "callback", PRIORITY, "a telephone number at which to be called back"),
];
