// What ends, wakes or changes a session from outside: signals, and the verbs of `nullmodem ctl`.

import type { ControlledLine, ControlledLink, LinkState, Renegotiable } from "../control/controlled-link.ts";
import { ControlError } from "../control/controlled-link.ts";
import { Exit } from "../exit.ts";
import type { CaptureSource } from "../live/capture-wish.ts";
import type { PacketLog } from "../live/packet-log.ts";
import type { SignalEvent } from "../host/processes.ts";
import type { Log } from "../log.ts";
import type { Machine } from "../machine.ts";
import type { Notifier } from "../notifier.ts";
import type { OptionsInForce } from "../settings/options-in-force.ts";
import { Bundling } from "./bundling.ts";
import { placeOf } from "./line-place.ts";
import type { Retries } from "./retries.ts";
import type { SingleLink } from "./single-link.ts";
import type { StandBy } from "./stand-by.ts";
import type { Waits } from "./waits.ts";

const SIGTERM = 15;
const SIGHUP = 1;

export interface SteeringHost {
  readonly machine: Pick<Machine, "clock">;
  readonly options: OptionsInForce;
  readonly packetLog: PacketLog;
  readonly log: Log;
  readonly notifier: Notifier;
  readonly retries: Retries;
  readonly waits: Waits;
  readonly standBy: StandBy;
  /** The present attempt. */
  running(): SingleLink | Bundling | undefined;
  setStatus(exit: Exit): void;
  /** Why the last link has ended: this may say more than the status. */
  setReason(exit: Exit): void;
}

export class Steering implements ControlledLink {
  /** There will be no further attempt, because of SIGTERM, SIGINT or an error. */
  quitting = false;
  /** Why the verb `quit` is refused. */
  quitRefusal: string | undefined;
  /** The interface of this attempt, or of the one before. */
  lastInterface: string | undefined;
  readonly #host: SteeringHost;
  readonly #waits = new Set<{ readonly state: LinkState; readonly done: (isReached: boolean) => void }>();
  /** Whether packets went to the log before the verb `debug`. */
  #debugBefore: boolean | undefined;

  constructor(host: SteeringHost) {
    this.#host = host;
  }

  // ── signals ──────────────────────────────────────────────────────────────────────────────────────────────────────

  onSignal(event: SignalEvent): void {
    const { log } = this.#host;
    if (event.type === "fatal") {
      log.write("error", `Fatal signal ${event.number}`);
      this.#quit(Exit.FATAL_SIGNAL, event.number);
      return;
    }
    const group = this.#host.running()?.group;
    switch (event.name) {
      case "SIGTERM":
      case "SIGINT":
        log.write("info", `Terminating on signal ${event.number}`);
        this.#quit(Exit.USER_REQUEST, event.number);
        return;
      case "SIGHUP":
        log.write("info", "Hangup (SIGHUP)");
        if (!this.#host.standBy.isDormant) this.#hangup(event.number);
        return;
      case "SIGUSR1":
        // This one lasts.
        this.#debugBefore = undefined;
        log.debug = !log.debug;
        group?.trace(log.debug ? 1 : 0);
        return;
      case "SIGUSR2":
        group?.restartCcp();
        return;
      default:
        event.name satisfies never;
    }
  }

  /** Ends the session as SIGTERM does. */
  end(): void {
    if (!this.quitting) this.#quit(Exit.USER_REQUEST, SIGTERM);
  }

  #hangup(signal: number): void {
    if (!this.#host.options.config.persist) {
      this.#quit(Exit.USER_REQUEST, signal);
      return;
    }
    this.#host.retries.skipHoldoff();
    this.#host.setReason(Exit.USER_REQUEST);
    this.#endAttempt(signal);
  }

