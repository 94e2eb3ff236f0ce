// The rules of pppd for both proofs: which peers may connect, with which addresses, and how we prove ourselves. They
// use the secrets files and the users of the system.

import { bytesOf, printable } from "../../bytes/text.ts";
import type { AuthMethod } from "../../wire/auth-method.ts";
import type { Failure } from "../../link/events.ts";
import type { Config } from "../../options/config.ts";
import type { OptionsInForce } from "../settings/options-in-force.ts";
import type { FileText, OptionHost } from "../../options/host.ts";
import { formatIpv4 } from "../../options/numbers.ts";
import { asSentence, lineText, missingText } from "../../options/secret-search.ts";
import {
  accessWarning,
  addressAllowed,
  type AddressList,
  addressList,
  findSecret,
  type FoundSecret,
  LOGIN_SECRET,
  someAddress,
} from "../../options/secrets.ts";
import type { Log, LogLevel } from "../log.ts";
import type { LoginSession } from "../host/users.ts";
import type { Machine } from "../machine.ts";
import { EapTls } from "./tls-engine.ts";
import type { AuthPlan } from "../settings/link-config.ts";
import { Proofs, type Searched, unprovenText } from "./proofs.ts";
import { Passwords } from "./passwords.ts";
import { Winbind } from "./samba.ts";

/** The methods by which we can prove ourselves, in the order in which we suggest them to the peer. */
const ACCEPTED: readonly AuthMethod[] = ["eap", "chap-md5", "mschap-v2", "mschap", "pap"];
/** Wrong passwords before each further one is delayed, and before the link is ended. */
const FREE_FAILURES = 3;
const MOST_FAILURES = 10;
const PENALTY_MS = 5000;
const TURN_MS = 20;

/** The answer to a peer's PAP request. The delay slows down guessing. */
export interface PapVerdict {
  readonly accepted: boolean;
  readonly message: string;
  readonly delayMs: number;
}

