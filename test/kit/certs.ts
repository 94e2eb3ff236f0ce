// Makes certificates for tests with openssl: an authority, certificates that it signs, and certificates that it
// revokes.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Why no certificates can be made, as text, or undefined. */
export function certsMissing(): string | undefined {
  return Bun.which("openssl") === null ? "openssl is not here" : undefined;
}

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
const CA_CONFIG = `[ca]
default_ca = ours
[ours]
database = index
crlnumber = number
default_md = sha256
default_crl_days = 30
`;

export interface CertOptions {
  /** The end of validity, in days from now: 30 by default, below 0 for an expired one. */
  readonly days?: number;
  /** Lines of an extension file. */
  readonly extensions?: string;
  /** OpenSSL's option: rsa:2048. By default the key is one of P-256. */
  readonly key?: string;
}

/** A certificate authority in its own folder. */
export class Authority {
  readonly folder = mkdtempSync(join(tmpdir(), "nullmodem-ca-"));

  constructor(name = "Milliways") {
    writeFileSync(this.path("config"), CA_CONFIG);
    writeFileSync(this.path("index"), "");
    writeFileSync(this.path("number"), "01");
    const days = ["-days", "30"];
    this.#openssl("req", "-x509", ...KEY, "-keyout", "ca.key", "-out", "ca.pem", ...days, "-subj", `/CN=${name}`);
  }

  path(file: string): string {
    return join(this.folder, file);
  }

  text(file: string): string {
    return readFileSync(this.path(file), "latin1");
  }

  /** Makes FILE.pem and FILE.key. The subject is in OpenSSL's form, /CN=zaphod. */
  issue(
    file: string,
    subject: string,
    { days = 30, extensions = "basicConstraints=CA:FALSE", key }: CertOptions = {},
  ): void {
    const kind = key === undefined ? KEY : ["-newkey", key, "-nodes"];
    this.#openssl("req", ...kind, "-keyout", `${file}.key`, "-out", "request", "-subj", subject);
    writeFileSync(this.path("extensions"), `${extensions}\n`);
    const by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "extensions"];
    this.#openssl("x509", "-req", "-in", "request", ...by, "-days", String(days), "-out", `${file}.pem`);
  }

  /** Makes FILE.crl with the revoked certificates. */
  revocationList(file: string, ...revoked: readonly string[]): void {
    const by = ["ca", "-config", "config", "-keyfile", "ca.key", "-cert", "ca.pem"];
    for (const cert of revoked) this.#openssl(...by, "-revoke", `${cert}.pem`);
    this.#openssl(...by, "-gencrl", "-out", `${file}.crl`);
  }

  /** Encrypts FILE.key in place, and puts it with its certificate into FILE.p12. */
  encipher(file: string, password: string): void {
    const pass = `pass:${password}`;
    const both = ["-in", `${file}.pem`, "-inkey", `${file}.key`];
    this.#openssl("pkcs12", "-export", ...both, "-out", `${file}.p12`, "-passout", pass);
    this.#openssl("pkcs8", "-topk8", "-in", `${file}.key`, "-out", "enciphered", "-passout", pass);
    writeFileSync(this.path(`${file}.key`), this.text("enciphered"));
  }

  #openssl(...words: readonly string[]): void {
    const { exitCode, stderr } = Bun.spawnSync(["openssl", ...words], { cwd: this.folder, stderr: "pipe" });
    if (exitCode !== 0) throw new Error(`openssl ${words.join(" ")}: ${stderr.toString()}`);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
