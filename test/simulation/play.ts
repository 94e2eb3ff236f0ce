// Plays a plan: starts both ends, lets the faults happen, checks what must hold, and sees that all is well when the faults
// have stopped and that nothing is left at the end.

import { Browser } from "./browser.ts";
import { mismatch, wrongEnding, wrongWith } from "./checks.ts";
import type { Pppd } from "./computer.ts";
import { type Fault, FAULTS } from "./faults.ts";
import { Laplink } from "./laplink.ts";
import { Internet } from "./internet.ts";
import type { Plan } from "./plan.ts";
import type { Goods } from "./traffic.ts";

const SECOND = 1000;
const CHECK_MS = 2 * SECOND;
/** A pppd may need so long to set right what does not match: the time of LCP's last words. */
const PATIENCE_MS = 30 * SECOND;
/** When the faults have stopped, packets pass after this long. */
const RECOVERY_MS = 600 * SECOND;
/** After SIGTERM both ends have ended after this long. */
const END_MS = 120 * SECOND;
/** So many packets each way are the proof of a link. */
const PROOF = 5;
/** The largest transfer takes so long on a line without faults. */
const TRANSFER_S = 20;
const SIDES = [0, 1] as const;

export interface Outcome {
  /** What is wrong; undefined: nothing. */
  readonly failure: string | undefined;
  readonly simulatedMs: number;
  readonly events: number;
  readonly packets: number;
  readonly transcript: () => string;
}

export function play(plan: Plan): Outcome {
  const one = new Play(plan);
  let failure: string | undefined;
  try {
    one.run();
  } catch (error) {
    failure = error instanceof Failure ? error.message : error instanceof Error ? (error.stack ?? "") : String(error);
  }
  const { laplink } = one;
  return {
    failure,
    simulatedMs: laplink.time.now,
    events: laplink.time.events,
    packets: one.goods[0].received + one.goods[1].received,
    transcript: () => laplink.transcript,
  };
}

/** Something that must not be. */
class Failure extends Error {}

