// A session: line, scripts, link, interface, and the same again with `persist`. What pppd calls main().

import type { Config } from "../../options/config.ts";
import type { Log } from "../log.ts";
import type { Notifier } from "../notifier.ts";
import { PidFiles } from "./pid-files.ts";
import type { Clock } from "../machine.ts";
import type { SignalEvent } from "../host/processes.ts";
import { Attempt } from "./attempt.ts";
import { Bundling } from "./bundling.ts";
import { Demand } from "../packets/demand.ts";
import type { LineHost } from "../line/device.ts";
import { report } from "../diagnose/finding.ts";
import { Exit, Failed } from "../exit.ts";
import { Hooks } from "../scripts/hooks.ts";
import { Interface } from "../packets/interface.ts";
import { undoLeftOver } from "../packets/left-over.ts";
import { Line } from "../line/line.ts";
import { InterfaceBuffers, LineBuffers } from "../loop/buffers.ts";
import type { PacketPort } from "../packets/port.ts";
import { TunPort } from "../packets/tun-port.ts";
import { NameServers } from "../packets/name-servers.ts";
import type { Peers } from "../peers/peers.ts";
import type { SessionHost } from "./session-host.ts";
import { LinkGroup, type LinkGroupHost } from "./link-group.ts";
import type { NetworkPhase } from "./network-phase.ts";
import { warmUp } from "../loop/warm-up.ts";
import { Waits } from "./waits.ts";
import { Whereabouts } from "../line/whereabouts.ts";

const SECOND = 1000;
/** A port that cannot be opened, and a program or connection that never came up, is tried again after this long. */
const REOPEN_MS = 1000;
/** What a link leaves in the environment of scripts, and the next one's know nothing of. */
const LINK_COUNTS = ["CONNECT_TIME", "BYTES_SENT", "BYTES_RCVD"];

export class Session {
  readonly #host: SessionHost;
  readonly #log: Log;
  readonly #hooks: Hooks;
  readonly #nameServers: NameServers;
  readonly #pidFiles: PidFiles;
  readonly #peers: Peers;
  readonly #notifier: Notifier;
  readonly #whereabouts: Whereabouts | undefined;
  readonly #clock: Clock;
  readonly #buffers: LineBuffers;
  readonly #memory: InterfaceBuffers;
  #status: Exit = Exit.OK;
  /** Nothing more is tried: SIGTERM, SIGINT, or a limit that ends the program. */
  #quitting = false;
  #needHoldoff = true;
  #failures = 0;
  readonly #waits: Waits;
  #line: Line | undefined;
  /** The interface of `demand`, and whether it waits for a packet. */
  #demand: Demand | undefined;
  #dormant = false;
  /** The last line that was closed: its program may have to be ended yet. */
  #lastLine: Line | undefined;
  /** What runs on the line, or on all of them. */
  #running: LinkGroup | Bundling | undefined;

  constructor(host: SessionHost) {
    const { machine } = host;
    this.#host = host;
    this.#log = host.log;
    this.#clock = machine.clock;
    this.#buffers = new LineBuffers(machine.descriptors);
    this.#memory = new InterfaceBuffers(machine.descriptors);
    this.#waits = new Waits(machine.clock);
    this.#hooks = new Hooks(
      machine,
      (level, text) => this.#log.write(level, text),
      () => host.options.config.environment,
    );
    this.#nameServers = new NameServers(machine, this.#log, this.#hooks, host.runDirectory);
    this.#pidFiles = new PidFiles(machine.files, host.runDirectory, machine.processes.pid);
    this.#peers = host.peersOf(host.options);
    this.#notifier = host.notifier;
    // Of a bundle each line has its own.
    if (!this.#config.multilink) this.#whereabouts = Whereabouts.of(machine, this.#config);
    this.#setEnvironment();
  }

