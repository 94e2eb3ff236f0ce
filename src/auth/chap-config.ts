// CHAP (RFC 1994): the configuration of both roles, and the algorithm that LCP agreed on. The client is chap-client.ts, the server
// chap-server.ts.

import { ChapDigest } from "../wire/lcp.ts";
import type { Answers } from "./answers.ts";
import { type AuthLower, type Digest, Md5Digest, type NtProof } from "./digest.ts";
import { MsChap, type MsChapConfig, MsChapV2 } from "./mschap.ts";
import type { Names } from "./names.ts";

export interface ChapConfig extends Names, MsChapConfig {
  /**
   * As server: time between challenges, and how many to send. As client: the same for a response that gets no result.
   */
  readonly restartMs: number;
  readonly maxChallenge: number;
  /** As server: how long after a success to challenge again; 0: never. */
  readonly intervalMs: number;
  /** As client: how long to wait for the result. 0: without limit. */
  readonly timeoutMs: number;
  /** As server: checks the proofs in place of our own secrets. */
  readonly judge?: NtJudge | undefined;
  /** The link's record of our own answers. */
  readonly answers: Answers;
}

/** An external authority that knows the passwords. A new `ask` replaces the one before. */
export interface NtJudge {
  ask(proof: NtProof): void;
  /** Takes the verdict. Undefined: there is none yet. */
  take(): NtVerdict | undefined;
}

/** The verdict. A success has the hash of the password's hash, 16 octets. */
export type NtVerdict =
  | { readonly accepted: true; readonly passwordHashHash: Uint8Array }
  /** The reason to give to the peer's user; "" stands for the usual text. */
  | { readonly accepted: false; readonly message: string };

/** The algorithm that the digest octet of LCP's option stands for. */
export function digestOf(code: ChapDigest, config: MsChapConfig, lower: AuthLower): Digest {
  const log: AuthLower["log"] = (level, text) => lower.log(level, text);
  switch (code) {
    case ChapDigest.Md5:
      return new Md5Digest(config.random32);
    case ChapDigest.Ms:
      return new MsChap(config, log);
    case ChapDigest.MsV2:
      return new MsChapV2(config, log);
    default:
      return code satisfies never;
  }
}
