// A session: line, scripts, link, interface, and the same again with `persist`. What pppd calls main().

import type { Config } from "../../options/config.ts";
import type { Log } from "../log.ts";
import { AWAITS_PEER, type Notifier } from "../notifier.ts";
import { PidFiles } from "./pid-files.ts";
import { PacketLog } from "../live/packet-log.ts";
import type { Clock } from "../machine.ts";
import type { End } from "./attempt.ts";
import { Bundling, type BundlingHost } from "./bundling.ts";
import { report } from "../diagnose/finding.ts";
import { Denied, Exit, Failed } from "../exit.ts";
import { Hooks } from "../scripts/hooks.ts";
import { Interface, type InterfaceHost } from "../packets/interface.ts";
import { provenCarrierOf } from "../packets/carrier.ts";
import { undoLeftOver } from "../packets/left-over.ts";
import type { Line } from "../line/line.ts";
import { InterfaceBuffers, LineBuffers } from "../loop/buffers.ts";
import type { PacketPort } from "../packets/port.ts";
import { TunPort } from "../packets/tun-port.ts";
import type { SocksPort } from "../packets/socks-port.ts";
import type { UsernetPort } from "../packets/usernet-port.ts";
import { SessionHistory } from "../history/session-history.ts";
import { NameServers } from "../packets/name-servers.ts";
import type { Peers } from "../peers/peers.ts";
import { Retries } from "./retries.ts";
import type { SessionHost } from "./session-host.ts";
import type { LinkGroup } from "./link-group.ts";
import type { NetworkPhase } from "./network-phase.ts";
import type { SessionServices } from "../share/session-services.ts";
import { setEnvironment } from "../scripts/session-environment.ts";
import { SingleLink } from "./single-link.ts";
import { StandBy } from "./stand-by.ts";
import { Steering } from "./steering.ts";
import { Waits } from "./waits.ts";
import { Whereabouts } from "../line/whereabouts.ts";

/** Variables that a link leaves in the environment of scripts. They are removed before the next link. */
const LINK_COUNTS = ["CONNECT_TIME", "BYTES_SENT", "BYTES_RCVD"];

