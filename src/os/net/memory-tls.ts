// TLS without a network: node:tls over a stream in memory; the caller carries the bytes. Bun's engine answers soon, but
// not within the call. A session counts as settled after two rounds of the event loop without activity.

import type { Duplex } from "node:stream";
import type { PeerCertificate, SecureVersion, TLSSocket } from "node:tls";

export interface TlsSettings {
  readonly role: "client" | "server";
  /** CA certificates in PEM. Never empty: with an empty list Bun would trust all public CAs. */
  readonly ca: readonly string[];
  readonly identity: TlsIdentity;
  readonly crl: readonly string[];
  readonly maxVersion: SecureVersion;
  /**
   * Checks the peer's valid certificate further. Returns a line for the log when something is wrong, else undefined.
   */
  readonly check: (peer: PeerCertificate) => string | undefined;
}

/** Our certificate with its chain and its key, in PEM, or all of them in PKCS #12. */
export type TlsIdentity =
  | { readonly cert: string; readonly key: string; readonly passphrase: string | undefined }
  | { readonly pfx: Uint8Array; readonly passphrase: string | undefined };

/** A session is settled after this many rounds without a byte or an event. */
const STILL_ROUNDS = 2;
/** The fatal alert bad_certificate as an unencrypted record. The engine on its own would accept the peer first. */
const BAD_CERTIFICATE = Uint8Array.of(21, 3, 3, 0, 2, 2, 42);
/** RFC 9190 §2.5: with TLS 1.3, the server sends this octet last. */
const COMMITMENT = Uint8Array.of(0);
const MASTER_KEY = 64;
/**
 * How much key material we export at once. In TLS 1.3 the length changes every octet. We do not use the second half.
 */
const KEY_MATERIAL = 128;
/**
 * RFC 5216 §2.3 and RFC 9190 §2.3. The latter asks for EAP's type as the context. Every pppd omits it, and so do we.
 */
const LABEL = "client EAP encryption";
const LABEL_1_3 = "EXPORTER_EAP_TLS_Key_Material";

/** Before TLS 1.3, no context differs from an empty one. Node's types do not allow for that. */
interface Exporter {
  exportKeyingMaterial(length: number, label: string, context?: Buffer): Buffer;
}

/** Loaded on demand: it takes 7 MB and 3 ms, and most sessions use no certificate. */
const tls = () => process.getBuiltinModule("node:tls");

/** A stream that appends written data to `written`. */
function memoryStream(written: Uint8Array[]): Duplex {
  return new (process.getBuiltinModule("node:stream").Duplex)({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      written.push(new Uint8Array(chunk));
      done();
    },
  });
}

/** All TLS sessions, and whether one of them is active. */
export class TlsEngine {
  #working = 0;
  #isSettled = false;

  /** True while a session waits for rounds of the event loop. The caller must run them; nothing else wakes the loop. */
  get busy(): boolean {
    return this.#working > 0;
  }

  /** True once after the sessions have become inactive. */
  takeSettled(): boolean {
    if (this.busy || !this.#isSettled) return false;
    this.#isSettled = false;
    return true;
  }

  /**
   * Starts a session. Throws when the settings are unusable, such as a damaged key or the key of another certificate.
   */
  open(settings: TlsSettings): TlsSession {
    return new TlsSession(settings, {
      started: () => this.#working++,
      settled: () => {
        this.#working--;
        this.#isSettled = true;
      },
    });
  }
}

/** One session. It has the interface TlsChannel of auth/eap-tls.ts. */
class TlsSession {
  failure = "";
  readonly #settings: TlsSettings;
  readonly #host: { started(): void; settled(): void };
  readonly #written: Uint8Array[] = [];
  readonly #stream = memoryStream(this.#written);
  readonly #socket: TLSSocket;
  #stage: "handshaking" | "done" | "failed" = "handshaking";
  #isWorking = false;
  #alert: Uint8Array | undefined;
  /** Counts events, so that the engine can tell when none occur. */
  #events = 0;

