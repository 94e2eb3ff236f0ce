// One line from its lock to its close: all that is done on it before and after PPP (init, connect, carrier, welcome,
// disconnect).

import { type LineHost, openDevice, type Opened } from "./device.ts";
import { Exit, Failed, Gone } from "../exit.ts";
import type { Child } from "../host/processes.ts";
import { lendPort } from "./lending.ts";
import { type Device, isLockError, isTty, type Lock } from "../host/serial.ts";
import { reasonOf } from "../machine.ts";
import { report } from "../diagnose/finding.ts";
import { speedTrouble } from "../diagnose/line-trouble.ts";
import { hasLineScript } from "../diagnose/line-watch.ts";
import { portTrouble, sharedPort } from "../diagnose/port-trouble.ts";
import { latencyTrouble, uartTrouble } from "../diagnose/uart-trouble.ts";
import { RUN_DIRECTORY } from "../live/published-status.ts";
import { quicken } from "./latency.ts";
import { commandEnvironment, runScript } from "./line-script.ts";

const SECOND = 1000;
const SIGTERM = 15;
/** The interval between looks at the carrier, and the time after which the log says that we wait for it. */
const CARRIER_POLL_MS = 100;
const CARRIER_WORD_MS = 3000;
/** The interval between looks for an adapter that was pulled out. */
const GONE_POLL_MS = 500;
/** The longest wait for the last packets of a link. Flow control may have stopped the line. */
const DRAIN_MS = 1000;

export class Line {
  /** When a program that does not end by itself is ended. Infinity when there is no such program. */
  programEndsAt = Infinity;
  readonly #host: LineHost;
  #lock: Lock | undefined;
  #tty: Device | undefined;
  /** The program that `pty` started. */
  #program: Child | undefined;
  /** Puts back the latency timer of the adapter. */
  #slowDown: (() => void) | undefined;
  /** Ends the script that runs on the line. */
  #endScript: ((signal: number) => void) | undefined;
  /** The signal that ends the line. */
  #signal: number | undefined;

  constructor(host: LineHost) {
    this.#host = host;
  }

  /** The device, while it is open. */
  get path(): string | undefined {
    return this.#tty?.path;
  }

  /** Locks and opens the device and makes it ready for PPP. Throws Failed. */
  async open(): Promise<Device> {
    const { device, program } = await this.#openDevice();
    this.#tty = device;
    this.#program = program;
    this.#reportPort(device);
    await this.#prepare(device);
    return device;
  }

