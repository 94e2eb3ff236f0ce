// One trial of a speed, at one end. When it hears the other end at that speed, it sends test patterns. Both ends do so at the
// same time, and count those that come. Each packet says how far its sender has come:
//
//   Testing      not all patterns have come yet
//   Satisfied    all patterns have come, none was damaged
//   Agreed       and the other end is satisfied
//   Staying      and the other end has agreed: this end stays at the speed
//   Failed       a pattern is missing or damaged: this end goes back
//
// An end that hears nothing for a while, or has not come to Staying in time, goes back by itself. So a packet that is lost
// can separate the two ends only if all packets of one direction are lost after an end is Staying. The watch of
// climb-watch.ts ends that.

import { ClimbKind, type ClimbProbe, PROBE_OCTETS } from "../wire/climb-packet.ts";

export const Stage = { Testing: 0, Satisfied: 1, Agreed: 2, Staying: 3, Failed: 4 } as const;
export type Stage = (typeof Stage)[keyof typeof Stage];

/** The other end changes its speed about this much later. */
const SETTLE_MS = 10;
/** After this time at the new speed an end that is not Staying goes back. */
const LIMIT_MS = 420;
/** The longest silence, besides the time that two patterns take. */
const SILENCE_MS = 150;
/** The time of all patterns, and of one. */
const TEST_MS = 100;
const PATTERN_MS = 60;
const LEAST_PATTERNS = 4;
const MOST_PATTERNS = 16;
const LONGEST_PATTERN = 1500 - PROBE_OCTETS;
/** Between two packets without a pattern. */
const BEACON_MS = 20;
/** The packet that says Failed takes less time. */
const LEAVE_MS = 15;
const OCTET_BITS = 10;
/** The octets of a frame besides its packet, and what escaping adds to a pattern. */
const FRAME_OCTETS = 16;
const ESCAPED = 1.15;

export interface TrialHost {
  send(packet: ClimbProbe, pattern: number, now: number): void;
  /** Frames that were received since the start of the link. */
  counts(): { readonly good: number; readonly bad: number };
  /** The longest packet that the other end takes. */
  readonly mru: number;
}

export class ClimbTrial {
  readonly number: number;
  readonly speed: number;
  stage: Stage = Stage.Testing;
  /** The trial has ended, and this end must go back. */
  isOver = false;
  readonly #host: TrialHost;
  readonly #pattern: number;
  readonly #patternMs: number;
  readonly #total: number;
  readonly #endsAt: number;
  readonly #came = new Set<number>();
  /** Of the other end. */
  #expected = 0;
  #sent = 0;
  #sendAt: number;
  #heardAt: number;
  /** Bad frames before the first good one. Those do not count. */
  #badBefore: number | undefined;

  constructor(host: TrialHost, number: number, speed: number, now: number) {
    this.#host = host;
    this.number = number;
    this.speed = speed;
    const rate = speed / OCTET_BITS / 1000;
    this.#pattern = Math.max(0, Math.min(LONGEST_PATTERN, host.mru - PROBE_OCTETS, Math.floor(rate * PATTERN_MS)));
    this.#patternMs = ((this.#pattern + PROBE_OCTETS) * ESCAPED + FRAME_OCTETS) / rate;
    this.#total = Math.min(MOST_PATTERNS, Math.max(LEAST_PATTERNS, Math.floor(TEST_MS / this.#patternMs)));
    this.#endsAt = now + LIMIT_MS;
    this.#sendAt = now + SETTLE_MS;
    this.#heardAt = now;
  }

  get #hasHeard(): boolean {
    return this.#badBefore !== undefined;
  }

  get #silentAt(): number {
    return this.#heardAt + SILENCE_MS + 2 * this.#patternMs;
  }

  /** For the log. */
  get text(): string {
    const bad = this.#bad;
    const damaged = bad > 0 ? `, ${bad} damaged` : "";
    return `${this.#came.size} of ${this.#expected || this.#total} patterns came${damaged}`;
  }

  get #bad(): number {
    return this.#badBefore === undefined ? 0 : this.#host.counts().bad - this.#badBefore;
  }

  nextTimeout(): number {
    return Math.min(this.#endsAt, this.#silentAt, this.#sendAt);
  }

  timeout(now: number): void {
    if (now >= this.#endsAt || now >= this.#silentAt || (this.stage === Stage.Failed && now >= this.#sendAt)) {
      this.isOver = true;
      return;
    }
    if (now < this.#sendAt) return;
    // Patterns that the other end does not hear yet would count as lost.
    const sequence = this.#hasHeard && this.#sent < this.#total ? ++this.#sent : 0;
    this.#send(sequence, now);
    this.#sendAt = now + (sequence > 0 ? this.#patternMs : BEACON_MS);
  }

  receive(probe: ClimbProbe, now: number): void {
    if (probe.trial !== this.number || probe.total === 0 || this.stage >= Stage.Staying) return;
    this.#heardAt = now;
    if (!this.#hasHeard) this.#sendAt = now;
    this.#badBefore ??= this.#host.counts().bad;
    this.#expected = probe.total;
    if (probe.sequence > 0 && probe.sequence <= probe.total) this.#came.add(probe.sequence);
    if (probe.stage >= Stage.Failed) {
      this.isOver = true;
      return;
    }
    const before = this.stage;
    if (this.stage === Stage.Testing) this.#judge(probe);
    if (this.stage === Stage.Satisfied && probe.stage >= Stage.Satisfied) this.stage = Stage.Agreed;
    if (this.stage === Stage.Agreed && probe.stage >= Stage.Agreed) this.stage = Stage.Staying;
    if (this.stage !== before) this.#tell(now);
  }

  #judge({ sequence, sent, total }: ClimbProbe): void {
    if (this.#came.size === total) this.stage = this.#bad === 0 ? Stage.Satisfied : Stage.Failed;
    // Behind the last pattern come packets without one.
    else if (sequence === 0 && sent === total) this.stage = Stage.Failed;
  }

  /** Tells the other end of a new stage. While patterns are sent, they do. */
  #tell(now: number): void {
    if (this.stage !== Stage.Staying && this.stage !== Stage.Failed && this.#sent < this.#total) return;
    this.#send(0, now);
    this.#sendAt = now + (this.stage === Stage.Failed ? LEAVE_MS : BEACON_MS);
  }

  /** Tells an end that has not come to Staying that this one has. */
  remind(now: number): void {
    this.#send(0, now);
  }

  #send(sequence: number, now: number): void {
    const { number: trial, stage } = this;
    const packet = { kind: ClimbKind.Probe, trial, stage, sequence, sent: this.#sent, total: this.#total };
    this.#host.send(packet, sequence > 0 ? this.#pattern : 0, now);
  }
}
