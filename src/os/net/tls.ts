// TLS without a network: node:tls over a stream in memory, whose bytes somebody else carries. Bun's engine answers at
// once, but not inside the call: a session is settled when it has been still for two rounds of the event loop.

import { constants } from "node:crypto";
import type { Duplex } from "node:stream";
import type { PeerCertificate, SecureVersion, TLSSocket } from "node:tls";

export interface TlsSettings {
  readonly role: "client" | "server";
  /** Certificates in PEM, never none: Bun would trust the whole world's. */
  readonly ca: readonly string[];
  readonly identity: TlsIdentity;
  readonly crl: readonly string[];
  readonly maxVersion: SecureVersion;
  /** What is wrong with the peer's certificate, though it is valid, as a line of the log; undefined: nothing. */
  readonly check: (peer: PeerCertificate) => string | undefined;
}

/** Our certificate with those above it, and its key, in PEM; or both in PKCS #12. */
export type TlsIdentity =
  | { readonly cert: string; readonly key: string; readonly passphrase: string | undefined }
  | { readonly pfx: Uint8Array; readonly passphrase: string | undefined };

/** So many rounds without a byte or an event, and nothing more is to be expected. */
const STILL_ROUNDS = 2;
/** A fatal alert, bad_certificate, as a record that is not enciphered: the engine itself would let the peer in first. */
const BAD_CERTIFICATE = Uint8Array.of(21, 3, 3, 0, 2, 2, 42);
/** RFC 9190 §2.5: with TLS 1.3 the server's last word. */
const COMMITMENT = Uint8Array.of(0);
const MASTER_KEY = 64;
/** As much is asked for at once, which in TLS 1.3 changes every octet. The second half has no use here. */
const KEY_MATERIAL = 128;
/** RFC 5216 §2.3, RFC 9190 §2.3. The latter wants EAP's type for a context; every pppd leaves it out, and so do we. */
const LABEL = "client EAP encryption";
const LABEL_1_3 = "EXPORTER_EAP_TLS_Key_Material";

/** Before TLS 1.3 no context is not an empty one; the types know no such thing. */
interface Exporter {
  exportKeyingMaterial(length: number, label: string, context?: Buffer): Buffer;
}

/** Loaded only when it is wanted: 7 MB and 3 ms, and most have no certificate. */
const tls = () => process.getBuiltinModule("node:tls");

/** What is written to it is added to `written`. */
function memoryStream(written: Uint8Array[]): Duplex {
  return new (process.getBuiltinModule("node:stream").Duplex)({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      written.push(new Uint8Array(chunk));
      done();
    },
  });
}

/** Sessions, and whether one of them is at work. */
export class TlsEngine {
  #working = 0;
  #isSettled = false;

  /** A session waits for rounds of the event loop, which nothing else may bring about. */
  get busy(): boolean {
    return this.#working > 0;
  }

  /** True once after sessions were at work and are no longer. */
  takeSettled(): boolean {
    if (this.busy || !this.#isSettled) return false;
    this.#isSettled = false;
    return true;
  }

  /** Throws when the settings make no session: a key that is none, or of another certificate. */
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

/** One session; the interface it has is auth/eap-tls.ts's TlsChannel. */
export class TlsSession {
  failure = "";
  readonly #settings: TlsSettings;
  readonly #host: { started(): void; settled(): void };
  readonly #written: Uint8Array[] = [];
  readonly #stream = memoryStream(this.#written);
  readonly #socket: TLSSocket;
  #stage: "handshaking" | "done" | "failed" = "handshaking";
  #isWorking = false;
  #alert: Uint8Array | undefined;
  /** Counts what happens, so that one can tell when nothing does. */
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
      // Nothing is ever resumed. But pppd's client does not believe in TLS 1.3 without a ticket.
      secureOptions: maxVersion === "TLSv1.3" ? 0 : constants.SSL_OP_NO_TICKET,
      // What the certificate is worth is looked at in #secured, which must see those that are not.
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

  /** Bun holds a socket, and all that is reached from it, until it is destroyed. */
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

  /** The handshake is through. Whether the peer is who it should be, nobody has asked yet. */
  #secured(): void {
    this.#events++;
    // Bun has nothing at all for a peer without one.
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

/** The fourth part of BoringSSL's text is its name of what went wrong. */
function reasonOf(error: Error): string {
  return `EAP-TLS: ${/^error:[0-9a-f]+:[^:]*:[^:]*:(.*)$/i.exec(error.message)?.[1] ?? error.message}`;
}
