// MD4, MD5, SHA-1 (RFC 1320, RFC 1321, RFC 3174) and single DES blocks (FIPS 46-3). The runtime contains all of them,
// and so does the compiled executable. None depends on the host's OpenSSL or its policy.

let loaded: typeof import("node:crypto") | undefined;

/** Loaded on demand: most links use no digest, and a start takes less time. */
function crypto(): typeof import("node:crypto") {
  return (loaded ??= require("node:crypto") as typeof import("node:crypto"));
}

/** The digest of the concatenated parts, 16 octets. */
export function md4(...parts: readonly Uint8Array[]): Uint8Array {
  return digest("md4", parts);
}

/** 16 octets. */
export function md5(...parts: readonly Uint8Array[]): Uint8Array {
  return digest("md5", parts);
}

/** 20 octets. */
export function sha1(...parts: readonly Uint8Array[]): Uint8Array {
  return digest("sha1", parts);
}

function digest(algorithm: string, parts: readonly Uint8Array[]): Uint8Array {
  const hash = crypto().createHash(algorithm);
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

/** Encrypts one block of 8 octets. The key has 7 octets: its 56 bits without parity bits. */
export function desBlock(key: Uint8Array, block: Uint8Array): Uint8Array {
  const cipher = crypto().createCipheriv("des-ecb", withParity(key), null);
  cipher.setAutoPadding(false);
  return new Uint8Array(cipher.update(block));
}

/** Spreads the key to seven bits an octet. The eighth bit is parity, which DES ignores. */
function withParity(key: Uint8Array): Uint8Array {
  const spread = new Uint8Array(8);
  for (let at = 0; at < 8; at++) {
    const left = at > 0 ? key[at - 1]! << (8 - at) : 0;
    const right = at < 7 ? key[at]! >>> at : 0;
    spread[at] = (left | right) & 0xfe;
  }
  return spread;
}
