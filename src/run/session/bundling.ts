// Multilink: each line of the bundle has a task of its own, from its lock to its close. With `persist` the task begins again,
// while the other lines go on. All lines share one interface and one loop.

import { Bundle } from "../../link/bundle.ts";
import { withFields } from "../../options/config.ts";
import { SILENT_NOTIFIER } from "../notifier.ts";
import { Attempt } from "./attempt.ts";
import { report } from "../diagnose/finding.ts";
import { madeUpPeer, type PacketPort } from "../packets/port.ts";
import { Failed } from "../exit.ts";
import { Line } from "../line/line.ts";
import { linkConfig } from "../settings/link-config.ts";
import { OptionsInForce } from "../settings/options-in-force.ts";
import { type InterfaceBuffers, LineBuffers } from "../loop/buffers.ts";
import type { Clock } from "../machine.ts";
import { peerServers } from "../share/peer-servers.ts";
import type { Peers } from "../peers/peers.ts";
import { BundleLine } from "./bundle-line.ts";
import { LinkGroup, type LinkGroupHost } from "./link-group.ts";
import { Whereabouts } from "../line/whereabouts.ts";

const SECOND = 1000;
const SIGTERM = 15;
/** While a line is being opened or waits for its next attempt, timers and scripts get their turn this often. */
const TURN_MS = 20;
/** The shortest pause between two attempts on a line. Without it, a pulled cable would fill the log. */
const LEAST_HOLDOFF_MS = 1000;

export interface BundlingHost extends LinkGroupHost {
  /** Nothing new may be started. */
  quitting(): boolean;
}

export class Bundling {
  readonly #host: BundlingHost;
  readonly #clock: Clock;
  readonly #port: PacketPort;
  readonly #memory: InterfaceBuffers;
  readonly #bundle: Bundle;
  readonly group: LinkGroup;
  #lines: readonly BundleLine[] = [];
  #isRedialled = false;
  /** The peers of the lines in the bundle. The addresses of the first one count. */
  readonly #peers: Peers[] = [];
  /** The number of lines that are not given up. */
  #alive = 0;
  /** Wakes run() when a link has started or the last line is given up. */
  #change = (): void => {};

