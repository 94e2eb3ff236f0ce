// Predictor type 1, and type 2, which is only described (RFC 1978).

import { CcpOption } from "../../wire/ccp.ts";
import { type ConfOption, option0 } from "../../wire/control.ts";
import type { MethodRow, Wish } from "../method-row.ts";
import { PredictorCompressor, PredictorDecompressor } from "../predictor.ts";

interface PredictorConfig {
  readonly predictor1: Wish;
}

export const predictor1: MethodRow<PredictorConfig> = {
  type: CcpOption.Predictor1,
  describe: (_, at) => ({ text: "predictor 1", next: at }),
  ask: (config) => (config.predictor1 === "request" ? predictorOption(CcpOption.Predictor1) : undefined),
  judge: (value, config) => (config.predictor1 !== "no" && value.length === 0 ? "ack" : "reject"),
  parse: () => ({
    kind: "predictor1",
    name: "Predictor 1",
    compressor: () => new PredictorCompressor(),
    decompressor: () => new PredictorDecompressor(),
  }),
};

export const predictor2: MethodRow<object> = {
  type: CcpOption.Predictor2,
  describe: (_, at) => ({ text: "predictor 2", next: at }),
};

export function predictorOption(type: typeof CcpOption.Predictor1 | typeof CcpOption.Predictor2): ConfOption {
  return option0(type);
}
