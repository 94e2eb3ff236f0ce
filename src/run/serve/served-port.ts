// One port that is served: a session of pppd, and another one when it has ended. Whatever happens to it, the other ports go on.

import { withFields } from "../../options/config.ts";
import { OptionError, OptionExit } from "../../options/error.ts";
import { isFailure, type OptionHost } from "../../options/host.ts";
import { Exit } from "../exit.ts";
import type { ControlledLink } from "../control/controlled-link.ts";
import type { Adapter } from "../host/serial.ts";
import type { SignalEvent } from "../host/processes.ts";
import type { Machine } from "../machine.ts";
import { AWAITS_CALL, AWAITS_PEER, type Notifier } from "../notifier.ts";
import { Passwords } from "../peers/passwords.ts";
import { Peers } from "../peers/peers.ts";
import { Session } from "../session/session.ts";
import { Waits } from "../session/waits.ts";
import { OptionsInForce } from "../settings/options-in-force.ts";
import { carrierOf } from "../packets/carrier.ts";
import type { SharedPoll } from "../loop/shared-poll.ts";
import { portOptions } from "./port-options.ts";
import { PortVoice } from "./port-voice.ts";
import type { ServeHost } from "./serve-host.ts";
import { portName, type PortWish, type ServeWishes } from "./serve-words.ts";

/** A session that has ended by an error that nobody has asked for is started again after this long. */
const RETRY_MS = 5000;
const NO_LOGFILE = { logDefault: true, logfd: undefined };

export interface ServedPortHost extends ServeHost {
  readonly poll: SharedPoll;
  readonly wishes: ServeWishes;
  /** The state of the port has changed: for the service manager. */
  state(name: string, text: string): void;
  /** Prints an event that concerns all ports, unless one of them has told it already. */
  readonly printOnce: (line: string) => void;
  /** The port was refused at the start: its options are wrong, or this user may not open it. */
  refused(exit: Exit): void;
}

export class ServedPort {
  readonly name: string;
  /** The number of its private addresses. */
  readonly slot: number;
  /** What is plugged in, where it can be told from others. */
  #adapter: Adapter | undefined;
  readonly #host: ServedPortHost;
  readonly #machine: Machine;
  readonly #wish: PortWish;
  readonly #voice: PortVoice;
  readonly #waits: Waits;
  #options: OptionsInForce | undefined;
  #closeLog = (): void => {};
  /** Files that the options have opened, as often as they were read. */
  readonly #logFds: number[] = [];
  #session: Session | undefined;
  #isEnding = false;
  /** The port was neither open nor refused. */
  #isAtStart = true;

  constructor(host: ServedPortHost, wish: PortWish, slot: number) {
    this.#host = host;
    this.#machine = host.poll.machine;
    this.#wish = wish;
    this.name = portName(wish);
    this.slot = slot;
    this.#waits = new Waits(this.#machine.clock);
    const { print, printOnce } = host;
    const denied = (): void => this.#refused(Exit.NOT_ROOT);
    this.#voice = new PortVoice({ name: this.name, print, printOnce, denied }, host.openLog(NO_LOGFILE).log);
  }

  /** The device, under the name that it has now. */
  get #path(): string | undefined {
    if (this.#wish.kind !== "device") return undefined;
    return this.#options?.config.device ?? this.#wish.path;
  }

  /** True when a device that is there is this port's: it is the same, or the same adapter under another name. */
  isAt(path: string): boolean {
    const own = this.#path;
    if (own === undefined) return false;
    const { files } = this.#machine;
    if (files.isCharacterDevice(own)) {
      this.#adapter = this.#adapterAt(own);
      return this.#realOf(own) === this.#realOf(path);
    }
    const there = this.#adapterAt(path);
    const isSame = there !== undefined && this.#adapter !== undefined;
    return own === path || (isSame && this.#machine.serial.isSameAdapter(there, this.#adapter!));
  }

  #adapterAt(path: string): Adapter | undefined {
    const real = this.#realOf(path);
    return this.#machine.serial.adapterOf(real.slice(real.lastIndexOf("/") + 1), "/sys");
  }

