// A session: line, scripts, link, interface, and the same again with `persist`. What pppd calls main().

import type { Config } from "../options/config.ts";
import { closeFd, OsError, reasonOf } from "../os/libc.ts";
import { carrier, setDtr } from "../os/line.ts";
import { type Lock, lockDevice, LockError } from "../os/lock.ts";
import type { Log, LogLevel } from "../os/log.ts";
import { PidFiles } from "../os/pidfile.ts";
import type { SignalEvent } from "../os/signals.ts";
import { adoptTty, BaudRateError, openTty, type Tty, type TtySettings } from "../os/tty.ts";
import { openTun, type Tun } from "../os/tun.ts";
import { Attempt, type AttemptHost } from "./attempt.ts";
import { Exit } from "./exit.ts";
import { Hooks } from "./hooks.ts";
import { Buffers } from "./loop.ts";
import { runScript } from "./script.ts";
import { adviceOn } from "./trouble.ts";
import { warmUp } from "./warmup.ts";

const SECOND = 1000;
/** How often the carrier is looked for, and when the wait is worth a word. */
const CARRIER_POLL_MS = 100;
const CARRIER_WORD_MS = 3000;
/** The last packets of a link, and no more, are waited for on a line that may be stopped. */
const DRAIN_MS = 1000;
/** A timer of more fires at once. */
const LONGEST_MS = 0x7fffffff;
/** A port that cannot be opened is tried again after this long at the least. */
const REOPEN_MS = 1000;

export interface SessionHost extends AttemptHost {
  /** The name of who runs us, for PPPLOGNAME and the scripts. */
  readonly user: string;
  readonly uid: number;
  readonly runDirectory: string;
}

/** Why an attempt ended before its link began; the exit code goes with it. */
class Failed extends Error {
  readonly exit: Exit;
  readonly level: LogLevel;

  constructor(exit: Exit, message: string, level: LogLevel = "error") {
    super(message);
    this.exit = exit;
    this.level = level;
  }
}

export class Session {
  readonly #config: Config;
  readonly #host: SessionHost;
  readonly #log: Log;
  readonly #hooks: Hooks;
  readonly #pidFiles: PidFiles;
  readonly #buffers = new Buffers();
  #status: Exit = Exit.OK;
  /** Nothing more is tried: SIGTERM, SIGINT, or a limit that ends the program. */
  #quitting = false;
  #needHoldoff = true;
  #failures = 0;
  /** Wakes whatever the session waits for outside the loop. */
  #wake: (() => void) | undefined;
  /** Ends the script that runs on the line. */
  #endScript: ((signal: number) => void) | undefined;
  #attempt: Attempt | undefined;

  constructor(host: SessionHost) {
    this.#host = host;
    this.#config = host.config;
    this.#log = host.log;
    this.#hooks = new Hooks((level, text) => this.#log.write(level, text));
    this.#pidFiles = new PidFiles(host.runDirectory);
    this.#setEnvironment();
  }

