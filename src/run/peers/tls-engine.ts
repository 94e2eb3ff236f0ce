// EAP-TLS as the options and pppd's eaptls files say: our certificate and key, and the certificates that we trust.

import type { EapClientMethod, EapServerMethod } from "../../auth/eap-methods.ts";
import { type TlsChannel, TlsClient, TlsServer } from "../../auth/eap-tls.ts";
import type { Plugged } from "../../auth/eap-config.ts";
import { printable } from "../../bytes/text.ts";
import type { OptionsInForce } from "../settings/options-in-force.ts";
import type { Config } from "../../options/config.ts";
import type { OptionHost } from "../../options/host.ts";
import { accessWarning, someAddress } from "../../options/secrets.ts";
import { findTlsEntry, type TlsEntry } from "../../options/tls-secrets.ts";
import type { Log } from "../log.ts";
import type { Certificate, PeerCertificate, TlsEngine, TlsIdentity, TlsSettings, TlsVersion } from "../host/tls.ts";
import type { Machine } from "../machine.ts";
import { EapType } from "../../wire/eap.ts";

/**
 * The files of one conversation: our certificate and key, the certificates that we trust, and what the peer's must be.
 */
interface Side {
  readonly isFromFile: boolean;
  readonly role: "client" | "server";
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly pkcs12: string | undefined;
  readonly ca: string | undefined;
  readonly capath: string | undefined;
  /** The name that must be in the peer's certificate. Undefined when any name will do. */
  readonly peerName: string | undefined;
  /** The file of the only certificate that the peer may have. */
  readonly peerCert: string | undefined;
}

/** A file cannot be used. The message is a line of the log. */
class TlsTrouble extends Error {}

const VERSIONS: Readonly<Record<string, TlsVersion>> = { "1.0": "TLSv1", "1.1": "TLSv1.1", "1.3": "TLSv1.3" };
/** Extended key usages. */
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
/** Names of files in a folder made by c_rehash: of a certificate, and of a revocation list. */
const HASHED_CERT = /^[0-9a-f]{8}\.\d+$/;
const HASHED_CRL = /^[0-9a-f]{8}\.r\d+$/;

export class EapTls {
  readonly engine: TlsEngine;
  readonly #machine: Pick<Machine, "clock" | "files" | "tls">;
  readonly #options: OptionsInForce;
  readonly #host: OptionHost;
  readonly #log: Log;

  constructor(options: OptionsInForce, host: OptionHost, machine: Pick<Machine, "clock" | "files" | "tls">, log: Log) {
    this.engine = machine.tls.engine();
    this.#machine = machine;
    this.#options = options;
    this.#host = host;
    this.#log = log;
  }