export class Peers {
  readonly tls: EapTls;
  readonly #options: OptionsInForce;
  readonly #host: OptionHost;
  readonly #machine: Machine;
  readonly #log: Log;
  readonly #proofs = new Proofs();
  /** The addresses that the peer may use. Undefined when no peer has proved itself. */
  #addresses: readonly string[] | undefined;
  #list: AddressList | undefined;
  /** The source of those addresses, and the message about an address that they do not allow. */
  #addressesFrom = "";
  #addressTrouble: string | undefined;
  readonly #passwords: Passwords;
  /** Samba. It authenticates the peers in place of the secrets files. */
  readonly #winbind: Winbind | undefined;
  #unit = 0;
  #failures = 0;
  #session: LoginSession | undefined;
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
    this.#machine = machine;
    const { plugins, ntlmAuthHelper } = options.config;
    this.#passwords = passwords;
    if (plugins.includes("winbind.so") && ntlmAuthHelper !== undefined)
      this.#winbind = new Winbind(ntlmAuthHelper, machine, log);
    this.#options = options;
    this.#host = host;
    this.#log = log;
    this.tls = new EapTls(options, host, machine, log);
  }

  get #config(): Config {
    return this.#options.config;
  }

  /** How the two ends may prove themselves in the next attempt. Each attempt reads the secrets files anew. */
  plan(): AuthPlan {
    this.#warnOfOurFile();
    this.#proofs.clear();
    const { refusePap } = this.#config;
    const ours = refusePap ? undefined : this.#ourPassword();
    const prompts = !refusePap && this.#prompt?.isPossible === true;
    return {
      demand: this.#demand(),
      accept: ACCEPTED.filter((method) => (method === "pap" ? prompts || ours !== undefined : this.#canProve(method))),
      password: () => {
        this.#oursSearched("pap", this.#papServer());
        return prompts ? this.#askedPassword(ours) : (ours ?? "");
      },
      ourSecret: (server) => this.#ourSecret(server),
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
    const pap = login || usable(this.#secret("pap", undefined, name));
    const chap = usable(this.#secret("chap", client, name));
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
    return this.#winbind?.isBusy === true || this.#passwords.prompt?.isBusy === true ? TURN_MS : Infinity;
  }

  /** True once when the work that a proof waited for is done. */
  takeSettled(): boolean {
    const others = this.#winbind?.isSettled === true || this.#passwords.prompt?.isSettled === true;
    return this.tls.engine.takeSettled() || others;
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
    this.#addresses = addresses;
    this.#addressesFrom = from;
    this.#optionWords = options;
  }

  #warnOfOurFile(): void {
    const { refusePap, password, papSecrets } = this.#config;
    if (refusePap || password !== undefined) return;
    const file = this.#host.readFile(papSecrets, "root");
    if (!("errno" in file)) this.#warnOfAccess(papSecrets, file);
  }

  /** The password given by an option or a descriptor. It holds for every server. */
  get #password(): string | undefined {
    return this.#config.password ?? this.#passwords.fromFd;
  }

  /** Our PAP password. Undefined when there is none for our name. */
  #ourPassword(): string | undefined {
    return this.#password ?? this.#secret("pap", this.#config.user, this.#papServer())?.secret;
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
    if (this.#password !== undefined || (method === "eap" && this.tls.canProve())) return true;
    return this.#secret("chap", user, remotenameGiven ? remotename : undefined) !== undefined;
  }

  /** Our secret for the server of this name. */
  #ourSecret(server: string): string | undefined {
    this.#oursSearched("chap", server);
    return this.#password ?? this.#secret("chap", this.#config.user, server)?.secret;
  }

  /** The secret of the peer named `client`. Keeps the addresses and options of its line. */
  #peerSecret(client: string): string | undefined {
    const { chapSecrets, name } = this.#config;
    const file = this.#host.readFile(chapSecrets, "root");
    if ("errno" in file) {
      this.#log.write("error", `Can't open chap secret file ${chapSecrets}: ${file.reason}`);
      return undefined;
    }
    this.#warnOfAccess(chapSecrets, file);
    const found = this.#secret("chap", client, name);
    this.#proofs.peerSearched(client, this.#searched("chap", client, name, found));
    if (found === undefined) return undefined;
    this.#judgedBy(found, lineText(chapSecrets, found.entry));
    return found.secret;
  }

  #secret(kind: "pap" | "chap", client: string | undefined, server: string | undefined): FoundSecret | undefined {
    const path = kind === "pap" ? this.#config.papSecrets : this.#config.chapSecrets;
    const file = this.#host.readFile(path, "root");
    if ("errno" in file) return undefined;
    return findSecret(file.text, client, server, { file: path, read: (indirect) => this.#text(indirect) });
  }

  /** Describes the result of a search in a secrets file. */
  #searched(
    kind: "pap" | "chap",
    client: string | undefined,
    server: string | undefined,
    found = this.#secret(kind, client, server),
  ): Searched {
    const file = kind === "pap" ? this.#config.papSecrets : this.#config.chapSecrets;
    if (found !== undefined) return { found: true, text: lineText(file, found.entry) };
    return { found: false, text: missingText({ file, client, server }, this.#text(file)) };
  }

  #oursSearched(kind: "pap" | "chap", server: string | undefined): void {
    const { password, user } = this.#config;
    const given = { found: true, text: "the password option" };
    this.#proofs.oursSearched(user, server, password === undefined ? this.#searched(kind, user, server) : given);
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
        ? this.#searched("pap", user, this.#papServer())
        : this.#searched("chap", user, remotenameGiven ? remotename : undefined);
    return unprovenText(method, refused ? option : undefined, searched);
  }

  #text(path: string): string | undefined {
    const file = this.#host.readFile(path, "root");
    return "errno" in file ? undefined : file.text;
  }

  /** Asks Samba to judge the peer's name and password. Undefined when judgePap alone is to judge them. */
  askSamba(user: string, password: string, tty: string, ifname: string): Promise<PapVerdict> | undefined {
    return this.#winbind?.judgePassword(user, password).then(({ accepted, message }) => {
      if (accepted) return { accepted, message, delayMs: 0 };
      // A name that Samba does not know may be in our own file. A line for every client does not admit a name that
      // Samba refused.
      const { papSecrets, name, login } = this.#config;
      const file = this.#host.readFile(papSecrets, "root");
      const found = "errno" in file ? undefined : findSecret(file.text, user, name, { file: papSecrets });
      if (found !== undefined && (found.secret !== "" || login)) return this.judgePap(user, password, tty, ifname);
      return this.#refuse({ message: message || "Login incorrect", delayMs: 0 }, tty, user);
    });
  }

  /** Judges the peer's name and password. With `login` it asks the system, which takes milliseconds. */
  judgePap(user: string, password: string, tty: string, ifname: string): PapVerdict {
    const found = this.#findPeer(user);
    if (found === undefined || !this.#passwordFits(found, password))
      return this.#refuse({ message: "Login incorrect", delayMs: 0 }, tty, user);
    const { login, enableSession } = this.#config;
    if (!login && found.secret !== LOGIN_SECRET && !enableSession) return this.#admit(found, "Login ok");
    const log = (level: LogLevel, text: string): void => this.#log.write(level, text);
    const asked = login || found.secret === LOGIN_SECRET ? password : undefined;
    if (asked !== undefined)
      this.#proofs.peerSearched(user, this.#searched("pap", user, this.#config.name, found), "the system");
    const result = this.#machine.users.login({ user, password: asked, tty, ifname, log });
    if (!result.ok) return this.#refuse(result, tty, user);
    this.#session = result.session;
    // With enable-session alone, a session is opened and its message is not sent to the peer.
    return this.#admit(found, asked === undefined ? "Login ok" : result.message);
  }

  #findPeer(user: string): FoundSecret | undefined {
    const { papSecrets, name } = this.#config;
    const file = this.#host.readFile(papSecrets, "root");
    if ("errno" in file) {
      this.#log.write("error", `Can't open PAP password file ${papSecrets}: ${file.reason}`);
      return undefined;
    }
    this.#warnOfAccess(papSecrets, file);
    const found = findSecret(file.text, user, name, {
      file: papSecrets,
      read: (path) => this.#text(path),
      warn: (text) => this.#log.write("warn", text),
    });
    if (found === undefined) this.#log.write("warn", `no PAP secret found for ${printable(user)}`);
    this.#proofs.peerSearched(user, this.#searched("pap", user, name, found));
    return found;
  }

  #warnOfAccess(path: string, { mode }: FileText): void {
    const warning = accessWarning(path, mode);
    if (warning !== undefined) this.#log.write("warn", warning);
  }

  /** An empty secret fits every password. With `login` the system checks the password then. */
  #passwordFits({ secret }: FoundSecret, password: string): boolean {
    if (secret === "" || secret === LOGIN_SECRET) return true;
    if (!this.#config.papcrypt && secret === password) return true;
    return this.#machine.users.cryptMatches(bytesOf(password), secret);
  }

  #admit(found: FoundSecret, message: string): PapVerdict {
    this.#failures = 0;
    this.#judgedBy(found, lineText(this.#config.papSecrets, found.entry));
    return { accepted: true, message, delayMs: 0 };
  }

  #refuse({ message, delayMs }: { message: string; delayMs: number }, tty: string, user: string): PapVerdict {
    this.#failures++;
    if (this.#failures >= MOST_FAILURES)
      this.#log.write("warn", `${this.#failures} LOGIN FAILURES ON ${tty}, ${printable(user)}`);
    const penalty = Math.max(0, Math.min(this.#failures, MOST_FAILURES) - FREE_FAILURES) * PENALTY_MS;
    return { accepted: false, message, delayMs: delayMs + penalty };
  }

  /**
   * True when a peer that refuses to prove itself is admitted all the same: by allow-ip, or by a line for the empty
   * name. With `login` or Samba every peer must prove itself: the HOWTO's `* * "" *` would otherwise be such a line.
   */
  admitsStrangers(): boolean {
    const { allowIp, requirePap, login, facts } = this.#config;
    if (allowIp.length > 0) {
      this.#addresses = allowIp;
      this.#addressesFrom = "the allow-ip option";
      return true;
    }
    if (login || this.#winbind !== undefined || (!requirePap && !facts.authProtocols.includes("pap"))) return false;
    const found = this.#secret("pap", "", this.#config.name);
    if (found === undefined || found.secret !== "") return false;
    this.#addresses = found.addresses;
    this.#addressesFrom = lineText(this.#config.papSecrets, found.entry);
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
    this.#unit = unit;
    this.#list = undefined;
    const list = this.#allowed();
    if (list?.suggested === undefined) return undefined;
    return wanted === 0 || !addressAllowed(list, wanted) ? list.suggested : undefined;
  }

  #allowed(): AddressList | undefined {
    if (this.#addresses === undefined) return undefined;
    this.#list ??= addressList(
      this.#addresses,
      {
        host: (name) => this.#host.resolveHost(name),
        network: (name) => this.#host.resolveNetwork(name),
        warn: (text) => this.#log.write("warn", text),
      },
      this.#unit,
    );
    return this.#list;
  }

  mayUse(address: number): boolean {
    if (isNobodys(address)) return false;
    // Samba has no rules for addresses. A peer that it knows may have the address of the options.
    if (this.#winbind !== undefined && address === this.#config.peerAddress) return true;
    const list = this.#allowed();
    if (list === undefined) return !this.#config.facts.authRequired;
    const allowed = addressAllowed(list, address);
    if (!allowed) {
      const words = this.#addresses?.map(printable).join(" ") ?? "";
      const what = words === "" ? "allows the peer no address" : `allows the peer: ${words}`;
      this.#addressTrouble = asSentence(`${this.#addressesFrom} ${what}; it wants ${formatIpv4(address)}`);
    }
    return allowed;
  }

  /** The message about an address that the peer may not use. Each message is returned once. */
  takeAddressTrouble(): string | undefined {
    const trouble = this.#addressTrouble;
    this.#addressTrouble = undefined;
    return trouble;
  }

  /** Forgets the authenticated peer and ends its login session: the link is down. */
  leave(): void {
    this.#winbind?.forget();
    this.#passwords.prompt?.cancel();
    this.#session?.close();
    this.#session = undefined;
    this.#addresses = this.#list = undefined;
    // With `persist` the next peer may be another.
    this.#optionWords = [];
    this.#options.removePeerOptions();
  }
}

/** True for addresses that no host can have: loopback, multicast, class E and "this network". */
function isNobodys(address: number): boolean {
  const first = address >>> 24;
  return first === 0 || first === 127 || first >= 224;
}
