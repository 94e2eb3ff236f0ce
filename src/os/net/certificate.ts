// Certificates in PEM, read by node:crypto.

import type { X509Certificate } from "node:crypto";

/** Loaded on demand: a start without certificates takes less time. */
const crypto = () => process.getBuiltinModule("node:crypto");

export class Certificate {
  readonly #certificate: X509Certificate;

  private constructor(certificate: X509Certificate) {
    this.#certificate = certificate;
  }

  /** The first certificate of a text; undefined: there is none. */
  static in(text: string): Certificate | undefined {
    try {
      return new Certificate(new (crypto().X509Certificate)(text));
    } catch {
      return undefined;
    }
  }

  get raw(): Uint8Array {
    return this.#certificate.raw;
  }

  /** Milliseconds since 1970. */
  get validFrom(): number {
    return Date.parse(this.#certificate.validFrom);
  }

  get validTo(): number {
    return Date.parse(this.#certificate.validTo);
  }

  /** Whether a private key in PEM is its own. */
  matchesKey(key: string, passphrase: string | undefined): "yes" | "no" | "unreadable" {
    let read;
    try {
      read = crypto().createPrivateKey({ key, ...(passphrase && { passphrase }) });
    } catch {
      return "unreadable";
    }
    return this.#certificate.checkPrivateKey(read) ? "yes" : "no";
  }
}
