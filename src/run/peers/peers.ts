// The rules of pppd for both proofs: which peers may connect, with which addresses, and how we prove ourselves. They
// use the secrets files and the users of the system.

import type { AuthMethod } from "../../wire/auth-method.ts";
import type { Failure } from "../../link/events.ts";
import type { Config } from "../../options/config.ts";
import type { OptionsInForce } from "../settings/options-in-force.ts";
import type { OptionHost } from "../../options/host.ts";
import { lineText } from "../../options/secret-search.ts";
import { type FoundSecret, someAddress } from "../../options/secrets.ts";
import type { Log } from "../log.ts";
import type { Machine } from "../machine.ts";
import { EapTls } from "./tls-engine.ts";
import type { AuthPlan } from "../settings/link-config.ts";
import { type PapClaim, PapJudge, type PapVerdict } from "./pap-judge.ts";
import { Passwords } from "./passwords.ts";
import { isNobodys, PeerAddresses } from "./peer-addresses.ts";
import { Proofs, unprovenText } from "./proofs.ts";
import { Winbind } from "./samba.ts";
import { SecretFiles } from "./secret-files.ts";

/** The methods by which we can prove ourselves, in the order in which we suggest them to the peer. */
const ACCEPTED: readonly AuthMethod[] = ["eap", "chap-md5", "mschap-v2", "mschap", "pap"];
const TURN_MS = 20;

export class Peers {
  readonly tls: EapTls;
  readonly #options: OptionsInForce;
  readonly #host: OptionHost;
  readonly #log: Log;
  readonly #proofs = new Proofs();
  readonly #files: SecretFiles;
  readonly #addresses: PeerAddresses;
  readonly #papJudge: PapJudge;
  readonly #passwords: Passwords;
  /** Samba. It authenticates the peers in place of the secrets files. */
  readonly #winbind: Winbind | undefined;
  /** What may work for a proof, beside TLS. */
  readonly #helpers: readonly { readonly isBusy: boolean; readonly isSettled: boolean }[];
  /** The words after `--` in the secrets-file line of the authenticated peer. */
  #optionWords: readonly string[] = [];

