// TLS without a network, for EAP-TLS, and certificates.

import type { TlsChannel } from "../../auth/eap-tls.ts";

export type TlsVersion = "TLSv1" | "TLSv1.1" | "TLSv1.2" | "TLSv1.3";

/** What is asked of the peer's certificate. */
export interface PeerCertificate {
  /** Parts of the subject's name, in their order. One that comes twice has both values. */
  readonly subject: { readonly CN?: string | string[]; readonly [part: string]: string | string[] | undefined };
  readonly ext_key_usage?: string[];
  readonly raw: Uint8Array;
}

/** Our certificate with those above it, and its key, in PEM; or both in PKCS #12. */
export type TlsIdentity =
  | { readonly cert: string; readonly key: string; readonly passphrase: string | undefined }
  | { readonly pfx: Uint8Array; readonly passphrase: string | undefined };

export interface TlsSettings {
  readonly role: "client" | "server";
  /** Certificates in PEM, never none. */
  readonly ca: readonly string[];
  readonly identity: TlsIdentity;
  readonly crl: readonly string[];
  readonly maxVersion: TlsVersion;
  /** What is wrong with the peer's certificate, though it is valid, as a line of the log; undefined: nothing. */
  readonly check: (peer: PeerCertificate) => string | undefined;
}

/** Sessions, and whether one of them is at work. */
export interface TlsEngine {
  /** A session waits for turns of the runtime. */
  readonly busy: boolean;
  /** True once after sessions were at work and are no longer. */
  takeSettled(): boolean;
  /** Throws when the settings make no session. */
  open(settings: TlsSettings): TlsChannel;
}

export interface Certificate {
  readonly raw: Uint8Array;
  /** Milliseconds since 1970. */
  readonly validFrom: number;
  readonly validTo: number;
  /** Whether a private key in PEM is its own. */
  matchesKey(key: string, passphrase: string | undefined): "yes" | "no" | "unreadable";
}

export interface Tls {
  engine(): TlsEngine;
  /** The first certificate of a text in PEM; undefined: there is none. */
  certificateIn(text: string): Certificate | undefined;
}