  constructor(host: BundlingHost, port: PacketPort, memory: InterfaceBuffers) {
    const { log } = host;
    const { config } = host.options;
    this.#host = host;
    this.#clock = host.machine.clock;
    this.#port = port;
    this.#memory = memory;
    const complain = (text: string): void => log.write("error", text);
    // Only the network phase of this configuration is used. Each line has its own configuration for its link.
    const { networks, hidePassword } = linkConfig(
      config,
      host.peersOf(host.options).plan(),
      host.machine.network,
      complain,
      peerServers(host.machine, config, port),
    );
    const networkTap = host.packetLog.network(port.name);
    this.#bundle = new Bundle(
      { networks, hidePassword, ifname: port.name },
      {
        plain: memory.plain.bytes,
        random32: () => host.machine.random.u32(),
        peerMayUse: (address) => this.#peers[0]?.mayUse(address) ?? false,
        madeUpPeerAddress: () => madeUpPeer(port),
        tap: networkTap,
        networkTap,
      },
      log.debug ? Math.max(1, config.debug) : 0,
    );
    const turnMs = (): number => (this.#hasBusyLine ? TURN_MS : Infinity);
    this.group = new LinkGroup(host, this.#bundle, port, memory, turnMs);
  }

  get interface(): string {
    return this.#port.name;
  }

  get controlled(): readonly BundleLine[] {
    return this.#lines;
  }

  /** Runs all lines until none of them is left. */
  async run(): Promise<void> {
    const {
      options: { config },
    } = this.#host;
    // The first line may be standard input or no device at all. The others are devices.
    const configs = [config, ...config.mpDevices.map((device) => withFields(config, { device, defaultDevice: false }))];
    this.#alive = configs.length;
    const bugs: unknown[] = [];
    this.#lines = configs.map((each) => new BundleLine(new OptionsInForce(each), this.#clock));
    const lines = this.#lines.map((line) =>
      this.#runLine(line)
        // A bug on one line closes the other links in good order. It is reported after they have ended.
        .catch((error: unknown) => {
          bugs.push(error);
          this.group.close("Internal error", this.#clock.now());
        })
        .finally(() => {
          line.isGivenUp = true;
          this.#alive--;
          this.#change();
        }),
    );
    try {
      while (this.#alive > 0) {
        const changed = new Promise<void>((resolve) => (this.#change = resolve));
        if (this.group.attempts.length > 0) await this.group.run();
        else if (this.#alive > 0) await changed;
        if (this.group.network.hasLostInterface) this.#endLines(SIGTERM);
        // Tasks whose promises the loop's last round has resolved go on first.
        await this.#clock.turn();
      }
      await Promise.all(lines);
      if (bugs.length > 0) throw bugs[0];
    } finally {
      this.group.end();
      for (const { line } of this.#lines) line?.close();
    }
  }

  /** The session begins another bundle when this one has ended. */
  redial(): void {
    this.#isRedialled = true;
  }

  /** A signal that ends all lines. */
  signal(number: number): void {
    this.#endLines(number);
    this.group.close("User request", this.#clock.now());
  }

  /** Ends the lines that have no link: they wait for their next try, or are being opened. */
  #endLines(signal: number): void {
    for (const line of this.#lines) line.signal(signal);
  }

  /** No line is opened any more. The session makes another bundle where the interface is lost. */
  get #isEnding(): boolean {
    return this.#host.quitting() || this.#isRedialled || this.group.network.hasLostInterface;
  }

  /** A line is being opened, waits for its next try, or has a link that has just ended. */
  get #hasBusyLine(): boolean {
    if (this.group.attempts.length < this.#alive) return true;
    for (const attempt of this.group.attempts) if (attempt.over) return true;
    return false;
  }

  // ── one line ─────────────────────────────────────────────────────────────────────────────────────────────────────

  async #runLine(line: BundleLine): Promise<void> {
    const { config } = line.options;
    const { demand, maxfail, holdoff } = config;
    // With demand, a line that has ended waits for the next packet that starts all lines.
    const persist = config.persist && !demand;
    const whereabouts = Whereabouts.of(this.#host.machine, config);
    const buffers = new LineBuffers(this.#host.machine.descriptors);
    for (let failures = 1; ; failures++) {
      const began = this.#clock.now();
      line.takeRedial();
      const outcome = await this.#tryLine(line, buffers, failures === 1, whereabouts);
      if (line.takeRedial() && !this.#isEnding) {
        failures = 0;
        continue;
      }
      if (outcome === "up") failures = 0;
      if (outcome === "final" || this.#isEnding || !persist) return;
      // While another link carries the bundle, the line is tried without limit.
      if (maxfail > 0 && failures >= maxfail && this.#bundle.size === 0) return;
      await line.waits.sleep(Math.max(holdoff * SECOND, LEAST_HOLDOFF_MS - (this.#clock.now() - began)));
      if (this.#isEnding) return;
    }
  }

  async #tryLine(
    member: BundleLine,
    buffers: LineBuffers,
    isFirst: boolean,
    whereabouts?: Whereabouts,
  ): Promise<"up" | "down" | "final"> {
    const { machine, log, hooks, packetLog, peersOf, setStatus, lcpClosed, quitting } = this.#host;
    const { options } = member;
    const { sleep } = member.waits;
    const line = (member.line = new Line({
      machine,
      options,
      log,
      hooks,
      notifier: SILENT_NOTIFIER,
      whereabouts,
      sleep,
      quitting,
      lineChanged: () => {},
    }));
    const peers = peersOf(options);
    let attempt: Attempt | undefined;
    try {
      const tty = await line.open();
      if (this.#isEnding) return "final";
      log.write("notice", `Starting negotiation on ${tty.path}`);
      const lineNumber = this.#lines.indexOf(member);
      const host = { machine, options, log, peers, hooks, packetLog, lineNumber, setStatus, lcpClosed };
      attempt = new Attempt(host, buffers, this.#memory.plain.bytes, tty, this.#port, this.#bundle);
      member.attempt = attempt;
      this.#peers.push(peers);
      this.group.start(attempt);
      this.#change();
      const end = await attempt.ended;
      this.#forget(attempt, peers);
      await line.end(end);
      line.dropDtr();
      return end.final ? "final" : attempt.hadNetwork ? "up" : "down";
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
      // A failure of one line does not end the others.
      if (this.#bundle.size === 0 && !this.group.network.hasLostInterface) setStatus(error.exit);
      if (error.message !== "") log.write(error.level, error.message);
      if (isFirst) report(log, error.findings);
      return "down";
    } finally {
      if (attempt !== undefined) this.#forget(attempt, peers);
      member.line = member.attempt = undefined;
      line.close();
    }
  }

  #forget(attempt: Attempt, peers: Peers): void {
    if (!this.group.forget(attempt)) return;
    this.#peers.splice(this.#peers.indexOf(peers), 1);
  }
}
