// Judges the name and password of a peer, from its PAP request or a login prompt: by pap-secrets, the users of the system, or Samba.

import { bytesOf, printable } from "../../bytes/text.ts";
import type { Config } from "../../options/config.ts";
import { findSecret, type FoundSecret, LOGIN_SECRET } from "../../options/secrets.ts";
import type { LoginResult, LoginSession } from "../host/users.ts";
import type { Log, LogLevel } from "../log.ts";
import type { Machine } from "../machine.ts";
import type { OptionsInForce } from "../settings/options-in-force.ts";
import type { Proofs } from "./proofs.ts";
import type { Winbind } from "./samba.ts";
import type { SecretFiles } from "./secret-files.ts";

/** Wrong passwords before each further one is delayed, and before the link is ended. */
const FREE_FAILURES = 3;
const MOST_FAILURES = 10;
const PENALTY_MS = 5000;
/** No answer waits longer, however many callers have guessed before. */
const LONGEST_WAIT_MS = 40_000;

export interface PapClaim {
  readonly user: string;
  readonly password: string;
  readonly tty: string;
  readonly ifname: string;
  /** At a login prompt. A person may type the password there in place of the name, so that no log may show the name. */
  readonly isTyped?: boolean;
}

/** The answer to a peer's PAP request. The delay slows down guessing. */
export interface PapVerdict {
  readonly accepted: boolean;
  readonly message: string;
  readonly delayMs: number;
}

export interface PapJudgeHost {
  readonly machine: Machine;
  readonly options: OptionsInForce;
  readonly log: Log;
  readonly files: SecretFiles;
  readonly proofs: Proofs;
  readonly winbind: Winbind | undefined;
  /** The peer is authenticated by this entry of pap-secrets. */
  admitted(found: FoundSecret): void;
}

export class PapJudge {
  readonly #host: PapJudgeHost;
  #failures = 0;
  /** No answer comes sooner, nor to a caller that did not wait for his own, hung up and has called again. */
  #answersFrom = 0;
  #session: LoginSession | undefined;
  /** The request that the system has not answered yet. */
  #asked: object | undefined;

  constructor(host: PapJudgeHost) {
    this.#host = host;
  }

  get #config(): Config {
    return this.#host.options.config;
  }

  /** Asks Samba to judge the peer's name and password. Undefined when judge() alone is to judge them. */
  askSamba(claim: PapClaim): Promise<PapVerdict> | undefined {
    const { user, password } = claim;
    return this.#host.winbind?.judgePassword(user, password).then(({ accepted, message }) => {
      if (accepted) return { accepted, message, delayMs: 0 };
      // A name that Samba does not know may be in our own file. A line for every client does not admit a name that
      // Samba refused.
      const { papSecrets, name, login } = this.#config;
      const text = this.#host.files.text(papSecrets);
      const found = text === undefined ? undefined : findSecret(text, user, name, { file: papSecrets });
      if (found !== undefined && (found.secret !== "" || login)) return this.judge(claim);
      return this.#refuse({ message: message || "Login incorrect", delayMs: 0 }, claim);
    });
  }

  /** With `login` this asks the system, which takes milliseconds. */
  judge(claim: PapClaim): PapVerdict | Promise<PapVerdict> {
    const { user, password, tty, ifname, isTyped = false } = claim;
    const { machine, log, files, proofs } = this.#host;
    const found = this.#findPeer(user, isTyped);
    if (found === undefined || !this.#passwordFits(found, password))
      return this.#refuse({ message: "Login incorrect", delayMs: 0 }, claim);
    const { login, enableSession, name } = this.#config;
    if (!login && found.secret !== LOGIN_SECRET && !enableSession) return this.#admit(found, "Login ok");
    const asked = login || found.secret === LOGIN_SECRET ? password : undefined;
    if (asked !== undefined && !isTyped)
      proofs.peerSearched(user, files.searched("pap", user, name, found), "the system");
    const write = (level: LogLevel, text: string): void => {
      if (!isTyped || level !== "debug") log.write(level, text);
    };
    // A peer that begins LCP anew logs in again, and a session of the same line must not end after the next has begun.
    this.#session?.close();
    this.#session = undefined;
    const result = machine.users.login({ user, password: asked, tty, ifname, log: write });
    // With enable-session alone, a session is opened and its message is not sent to the peer.
    const settle = (login: LoginResult): PapVerdict => {
      if (!login.ok) return this.#refuse(login, claim);
      this.#session = login.session;
      return this.#admit(found, asked === undefined ? "Login ok" : login.message);
    };
    return result instanceof Promise ? this.#later(result, settle) : settle(result);
  }

  /** The link may be down when the system answers. Then the session ends at once. */
  async #later(result: Promise<LoginResult>, settle: (login: LoginResult) => PapVerdict): Promise<PapVerdict> {
    const asked = (this.#asked = {});
    const login = await result;
    if (this.#asked === asked) return settle(login);
    if (login.ok) login.session.close();
    return { accepted: false, message: "", delayMs: 0 };
  }

  /** Ends the login session of the peer: the link is down. */
  leave(): void {
    this.#asked = undefined;
    this.#session?.close();
    this.#session = undefined;
  }

  #findPeer(user: string, isTyped: boolean): FoundSecret | undefined {
    const { log, files, proofs } = this.#host;
    const entry = files.findPeer("pap", user);
    if (entry === undefined) return undefined;
    const found = entry ?? undefined;
    if (found === undefined) log.write("warn", `no PAP secret found for ${isTyped ? "this name" : printable(user)}`);
    if (!isTyped) proofs.peerSearched(user, files.searched("pap", user, this.#config.name, found));
    return found;
  }

  /** An empty secret fits every password. With `login` the system checks the password then. */
  #passwordFits({ secret }: FoundSecret, password: string): boolean {
    if (secret === "" || secret === LOGIN_SECRET) return true;
    if (!this.#config.papcrypt && secret === password) return true;
    return this.#host.machine.users.cryptMatches(bytesOf(password), secret);
  }

  #admit(found: FoundSecret, message: string): PapVerdict {
    this.#failures = 0;
    this.#host.admitted(found);
    return { accepted: true, message, delayMs: this.#wait(0) };
  }

  /** How long the answer has to wait. */
  #wait(delayMs: number): number {
    const now = this.#host.machine.clock.now();
    const wait = Math.min(Math.max(0, this.#answersFrom - now) + delayMs, LONGEST_WAIT_MS);
    this.#answersFrom = now + wait;
    return wait;
  }

  #refuse({ message, delayMs }: { message: string; delayMs: number }, { tty, user, isTyped }: PapClaim): PapVerdict {
    this.#failures++;
    if (this.#failures >= MOST_FAILURES)
      this.#host.log.write(
        "warn",
        `${this.#failures} LOGIN FAILURES ON ${tty}${isTyped === true ? "" : `, ${printable(user)}`}`,
      );
    const penalty = Math.max(0, Math.min(this.#failures, MOST_FAILURES) - FREE_FAILURES) * PENALTY_MS;
    return { accepted: false, message, delayMs: this.#wait(delayMs + penalty) };
  }
}
