// SHA-256 (FIPS 180-4) of octets that come in pieces.

import { createHash } from "node:crypto";

export interface RunningHash {
  update(bytes: Uint8Array): void;
  /** Called once. 32 octets. */
  digest(): Uint8Array;
}

export function startSha256(): RunningHash {
  const hash = createHash("sha256");
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => new Uint8Array(hash.digest()),
  };
}