  #realOf(path: string): string {
    try {
      return this.#machine.files.realPath(path);
    } catch {
      return path;
    }
  }

  /** Serves it until {@link onSignal} ends it. */
  async run(): Promise<void> {
    while (!this.#isEnding) {
      await this.#host.poll.run(() => this.#tryOnce());
      if (!this.#isEnding) await this.#waits.sleep(RETRY_MS);
    }
  }

  async #tryOnce(): Promise<void> {
    const voice = this.#voice;
    try {
      this.#session = this.#makeSession();
      this.#session.steering.quitRefusal = `${this.name} is a port of nullmodem serve: hangup ends the call, and SIGTERM ends all ports`;
      await this.#session.run();
    } catch (error) {
      if (error instanceof OptionError) for (const line of [...error.lines, ...error.hints]) voice.write("error", line);
      else if (error instanceof OptionExit) voice.write("error", `${error.asked} is no option of a port`);
      // This is a bug of ours. The session has cleaned up already.
      else
        for (const line of String(error instanceof Error ? error.stack : error).split("\n")) voice.write("error", line);
      if (error instanceof OptionError || error instanceof OptionExit) this.#refused(refusalCode(error));
    } finally {
      this.#isAtStart = false;
      this.#closeLog();
      this.#closeLog = () => {};
      for (const fd of this.#logFds.splice(0)) this.#machine.descriptors.close(fd);
      voice.log = this.#host.openLog(NO_LOGFILE).log;
      this.#session = this.#options = undefined;
    }
  }

  #refused(exit: Exit): void {
    if (this.#isAtStart) this.#host.refused(exit);
    this.#isAtStart = false;
  }

  #makeSession(): Session {
    const { poll, wishes, runDirectory, etc, user, uid, onUp, configured } = this.#host;
    const voice = this.#voice;
    const own = this.#host.optionHost({
      inform: (text) => voice.write("info", text),
      warn: (text) => voice.write("warn", text),
      complain: (text) => voice.write("error", text),
    });
    const optionHost: OptionHost = {
      ...own,
      openLogfile: (path, as) => {
        const fd = own.openLogfile(path, as);
        if (!isFailure(fd)) this.#logFds.push(fd);
        return fd;
      },
    };
    const given = portOptions(optionHost, this.#wish, this.slot, wishes);
    const { config: told, host: inForce, overridesAuth, sharesByDefault } = given;
    const config = withFields(told, { detach: "nodetach" });
    configured(config);
    const { machine } = poll;
    const carrier = carrierOf(machine, config);
    if (carrier.way === "none" && carrier.exit === Exit.NOT_ROOT)
      throw new OptionError("noshare needs root's rights, or CAP_NET_ADMIN, for an interface", { code: carrier.exit });
    if (overridesAuth)
      voice.write("warn", `Callers need no password, although ${etc}/options says auth: --auth asks for one`);
    ({ log: voice.log, close: this.#closeLog } = this.#host.openLog(config));
    voice.debug = config.debug > 0;
    const passwords = new Passwords(config, machine, voice);
    this.#options = new OptionsInForce(config);
    return new Session({
      machine,
      options: this.#options,
      log: voice,
      peersOf: (options) => new Peers(options, inForce, machine, voice, passwords),
      ready: () => passwords.ready(),
      etc,
      user,
      uid,
      runDirectory,
      notifier: this.#notifier(),
      observer: voice,
      sharesByDefault,
      usernetWord: "-- usernet",
      onUp,
    });
  }

  #notifier(): Notifier {
    return {
      beatMs: Infinity,
      beatAt: Infinity,
      beat: () => {},
      status: (text) => {
        this.#isAtStart = false;
        if (text === AWAITS_PEER || text.startsWith(AWAITS_CALL)) this.#voice.awaitsCaller();
        this.#host.state(this.name, text);
      },
      stopping: () => {},
    };
  }

  /** Undefined while it waits for its next session. */
  get controlled(): ControlledLink | undefined {
    return this.#session?.steering;
  }

  onSignal(event: SignalEvent): void {
    if (event.type === "fatal" || event.name === "SIGTERM" || event.name === "SIGINT") this.#tryNoMore();
    this.#session?.steering.onSignal(event);
  }

  /** Ends it, if no signal has done so. */
  end(): void {
    this.#tryNoMore();
    this.#session?.steering.end();
  }

  #tryNoMore(): void {
    this.#isEnding = true;
    this.#waits.wake();
  }
}

function refusalCode(error: OptionError | OptionExit): Exit {
  return error instanceof OptionError && error.code === Exit.NOT_ROOT ? Exit.NOT_ROOT : Exit.OPTION;
}

/** The exit code after a signal that ends all ports. */
export function exitCodeOf(event: SignalEvent): Exit {
  return event.type === "fatal" ? Exit.FATAL_SIGNAL : Exit.USER_REQUEST;
}