export class Session {
  /** What signals and `nullmodem ctl` do to it. */
  readonly steering: Steering;
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
  readonly #packetLog = new PacketLog();
  /** The exit code, and why the last link has ended: pppd's code for a link that its own timers end tells less. */
  #exit: Exit = Exit.OK;
  #reason: Exit = Exit.OK;
  readonly #retries: Retries;
  readonly #waits: Waits;
  /** The interface of `demand`. */
  readonly #standBy: StandBy;
  /** The line that was closed last. Its program may still have to be ended. */
  #lastLine: Line | undefined;
  /** The present attempt. */
  #running: SingleLink | Bundling | undefined;
  /** With `usernet`. Other sessions do not load the TCP/IP stack. */
  #usernet: typeof UsernetPort | undefined;
  /** With `share`, `usernet` or `forward`. */
  #services: SessionServices | undefined;
  readonly #history: SessionHistory | undefined;
  /** The proxy of `socks`, from the beginning to the end. */
  #socks: SocksPort | undefined;

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
    // In a bundle, each line has one of its own.
    if (!this.#config.multilink) this.#whereabouts = Whereabouts.of(machine, this.#config);
    this.#retries = new Retries(host.options);
    this.#standBy = new StandBy({
      ...host,
      hooks: this.#hooks,
      outlast: this.#waits.outlast,
      openInterface: () => this.#openInterface(),
      setStatus: (exit) => (this.#status = exit),
      quitting: () => this.steering.quitting,
      programEndsAt: () => this.#lastLine?.programEndsAt ?? Infinity,
    });
    this.steering = new Steering({
      ...host,
      packetLog: this.#packetLog,
      retries: this.#retries,
      waits: this.#waits,
      standBy: this.#standBy,
      running: () => this.#running,
      setStatus: (exit) => (this.#status = exit),
      setReason: (exit) => (this.#reason = exit),
    });
    if (!this.#config.nohistory) this.#history = new SessionHistory(machine, host.options);
    setEnvironment(this.#hooks.env, host);
  }

  set #status(exit: Exit) {
    this.#exit = this.#reason = exit;
  }

  get #config(): Config {
    return this.#host.options.config;
  }

  /** Runs until nothing is left to do. Returns the exit code. */
  async run(): Promise<number> {
    const { linkname, crashCapture } = this.#config;
    if (linkname !== undefined) this.#warn(this.#pidFiles.writeLink(linkname));
    if (crashCapture !== undefined) await this.#packetLog.captureFaults(crashCapture, this.#host.machine, this.#log);
    await this.#chooseCarrier();
    await this.#undoLeftOver();
    const { beatMs } = this.#notifier;
    const endBeats = beatMs === Infinity ? undefined : this.#clock.every(beatMs, () => this.#beat());
    try {
      if (!this.steering.quitting && (await this.#openProxy())) await this.#tryAgainAndAgain();
      this.#standBy.end();
      await this.#hooks.finish(this.#config.childTimeout);
    } finally {
      endBeats?.();
      this.#notifier.stopping();
      this.#history?.end();
      this.#standBy.end();
      this.#socks?.end();
      this.#packetLog.close();
      this.steering.ended();
      for (const problem of this.#pidFiles.remove()) this.#log.write("warn", problem);
    }
    return this.#exit;
  }

  /** False: there is to be a proxy, and there cannot be one. */
  async #openProxy(): Promise<boolean> {
    const { machine } = this.#host;
    const { socks } = this.#config;
    if (socks === undefined) return true;
    const { SocksPort } = await import("../packets/socks-port.ts");
    const openInterface = (): Interface => Interface.label(this.#interfaceHost());
    try {
      this.#socks = new SocksPort({ machine, log: this.#log, openInterface }, socks);
    } catch (error) {
      this.#fail(error);
    }
    return this.#socks !== undefined;
  }

  /** Without any way, the attempt to make an interface says why. */
  async #chooseCarrier(): Promise<void> {
    const { machine, options, sharesByDefault, usernetWord } = this.#host;
    const { share } = this.#config;
    const carrier = await provenCarrierOf(machine, { ...this.#config, sharesByDefault, usernetWord });
    if (carrier.way === "none" || carrier.way === "proxy") return;
    if (carrier.line !== undefined) report(this.#log, [carrier.line]);
    const isUsernet = carrier.way === "sockets";
    options.carrierFound({ usernet: isUsernet, share: isUsernet ? share : carrier.shares });
    if (isUsernet) this.#usernet = (await import("../packets/usernet-port.ts")).UsernetPort;
    if (!this.#config.share && this.#config.forwards.length === 0 && !isUsernet) return;
    const Loaded = this.#host.servicesClass ?? (await import("../share/session-services.ts")).SessionServices;
    this.#services = new Loaded(machine, this.#log);
  }

  /** Who may not change the network cannot undo what a killed session has left there. */
  async #undoLeftOver(): Promise<void> {
    const { machine, runDirectory } = this.#host;
    if (!machine.users.mayMakeInterfaces()) return;
    this.#nameServers.cleanUp();
    const slow: Promise<void>[] = [];
    undoLeftOver(
      machine,
      runDirectory,
      (level, text) => this.#log.write(level, text),
      (done) => void slow.push(done),
    );
    for (const done of slow) this.#hooks.wait(done);
    // The next interface may have the name of the one that a zone of firewalld is left by.
    if (slow.length > 0) await this.#waits.outlast(Promise.all(slow).then(() => {}));
  }

  async #tryAgainAndAgain(): Promise<void> {
    for (;;) {
      this.#retries.begin();
      if (this.#config.demand && !(await this.#awaitPacket())) return;
      const began = this.#clock.now();
      for (const name of LINK_COUNTS) this.#hooks.env.delete(name);
      await this.#tryOnce();
      if (this.steering.quitting || !this.#retries.goesOn) return;
      const wait = this.#retries.waitMs(this.#exit, this.#clock.now() - began);
      if (wait > 0) {
        this.#notifier.status("waiting for the next try");
        this.#host.plugin?.phase("holdoff");
        await this.#waits.sleep(wait);
      }
      if (this.steering.quitting) return;
      if (wait > 0 || this.#retries.hasFailed) this.#standBy.discard();
    }
  }

  async #awaitPacket(): Promise<boolean> {
    this.#host.plugin?.phase("dormant");
    try {
      return await this.#standBy.awaitPacket();
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  /** Gives a sign of life. A timer calls this while the loop does not run. While it runs, its deadlines do. */
  #beat(): void {
    this.#notifier.beat(this.#clock.now());
  }

  // ── one attempt ──────────────────────────────────────────────────────────────────────────────────────────────────

  async #tryOnce(): Promise<void> {
    this.#host.plugin?.phase("serialconn");
    try {
      if (!(await this.#waits.outlast(this.#host.ready()))) return;
      if (this.#config.multilink) await this.#bundle();
      else await this.#single();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#running = undefined;
      this.steering.attemptEnded();
    }
  }

  /** One link on one line. */
  async #single(): Promise<void> {
    const host = {
      ...this.#groupHost(),
      peers: this.#peers,
      whereabouts: this.#whereabouts,
      waits: this.#waits,
      openPort: () => this.#openPort(),
      starts: () => this.#starts(),
      ended: ({ network }: LinkGroup, { hangup, final, visitor }: End) => {
        this.#judge(network);
        if (visitor !== undefined) this.#retries.interrupted();
        if (hangup) this.#retries.skipHoldoff();
        if (final) this.steering.quitting = true;
        // A person who gets the getty is no link that has failed.
        if (visitor === undefined) this.#linkEnded(hangup);
      },
    };
    const single = (this.#running = new SingleLink(host));
    try {
      await single.run(this.#buffers, this.#memory);
    } finally {
      this.#lastLine = single.line;
    }
  }

  #linkEnded(isHangup: boolean): void {
    this.#host.observer?.ended(this.#reason, isHangup);
    this.#history?.ended(this.#reason, isHangup);
  }

  /** A link is about to begin, or a bundle of them. */
  #starts(): void {
    this.#notifier.status(AWAITS_PEER);
    this.#status = Exit.NEGOTIATION;
  }

  /** Several lines, one interface (RFC 1990). */
  async #bundle(): Promise<void> {
    const port = this.#openPort();
    try {
      if (!(await port.begin(this.#config.speed, this.#waits.outlast))) return;
      this.#starts();
      const bundling = (this.#running = new Bundling(this.#groupHost(), port, this.#memory));
      await bundling.run();
      this.#judge(bundling.group.network);
      this.#linkEnded(false);
      port.finish();
    } finally {
      port.release();
    }
  }

  #openInterface(): Interface {
    return Interface.open(this.#interfaceHost());
  }

  #interfaceHost(): InterfaceHost {
    const { machine, options } = this.#host;
    return { machine, options, log: this.#log, hooks: this.#hooks, pidFiles: this.#pidFiles };
  }

  #groupHost(): BundlingHost {
    return {
      ...this.#host,
      hooks: this.#hooks,
      nameServers: this.#nameServers,
      packetLog: this.#packetLog,
      services: this.#services,
      history: this.#history,
      speed: () => this.#config.speed,
      setStatus: (exit) => (this.#status = exit),
      lcpClosed: (byPeer, isHangup) => {
        if (byPeer) this.#reason = Exit.HANGUP;
        if (isHangup) this.#exit = Exit.HANGUP;
      },
      quitting: () => this.steering.quitting,
      onUp: () => {
        this.#host.onUp();
        this.steering.changed();
      },
    };
  }

  /** The links have ended. Takes over what their network phase means for the next attempt. */
  #judge({ wasUp, noHoldoff }: NetworkPhase): void {
    this.#host.plugin?.phase("disconnect");
    if (wasUp) this.#retries.succeeded();
    if (noHoldoff) this.#retries.skipHoldoff();
  }

  /** The packet port of the next link. */
  #openPort(): PacketPort {
    const port = this.#madePort();
    this.steering.lastInterface = port.name;
    return port;
  }

  #madePort(): PacketPort {
    const { machine, options } = this.#host;
    if (this.#usernet !== undefined)
      return new this.#usernet(machine, Interface.label(this.#interfaceHost()), options.config, this.#log);
    return this.#socks ?? this.#standBy.port ?? new TunPort(machine, this.#openInterface(), options, this.#log);
  }

  #fail(error: unknown): void {
    if (error instanceof Failed) {
      const isNew = this.#retries.isFirstFailure || error.exit !== this.#exit;
      this.#status = error.exit;
      if (error.message !== "") this.#log.write(error.level, error.message);
      if (isNew) report(this.#log, error.findings);
      if (error.exit === Exit.FATAL) this.steering.quitting = true;
      this.#history?.ended(error.exit, false);
      if (error instanceof Denied) this.#host.observer?.denied();
      return;
    }
    throw error;
  }

  #warn(problem: string | undefined): void {
    if (problem !== undefined) this.#log.write(this.#host.machine.users.isRoot() ? "error" : "info", problem);
  }
}
