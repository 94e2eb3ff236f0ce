// One line from its lock to its close: all that happens on it before PPP does, and after (init, connect, carrier, welcome,
// disconnect).

import type { Config } from "../options/config.ts";
import { OsError, reasonOf } from "../os/libc.ts";
import { carrier, setDtr } from "../os/line.ts";
import { type Lock, lockDevice, LockError } from "../os/lock.ts";
import type { Log, LogLevel } from "../os/log.ts";
import { adoptTty, BaudRateError, openTty, type Tty, type TtySettings } from "../os/tty.ts";
import { Exit } from "./exit.ts";
import type { Hooks } from "./hooks.ts";
import { runScript } from "./script.ts";

const SECOND = 1000;
/** How often the carrier is looked for, and when the wait is worth a word. */
const CARRIER_POLL_MS = 100;
const CARRIER_WORD_MS = 3000;
/** The last packets of a link, and no more, are waited for on a line that may be stopped. */
const DRAIN_MS = 1000;

/** Why an attempt ended before its link began; the exit code goes with it. */
export class Failed extends Error {
  readonly exit: Exit;
  readonly level: LogLevel;

  constructor(exit: Exit, message: string, level: LogLevel = "error") {
    super(message);
    this.exit = exit;
    this.level = level;
  }
}

export interface LineHost {
  readonly config: Config;
  readonly log: Log;
  readonly hooks: Hooks;
  /** Sleeps, unless a signal says otherwise. */
  sleep(milliseconds: number): Promise<void>;
  /** Nothing more is to be begun. */
  quitting(): boolean;
}

export class Line {
  readonly #host: LineHost;
  #lock: Lock | undefined;
  #tty: Tty | undefined;
  /** Ends the script that runs on the line. */
  #endScript: ((signal: number) => void) | undefined;

  constructor(host: LineHost) {
    this.#host = host;
  }

  /** Locks and opens the device and makes it ready for PPP. Throws Failed. */
  async open(): Promise<Tty> {
    this.#lock = this.#lockDevice();
    const tty = (this.#tty = await this.#openDevice());
    await this.#prepare(tty);
    return tty;
  }

  /** Ends the script on the line, if one runs. */
  signal(number: number): void {
    this.#endScript?.(number);
  }

  /** The link has ended; `hangup`: and the line with it. */
  async end(hangup: boolean): Promise<void> {
    const tty = this.#tty;
    if (tty === undefined || hangup) return;
    await tty.drain(DRAIN_MS);
    await this.#disconnect(tty);
  }

  /** DTR falls: the modem hangs up. */
  dropDtr(): void {
    const { modem, defaultDevice } = this.#host.config;
    // The line's own HUPCL lets DTR fall again at close.
    if (this.#tty !== undefined && modem && !defaultDevice) setDtr(this.#tty.fd, false);
  }

  /** Closes the device as it was found, and unlocks it. */
  close(): void {
    this.#tty?.close();
    this.#lock?.unlock();
    this.#tty = this.#lock = undefined;
  }

  #lockDevice(): Lock | undefined {
    const { lock, device, defaultDevice } = this.#host.config;
    if (!lock || device === undefined || defaultDevice) return undefined;
    try {
      const held = lockDevice(device);
      if (held.notice !== undefined) this.#host.log.write("notice", held.notice);
      return held;
    } catch (error) {
      if (error instanceof LockError) throw new Failed(Exit.LOCK, error.message);
      throw error;
    }
  }

  async #openDevice(): Promise<Tty> {
    const { device, defaultDevice, speed, modem, crtscts, stopBits } = this.#host.config;
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

  /** init, connect, carrier, welcome. */
  async #prepare(tty: Tty): Promise<void> {
    const { config, log, sleep, quitting } = this.#host;
    const { init, connect, welcome, modem, defaultDevice } = config;
    const scripted = (init ?? "") !== "" || (connect ?? "") !== "";
    if (scripted && modem && !defaultDevice && setDtr(tty.fd, false)) {
      await sleep(SECOND);
      setDtr(tty.fd, true);
    }
    if ((init ?? "") !== "" && !(await this.#runScript(init!, tty)))
      throw new Failed(Exit.INIT, "Initializer script failed");
    if ((connect ?? "") !== "") {
      if (!(await this.#runScript(connect!, tty))) throw new Failed(Exit.CONNECT, "Connect script failed");
      log.write("info", "Serial connection established.");
    }
    tty.configure(true);
    if (connect === undefined && modem) await this.#waitForCarrier(tty);
    if (quitting()) return;
    if ((welcome ?? "") !== "" && !(await this.#runScript(welcome!, tty))) log.write("warn", "Welcome script failed");
    // Scripts may have changed the line, and leave its descriptor blocking.
    tty.configure(true);
    tty.setExclusive(true);
  }

  async #runScript(command: string, tty: Tty): Promise<boolean> {
    const { config, log, hooks } = this.#host;
    const { environment } = config;
    const env: Record<string, string> = {};
    for (const [name, value] of Object.entries(process.env)) if (value !== undefined) env[name] = value;
    for (const { name, value } of environment) if (value === undefined) delete env[name];
    for (const { name, value } of environment) if (value !== undefined) env[name] = value;
    try {
      const started = (end: (signal: number) => void): void => void (this.#endScript = end);
      return (await runScript(command, { line: tty.fd, log, env, hooks, started })) === 0;
    } catch (error) {
      log.write("error", `Can't execute ${command}: ${reasonOf(error)}`);
      return false;
    } finally {
      this.#endScript = undefined;
    }
  }

  async #waitForCarrier(tty: Tty): Promise<void> {
    const { log, sleep, quitting } = this.#host;
    const began = performance.now();
    let told = false;
    while (carrier(tty.fd) === false && !quitting()) {
      if (!told && performance.now() - began > CARRIER_WORD_MS) {
        told = true;
        log.write("info", `Waiting for carrier on ${tty.path}; a 3-wire cable has none: use the local option`);
      }
      await sleep(CARRIER_POLL_MS);
    }
  }

  async #disconnect(tty: Tty): Promise<void> {
    const { config, log } = this.#host;
    const { disconnect } = config;
    if ((disconnect ?? "") === "") return;
    tty.configure(false);
    if (await this.#runScript(disconnect!, tty)) log.write("info", "Serial link disconnected.");
    else log.write("warn", "disconnect script failed");
  }
}