  get #config(): Config {
    return this.#host.options.config;
  }

  #setEnvironment(): void {
    const { machine, user, uid } = this.#host;
    const config = this.#config;
    const { env } = this.#hooks;
    env.set("ORIG_UID", String(uid)).set("PPPLOGNAME", user).set("PPPD_PID", String(machine.processes.pid));
    if (config.callFile !== undefined) env.set("CALL_FILE", config.callFile);
    if (config.linkname !== undefined) env.set("LINKNAME", config.linkname);
    if (config.remotenumber !== undefined) env.set("REMOTENUMBER", config.remotenumber);
  }

  /** Runs until there is nothing more to do; the exit code. */
  async run(): Promise<number> {
    const { persist, maxfail, linkname, demand } = this.#config;
    if (linkname !== undefined) this.#warn(this.#pidFiles.writeLink(linkname));
    warmUp();
    this.#nameServers.cleanUp();
    undoLeftOver(this.#host.machine, this.#host.runDirectory, (level, text) => this.#log.write(level, text));
    const { beatMs } = this.#notifier;
    const endBeats = beatMs === Infinity ? undefined : this.#clock.every(beatMs, () => this.#beat());
    try {
      for (;;) {
        this.#failures++;
        this.#needHoldoff = true;
        if (demand && !(await this.#awaitPacket())) break;
        const began = this.#clock.now();
        for (const name of LINK_COUNTS) this.#hooks.env.delete(name);
        await this.#tryOnce();
        if (this.#quitting || !persist || (maxfail > 0 && this.#failures >= maxfail)) break;
        const held = await this.#holdOff(began);
        if (this.#quitting) break;
        // What waited for a link that has failed would only bring about the next failure.
        if (held || this.#failures > 0) this.#demand?.discard();
      }
      this.#endDemand();
      await this.#hooks.finish(this.#config.childTimeout);
    } finally {
      endBeats?.();
      this.#notifier.stopping();
      this.#endDemand();
      for (const problem of this.#pidFiles.remove()) this.#log.write("warn", problem);
    }
    return this.#status;
  }

  /** False: there was no need to wait. */
  async #holdOff(began: number): Promise<boolean> {
    let wait = this.#needHoldoff ? this.#config.holdoff * SECOND : 0;
    // pppd goes round as fast as it can when the port cannot even be opened.
    if (this.#status === Exit.OPEN || this.#status === Exit.LOCK || this.#status === Exit.PTY || this.#vanished)
      wait = Math.max(wait, REOPEN_MS - (this.#clock.now() - began));
    if (wait <= 0) return false;
    this.#notifier.status("waiting for the next try");
    await this.#waits.sleep(wait);
    return true;
  }

  /** A sign of life. Timers do not wake the loop, and its deadlines are none while it does not run: both give it. */
  #beat(): void {
    this.#notifier.beat(this.#clock.now());
  }

  /** What ends at once as often as it is started: a program, a connection. */
  get #vanished(): boolean {
    return this.#config.device === undefined && this.#failures > 0;
  }

  /** A signal the process got. */
  onSignal(event: SignalEvent): void {
    if (event.type === "fatal") {
      this.#log.write("error", `Fatal signal ${event.number}`);
      this.#quit(Exit.FATAL_SIGNAL, event.number);
      return;
    }
    switch (event.name) {
      case "SIGTERM":
      case "SIGINT":
        this.#log.write("info", `Terminating on signal ${event.number}`);
        this.#quit(Exit.USER_REQUEST, event.number);
        return;
      case "SIGHUP":
        this.#log.write("info", "Hangup (SIGHUP)");
        if (this.#dormant) return;
        if (!this.#config.persist) this.#quit(Exit.USER_REQUEST, event.number);
        else {
          this.#needHoldoff = false;
          this.#endAttempt(event.number);
        }
        return;
      case "SIGUSR1":
        this.#log.debug = !this.#log.debug;
        this.#group?.trace(this.#log.debug ? 1 : 0);
        return;
      case "SIGUSR2":
        this.#group?.restartCcp();
        return;
      default:
        event.name satisfies never;
    }
  }

  get #group(): LinkGroup | undefined {
    return this.#running instanceof Bundling ? this.#running.group : this.#running;
  }

  #quit(exit: Exit, signal: number): void {
    this.#quitting = true;
    this.#status = exit;
    this.#notifier.stopping();
    this.#endAttempt(signal);
  }

  #endAttempt(signal: number): void {
    this.#waits.wake();
    this.#line?.signal(signal);
    if (this.#running instanceof Bundling) this.#running.signal(signal);
    else this.#running?.close("User request", this.#clock.now());
  }

  // ── dialling on demand ───────────────────────────────────────────────────────────────────────────────────────────

  /** Waits for a packet worth a link, at an interface that is there without one. False: there will be none. */
  async #awaitPacket(): Promise<boolean> {
    try {
      for (;;) {
        if (this.#demand?.gone === true) this.#endDemand();
        const demand = this.#demand ?? (await this.#standBy());
        if (this.#quitting) return false;
        this.#status = Exit.OK;
        this.#dormant = true;
        this.#notifier.status(`waiting for traffic on ${demand.name}`);
        const found = await demand.awaitPacket(
          () => {
            if (this.#notifier.beatAt <= this.#clock.now()) this.#beat();
            return this.#quitting;
          },
          () => Math.min(this.#lastLine?.programEndsAt ?? Infinity, this.#notifier.beatAt),
        );
        this.#dormant = false;
        if (found === "stopped") return false;
        if (found === "packet") break;
        this.#log.write("error", `Interface ${demand.name} has been removed`);
        this.#status = Exit.FATAL;
        demand.gone = true;
        if (!this.#config.persist) return false;
      }
    } catch (error) {
      this.#fail(error);
      return false;
    }
    this.#log.write("info", "Starting link");
    return true;
  }

  async #standBy(): Promise<Demand> {
    const host = {
      machine: this.#host.machine,
      options: this.#host.options,
      log: this.#log,
      hooks: this.#hooks,
      outlast: this.#waits.outlast,
    };
    const demand = (this.#demand = new Demand(host, this.#openInterface()));
    await demand.setUp();
    return demand;
  }

  #endDemand(): void {
    const demand = this.#demand;
    this.#demand = undefined;
    demand?.end();
  }

  // ── one attempt ──────────────────────────────────────────────────────────────────────────────────────────────────

  async #tryOnce(): Promise<void> {
    try {
      if (!(await this.#waits.outlast(this.#host.ready()))) return;
      if (this.#config.multilink) await this.#bundle();
      else await this.#single();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#running = undefined;
    }
  }

  #lineHost(): LineHost {
    return {
      machine: this.#host.machine,
      options: this.#host.options,
      log: this.#log,
      hooks: this.#hooks,
      notifier: this.#notifier,
      whereabouts: this.#whereabouts,
      sleep: this.#waits.sleep,
      quitting: () => this.#quitting,
    };
  }

  /** One link on one line. */
  async #single(): Promise<void> {
    const line = (this.#line = new Line(this.#lineHost()));
    let port: PacketPort | undefined;
    try {
      const tty = await line.open();
      if (this.#quitting) return;
      port = this.#openPort();
      if (!(await port.begin(tty.speed, this.#waits.outlast))) return;
      this.#log.write("notice", `Connect: ${port.name} <--> ${tty.path}`);
      this.#notifier.status("waiting for the peer");
      this.#status = Exit.NEGOTIATION;
      const host = { ...this.#groupHost(), speed: tty.speed, peers: this.#peers };
      const attempt = new Attempt(host, this.#buffers, this.#memory.plain.bytes, tty, port);
      const group = (this.#running = new LinkGroup(host, attempt.link, port, this.#memory));
      try {
        group.start(attempt);
        await group.run();
        const end = await attempt.ended;
        this.#judge(group.network);
        if (end.hangup) this.#needHoldoff = false;
        if (end.final) this.#quitting = true;
        this.#running = undefined;
        group.network.end();
        port.finish();
        await line.end(end.hangup);
      } finally {
        // A bug above must not leave an address or a route behind.
        group.end();
      }
      line.dropDtr();
    } finally {
      line.close();
      this.#lastLine = line;
      this.#line = undefined;
      port?.release();
    }
  }

  /** Several lines, one interface (RFC 1990). */
  async #bundle(): Promise<void> {
    const port = this.#openPort();
    try {
      if (!(await port.begin(this.#config.speed, this.#waits.outlast))) return;
      this.#notifier.status("waiting for the peer");
      this.#status = Exit.NEGOTIATION;
      const host = { ...this.#groupHost(), quitting: () => this.#quitting };
      const bundling = (this.#running = new Bundling(host, port, this.#memory));
      await bundling.run();
      this.#judge(bundling.group.network);
      port.finish();
    } finally {
      port.release();
    }
  }

  #openInterface(): Interface {
    const { machine, options } = this.#host;
    return Interface.open({ machine, options, log: this.#log, hooks: this.#hooks, pidFiles: this.#pidFiles });
  }

  #groupHost(): LinkGroupHost {
    return {
      ...this.#host,
      hooks: this.#hooks,
      nameServers: this.#nameServers,
      speed: this.#config.speed,
      setStatus: (exit) => (this.#status = exit),
    };
  }

  /** What a network phase says of the next try. */
  #judge({ wasUp, noHoldoff }: NetworkPhase): void {
    if (wasUp) this.#failures = 0;
    if (noHoldoff) this.#needHoldoff = false;
  }

  /** What the next link carries packets for. */
  #openPort(): PacketPort {
    return this.#demand ?? new TunPort(this.#host.machine, this.#openInterface(), this.#host.options, this.#log);
  }

  #fail(error: unknown): void {
    if (error instanceof Failed) {
      this.#status = error.exit;
      if (error.message !== "") this.#log.write(error.level, error.message);
      if (this.#failures === 1) report(this.#log, error.findings);
      if (error.exit === Exit.FATAL) this.#quitting = true;
      return;
    }
    throw error;
  }

  #warn(problem: string | undefined): void {
    if (problem !== undefined) this.#log.write("error", problem);
  }
}