  #quit(exit: Exit, signal: number): void {
    this.quitting = true;
    this.#host.setStatus(exit);
    this.#host.notifier.stopping();
    this.#endAttempt(signal);
  }

  #endAttempt(signal: number): void {
    this.#host.waits.wake();
    this.#host.running()?.signal(signal);
  }

  // ── the link for `nullmodem ctl` ─────────────────────────────────────────────────────────────────────────────────

  get interface(): string | undefined {
    return this.#host.running()?.interface ?? this.#host.standBy.port?.name;
  }

  get usualInterface(): string | undefined {
    const { ifname, unit } = this.#host.options.config;
    return this.lastInterface ?? ifname ?? (unit === undefined ? undefined : `ppp${unit}`);
  }

  get linkname(): string | undefined {
    return this.#host.options.config.linkname;
  }

  get lines(): readonly ControlledLine[] {
    const { options, standBy } = this.#host;
    const running = this.#host.running();
    if (running instanceof Bundling) return running.controlled;
    const place = placeOf(options.config);
    const attempt = running?.group?.attempts[0];
    const phase = attempt?.link.phase ?? (running === undefined ? "waiting" : "opening");
    const state = standBy.isDormant ? "standby" : phase;
    return [this.#lineOf(running?.line.path ?? place, place, state)];
  }

  /** The only line of the link. */
  #lineOf(device: string, place: string, state: string): ControlledLine {
    return {
      device,
      place,
      state,
      hangup: () => this.hangup(),
      redial: () => this.redial(),
      renegotiate: (protocol) => this.renegotiate(protocol),
      limitRate: (octetsPerSecond) => this.limitRate(octetsPerSecond),
    };
  }

  get captured(): CaptureSource {
    const { machine, packetLog, options } = this.#host;
    return { packetLog, clock: machine.clock, hidePassword: options.config.hidePassword };
  }

  asked(verb: string, by: string): void {
    this.#host.log.write("info", `Control: ${verb} (${by})`);
  }

  hangup(): void {
    if (this.#host.standBy.isDormant)
      throw new ControlError("There is no link to hang up: the interface waits for traffic");
    this.#hangup(SIGHUP);
  }

  quit(): void {
    if (this.quitRefusal !== undefined) throw new ControlError(this.quitRefusal);
    this.end();
  }

  redial(): void {
    if (this.quitting) throw new ControlError("The session is ending");
    const { retries, setReason, standBy, waits } = this.#host;
    const running = this.#host.running();
    retries.redial();
    standBy.startLink();
    setReason(Exit.USER_REQUEST);
    if (running instanceof Bundling) running.redial();
    waits.wake();
    running?.signal(SIGHUP);
  }

  renegotiate(protocol: Renegotiable): void {
    const group = this.#host.running()?.group;
    if (group === undefined) throw new ControlError("The link is not up");
    group.renegotiate(protocol);
  }

  debug(isOn: boolean): void {
    const { log, running } = this.#host;
    if (running() === undefined) throw new ControlError("There is no link");
    this.#debugBefore ??= log.debug;
    this.#trace(isOn);
  }

  limitRate(octetsPerSecond: number): void {
    const attempts = this.#host.running()?.group?.attempts ?? [];
    if (attempts.length === 0) throw new ControlError("There is no link");
    for (const attempt of attempts) attempt.limitRate(octetsPerSecond);
  }

  #trace(isOn: boolean): void {
    const { log, options, running } = this.#host;
    log.debug = isOn;
    running()?.group?.trace(isOn ? Math.max(1, options.config.debug) : 0);
  }

  /** The attempt is over, and with it what verbs have changed. */
  attemptEnded(): void {
    if (this.#debugBefore !== undefined) this.#host.log.debug = this.#debugBefore;
    this.#debugBefore = undefined;
    this.changed();
  }

  awaitState(state: LinkState, done: (isReached: boolean) => void): () => void {
    const wait = { state, done };
    this.#waits.add(wait);
    this.changed();
    return () => void this.#waits.delete(wait);
  }

  /** A network protocol is up, or the attempt is over. */
  changed(): void {
    const running = this.#host.running();
    const isUp = running?.group?.isUp === true;
    for (const wait of [...this.#waits])
      if (wait.state === "up" ? isUp : running === undefined) {
        this.#waits.delete(wait);
        wait.done(true);
      }
  }

  /** The session is over. */
  ended(): void {
    for (const { done } of this.#waits) done(false);
    this.#waits.clear();
  }
}