  /** `passwords` is shared by all lines. */
  constructor(
    options: OptionsInForce,
    host: OptionHost,
    machine: Machine,
    log: Log,
    passwords = new Passwords(options.config, machine, log),
  ) {
    const { plugins, ntlmAuthHelper } = options.config;
    this.#passwords = passwords;
    if (plugins.includes("winbind.so") && ntlmAuthHelper !== undefined)
      this.#winbind = new Winbind(ntlmAuthHelper, machine, log);
    const helpers = [this.#winbind, passwords.prompt, passwords.account];
    this.#helpers = helpers.filter((helper) => helper !== undefined);
    this.#options = options;
    this.#host = host;
    this.#log = log;
    this.tls = new EapTls(options, host, machine, log);
    this.#files = new SecretFiles(options, host, log);
    this.#addresses = new PeerAddresses(host, log);
    this.#papJudge = new PapJudge({
      machine,
      options,
      log,
      files: this.#files,
      proofs: this.#proofs,
      winbind: this.#winbind,
      admitted: (found) => this.#judgedBy(found, lineText(this.#config.papSecrets, found.entry)),
    });
  }

  get #config(): Config {
    return this.#options.config;
  }

  /** How the two ends may prove themselves in the next attempt. Each attempt reads the secrets files again. */
  plan(): AuthPlan {
    this.#warnOfOurFile();
    this.#proofs.clear();
    const { refusePap } = this.#config;
    const ours = refusePap ? undefined : this.#ourPassword();
    const prompts = !refusePap && this.#prompt?.isPossible === true;
    const account = this.#account;
    return {
      demand: this.#demand(),
      accept: ACCEPTED.filter((method) =>
        method === "pap"
          ? prompts || ours !== undefined || (!refusePap && account !== undefined)
          : this.#canProve(method),
      ),
      password: () => {
        this.#oursSearched("pap", this.#papServer());
        return prompts ? this.#askedPassword(ours) : (ours ?? "");
      },
      ourSecret: (server) => this.#ourSecret(server),
      account: account && (() => account.take()),
      peerSecret: (client) => this.#peerSecret(client),
      judge: this.#winbind,
      clientMethod: this.tls.clientMethod(),
      serverMethod: this.tls.serverMethod((line) => this.#judgedBy(line, "its line of the secrets file")),
    };
  }

  /**
   * The methods by which the peer may prove itself to us: those for which it has a secret, in the order of our
   * preference.
   */
  #demand(): readonly AuthMethod[] {
    const { login, remotename, remotenameGiven, name, plugins } = this.#config;
    const { authRequired, authProtocols } = this.#config.facts;
    if (!authRequired) return [];
    const client = remotenameGiven ? remotename : undefined;
    const usable = (secret: FoundSecret | undefined): boolean => secret !== undefined && someAddress(secret.addresses);
    const pap = login || usable(this.#files.find("pap", undefined, name));
    const chap = usable(this.#files.find("chap", client, name));
    const tls = this.tls.canServe();
    return authProtocols.filter((method) => {
      if (method === "eap") return chap || tls;
      if (plugins.includes("winbind.so")) return this.#winbind !== undefined;
      return method === "pap" ? pap : chap;
    });
  }

  /** How often the runtime must run, in milliseconds, so that the work for a proof continues. */
  turnMs(): number {
    if (this.tls.engine.busy) return 0;
    return this.#helpers.some((helper) => helper.isBusy) ? TURN_MS : Infinity;
  }

  /** True once when the work that a proof waited for is done. */
  takeSettled(): boolean {
    const others = this.#helpers.some((helper) => helper.isSettled);
    return this.tls.engine.takeSettled() || others;
  }

  /** Undefined when no plugin has our name and secret. */
  get #account(): Passwords["account"] {
    return this.#config.password === undefined ? this.#passwords.account : undefined;
  }

  /** Undefined when no program asks the user for our PAP password. */
  get #prompt(): Passwords["prompt"] {
    return this.#config.password === undefined ? this.#passwords.prompt : undefined;
  }

  /**
   * The PAP password that the user entered, or else the one of the secrets file. Undefined while the user is being
   * asked.
   */
  #askedPassword(fromFile: string | undefined): string | undefined {
    const { user, remotename } = this.#config;
    const answer = this.#prompt?.take(user, remotename);
    if (answer !== null) return answer;
    if (fromFile === undefined) this.#log.write("error", "No secret found for PAP login");
    return fromFile ?? "";
  }

  /** Keeps the addresses and options of the peer's line. */
  #judgedBy({ addresses, options }: Pick<FoundSecret, "addresses" | "options">, from: string): void {
    this.#addresses.set(addresses, from);
    this.#optionWords = options;
  }

  #warnOfOurFile(): void {
    const { refusePap, password } = this.#config;
    if (refusePap || password !== undefined) return;
    this.#files.checkAccess("pap");
  }

  /** The password given by an option or a descriptor. It holds for every server. */
  get #password(): string | undefined {
    return this.#config.password ?? this.#passwords.fromFd;
  }

  /** Our PAP password. Undefined when there is none for our name. */
  #ourPassword(): string | undefined {
    return this.#password ?? this.#files.find("pap", this.#config.user, this.#papServer())?.secret;
  }

  /** The name and the password for a login prompt. Undefined: no option names a user. */
  account(): { readonly user: string; readonly password: string | undefined } | undefined {
    const { user, given, refusePap } = this.#config;
    const isNamed = given["user"] !== undefined || given["name"] !== undefined;
    // Whoever refuses PAP sends no password in the clear, and a login prompt is no safer.
    return isNamed ? { user, password: refusePap ? undefined : this.#ourPassword() } : undefined;
  }

  /** The name of the server in pap-secrets. With PAP the server does not send its name. */
  #papServer(): string | undefined {
    const { remotename } = this.#config;
    return remotename === "" ? undefined : remotename;
  }

  /** True when the options allow a method of chap-secrets and we have a secret for it. */
  #canProve(method: AuthMethod): boolean {
    const { user, remotename, remotenameGiven } = this.#config;
    const { refuseChap, refuseMschap, refuseMschapV2, refuseEap } = this.#config;
    const refused = { eap: refuseEap, "chap-md5": refuseChap, "mschap-v2": refuseMschapV2, mschap: refuseMschap };
    if (method !== "pap" && refused[method]) return false;
    const hasOne = this.#password !== undefined || this.#account !== undefined;
    if (hasOne || (method === "eap" && this.tls.canProve())) return true;
    return this.#files.find("chap", user, remotenameGiven ? remotename : undefined) !== undefined;
  }

  /** Our secret for the server of this name. */
  #ourSecret(server: string): string | undefined {
    this.#oursSearched("chap", server);
    return this.#password ?? this.#files.find("chap", this.#config.user, server)?.secret;
  }

  /** The secret of the peer named `client`. Keeps the addresses and options of its line. */
  #peerSecret(client: string): string | undefined {
    const { chapSecrets, name } = this.#config;
    const entry = this.#files.findPeer("chap", client);
    if (entry === undefined) return undefined;
    const found = entry ?? undefined;
    this.#proofs.peerSearched(client, this.#files.searched("chap", client, name, found));
    if (found === undefined) return undefined;
    this.#judgedBy(found, lineText(chapSecrets, found.entry));
    return found.secret;
  }

  #oursSearched(kind: "pap" | "chap", server: string | undefined): void {
    const { password, user } = this.#config;
    const given = { found: true, text: "the password option" };
    this.#proofs.oursSearched(user, server, password === undefined ? this.#files.searched(kind, user, server) : given);
  }

  /** Why a proof failed, if the secrets files explain it. */
  whyFailed(failure: Failure): string | undefined {
    if (failure === "peer-not-authenticated") return this.#proofs.ofPeer();
    return failure === "we-not-authenticated" ? this.#proofs.ofOurs() : undefined;
  }

  /** Why we could not prove ourselves with the method that the peer wants. */
  whyUnproven(method: AuthMethod): string {
    const { refusePap, refuseChap, refuseMschap, refuseMschapV2, refuseEap, user } = this.#config;
    const { remotename, remotenameGiven } = this.#config;
    const refusals: Readonly<Record<AuthMethod, [refused: boolean, option: string]>> = {
      pap: [refusePap, "refuse-pap"],
      "chap-md5": [refuseChap, "refuse-chap"],
      mschap: [refuseMschap, "refuse-mschap"],
      "mschap-v2": [refuseMschapV2, "refuse-mschap-v2"],
      eap: [refuseEap, "refuse-eap"],
    };
    const [refused, option] = refusals[method];
    const searched =
      method === "pap"
        ? this.#files.searched("pap", user, this.#papServer())
        : this.#files.searched("chap", user, remotenameGiven ? remotename : undefined);
    return unprovenText(method, refused ? option : undefined, searched);
  }

  /** Asks Samba to judge the peer's name and password. Undefined when judgePap alone is to judge them. */
  askSamba(claim: PapClaim): Promise<PapVerdict> | undefined {
    return this.#papJudge.askSamba(claim);
  }

  judgePap(claim: PapClaim): PapVerdict | Promise<PapVerdict> {
    return this.#papJudge.judge(claim);
  }

  /**
   * True when a peer that refuses to prove itself is admitted all the same: by allow-ip, or by a line for the empty
   * name. With `login` or Samba every peer must prove itself: the HOWTO's `* * "" *` would otherwise be such a line.
   */
  admitsStrangers(): boolean {
    const { allowIp, requirePap, login, facts } = this.#config;
    if (allowIp.length > 0) {
      this.#addresses.set(allowIp, "the allow-ip option");
      return true;
    }
    if (login || this.#winbind !== undefined || (!requirePap && !facts.authProtocols.includes("pap"))) return false;
    const found = this.#files.find("pap", "", this.#config.name);
    if (found === undefined || found.secret !== "") return false;
    this.#addresses.set(found.addresses, lineText(this.#config.papSecrets, found.entry));
    return true;
  }

  /**
   * Applies the options in the peer's line until the peer leaves. Returns the message for the log when they are wrong.
   */
  applyOptions(): string | undefined {
    // A peer may prove itself again, or under another name, before it leaves.
    return this.#options.addPeerOptions(this.#optionWords, this.#host);
  }

  /** The address that the secrets file has for the peer. Undefined when `wanted` (0: none) can stay. */
  addressFor(wanted: number, unit: number): number | undefined {
    return this.#addresses.addressFor(wanted, unit);
  }

  mayUse(address: number): boolean {
    if (isNobodys(address)) return false;
    // Samba has no rules for addresses. A peer that it knows may have the address of the options.
    if (this.#winbind !== undefined && address === this.#config.peerAddress) return true;
    return this.#addresses.mayUse(address, this.#config);
  }

  /** The message about an address that the peer may not use. Each message is returned once. */
  takeAddressTrouble(): string | undefined {
    return this.#addresses.takeTrouble();
  }

  /** Forgets the authenticated peer and ends its login session: the link is down. */
  leave(): void {
    this.#winbind?.forget();
    this.#passwords.prompt?.cancel();
    this.#passwords.account?.forget();
    this.#papJudge.leave();
    this.#addresses.clear();
    // With `persist` the next peer may be another.
    this.#optionWords = [];
    this.#options.removePeerOptions();
  }
}