  get #config(): Config {
    return this.#options.config;
  }

  /** Our side as the client. Undefined when we have no certificate. */
  clientMethod(): Plugged<EapClientMethod> | undefined {
    if (!this.canProve()) return undefined;
    return { type: EapType.Tls, make: (host) => new TlsClient(host, () => this.#openClient()) };
  }

  /**
   * Our side as the server. Undefined when no peer could prove itself. `admit` gets the line of the peer that tries to.
   */
  serverMethod(admit: (entry: TlsEntry) => void): Plugged<EapServerMethod> | undefined {
    if (!this.canServe()) return undefined;
    return { type: EapType.Tls, make: (host) => new TlsServer(host, (client) => this.#openServer(client, admit)) };
  }

  canProve(): boolean {
    return this.#clientSide() !== undefined;
  }

  /** True when some peer could prove itself and have an address. */
  canServe(): boolean {
    const { remotename, remotenameGiven, name } = this.#config;
    const entry = this.#entry("server", remotenameGiven ? remotename : undefined, name);
    return entry !== undefined && someAddress(entry.addresses);
  }

  #path(role: Side["role"]): string {
    return `${this.#host.etc}/eaptls-${role}`;
  }

  #entry(role: Side["role"], client: string | undefined, server: string): TlsEntry | undefined {
    const path = this.#path(role);
    const file = this.#host.readFile(path, "root");
    return "errno" in file ? undefined : findTlsEntry(file.text, client, server, path);
  }

  #warnOfAccess(role: Side["role"]): void {
    const path = this.#path(role);
    const file = this.#host.readFile(path, "root");
    const warning = "errno" in file ? undefined : accessWarning(path, file.mode);
    if (warning !== undefined) this.#log.write("warn", warning);
  }

  /**
   * The files of our side as the client, from the options or from our line of the file. Like pppd, it takes a line for
   * a certain server only if remotename is that server.
   */
  #clientSide(): Side | undefined {
    const { ca, capath, cert, key, pkcs12, user, remotename, remotenameGiven } = this.#config;
    const peerName = remotenameGiven ? remotename : undefined;
    const common = { role: "client", peerName } as const;
    if ((ca ?? capath) !== undefined && (pkcs12 !== undefined || (cert !== undefined && key !== undefined)))
      return { ...common, isFromFile: false, ca, capath, cert, key, pkcs12, peerCert: undefined };
    const entry = this.#entry("client", user, peerName ?? "");
    if (entry === undefined) return undefined;
    const files = { ca: entry.ca, capath: undefined, cert: entry.clientCert, key: entry.key, pkcs12: undefined };
    return { ...common, isFromFile: true, ...files, peerCert: entry.serverCert };
  }

  #openClient(): TlsChannel | undefined {
    const { user, remotename, remotenameGiven } = this.#config;
    const side = this.#clientSide();
    if (side === undefined || side.isFromFile) this.#warnOfAccess("client");
    if (side === undefined) this.#lacks("client", user, remotenameGiven ? remotename : "");
    return side && this.#open(side);
  }

  #openServer(client: string, admit: (entry: TlsEntry) => void): TlsChannel | undefined {
    const { name } = this.#config;
    const entry = this.#entry("server", client, name);
    this.#warnOfAccess("server");
    if (entry === undefined) {
      this.#lacks("server", client, name);
      return undefined;
    }
    admit(entry);
    const { ca, key, serverCert, clientCert } = entry;
    const files = { ca, capath: undefined, cert: serverCert, key, pkcs12: undefined };
    return this.#open({ role: "server", isFromFile: true, ...files, peerName: client, peerCert: clientCert });
  }

  #lacks(role: Side["role"], client: string, server: string): void {
    const path = this.#path(role);
    const file = this.#host.readFile(path, "root");
    if ("errno" in file) this.#log.write("error", `Can't open eap-tls secret file ${path}: ${file.reason}`);
    const names = `client "${printable(client)}", server "${printable(server)}"`;
    this.#log.write("error", `EAP-TLS: Cannot get secret/password for ${names}`);
  }

  #open(side: Side): TlsChannel | undefined {
    try {
      const { maxTlsVersion = "" } = this.#config;
      const expected = side.peerCert === undefined ? undefined : this.#storedCert(side.peerCert);
      const settings: TlsSettings = {
        role: side.role,
        ca: this.#trusted(side),
        identity: this.#identity(side),
        crl: this.#revoked(),
        maxVersion: VERSIONS[maxTlsVersion.slice(0, 3)] ?? "TLSv1.2",
        check: (peer) => this.#check(side, expected, peer),
      };
      const session = attempt(() => this.engine.open(settings));
      if (session === undefined) throw new TlsTrouble("EAP-TLS: Cannot initialize SSL CTX context");
      return session;
    } catch (error) {
      if (!(error instanceof TlsTrouble)) throw error;
      this.#log.write("error", error.message);
      return undefined;
    }
  }

  // ── files ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The text of a file. Undefined when it cannot be read. */
  #text(path: string): string | undefined {
    const file = this.#host.readFile(path, "root");
    return "errno" in file ? undefined : file.text;
  }

  #trusted({ ca, capath }: Side): string[] {
    if (ca === undefined && capath === undefined) throw new TlsTrouble("EAP-TLS: CA certificate file or path missing");
    const texts = ca === undefined ? [] : [this.#text(ca)];
    if (capath !== undefined) texts.push(...this.#folder(capath, HASHED_CERT));
    const trusted = texts.filter((text) => text !== undefined && this.#certificateIn(text) !== undefined);
    if (trusted.length === 0 || (ca !== undefined && texts[0] !== trusted[0]))
      throw new TlsTrouble("EAP-TLS: Cannot load verify locations");
    return trusted.filter((text) => text !== undefined);
  }

  #folder(path: string, pattern: RegExp): (string | undefined)[] {
    try {
      const names = this.#machine.files.list(path).filter((name) => pattern.test(name));
      return names.map((name) => this.#text(`${path}/${name}`));
    } catch {
      return [];
    }
  }

  /** The revocation lists. When there is any list, a certificate is refused if its issuer has no list here. */
  #revoked(): string[] {
    const { crl, crlDir } = this.#config;
    const lists: string[] = [];
    if (crl !== undefined) {
      const text = this.#text(crl);
      if (text === undefined) throw new TlsTrouble(`EAP-TLS: Cannot open CRL file '${crl}'`);
      if (!isCrl(text)) throw new TlsTrouble(`EAP-TLS: Cannot read CRL file '${crl}'`);
      lists.push(text);
    }
    if (crlDir !== undefined) {
      const found = this.#folder(crlDir, HASHED_CRL).filter((text) => text !== undefined && isCrl(text));
      if (found.length === 0) throw new TlsTrouble("EAP-TLS: Store lookup for CRL failed");
      lists.push(...found.filter((text) => text !== undefined));
    }
    return lists;
  }

  #identity({ cert, key, pkcs12 }: Side): TlsIdentity {
    const { password: passphrase } = this.#config;
    if (pkcs12 !== undefined) {
      const text = this.#text(pkcs12);
      if (text === undefined) throw new TlsTrouble(`EAP-TLS: Cannot open \`${pkcs12}' PKCS12 for input`);
      return { pfx: Buffer.from(text, "latin1"), passphrase: passphrase ?? "" };
    }
    if (cert === undefined) throw new TlsTrouble("EAP-TLS: Certificate missing");
    if (key === undefined) throw new TlsTrouble("EAP-TLS: Private key missing");
    const chain = this.#text(cert);
    const first = chain === undefined ? undefined : this.#certificateIn(chain);
    if (chain === undefined || first === undefined)
      throw new TlsTrouble(`EAP-TLS: Cannot use public certificate ${cert}`);
    const now = this.#machine.clock.wall();
    if (first.validFrom > now) this.#log.write("warn", "EAP-TLS: Your certificate is not yet valid!");
    if (first.validTo < now) this.#log.write("warn", "EAP-TLS: Your certificate has expired!");
    const secret = this.#privateKey(key, first);
    return { cert: chain, key: secret, passphrase };
  }

  #privateKey(path: string, cert: Certificate): string {
    const { password } = this.#config;
    const text = this.#text(path);
    const fit = text === undefined ? "unreadable" : cert.matchesKey(text, password);
    if (text === undefined || fit === "unreadable") throw new TlsTrouble(`EAP-TLS: Cannot use private key ${path}`);
    if (fit === "no") throw new TlsTrouble(`EAP-TLS: Private key ${path} fails security check`);
    return text;
  }

  #certificateIn(text: string): Certificate | undefined {
    return this.#machine.tls.certificateIn(text);
  }

  #storedCert(path: string): Uint8Array {
    const text = this.#text(path);
    const cert = text === undefined ? undefined : this.#certificateIn(text);
    if (cert === undefined) throw new TlsTrouble(`EAP-TLS: Error loading client certificate from file ${path}`);
    return cert.raw;
  }

  // ── the peer's certificate ─────────────────────────────────────────────────────────────────────────────────────────

  #check(side: Side, expected: Uint8Array | undefined, peer: PeerCertificate): string | undefined {
    const { tlsVerifyKeyUsage, tlsVerifyMethod = "name" } = this.#config;
    if (tlsVerifyKeyUsage) {
      const wanted = side.role === "client" ? SERVER_AUTH : CLIENT_AUTH;
      if (peer.ext_key_usage !== undefined && !peer.ext_key_usage.includes(wanted))
        return "Certificate verification error: invalid extended key usage";
      this.#log.write("info", "Certificate key usage: OK");
    }
    const name = commonName(peer);
    if (side.peerName === undefined || tlsVerifyMethod === "none")
      this.#log.write("warn", "Peer name not specified: no check");
    else {
      const shown = `CN (${printable(name)}) != peer_name (${printable(side.peerName)})`;
      if (!fits(tlsVerifyMethod, side.peerName, peer)) return `Certificate verification error: ${shown}`;
      this.#log.write("info", `Certificate CN: ${printable(name)} , peer name ${printable(side.peerName)}`);
    }
    if (expected !== undefined && !sameOctets(peer.raw, expected))
      return "Peer certificate doesn't match stored certificate";
    return undefined;
  }
}

/** True when the certificate has the name, compared as tls-verify-method says. No certificate has the empty name. */
function fits(method: string, name: string, peer: PeerCertificate): boolean {
  if (name === "") return false;
  switch (method) {
    case "name":
      return commonName(peer) === name;
    case "suffix":
      return commonName(peer).endsWith(name);
    case "subject":
      return subjectLine(peer) === name;
    default:
      return false;
  }
}

/** The first common name in the certificate, as octets, like our own names. */
function commonName(peer: PeerCertificate): string {
  const { CN: name } = peer.subject;
  return octets((Array.isArray(name) ? name[0] : name) ?? "");
}

/** The subject as OpenSSL prints it in one line: /C=GB/O=Milliways/CN=zaphod. */
function subjectLine(peer: PeerCertificate): string {
  const parts = Object.entries(peer.subject);
  return octets(parts.flatMap(([key, value]) => [value ?? []].flat().map((one) => `/${key}=${one}`)).join(""));
}

function octets(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

function isCrl(text: string): boolean {
  return text.includes("-----BEGIN X509 CRL-----");
}

/** The result of `act`. Undefined when it throws, as for a file that is not a certificate. */
function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

function sameOctets(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((octet, at) => octet === other[at]);
}