export class Play {
  readonly laplink: Laplink;
  /** What runs on each computer, or ran last. */
  readonly pppds: (Pppd | undefined)[] = [undefined, undefined];
  /** What the server sends to the client, and the client to the server. */
  readonly goods: readonly [Goods, Goods];
  readonly #plan: Plan;
  readonly #words: (readonly string[])[];
  /** A pppd was killed there, and none has ended in good order since. */
  readonly #hasRemains = [false, false];
  readonly #mismatches: { text: string | undefined; since: number }[] = SIDES.map(() => ({
    text: undefined,
    since: 0,
  }));
  readonly #judged = new Set<Pppd>();
  readonly #ends = new Set<() => void>();

  constructor(plan: Plan) {
    const { seed, agreement } = plan;
    const { cables, isFull, latencyMs } = agreement;
    this.#plan = plan;
    this.#words = plan.words.map((words) => words[0]!);
    this.laplink = new Laplink({ seed: seed ^ 0x5eed, cables, isFull, latencyMs });
    for (const cable of this.laplink.cables) cable.cleanTo = agreement.cleanTo ?? Infinity;
    this.goods = agreement.hasUsernet === true ? this.#browse() : this.laplink.traffic;
    // One of the two is like a port of `nullmodem serve`.
    this.laplink.computers[1].sharesPoll = true;
    this.laplink.computers[0].installNft();
    for (const side of SIDES) this.#furnish(side);
  }

  /** The client's programs use the Internet behind the server. */
  #browse(): readonly [Goods, Goods] {
    const { time, rng, computers } = this.laplink;
    const internet = (computers[0].network.internet = new Internet(time, rng));
    internet.slowness = 0.2;
    internet.resets = 0.01;
    const browser = new Browser(computers[1], internet, rng);
    browser.slowness = 0.2;
    return browser.goods((TRANSFER_S * this.#plan.agreement.speed) / 10);
  }

  /** Secrets and hooks. */
  #furnish(side: 0 | 1): void {
    const { files } = this.laplink.computers[side];
    const wrong = this.#plan.agreement.hasWrongSecret && side === 1 ? "not the " : "";
    const secrets = `cli * "${wrong}secret" *\nsrv * "secret of the server" *\n`;
    files.put("/etc/ppp/chap-secrets", secrets, 0o600);
    files.put("/etc/ppp/pap-secrets", secrets, 0o600);
    const hooks = ["ip-up", "ip-down", "ip-pre-up", "ipv6-up", "ipv6-down", "auth-up", "net-init", "net-down"];
    for (const hook of hooks.filter((_, at) => ((this.#plan.seed >>> (at + 8 * side)) & 3) === 0))
      files.put(`/etc/ppp/${hook}`, "#!/bin/sh\nsleep 0.1\n", 0o755);
  }

  run(): void {
    const { laplink } = this;
    const { ms, gapMs, burst, faults, agreement } = this.#plan;
    for (const fault of faults) laplink.time.after(fault.at, () => this.#begin(fault));
    for (const side of SIDES) laplink.time.after(side === 0 ? 0 : laplink.rng.below(5000), () => this.revive(side));
    for (const one of this.goods) one.start(gapMs, burst);
    this.#pass(ms, () => false);
    for (const end of this.#ends) end();
    this.#ends.clear();
    if (agreement.hasWrongSecret) this.#expectRefusal();
    else this.#recover();
    this.#end();
  }

  // ── faults ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #begin(fault: Fault): void {
    if (this.pppds[fault.side] === undefined) return;
    const { laplink } = this;
    for (const computer of laplink.computers) computer.note(`fault: ${fault.kind} (${fault.side}) for ${fault.ms} ms`);
    const undo = FAULTS[fault.kind]!(this, fault);
    this.#check();
    if (undo === undefined) return;
    const end = (): void => {
      if (!this.#ends.delete(end)) return;
      for (const computer of laplink.computers) computer.note(`fault ends: ${fault.kind} (${fault.side})`);
      undo();
    };
    this.#ends.add(end);
    laplink.time.after(fault.ms, end);
  }

  kill(side: 0 | 1): void {
    const pppd = this.pppds[side]!;
    if (!pppd.isRunning) return;
    pppd.kill();
    this.#hasRemains[side] = true;
  }

  /** Starts pppd on that side, unless one runs. `variant`: with the other options. */
  revive(side: 0 | 1, variant?: 1): void {
    if (this.pppds[side]?.isRunning === true) return;
    this.#judge(side);
    if (variant !== undefined) this.#words[side] = this.#plan.words[side][variant]!;
    const { files, ports } = this.laplink.computers[side];
    if (files.isFull && this.#words[side]!.includes("lock")) return;
    if (ports.some(({ path }) => path === undefined)) return;
    // An operator starts it on the port that is there.
    const path = ports[0]!.path!;
    this.pppds[side] = this.laplink.computers[side].start(this.#words[side]!.with(0, path));
  }

  // ── checks ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Lets time pass and checks now and then. False: it was not done within `ms`. */
  #pass(ms: number, isDone: () => boolean): boolean {
    const { time } = this.laplink;
    const end = time.now + ms;
    while (time.now < end) {
      if (time.runUntil(isDone, Math.min(CHECK_MS, end - time.now))) return true;
      this.#check();
    }
    return false;
  }

  #check(): void {
    for (const { fault } of this.goods) if (fault !== undefined) throw new Failure(fault);
    for (const side of SIDES) {
      const pppd = this.pppds[side];
      if (pppd === undefined) continue;
      const computer = this.laplink.computers[side];
      const wrong = wrongWith(computer, pppd) ?? this.#lastingMismatch(side, pppd);
      if (wrong !== undefined) throw new Failure(`${computer.name}: ${wrong}`);
      if (!pppd.isRunning) this.#judge(side);
    }
  }

  /** What has not matched for a while. */
  #lastingMismatch(side: 0 | 1, pppd: Pppd): string | undefined {
    const { time, computers } = this.laplink;
    const text = mismatch(computers[side], pppd, this.#words[side]!);
    const { text: before, since } = this.#mismatches[side]!;
    if (text !== before) this.#mismatches[side] = { text, since: time.now };
    else if (text !== undefined && time.now - since > PATIENCE_MS) return text;
    return undefined;
  }

  /** Judges how a pppd has ended and what it has left, once. */
  #judge(side: 0 | 1): void {
    const pppd = this.pppds[side];
    if (pppd === undefined || pppd.isRunning || this.#judged.has(pppd)) return;
    this.#judged.add(pppd);
    const computer = this.laplink.computers[side];
    const wrong = wrongEnding(pppd);
    if (wrong !== undefined) throw new Failure(`${computer.name}: ${wrong}`);
    if (pppd.exitCode === undefined) return;
    const left = this.laplink.leftOn(side);
    // One that could not even lock its port, or that wrote to a full disk, takes nothing away.
    if (left.length > 0 && !this.#hasRemains[side])
      throw new Failure(`${computer.name}: left behind: ${left.join(", ")}`);
    if (left.length === 0) this.#hasRemains[side] = false;
  }

  // ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The faults have stopped: whoever has ended is started again, and packets pass. */
  #recover(): void {
    const { laplink, goods } = this;
    const { time } = laplink;
    for (const { processes } of laplink.computers) processes.endHanging();
    const goal = goods.map(({ received }) => received + PROOF);
    const send = (): void => {
      if (isProven()) return;
      for (const side of SIDES) this.revive(side);
      for (const one of goods) one.probe();
      time.after(SECOND, send);
    };
    const isProven = (): boolean => goods.every(({ received }, side) => received >= goal[side]!);
    send();
    if (!this.#pass(RECOVERY_MS, isProven))
      throw new Failure(`no packets pass ${RECOVERY_MS / SECOND} s after the faults have stopped`);
  }

  #expectRefusal(): void {
    const codes = this.pppds.map((pppd) => pppd?.exitCode);
    if (codes[0] !== 11 || !(codes[1] === 19 || codes[1] === 16 || codes[1] === 0))
      throw new Failure(`exit codes ${codes.join(" and ")} where the secrets differ`);
  }

  #end(): void {
    const { laplink } = this;
    for (const one of this.goods) one.stop();
    for (const pppd of this.pppds) if (pppd?.isRunning === true) pppd.signal("SIGTERM");
    const hasEnded = (): boolean => this.pppds.every((pppd) => pppd?.isRunning !== true);
    if (!this.#pass(END_MS, hasEnded)) throw new Failure("a pppd does not end after SIGTERM");
    this.#check();
    for (const side of SIDES) {
      const left = laplink.leftOn(side);
      if (left.length > 0) throw new Failure(`${laplink.computers[side].name}: left at the end: ${left.join(", ")}`);
    }
  }
}