  constructor(settings: TlsSettings, host: { started(): void; settled(): void }) {
    this.#settings = settings;
    this.#host = host;
    const { role, ca, identity, crl, maxVersion } = settings;
    if (ca.length === 0) throw new Error("no certificate to trust");
    const secure = {
      ca: [...ca],
      ...("pfx" in identity ? { pfx: Buffer.from(identity.pfx) } : { cert: identity.cert, key: identity.key }),
      ...(identity.passphrase !== undefined && { passphrase: identity.passphrase }),
      ...(crl.length > 0 && { crl: [...crl] }),
      maxVersion,
      minVersion: maxVersion < "TLSv1.2" ? maxVersion : ("TLSv1.2" as const),
      // We never resume a session, but pppd's client refuses TLS 1.3 without a ticket.
      secureOptions: maxVersion === "TLSv1.3" ? 0 : process.getBuiltinModule("node:crypto").constants.SSL_OP_NO_TICKET,
      // #secured judges the certificate, and it must see the bad ones too.
      rejectUnauthorized: false,
    };
    this.#socket =
      role === "server"
        ? new (tls().TLSSocket)(this.#stream, { ...secure, isServer: true, requestCert: true })
        : tls().connect({ ...secure, socket: this.#stream, checkServerIdentity: () => undefined });
    this.#socket.on(role === "server" ? "secure" : "secureConnect", () => this.#secured());
    this.#socket.on("data", () => this.#events++);
    this.#socket.on("error", (error) => this.#failed(reasonOf(error)));
    this.#socket.on("close", () => this.#failed("EAP-TLS: closed by the peer"));
    this.#stream.on("error", () => this.#events++);
    if (role === "client") this.#work();
  }

  get state(): "working" | "handshaking" | "done" | "failed" {
    return this.#isWorking ? "working" : this.#stage;
  }

  receive(message: Uint8Array): void {
    if (this.#stage === "failed") return;
    this.#stream.push(Buffer.from(message));
    this.#work();
  }

  take(): Uint8Array {
    const written = this.#written.splice(0);
    return this.#alert ?? new Uint8Array(Buffer.concat(written));
  }

  masterKey(): Uint8Array | undefined {
    if (this.#stage !== "done") return undefined;
    const socket: Exporter = this.#socket;
    const material = socket.exportKeyingMaterial(KEY_MATERIAL, this.#is13 ? LABEL_1_3 : LABEL);
    return new Uint8Array(material.subarray(0, MASTER_KEY));
  }

  /** Destroys the socket. Bun keeps a socket and everything it refers to until then. */
  close(): void {
    this.#stage = "failed";
    this.#written.length = 0;
    this.#socket.destroy();
  }

  get #is13(): boolean {
    return this.#socket.getProtocol() === "TLSv1.3";
  }

  #work(): void {
    if (this.#isWorking) return;
    this.#isWorking = true;
    this.#host.started();
    let seen = -1;
    let still = 0;
    const round = (): void => {
      const happened = this.#events + this.#written.length;
      still = happened === seen ? still + 1 : 0;
      seen = happened;
      if (still < STILL_ROUNDS) {
        setImmediate(round);
        return;
      }
      this.#isWorking = false;
      this.#host.settled();
    };
    setImmediate(round);
  }

  /** The handshake is complete. The peer's identity has not been checked yet. */
  #secured(): void {
    this.#events++;
    // Bun returns null for a peer without a certificate.
    const peer: PeerCertificate | null | undefined = this.#socket.getPeerCertificate();
    const { authorized, authorizationError } = this.#socket;
    const problem =
      peer?.raw === undefined
        ? "EAP-TLS: the peer has no certificate"
        : authorized
          ? this.#settings.check(peer)
          : `Certificate verification error: ${String(authorizationError)}`;
    if (problem !== undefined) {
      this.#alert = BAD_CERTIFICATE;
      this.#failed(problem);
      return;
    }
    this.#stage = "done";
    if (this.#settings.role === "server" && this.#is13) this.#socket.write(COMMITMENT);
  }

  #failed(reason: string): void {
    this.#events++;
    if (this.#stage === "failed") return;
    this.#stage = "failed";
    this.failure = reason;
    this.#socket.destroy();
  }
}

/** The fourth part of BoringSSL's error text names the reason. */
function reasonOf(error: Error): string {
  return `EAP-TLS: ${/^error:[0-9a-f]+:[^:]*:[^:]*:(.*)$/i.exec(error.message)?.[1] ?? error.message}`;
}
