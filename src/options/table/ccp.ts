// Options of compression and encryption.

import type { Config } from "../config.ts";
import { OptionError } from "../error.ts";
import { scanNumber } from "../numbers.ts";
import { alias, decoded, flag, GROUP, PRIORITY, special, type Row, type Setting } from "../row.ts";

type Sizes = Config["deflate"];

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

function setDeflate({ config, host }: Setting, word: string): void {
  const asked = sizes("deflate", word, 8);
  // zlib does not do what a window of 8 asks for.
  const raised = (size: number): number => (size === 8 ? 9 : size);
  if (asked.receive === 8 || asked.transmit === 8) {
    host.warn("deflate option value of 8 changed to 9 to avoid zlib bug");
  }
  config.deflate = { receive: raised(asked.receive), transmit: raised(asked.transmit) };
}

const shown = ({ receive, transmit }: Sizes): string =>
  receive === transmit ? `${receive}` : `${receive},${transmit}`;
const NONE: Sizes = { receive: 0, transmit: 0 };

const noccp = flag("noccp", 0, "no compression control protocol", { noccp: true });
const nobsdcomp = flag("nobsdcomp", GROUP, "no BSD-Compress", { bsdcomp: NONE });
const nodeflate = flag("nodeflate", GROUP, "no Deflate", { deflate: NONE });
const nopredictor1 = flag("nopredictor1", GROUP, "no Predictor-1", { predictor1: "no" });
const requireMppe = flag("require-mppe", PRIORITY, "the peer must encrypt", { mppe: "require" });
const nomppe = flag("nomppe", PRIORITY, "no encryption", { mppe: "no" });
const requireMppe40 = flag("require-mppe-40", PRIORITY, "the peer must encrypt with 40 bits", {
  mppe: "require-40",
});
const nomppe40 = flag("nomppe-40", GROUP, "no encryption with 40 bits", { nomppe40: true });
const requireMppe56 = flag("require-mppe-56", PRIORITY, "the peer must encrypt with 56 bits", { mppe: "require-56" });
const nomppe56 = flag("nomppe-56", GROUP, "no encryption with 56 bits", { nomppe56: true });
const requireMppe128 = flag("require-mppe-128", PRIORITY, "the peer must encrypt with 128 bits", {
  mppe: "require-128",
});
const nomppe128 = flag("nomppe-128", GROUP, "no encryption with 128 bits", { nomppe128: true });
const noecp = flag("noecp", 0, "no encryption control protocol", {});

export const CCP: readonly Row[] = [
  noccp,
  alias(noccp, "-ccp"),
  special(
    "bsdcomp",
    PRIORITY,
    "BSD-Compress, and how many bits to a code",
    ({ config }, word) => (config.bsdcomp = sizes("bsdcomp", word, 9)),
    (config) => shown(config.bsdcomp),
  ),
  nobsdcomp,
  alias(nobsdcomp, "-bsdcomp"),
  special("deflate", PRIORITY, "Deflate, and the size of its window", setDeflate, (config) => shown(config.deflate)),
  nodeflate,
  alias(nodeflate, "-deflate"),
  flag("nodeflatedraft", 0, "not the number Deflate had in its draft", { nodeflatedraft: true }),
  flag("predictor1", PRIORITY, "ask for Predictor-1", { predictor1: "request" }),
  nopredictor1,
  alias(nopredictor1, "-predictor1"),
  flag("lzs", PRIORITY, "ask for Stac LZS", { lzs: "request" }),
  flag("nolzs", GROUP, "no Stac LZS", { lzs: "no" }),
  flag("mppc", PRIORITY, "ask for Microsoft's compression", { mppc: "request" }),
  flag("nomppc", GROUP, "no Microsoft's compression", { mppc: "no" }),
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
  flag("mppe-stateful", PRIORITY, "encryption may keep state between packets", { mppeStateful: true }),
  flag("nomppe-stateful", PRIORITY, "encryption keeps no state between packets", { mppeStateful: false }),
];

export const ECP: readonly Row[] = [noecp, alias(noecp, "-ecp")];
