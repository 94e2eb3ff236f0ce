// A row of LCP. Both ends may have each option, so both records have the same fields.

import type { AuthMethod } from "../../../wire/auth-method.ts";
import { option0 } from "../../../wire/control.ts";
import { flagText } from "../../../wire/text-part.ts";
import type { Level } from "../../dialect.ts";
import type { OptionRow, Talk } from "../option-row.ts";

export interface LcpHost {
  log(level: Level, text: string): void;
  random32(): number;
  /** The peer demands an authentication that we cannot do. */
  cannotProve(method: AuthMethod): void;
}

/** `Asked` has more fields than `Options` when a request needs them. */
export type LcpRow<Config, Options, Asked = Options> = OptionRow<Config, Asked, Options, LcpHost>;
export type LcpTalk<Config, Options, Asked = Options> = Talk<Config, Asked, Options, LcpHost>;

/** A row for an option without a value. Its field has the name of its word in pppd's debug lines. */
export function flagRow<Key extends string>(
  type: number,
  key: Key,
  none: Record<Key, boolean>,
): LcpRow<Record<Key, boolean>, Record<Key, boolean>> {
  const set = (options: Record<Key, boolean>, value: boolean): void => void Object.assign(options, { [key]: value });
  return {
    type,
    got: none,
    peer: none,
    describe: flagText(key),
    start: ({ config, got }) => set(got, config[key]),
    ask: ({ got }) => (got[key] ? option0(type) : undefined),
    judge: (value, { config, peer }) => {
      if (value.length !== 0 || !config[key]) return "reject";
      set(peer, true);
      return "ack";
    },
  };
}
