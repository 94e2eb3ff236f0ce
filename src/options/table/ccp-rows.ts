// Options of compression and encryption.

import { decoded } from "../../bytes/text.ts";
import { OptionError } from "../error.ts";
import { scanNumber } from "../numbers.ts";
import { GROUP, oneOf, PRIORITY, row } from "../row.ts";
import { alias, flag, sets } from "../row-kinds.ts";

/** Code sizes for what the peer sends and for what we send. 0: not in that direction. */
interface Sizes {
  readonly receive: number;
  readonly transmit: number;
}

const BEST: Sizes = { receive: 15, transmit: 15 };
const NONE: Sizes = { receive: 0, transmit: 0 };

/** RECEIVE[,TRANSMIT]: code sizes, or 0. */
function sizes(name: string, word: string, smallest: number): Sizes {
  const receive = scanNumber(word);
  const comma = receive !== undefined && word[receive.end] === ",";
  const transmit = comma ? scanNumber(word, 0, receive.end + 1) : receive;
  if (receive === undefined || transmit === undefined || transmit.end !== word.length) {
    throw new OptionError(`invalid parameter '${decoded(word)}' for ${name} option`);
  }
  for (const { value } of [receive, transmit]) {
    if (value !== 0 && (value < smallest || value > 15)) {
      throw new OptionError(`${name} option values must be 0 or ${smallest} .. 15`);
    }
  }
  return { receive: receive.value, transmit: transmit.value };
}

const shown = ({ receive, transmit }: Sizes): string =>
  receive === transmit ? `${receive}` : `${receive},${transmit}`;

const bsdcomp = row({
  name: "bsdcomp",
  rules: PRIORITY,
  about: "BSD-Compress, and the largest code in bits: receive[,transmit]",
  fields: { bsdcomp: BEST },
  set({ draft }, argument) {
    draft.bsdcomp = sizes("bsdcomp", argument, 9);
  },
  value: ({ bsdcomp }) => shown(bsdcomp),
});

const deflate = row({
  name: "deflate",
  rules: PRIORITY,
  about: "Deflate, and the size of its window as a power of 2: receive[,transmit]",
  fields: { deflate: BEST },
  set({ draft, host }, argument) {
    const asked = sizes("deflate", argument, 8);
    // zlib does not support a window of 8.
    const raised = (size: number): number => (size === 8 ? 9 : size);
    if (asked.receive === 8 || asked.transmit === 8) {
      host.warn("deflate option value of 8 changed to 9 to avoid zlib bug");
    }
    draft.deflate = { receive: raised(asked.receive), transmit: raised(asked.transmit) };
  },
  value: ({ deflate }) => shown(deflate),
});

type Wish = "request" | "accept" | "no";

const predictor1 = sets(
  "predictor1",
  PRIORITY,
  "request Predictor-1 from the peer",
  { predictor1: "request" },
  { fields: { predictor1: oneOf<Wish>("accept") } },
);
const lzs = sets(
  "lzs",
  PRIORITY,
  "request Stac LZS from the peer",
  { lzs: "request" },
  { fields: { lzs: oneOf<Wish>("accept") } },
);
const mppc = sets(
  "mppc",
  PRIORITY,
  "request Microsoft's compression (MPPC) from the peer",
  { mppc: "request" },
  { fields: { mppc: oneOf<Wish>("accept") } },
);
const requireMppe = sets(
  "require-mppe",
  PRIORITY,
  "the peer must encrypt (MPPE)",
  { mppe: "require" },
  { fields: { mppe: oneOf<"no" | "require" | "require-40" | "require-56" | "require-128">("no") } },
);
const mppeStateful = flag(
  "mppe-stateful",
  "mppeStateful",
  PRIORITY,
  "encryption (MPPE) may keep state between packets",
);

const mppe = { shares: [requireMppe] } as const;
const noccp = flag("noccp", "noccp", 0, "no compression control protocol");
const nobsdcomp = sets("nobsdcomp", GROUP, "no BSD-Compress", { bsdcomp: NONE }, { shares: [bsdcomp] });
const nodeflate = sets("nodeflate", GROUP, "no Deflate", { deflate: NONE }, { shares: [deflate] });
const nopredictor1 = sets("nopredictor1", GROUP, "no Predictor-1", { predictor1: "no" }, { shares: [predictor1] });
const nomppe = sets("nomppe", PRIORITY, "no encryption (MPPE)", { mppe: "no" }, mppe);
const requireMppe40 = sets(
  "require-mppe-40",
  PRIORITY,
  "the peer must encrypt with 40 bits",
  { mppe: "require-40" },
  mppe,
);
const nomppe40 = flag("nomppe-40", "nomppe40", GROUP, "no encryption with 40 bits");
const requireMppe56 = sets(
  "require-mppe-56",
  PRIORITY,
  "the peer must encrypt with 56 bits",
  { mppe: "require-56" },
  mppe,
);
const nomppe56 = flag("nomppe-56", "nomppe56", GROUP, "no encryption with 56 bits");
const requireMppe128 = sets(
  "require-mppe-128",
  PRIORITY,
  "the peer must encrypt with 128 bits",
  { mppe: "require-128" },
  mppe,
);
const nomppe128 = flag("nomppe-128", "nomppe128", GROUP, "no encryption with 128 bits");
const noecp = sets("noecp", 0, "no encryption control protocol", {}, {});

export const CCP = [
  noccp,
  alias(noccp, "-ccp"),
  bsdcomp,
  nobsdcomp,
  alias(nobsdcomp, "-bsdcomp"),
  deflate,
  nodeflate,
  alias(nodeflate, "-deflate"),
  flag("nodeflatedraft", "nodeflatedraft", 0, "do not use the option number that Deflate had in its draft"),
  predictor1,
  nopredictor1,
  alias(nopredictor1, "-predictor1"),
  lzs,
  sets("nolzs", GROUP, "no Stac LZS", { lzs: "no" }, { shares: [lzs] }),
  mppc,
  sets("nomppc", GROUP, "no Microsoft compression (MPPC)", { mppc: "no" }, { shares: [mppc] }),
  requireMppe,
  alias(requireMppe, "+mppe"),
  nomppe,
  alias(nomppe, "-mppe"),
  requireMppe40,
  alias(requireMppe40, "+mppe-40"),
  nomppe40,
  alias(nomppe40, "-mppe-40"),
  requireMppe56,
  nomppe56,
  requireMppe128,
  alias(requireMppe128, "+mppe-128"),
  nomppe128,
  alias(nomppe128, "-mppe-128"),
  mppeStateful,
  sets(
    "nomppe-stateful",
    PRIORITY,
    "encryption (MPPE) keeps no state between packets",
    { mppeStateful: false },
    {
      shares: [mppeStateful],
    },
  ),
] as const;

export const ECP = [noecp, alias(noecp, "-ecp")] as const;