  #setEnvironment(): void {
    const { config, user, uid } = this.#host;
    const { env } = this.#hooks;
    env.set("ORIG_UID", String(uid)).set("PPPLOGNAME", user).set("PPPD_PID", String(process.pid));
    if (config.callFile !== undefined) env.set("CALL_FILE", config.callFile);
    if (config.linkname !== undefined) env.set("LINKNAME", config.linkname);
    if (config.remotenumber !== undefined) env.set("REMOTENUMBER", config.remotenumber);
    for (const { name, value } of config.environment) value === undefined ? env.delete(name) : env.set(name, value);
  }

  /** Runs until there is nothing more to do; the exit code. */
  async run(): Promise<number> {
    const { persist, maxfail, linkname } = this.#config;
    if (linkname !== undefined) this.#warn(this.#pidFiles.writeLink(linkname));
    warmUp();
    try {
      for (;;) {
        this.#failures++;
        this.#needHoldoff = true;
        const began = performance.now();
        await this.#tryOnce();
        if (this.#quitting || !persist || (maxfail > 0 && this.#failures >= maxfail)) break;
        await this.#holdOff(began);
        if (this.#quitting) break;
      }
      await this.#hooks.finish(this.#config.childTimeout);
    } finally {
      for (const problem of this.#pidFiles.remove()) this.#log.write("warn", problem);
    }
    return this.#status;
  }

  async #holdOff(began: number): Promise<void> {
    let wait = this.#needHoldoff ? this.#config.holdoff * SECOND : 0;
    // pppd goes round as fast as it can when the port cannot even be opened.
    if (this.#status === Exit.OPEN || this.#status === Exit.LOCK)
      wait = Math.max(wait, REOPEN_MS - (performance.now() - began));
    if (wait > 0) await this.#sleep(wait);
  }

  /** Sleeps, unless a signal says otherwise. */
  #sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, Math.min(milliseconds, LONGEST_MS));
      const session = this;
      function done(): void {
        clearTimeout(timer);
        session.#wake = undefined;
        resolve();
      }
      this.#wake = done;
    });
  }

  /** Waits for a script, unless a signal says otherwise: false then. */
  async #outlast(script: Promise<void> | undefined): Promise<boolean> {
    const woken = new Promise<boolean>((resolve) => (this.#wake = () => resolve(false)));
    const ended = await Promise.race([script?.then(() => true) ?? true, woken]);
    this.#wake = undefined;
    return ended;
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
        if (!this.#config.persist) this.#quit(Exit.USER_REQUEST, event.number);
        else {
          this.#needHoldoff = false;
          this.#endAttempt(event.number);
        }
        return;
      case "SIGUSR1":
        this.#log.debug = !this.#log.debug;
        if (this.#attempt !== undefined) this.#attempt.link.debug = this.#log.debug ? 1 : 0;
        return;
      case "SIGUSR2":
        this.#attempt?.restartCcp();
        return;
      default:
        event.name satisfies never;
    }
  }

  #quit(exit: Exit, signal: number): void {
    this.#quitting = true;
    this.#status = exit;
    this.#endAttempt(signal);
  }

  #endAttempt(signal: number): void {
    this.#wake?.();
    this.#endScript?.(signal);
    this.#attempt?.close("User request");
  }

  // ── one attempt ──────────────────────────────────────────────────────────────────────────────────────────────────

  async #tryOnce(): Promise<void> {
    const config = this.#config;
    let lock: Lock | undefined;
    let tty: Tty | undefined;
    let tun: Tun | undefined;
    try {
      lock = this.#lock();
      tty = await this.#openLine();
      await this.#prepareLine(tty);
      if (this.#quitting) return;
      tun = this.#openInterface();
      const { device } = config;
      const speed = tty.speed;
      this.#hooks.env.set("IFNAME", tun.name).set("UNIT", String(tun.unit)).set("SPEED", String(speed));
      if (device !== undefined) this.#hooks.env.set("DEVICE", device);
      this.#log.write("info", `Using interface ${tun.name}`);
      if (!(await this.#outlast(this.#hooks.start(config.netInitScript, this.#netArgs(tun.name, speed))))) return;
      this.#log.write("notice", `Connect: ${tun.name} <--> ${tty.path}`);
      this.#writePidFiles(tun.name);
      this.#status = Exit.NEGOTIATION;
      this.#attempt = new Attempt(this.#host, this.#hooks, this.#buffers, tty, tun, (exit) => (this.#status = exit));
      const end = await this.#attempt.run();
      if (end.up) this.#failures = 0;
      if (end.noHoldoff) this.#needHoldoff = false;
      if (end.final) this.#quitting = true;
      this.#attempt = undefined;
      if (!end.hangup) await tty.drain(DRAIN_MS);
      if (!end.hangup) await this.#disconnect(tty);
      this.#hooks.start(config.netDownScript, this.#netArgs(tun.name, speed));
      this.#dropDtr(tty);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#attempt = undefined;
      tty?.close();
      lock?.unlock();
      if (tun !== undefined) {
        closeFd(tun.fd);
        for (const problem of this.#pidFiles.remove(tun.name)) this.#log.write("warn", problem);
      }
    }
  }

  #fail(error: unknown): void {
    if (error instanceof Failed) {
      this.#status = error.exit;
      if (error.message !== "") this.#log.write(error.level, error.message);
      if (error.exit === Exit.FATAL) this.#quitting = true;
      return;
    }
    throw error;
  }

  #lock(): Lock | undefined {
    const { lock, device, defaultDevice } = this.#config;
    if (!lock || device === undefined || defaultDevice) return undefined;
    try {
      const held = lockDevice(device);
      if (held.notice !== undefined) this.#log.write("notice", held.notice);
      return held;
    } catch (error) {
      if (error instanceof LockError) throw new Failed(Exit.LOCK, error.message);
      throw error;
    }
  }

  async #openLine(): Promise<Tty> {
    const { device, defaultDevice, speed, modem, crtscts, stopBits } = this.#config;
    const flow = ({ on: "crtscts", off: "nocrtscts", xonxoff: "xonxoff", unset: "unchanged" } as const)[crtscts];
    const settings: TtySettings = { speed, modem, flow, stopBits };
    const path = device ?? "/dev/tty";
    try {
      return defaultDevice ? adoptTty(0, path, settings) : await openTty(path, settings);
    } catch (error) {
      if (error instanceof BaudRateError) throw new Failed(Exit.FATAL, error.message);
      if (!(error instanceof OsError)) throw error;
      if (error.call === "open") throw new Failed(Exit.OPEN, `Failed to open ${path}: ${reasonOf(error)}`);
      throw new Failed(Exit.FATAL, `${error.call}: ${reasonOf(error)}`);
    }
  }

  /** init, connect, carrier, welcome: all that happens on the line before PPP does. */
  async #prepareLine(tty: Tty): Promise<void> {
    const { init, connect, welcome, modem, defaultDevice } = this.#config;
    const scripted = (init ?? "") !== "" || (connect ?? "") !== "";
    if (scripted && modem && !defaultDevice && setDtr(tty.fd, false)) {
      await this.#sleep(SECOND);
      setDtr(tty.fd, true);
    }
    if ((init ?? "") !== "" && !(await this.#runScript(init!, tty)))
      throw new Failed(Exit.INIT, "Initializer script failed");
    if ((connect ?? "") !== "") {
      if (!(await this.#runScript(connect!, tty))) throw new Failed(Exit.CONNECT, "Connect script failed");
      this.#log.write("info", "Serial connection established.");
    }
    tty.configure(true);
    if (connect === undefined && modem) await this.#waitForCarrier(tty);
    if (this.#quitting) return;
    if ((welcome ?? "") !== "" && !(await this.#runScript(welcome!, tty)))
      this.#log.write("warn", "Welcome script failed");
    // Scripts may have changed the line, and leave its descriptor blocking.
    tty.configure(true);
    tty.setExclusive(true);
  }

  async #runScript(command: string, tty: Tty): Promise<boolean> {
    const { environment } = this.#config;
    const env: Record<string, string> = {};
    for (const [name, value] of Object.entries(process.env)) if (value !== undefined) env[name] = value;
    for (const { name, value } of environment) if (value === undefined) delete env[name];
    for (const { name, value } of environment) if (value !== undefined) env[name] = value;
    try {
      const started = (end: (signal: number) => void): void => void (this.#endScript = end);
      return (await runScript(command, { line: tty.fd, log: this.#log, env, hooks: this.#hooks, started })) === 0;
    } catch (error) {
      this.#log.write("error", `Can't execute ${command}: ${reasonOf(error)}`);
      return false;
    } finally {
      this.#endScript = undefined;
    }
  }

  async #waitForCarrier(tty: Tty): Promise<void> {
    const began = performance.now();
    let told = false;
    while (carrier(tty.fd) === false && !this.#quitting) {
      if (!told && performance.now() - began > CARRIER_WORD_MS) {
        told = true;
        this.#log.write("info", `Waiting for carrier on ${tty.path}; a 3-wire cable has none: use the local option`);
      }
      await this.#sleep(CARRIER_POLL_MS);
    }
  }

  #openInterface(): Tun {
    const { ifname, unit } = this.#config;
    try {
      return openTun({
        ...(ifname === undefined ? {} : { ifname }),
        ...(unit === undefined ? {} : { unit }),
      });
    } catch (error) {
      if (!(error instanceof OsError)) throw error;
      for (const line of adviceOn(error)) this.#log.write("error", line);
      throw new Failed(Exit.FATAL, "");
    }
  }

  #writePidFiles(ifname: string): void {
    const { linkname } = this.#config;
    this.#warn(this.#pidFiles.writeInterface(ifname));
    if (linkname !== undefined) this.#warn(this.#pidFiles.writeLink(linkname, ifname));
  }

  #warn(problem: string | undefined): void {
    if (problem !== undefined) this.#log.write("error", problem);
  }

  #netArgs(ifname: string, speed: number): string[] {
    const { device, ipparam } = this.#config;
    return [ifname, device ?? "", String(speed), ...(ipparam === undefined ? [] : [ipparam])];
  }

  async #disconnect(tty: Tty): Promise<void> {
    const { disconnect } = this.#config;
    if ((disconnect ?? "") === "") return;
    tty.configure(false);
    if (await this.#runScript(disconnect!, tty)) this.#log.write("info", "Serial link disconnected.");
    else this.#log.write("warn", "disconnect script failed");
  }

  #dropDtr(tty: Tty): void {
    const { modem, defaultDevice } = this.#config;
    // The line's own HUPCL lets DTR fall again at close.
    if (modem && !defaultDevice) setDtr(tty.fd, false);
  }
}
