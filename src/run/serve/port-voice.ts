// What a served port tells: one plain line for each event, with its name first. The log has all that pppd says, with the name
// as well.

import { inert } from "../../bytes/text.ts";
import { type Finding, LEVELS, linesOf } from "../diagnose/finding.ts";
import { endText } from "../end-text.ts";
import { Exit } from "../exit.ts";
import { CARRIER } from "../packets/carrier.ts";
import type { Log, LogLevel } from "../log.ts";
import { addressText } from "../../bytes/prefix.ts";
import { SPEED_CHANGED } from "../../link/climb-state.ts";
import { linkLocalAddress } from "../../wire/ipv6cp.ts";
import { addressTexts, type NetworkDown, type NetworkObserver, type NetworkUp } from "../session/network-observer.ts";
import type { SessionObserver } from "../session/session-observer.ts";

/** Callers may cause ever different ones. */
const MOST_TROUBLES = 64;

export interface PortVoiceHost {
  readonly name: string;
  print(line: string): void;
  /** The same, unless a port has said it already. */
  printOnce(line: string): void;
  /** This user may not open the port. */
  denied(): void;
}

export class PortVoice implements Log, SessionObserver {
  /** Where all lines of pppd's log go. It takes debug lines, and this decides whether it gets them. */
  log: Log;
  debug = false;
  readonly #host: PortVoiceHost;
  /** Troubles that were told and are not over. The port tries again and again, and would say them each time. */
  readonly #troubles = new Set<string>();
  #hasListened = false;
  #interface = "";
  #peer: string | undefined;
  #wasUp = false;
  #down: NetworkDown | undefined;

  constructor(host: PortVoiceHost, log: Log) {
    this.#host = host;
    this.log = log;
  }

  /** Prints an event. A part of it may be the caller's text. */
  tell(text: string): void {
    this.#host.print(inert(`${this.#host.name}: ${text}`));
  }

  // ── the log ──────────────────────────────────────────────────────────────────────────────────────────────────────

  get fd(): number | undefined {
    return this.log.fd;
  }

  write(level: LogLevel, text: string): void {
    if (level === "debug" && !this.debug) return;
    if ((level === "error" || level === "warn") && !this.#troubles.has(text)) {
      this.#troubles.add(text);
      if (this.#troubles.size > MOST_TROUBLES) this.#troubles.delete(this.#troubles.values().next().value!);
      this.tell(text);
    }
    if (level === "info" && SPEED_CHANGED.test(text)) this.tell(text);
    // The log has it each time: other programs count refused logins there.
    this.log.write(level, this.#named(text));
  }

  note(level: LogLevel, text: string): void {
    if (level === "debug" && !this.debug) return;
    this.log.note(level, this.#named(text));
  }

  pass(bytes: Uint8Array): void {
    this.log.pass(bytes);
  }

  report(finding: Finding): void {
    const level = LEVELS[finding.severity];
    for (const line of linesOf(finding)) {
      if (finding.code === CARRIER) this.#host.printOnce(line);
      else if (level === "info") this.tell(line);
      this.write(level, line);
    }
  }

  #named(text: string): string {
    return `${this.#host.name}: ${text}`;
  }

  // ── the session ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** The port is open and listens. That goes without saying after the first time. */
  awaitsCaller(): void {
    if (this.#hasListened) return;
    this.#hasListened = true;
    this.tell("waiting for a caller");
  }

  network(interfaceName: string): NetworkObserver {
    this.#interface = interfaceName;
    this.#peer = this.#down = undefined;
    this.#wasUp = false;
    return { up: (event) => this.#up(event), down: (event) => void (this.#down = event) };
  }

  #up(event: NetworkUp): void {
    this.#troubles.clear();
    // The caller was cut off and has come back before we missed it.
    if (this.#down?.isLast === true) {
      this.tell(`link down: the other end has begun anew${this.#traffic()}`);
      this.#wasUp = false;
    }
    this.#down = undefined;
    const isFirst = !this.#wasUp;
    this.#wasUp = true;
    // The link-local addresses of IPv6 matter to few, and come with the others.
    if (!isFirst && event.type === "ipv6-up") return;
    const [our, peer] =
      event.type === "ipv4-up"
        ? addressTexts(event)
        : [event.our, event.peer].map((id) => addressText(linkLocalAddress(id)));
    const user = this.#peer === undefined || this.#peer === "" ? "" : `, user ${this.#peer}`;
    this.tell(`link up on ${this.#interface}: ${our} here, ${peer} there${user}`);
  }

  lineChanged(text: string): void {
    this.#troubles.clear();
    // The name comes first anyway.
    this.tell(text.replace(`/dev/${this.#host.name} `, ""));
  }

  authenticated(peer: string): void {
    this.#peer = peer;
  }

  denied(): void {
    this.#host.denied();
  }

  ended(why: Exit, isHangup: boolean): void {
    const reason = endText(why, isHangup);
    // A port that waits for a caller ends its wait only when it is told to.
    if (this.#wasUp) this.tell(`link down: ${reason}${this.#traffic()}`);
    else if (why !== Exit.USER_REQUEST) this.tell(`no link: ${reason}`);
  }

  #traffic(): string {
    if (this.#down === undefined) return "";
    const { seconds, octetsIn, octetsOut } = this.#down;
    return ` (after ${lasting(seconds)}, ${octetsOut} bytes sent, ${octetsIn} received)`;
  }
}

function lasting(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