  /**
   * Logs trouble of the port that is known at the start: other programs that read it while a script uses it, a speed
   * that it cannot do, its chip. Makes a USB adapter quick.
   */
  #reportPort(tty: Device): void {
    const { machine, options, log } = this.#host;
    const { config } = options;
    if (config.device === undefined || config.defaultDevice) return;
    const { serial } = machine;
    if (hasLineScript(config)) report(log, sharedPort(serial, tty.path));
    report(log, speedTrouble(tty.path, config.speed, tty.speed, serial.uartBase(tty.fd)));
    report(log, uartTrouble(tty.path, serial.uartOf(tty.fd)));
    this.#slowDown = quicken(machine, RUN_DIRECTORY, tty.path);
    report(log, latencyTrouble(tty.path, serial.latencyOf(tty.path), false));
  }

  /** Ends the script that runs on the line. The program of `pty` is ended when the line is closed. */
  signal(number: number): void {
    this.#signal = number;
    this.#endScript?.(number);
  }

  /**
   * Runs the disconnect script after the link has ended. With `hangup` the line has ended too, and no script runs.
   * `speed` is that of the line before the link has changed it.
   */
  async end({ hangup, speed }: { readonly hangup: boolean; readonly speed?: number | undefined }): Promise<void> {
    const tty = this.#tty;
    if (tty === undefined || hangup) return;
    await tty.drain(DRAIN_MS);
    if (speed !== undefined && isTty(tty)) tty.setSpeed(speed);
    await this.#disconnect(tty);
  }

  /** Gives the port to a program until it ends. `name` is what the caller has typed; "": nothing. */
  async lend(command: string, name: string): Promise<void> {
    const tty = this.#tty;
    if (tty === undefined || !isTty(tty)) return;
    const { machine, options, log, hooks, notifier } = this.#host;
    notifier.status(`${tty.path} is lent to ${command}`);
    await tty.drain(DRAIN_MS);
    if (this.#isOver) return;
    const started = (end: () => void): void => void (this.#endScript = end);
    await lendPort(command, name, { machine, config: options.config, log, hooks, tty, lock: this.#lock, started });
    this.#endScript = undefined;
  }

  /** Lowers DTR, so the modem hangs up. */
  dropDtr(): void {
    const { modem, defaultDevice } = this.#host.options.config;
    // With HUPCL in the terminal settings, DTR also falls when the port is closed.
    if (this.#tty !== undefined && modem && !defaultDevice) this.#host.machine.serial.setDtr(this.#tty.fd, false);
  }

  /** Restores the settings of the device, closes it, and unlocks it. */
  close(): void {
    this.#slowDown?.();
    this.#tty?.close();
    this.#lock?.unlock();
    this.#endProgram();
    this.#tty = this.#lock = this.#program = this.#slowDown = undefined;
  }

  /** A program that has lost its line should end by itself. If it does not, it is ended after `child-timeout`. */
  #endProgram(): void {
    const program = this.#program;
    const { childTimeout } = this.#host.options.config;
    if (program === undefined || program.ending !== undefined) return;
    if (this.#signal !== undefined) program.kill(this.#signal);
    if (childTimeout <= 0) return;
    const { clock } = this.#host.machine;
    this.programEndsAt = clock.now() + childTimeout * SECOND;
    const end = (): void => {
      this.programEndsAt = Infinity;
      program.kill(SIGTERM);
    };
    const cancel = clock.after(childTimeout * SECOND, end, false);
    void program.ended.then(() => {
      this.programEndsAt = Infinity;
      cancel();
    });
  }

  /** Opens the device. With `persist`, waits for an adapter that was pulled out, under whatever name it comes back. */
  async #openDevice(): Promise<Opened> {
    const { options, notifier, whereabouts, sleep } = this.#host;
    if (whereabouts === undefined) return openDevice(this.#opening);
    for (let wasMissing = false; ; await sleep(GONE_POLL_MS)) {
      this.#goOn();
      const place = whereabouts.find();
      if (place.there || !options.config.persist) {
        options.deviceFound(place.path);
        const opened = await this.#tryDevice(place.real);
        const word = opened && whereabouts.opened(place, wasMissing);
        if (word !== undefined) this.#tell(word);
        if (opened !== undefined) return opened;
      }
      if (!wasMissing) this.#tell(whereabouts.missing(place));
      notifier.status(`waiting for ${place.path}`);
      wasMissing = true;
    }
  }

  #tell(text: string): void {
    this.#host.log.write("notice", text);
    this.#host.lineChanged(text);
  }

  /** The host while the line is opened. Each signal ends the opening, even if another line is opened after it. */
  get #opening(): LineHost {
    return { ...this.#host, quitting: () => this.#isOver };
  }

  get #isOver(): boolean {
    return this.#signal !== undefined || this.#host.quitting();
  }

  /** Throws Failed when a signal has come, so that nothing starts which the signal should have ended. */
  #goOn(): void {
    if (this.#isOver) throw new Failed(Exit.USER_REQUEST, "");
  }

  /** Undefined when the device is gone and we wait for it. */
  async #tryDevice(real: string): Promise<Opened | undefined> {
    this.#lock = this.#lockDevice(real);
    try {
      return await openDevice(this.#opening);
    } catch (error) {
      if (!(error instanceof Gone) || !this.#host.options.config.persist) throw error;
      this.#lock?.unlock();
      this.#lock = undefined;
      return undefined;
    }
  }

  #lockDevice(device: string): Lock | undefined {
    const { machine, options } = this.#host;
    const { lock, defaultDevice } = options.config;
    if (!lock || defaultDevice) return undefined;
    try {
      const held = machine.serial.lock(device);
      if (held.notice !== undefined) this.#host.log.write("notice", held.notice);
      return held;
    } catch (error) {
      if (!isLockError(error)) throw error;
      if (error.denied !== undefined && this.#goesWithoutLock) {
        this.#host.log.write("warn", `${error.message}. The port is used without a lock`);
        return undefined;
      }
      throw new Failed(Exit.LOCK, error.message, "error", portTrouble(machine, device, error));
    }
  }

  /** An ordinary user with user-mode networking or a proxy has no rights of others. No other process has locked the port. */
  get #goesWithoutLock(): boolean {
    const { machine, options } = this.#host;
    const { usernet, socks } = options.config;
    return (usernet || socks !== undefined) && !machine.users.isRoot();
  }

  /** Runs init and connect, waits for the carrier, and runs welcome. */
  async #prepare(tty: Device): Promise<void> {
    const { machine, options, log, sleep, notifier } = this.#host;
    const { config } = options;
    const { init, connect, welcome, modem, defaultDevice } = config;
    notifier.status(`${tty.path} is open`);
    const scripted = (init ?? "") !== "" || (connect ?? "") !== "";
    if (scripted && modem && !defaultDevice && machine.serial.setDtr(tty.fd, false)) {
      await sleep(SECOND);
      machine.serial.setDtr(tty.fd, true);
    }
    this.#goOn();
    if ((init ?? "") !== "" && !(await this.#runScript(init!, tty)))
      throw new Failed(Exit.INIT, "Initializer script failed");
    if ((connect ?? "") !== "") {
      this.#goOn();
      if (!(await this.#runScript(connect!, tty))) throw new Failed(Exit.CONNECT, "Connect script failed");
      log.write("info", "Serial connection established.");
    }
    tty.configure(true);
    if (connect === undefined && modem) await this.#waitForCarrier(tty);
    if (this.#isOver) return;
    if ((welcome ?? "") !== "" && !(await this.#runScript(welcome!, tty))) log.write("warn", "Welcome script failed");
    // Scripts may have changed the settings of the line, and may have made its descriptor blocking.
    tty.configure(true);
    tty.setExclusive(true);
  }

  async #runScript(command: string, tty: Device): Promise<boolean> {
    const { machine, options, log, hooks } = this.#host;
    const env = commandEnvironment(machine, options.config);
    const { fd: line, writeFd: output } = tty;
    try {
      const started = (end: (signal: number) => void): void => void (this.#endScript = end);
      return (await runScript(command, { machine, line, output, log, env, hooks, started })) === 0;
    } catch (error) {
      log.write("error", `Can't execute ${command}: ${reasonOf(error)}`);
      return false;
    } finally {
      this.#endScript = undefined;
    }
  }

  async #waitForCarrier(tty: Device): Promise<void> {
    const { machine, log, sleep, quitting, notifier } = this.#host;
    const { clock, serial } = machine;
    const began = clock.now();
    let told = false;
    while (serial.modemLines(tty.fd)?.cd === false && !quitting()) {
      notifier.status(`waiting for carrier on ${tty.path}`);
      if (!told && clock.now() - began > CARRIER_WORD_MS) {
        told = true;
        log.write("info", `Waiting for carrier on ${tty.path}; a 3-wire cable has none: use the local option`);
      }
      await sleep(CARRIER_POLL_MS);
    }
  }

  async #disconnect(tty: Device): Promise<void> {
    const {
      options: { config },
      log,
    } = this.#host;
    const { disconnect } = config;
    if ((disconnect ?? "") === "") return;
    tty.configure(false);
    if (await this.#runScript(disconnect!, tty)) log.write("info", "Serial link disconnected.");
    else log.write("warn", "disconnect script failed");
  }
}
