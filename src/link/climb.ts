// Two ends of ours agree on the fastest speed that their line can do, while the link is up.
//
// Each end offers the speeds of its port, as soon as a network protocol is up. The end with the greater rank leads: it names
// a speed (Try), the other end agrees and falls silent (Ready), the leader falls silent too, and both change their speed
// (Go). Then both send test patterns (climb-trial.ts). If all is well, both stay. Otherwise each goes back by itself and
// says so (Back) until it hears the other end. Other packets wait from Ready to the end of the trial.
//
// At another speed than the first, each end makes sure that the other is there (climb-watch.ts). An end that hears nothing
// more returns to the first speed. The other end hears nothing more then either, so both meet there.

import { type ClimbOffer, type ClimbPacket, ClimbKind, type ClimbProbe, type ClimbStep } from "../wire/climb-packet.ts";
import { ClimbLeader } from "./climb-leader.ts";
import { ClimbOffers } from "./climb-offers.ts";
import { answerMs, type ClimbHost, type ClimbState as State, isBetweenSpeeds } from "./climb-state.ts";
import { ClimbTrial, Stage } from "./climb-trial.ts";
import { ClimbWatch } from "./climb-watch.ts";
import type { SpeedChange } from "./line-speed.ts";

const OPENING_MS = 100;
const MOST_TRIES = 4;
/** Between two Back: at first, and after so many. */
const BACK_EVERY_MS = 40;
const QUICK_BACKS = 10;
const LATER_BACK_MS = 300;
/** How long the other end may need to return: after a trial, and after its watch has found us gone. */
const BACK_MS = 600;
const LOST_MS = 3000;

export class Climb {
  readonly #host: ClimbHost;
  #state: State = { is: "off" };
  /** The speed with which the link began, and the present one. */
  #first = 0;
  #speed = 0;
  #offers: ClimbOffers;
  /** Undefined: the other end leads. */
  #leader: ClimbLeader | undefined;
  #watch: ClimbWatch | undefined;
  #trial = 0;
  /** The trial that ended well last. The other end may not know that yet. */
  #passed: ClimbTrial | undefined;

  constructor(host: ClimbHost) {
    this.#host = host;
    this.#offers = new ClimbOffers([], 0);
  }

  /** The network phase has begun. */
  start(now: number): void {
    const speeds = this.#host.line.speeds();
    if (speeds === undefined) return;
    this.#first ||= speeds.now;
    this.#speed = speeds.now;
    this.#offers = new ClimbOffers(speeds.able, this.#host.random32());
    this.#watchAgain(now);
    this.#enter({ is: "opening", at: now });
  }

  /** LCP is down. The speed stays for now, because the last words of both ends have it. */
  stop(now: number): void {
    const { is } = this.#state;
    if (is === "off") return;
    this.#host.hold(false);
    this.#host.noise.forgive();
    this.#leader = this.#passed = undefined;
    this.#state = { is: "off" };
    if (is === "trying" || is === "switching") this.#change(this.#speed, "at once", () => {});
    this.#watchAgain(now);
    this.#wake();
  }

  get isBetweenSpeeds(): boolean {
    return isBetweenSpeeds(this.#state);
  }

  /** The other end does not know these packets. False: it was sent none. */
  rejected(): boolean {
    if (this.#state.is === "off" || this.#state.is === "opening" || this.#offers.hasPeer) return false;
    this.#host.log("debug", "The other end cannot change the speed of the line");
    this.#enter({ is: "off" });
    return true;
  }

  // ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  #enter(state: State): void {
    this.#state = state;
    this.#wake();
  }

  #wake(): void {
    this.#host.wakeAt(this.#wakeAt);
  }

  get #wakeAt(): number {
    const state = this.#state;
    const watchAt = this.#watch?.nextLookAt ?? Infinity;
    switch (state.is) {
      case "off":
        return watchAt;
      case "idle":
        return Math.min(watchAt, this.#leader?.nextAt ?? Infinity, this.#offers.repeatAt);
      case "switching":
        return Infinity;
      case "trying":
        return state.trial.nextTimeout();
      default:
        return state.at;
    }
  }

  timeout(now: number): void {
    const state = this.#state;
    switch (state.is) {
      case "off":
        this.#look(now);
        break;
      case "opening":
        this.#open(state, now);
        break;
      case "idle":
        this.#idle(now);
        break;
      case "asking":
        this.#ask(state, now);
        break;
      case "promised":
        // Go was lost, or the leader has given up.
        this.#settle(now);
        break;
      case "trying":
        state.trial.timeout(now);
        if (state.trial.isOver) this.#goBack(state.trial, now);
        break;
      case "returning":
        this.#sayBack(state, now);
        break;
      case "switching":
        break;
      default:
        state satisfies never;
    }
    this.#wake();
  }

  #idle(now: number): void {
    const offers = this.#offers;
    if (offers.repeatAt <= now) {
      offers.repeated(now);
      this.#host.send(offers.packet, 0, now);
    }
    this.#look(now);
    if (this.#leader !== undefined && this.#leader.nextAt <= now && this.#state.is === "idle")
      this.#askNext(this.#leader, now);
  }

