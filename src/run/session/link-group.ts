// The links that share one interface: a single link, or the links of a bundle. They have one loop and one network phase.

import { Bundle } from "../../link/bundle.ts";
import type { Link } from "../../link/link.ts";
import type { InterfaceBuffers } from "../loop/buffers.ts";
import { Loop, type LoopOwner } from "../loop/loop.ts";
import { WarmUp } from "../loop/warm-up.ts";
import { PacketPump } from "../loop/packet-pump.ts";
import type { PacketLog } from "../live/packet-log.ts";
import type { NameServers } from "../packets/name-servers.ts";
import type { PacketPort } from "../packets/port.ts";
import { notOpen, type Renegotiable } from "../control/controlled-link.ts";
import { Exit } from "../exit.ts";
import type { Hooks } from "../scripts/hooks.ts";
import type { SessionHistory } from "../history/session-history.ts";
import type { Attempt } from "./attempt.ts";
import { NetworkPhase } from "./network-phase.ts";
import type { SessionServices } from "../share/session-services.ts";
import type { SessionHost } from "./session-host.ts";

export interface LinkGroupHost extends SessionHost {
  readonly hooks: Hooks;
  readonly nameServers: NameServers;
  readonly packetLog: PacketLog;
  /** Speed of the line, for scripts. */
  speed(): number;
  setStatus(exit: Exit): void;
  lcpClosed(byPeer: boolean, isHangup: boolean): void;
  /** The session shares this machine's network, or forwards ports. */
  readonly services?: SessionServices | undefined;
  readonly history?: SessionHistory | undefined;
}

export class LinkGroup implements LoopOwner {
  /** The links that have begun and are not forgotten. The array is replaced, never changed, so that a round can go over it. */
  attempts: readonly Attempt[] = [];
  readonly network: NetworkPhase;
  readonly #host: LinkGroupHost;
  readonly #carrier: Link | Bundle;
  readonly #bundle: Bundle | undefined;
  readonly #loop: Loop;
  readonly #pump: PacketPump;
  readonly #othersTurnMs: () => number;
  #isOver = false;

  /** `othersTurnMs`: how often work beside the links needs a turn of the runtime. */
  constructor(
    host: LinkGroupHost,
    carrier: Link | Bundle,
    port: PacketPort,
    memory: InterfaceBuffers,
    othersTurnMs = (): number => Infinity,
  ) {
    this.#host = host;
    this.#carrier = carrier;
    this.#bundle = carrier instanceof Bundle ? carrier : undefined;
    this.#othersTurnMs = othersTurnMs;
    const pump = (this.#pump = new PacketPump(carrier, port, memory, () => host.machine.random.u32()));
    this.#loop = new Loop(host.machine, pump, this);
    this.network = new NetworkPhase(
      {
        ...host,
        close: (reason, now) => this.close(reason, now),
        awaitPeer: (now) => this.attempts.find((attempt) => this.#isMember(attempt))?.link.awaitPeer(now),
        rate: () => this.#rate(),
        carry: (on) => pump.carry(on),
        tap: (tap) => (pump.tap = tap),
        hold: (version) => pump.hold(version),
        lines: () => this.attempts.map((attempt) => attempt.status()),
        queue: () => pump.queue,
      },
      port,
      carrier.networks,
    );
  }

  /** Starts the link of this attempt. */
  start(attempt: Attempt): void {
    this.attempts = [...this.attempts, attempt];
    this.#loop.idleWork ??= WarmUp.of({
      machine: this.#host.machine,
      config: attempt.linkConfig,
      networks: this.#carrier.networks,
      owner: this,
      isPaced: attempt.pacer.paced,
    });
    attempt.start(this.#loop, this.network);
  }

  /** The link of this attempt has ended. False: it was forgotten before. */
  forget(attempt: Attempt): boolean {
    const isKnown = this.attempts.includes(attempt);
    this.attempts = this.attempts.filter((one) => one !== attempt);
    return isKnown;
  }

  /** Carries packets until there is no line left. */
  run(): Promise<void> {
    return this.#loop.run();
  }

  /** Ends all links in good order. */
  close(reason: string, now: number): void {
    this.#host.plugin?.phase("terminate");
    this.network.closing();
    this.#pump.sendLast(now);
    for (const attempt of this.attempts) attempt.close(reason, now);
  }

  /** Undoes what was done to the machine, also after a bug. A second call does nothing. */
  end(): void {
    this.network.end();
    this.#loop.idleWork?.end();
    for (const attempt of this.attempts) attempt.abandon();
    const { losses } = this.#pump;
    if (losses !== undefined && !this.#isOver) this.#host.log.write("debug", losses);
    this.#isOver = true;
  }

  /** Packets pass. The network phase learns later than the protocols that they do not. */
  get isUp(): boolean {
    return this.network.isUp && this.#carrier.networks.up;
  }

  /** How much of the packets goes to the log, from now on. */
  trace(level: number): void {
    if (this.#bundle !== undefined) this.#bundle.trace.level = level;
    for (const attempt of this.attempts) attempt.trace(level);
  }

  /** Negotiates compression again (SIGUSR2). */
  restartCcp(): void {
    this.#carrier.networks.restartCcp(this.#host.machine.clock.now());
  }

  /** Negotiates a protocol again. LCP is that of each link. Throws ControlError. */
  renegotiate(protocol: Renegotiable): void {
    const now = this.#host.machine.clock.now();
    const { networks } = this.#carrier;
    const isBegun =
      protocol === "lcp"
        ? this.attempts.filter((attempt) => attempt.link.renegotiate(now)).length > 0
        : networks.renegotiate(protocol, now);
    if (!isBegun) throw notOpen(protocol);
  }

  // ── the loop's owner ─────────────────────────────────────────────────────────────────────────────────────────────

  settle(now: number): void {
    const { notifier } = this.#host;
    if (notifier.beatAt <= now) notifier.beat(now);
    this.#takeEvents(now);
    this.network.lookAfter(now);
    if (this.network.limits.nextDeadline() > now) return;
    this.network.checkLimits(now);
    this.#takeEvents(now);
  }

  nextDeadline(): number {
    let at = Math.min(this.network.limits.nextDeadline(), this.#host.notifier.beatAt);
    for (const attempt of this.attempts) at = Math.min(at, attempt.nextDeadline());
    return at;
  }

  turnMs(): number {
    let turnMs = this.#othersTurnMs();
    for (const attempt of this.attempts) turnMs = Math.min(turnMs, attempt.turnMs());
    return turnMs;
  }

  interfaceLost(now: number): void {
    this.network.lost(now);
  }

  #takeEvents(now: number): void {
    const { log, setStatus } = this.#host;
    for (const attempt of this.attempts) attempt.settle(now);
    if (this.#bundle === undefined) return;
    for (let event; (event = this.#bundle.takeEvent()) !== undefined;) {
      if (this.network.handle(event, now)) continue;
      if (event.type === "log") log.write(event.level, event.text);
      else if (event.type === "failure") setStatus(Exit.NEGOTIATION);
    }
  }

  /** It carries packets: some links of a bundle have not joined it yet. */
  #isMember({ link }: Attempt): boolean {
    return this.#bundle === undefined || this.#bundle.has(link);
  }

  /** Bits a second of all lines together; 0 when the speed of one is not known. */
  #rate(): number {
    let rate = 0;
    for (const attempt of this.attempts) {
      if (!this.#isMember(attempt)) continue;
      const { pacer } = attempt;
      if (!pacer.paced) return 0;
      rate += pacer.speed;
    }
    return rate;
  }
}