  // ── offers ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #open(state: State & { is: "opening" }, now: number): void {
    if (!this.#host.isUp()) {
      state.at = now + OPENING_MS;
      return;
    }
    this.#state = { is: "idle" };
    this.#host.send(this.#offers.packet, 0, now);
    this.#lead(now);
  }

  #receiveOffer(offer: ClimbOffer, now: number): void {
    const offers = this.#offers;
    offers.take(offer, now);
    if (this.#state.is === "opening") return;
    if (!offer.hasHeard) this.#host.send(offers.packet, 0, now);
    this.#lead(now);
  }

  #lead(now: number): void {
    const common = this.#offers.common(this.#first);
    if (!this.#offers.leads) this.#leader = undefined;
    else if (this.#leader === undefined) this.#leader = new ClimbLeader(common, this.#first, this.#speed, now);
    else this.#leader.limit(common);
  }

  // ── the agreement on a trial ─────────────────────────────────────────────────────────────────────────────────────

  #askNext(leader: ClimbLeader, now: number): void {
    const speed = leader.next(now);
    if (speed === undefined) return;
    this.#trial = (this.#trial + 1) & 0xffff;
    const state: State = { is: "asking", trial: this.#trial, speed, tries: 0, at: now };
    this.#state = state;
    this.#ask(state, now);
  }

  #ask(state: State & { is: "asking" }, now: number): void {
    if (state.tries === MOST_TRIES) {
      this.#leader?.retryLater(now);
      this.#settle(now);
      return;
    }
    state.tries++;
    state.at = now + answerMs(this.#speed);
    this.#step(ClimbKind.Try, state.trial, state.speed, now);
  }

  #step(kind: ClimbStep["kind"], trial: number, speed: number, now: number, hasHeard = false): void {
    this.#host.send({ kind, trial, speed, hasHeard }, 0, now);
  }

  #can(speed: number): boolean {
    return speed === this.#first || this.#offers.can(speed);
  }

  #promise({ trial, speed }: ClimbStep, now: number): void {
    const { is } = this.#state;
    if (this.#leader !== undefined || speed === this.#speed || !this.#can(speed)) return;
    if (is !== "idle" && is !== "promised") return;
    this.#offers.repeatAt = Infinity;
    this.#host.hold(true);
    this.#step(ClimbKind.Ready, trial, speed, now);
    this.#state = { is: "promised", trial, speed, at: now + answerMs(this.#speed) };
  }

  // ── the trial ────────────────────────────────────────────────────────────────────────────────────────────────────

  #begin(number: number, speed: number): void {
    this.#host.hold(true);
    this.#state = { is: "switching", trial: number, speed };
    this.#change(speed, "drained", (change, now) => {
      const trial = new ClimbTrial({ ...this.#host, mru: this.#host.mru() }, number, speed, now);
      if (change === "set") return this.#enter({ is: "trying", trial });
      if (change === "stuck") {
        // The speed is as it was, and the other end comes back to it.
        this.#leader?.failed(speed, now);
        return this.#enter({ is: "returning", trial: number, until: now + BACK_MS, at: now, backs: 0 });
      }
      // The leader hears of it with the next offer.
      this.#offers.refused(speed);
      this.#offers.repeatAt = now;
      this.#leader?.limit(this.#offers.common(this.#first));
      this.#goBack(trial, now);
    });
  }

  /** Gives the line another speed. `then` is not called if something else has happened until then. */
  #change(speed: number, when: "drained" | "at once", then: (change: SpeedChange, now: number) => void): void {
    const during = this.#state;
    this.#host.line.set(speed, when, (change, now) => {
      this.#host.noise.begin();
      if (this.#state === during) then(change, now);
    });
    this.#wake();
  }

  #receiveProbe(probe: ClimbProbe, now: number): void {
    const state = this.#state;
    if (state.is !== "trying") {
      const isBehind = probe.trial === this.#passed?.number && probe.stage < Stage.Staying;
      if (state.is === "idle" && isBehind) this.#passed?.remind(now);
      return;
    }
    const { trial } = state;
    trial.receive(probe, now);
    if (trial.stage === Stage.Staying) this.#stay(trial, now);
    else if (trial.isOver) this.#goBack(trial, now);
  }

  #stay(trial: ClimbTrial, now: number): void {
    const { speed } = trial;
    this.#host.log("info", `The line has ${speed} bits per second from now on, as agreed; it had ${this.#speed}`);
    this.#passed = trial;
    this.#speed = speed;
    this.#leader?.passed(speed, now);
    this.#settle(now);
  }

  #goBack(trial: ClimbTrial, now: number): void {
    this.#host.log("debug", `Tried ${trial.speed} bits per second: ${trial.text}`);
    this.#leader?.failed(trial.speed, now);
    this.#return(trial.number, this.#speed, BACK_MS);
  }

  /** Returns to a speed that has worked, and waits there for the other end. */
  #return(trial: number, speed: number, patienceMs: number): void {
    this.#host.hold(true);
    this.#state = { is: "switching", trial: undefined, speed };
    this.#change(speed, "at once", (_, now) => {
      this.#speed = speed;
      this.#enter({ is: "returning", trial, until: now + patienceMs, at: now, backs: 0 });
    });
  }

  #sayBack(state: State & { is: "returning" }, now: number): void {
    if (now >= state.until) {
      // What the other end has sent is not known.
      this.#host.noise.keep();
      this.#settle(now);
      return;
    }
    state.at = Math.min(state.until, now + (state.backs++ < QUICK_BACKS ? BACK_EVERY_MS : LATER_BACK_MS));
    this.#step(ClimbKind.Back, state.trial, this.#speed, now);
  }

  #receiveBack({ trial, speed, hasHeard }: ClimbStep, now: number): void {
    const state = this.#state;
    if (state.is === "idle" && trial === this.#passed?.number && speed !== this.#speed && this.#can(speed)) {
      // The other end has not stayed. It is heard because this line carries octets of any speed, as a pty does.
      this.#leader?.undone(speed, now);
      return this.#return(trial, speed, BACK_MS);
    }
    if (!hasHeard) this.#step(ClimbKind.Back, trial, this.#speed, now, true);
    // The other end has been at the new speed alone: Go was lost, or this end is not there yet.
    if ((state.is !== "promised" && state.is !== "switching") || state.trial !== trial) return;
    if (state.is === "switching") this.#host.line.cancel();
    this.#leader?.failed(state.speed, now);
    this.#settle(now);
  }

  /** All packets flow again. The other end has sent none since the first change of speed, but for those of climb. */
  #settle(now: number): void {
    this.#host.noise.forgive();
    this.#host.hold(false);
    this.#state = { is: "idle" };
    this.#watchAgain(now);
  }

  // ── the watch ────────────────────────────────────────────────────────────────────────────────────────────────────

  #watchAgain(now: number): void {
    const isChanged = this.#first !== 0 && this.#speed !== this.#first;
    this.#watch = isChanged ? new ClimbWatch(this.#host.counts(), now) : undefined;
  }

  #look(now: number): void {
    if (this.#watch === undefined || this.#watch.nextLookAt > now) return;
    const found = this.#watch.look(this.#host.counts(), now);
    if (found === "lost") this.#lost(now);
    else if (this.#state.is === "off" || found === "well") return;
    else if (found === "ask") this.#step(ClimbKind.Check, this.#trial, this.#speed, now);
    else if (this.#leader !== undefined) this.#lower(this.#leader, now);
    else this.#step(ClimbKind.Lower, this.#trial, this.#speed, now);
  }

  #lost(now: number): void {
    // The other end has terminated the link and is back at the first speed: no trouble.
    const level = this.#state.is === "off" ? "debug" : "warn";
    this.#host.log(level, `Heard nothing more at ${this.#speed} bits per second: back to ${this.#first}`);
    this.#watch = undefined;
    if (this.#state.is === "off") return this.#change(this.#first, "at once", () => void (this.#speed = this.#first));
    this.#leader?.lost(now, LOST_MS);
    this.#return(this.#trial, this.#first, LOST_MS);
  }

  #lower(leader: ClimbLeader, now: number): void {
    this.#host.log("warn", `Too many damaged frames at ${this.#speed} bits per second: the line gets a lower speed`);
    leader.worse(now);
  }

  // ── packets ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** False: the speed of this line must stay, so these packets are as unknown as to other programs. */
  receive(packet: ClimbPacket | undefined, now: number): boolean {
    if (this.#host.line.speeds() === undefined) return false;
    if (packet !== undefined && this.#state.is !== "off") this.#receive(packet, now);
    this.#wake();
    return true;
  }

  #receive(packet: ClimbPacket, now: number): void {
    if (packet.kind === ClimbKind.Probe) return this.#receiveProbe(packet, now);
    // The other end is at this speed too.
    if (this.#state.is === "returning") this.#settle(now);
    const state = this.#state;
    switch (packet.kind) {
      case ClimbKind.Offer:
        return this.#receiveOffer(packet, now);
      case ClimbKind.Try:
        return this.#promise(packet, now);
      case ClimbKind.Ready:
        if (state.is !== "asking" || state.trial !== packet.trial) return;
        this.#step(ClimbKind.Go, state.trial, state.speed, now);
        return this.#begin(state.trial, state.speed);
      case ClimbKind.Go:
        if (state.is === "promised" && state.trial === packet.trial) this.#begin(state.trial, state.speed);
        return;
      case ClimbKind.Back:
        return this.#receiveBack(packet, now);
      case ClimbKind.Check:
        return this.#step(ClimbKind.Checked, packet.trial, this.#speed, now);
      case ClimbKind.Checked:
        return;
      case ClimbKind.Lower:
        if (packet.speed === this.#speed && state.is === "idle" && this.#leader !== undefined)
          this.#lower(this.#leader, now);
        return;
      default:
        packet satisfies never;
    }
  }
}
