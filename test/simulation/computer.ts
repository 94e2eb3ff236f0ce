// A simulated computer: what its programs share, and pppd started on it with words as from a shell.

import { checkOptions, settleAddresses } from "../../src/options/check.ts";
import { OptionError } from "../../src/options/error.ts";
import type { OptionHost } from "../../src/options/host.ts";
import { parseOptions } from "../../src/options/parse.ts";
import type { SignalEvent, SignalName } from "../../src/run/host/processes.ts";
import type { LoginRequest, LoginResult } from "../../src/run/host/users.ts";
import { SharedPoll } from "../../src/run/loop/shared-poll.ts";
import type { Log, LogLevel } from "../../src/run/log.ts";
import type { Machine } from "../../src/run/machine.ts";
import { SILENT_NOTIFIER } from "../../src/run/notifier.ts";
import { Passwords } from "../../src/run/peers/passwords.ts";
import { Peers } from "../../src/run/peers/peers.ts";
// A session loads it when it is needed. Simulated time does not wait for that.
import "../../src/run/packets/usernet-port.ts";
import type { SessionPlugin } from "../../src/run/session/session-plugin.ts";
import { Session } from "../../src/run/session/session.ts";
import "../../src/run/share/left-sharing.ts";
import { SessionServices } from "../../src/run/share/session-services.ts";
// A session loads this by itself, which takes real time, and here all time is simulated.
import "../../src/run/packets/usernet-port.ts";
import { OptionsInForce } from "../../src/run/settings/options-in-force.ts";
import { fakeHost } from "../kit/optionhost.ts";
import type { Rng } from "../kit/rng.ts";
import { ProcessTable, processesOf } from "./children.ts";
import { ControlProgram } from "./control-program.ts";
import { filesOf, FileTree } from "./files.ts";
import { NetworkState, networkOf } from "./network.ts";
import { serialOf } from "./ports.ts";
import { Process } from "./process.ts";
import type { Port } from "./serial-line.ts";
import type { Time } from "./time.ts";

export const RUN_DIRECTORY = "/var/run";
const WALL_AT_START = Date.UTC(2026, 0, 1);
const MOST_LINES = 4000;
export const NUMBERS: Record<SignalName, number> = { SIGTERM: 15, SIGINT: 2, SIGHUP: 1, SIGUSR1: 10, SIGUSR2: 12 };

export class Computer {
  readonly files = new FileTree();
  readonly network = new NetworkState();
  readonly processes: ProcessTable;
  readonly ports: Port[] = [];
  /** The ids of sessions that were killed. */
  readonly killed = new Set<number>();
  /** Syslog's readers take nothing. */
  isSyslogStopped = false;
  /** Its programs run as root. */
  isRoot = true;
  /** Its programs are set-user-id: their users have the rights of others. */
  lendsRights = false;
  /** Its sessions poll as they do beside others in one process. */
  sharesPoll = false;
  /** The clock on the wall was set this much forward. */
  wallOffset = WALL_AT_START;
  /** The plugin of the next pppd. */
  plugin: SessionPlugin | undefined;
  /** The users of the system. */
  login: (request: LoginRequest, process: Process) => LoginResult | Promise<LoginResult> = () => ({
    ok: false,
    message: "Login incorrect",
    delayMs: 0,
  });
  /** The log of all its programs. */
  readonly transcript: string[] = [];
  readonly #mac: Uint8Array;

  readonly name: string;
  readonly time: Time;
  readonly rng: Rng;

  constructor(name: string, time: Time, rng: Rng) {
    this.name = name;
    this.time = time;
    this.rng = rng;
    this.processes = new ProcessTable(time, this.files);
    for (const name of ["all", "default", "eth0"]) this.files.put(`/proc/sys/net/ipv6/conf/${name}`, "");
    this.files.devices = () => this.ports.flatMap(({ path }) => path ?? []);
    this.files.isDevice = (path) => this.ports.some((port) => port.path === path);
    this.files.put("/dev/net/tun", "");
    this.#mac = Uint8Array.from([2, ...rng.bytes(5)]);
  }

  /** Adds a port with the end of a cable in it. */
  plug(port: Port, path: string): void {
    port.path = path;
    this.ports.push(port);
  }

  /** nft(8) is there from now on. */
  installNft(): void {
    const { network, processes } = this;
    network.firewallTools = { ...network.firewallTools, nft: "/usr/sbin/nft" };
    processes.tools.set("/usr/sbin/nft", (argv, input) => network.nft.run(argv, input));
  }

  note(text: string): void {
    this.transcript.push(`${(this.time.now / 1000).toFixed(3)} ${this.name}: ${text}`);
    if (this.transcript.length > MOST_LINES) this.transcript.splice(0, MOST_LINES / 2);
  }

  /** Starts pppd with these words. */
  start(words: readonly string[]): Pppd {
    const process = new Process(this.processes.nextPid(), this.time, () => this.wallOffset);
    this.processes.running.add(process.pid);
    this.note(`pppd ${words.join(" ")} (pid ${process.pid})`);
    return new Pppd(this, process, this.machineOf(process), words);
  }

  /** The computer, as a process on it sees it. */
  machineOf(process: Process): Machine {
    const { rng } = this;
    return {
      clock: process.clock,
      descriptors: process.descriptors,
      random: { u32: () => rng.u32() },
      files: filesOf(this.files, process),
      network: networkOf(this.network, process, this.files, this.#mac),
      processes: processesOf(this.processes, process),
      serial: serialOf(this.ports, process, this.processes, this.files),
      syslog: { writer: () => ({ write: (_level, text) => this.note(`chat: ${text}`) }), turnMs: () => this.#turnMs() },
      tls: {
        engine: () => ({
          busy: false,
          takeSettled: () => false,
          open: () => {
            throw new Error("there is no TLS in the simulated world");
          },
        }),
        certificateIn: () => undefined,
      },
      users: {
        ownName: () => (this.isRoot ? "root" : "zaphod"),
        isRoot: () => this.isRoot,
        mayMakeInterfaces: () => this.isRoot,
        hasLentRights: () => this.isRoot,
        cryptMatches: () => false,
        login: (request) => this.login(request, process),
      },
    };
  }

  /** What the option parser asks of it. */
  optionHost(): OptionHost {
    const { files, ports } = this;
    return fakeHost({
      hostname: this.name,
      user: !this.isRoot,
      changes: {
        lendsRights: this.lendsRights,
        readFile: (path) => {
          const text = files.text(path);
          if (text === undefined) return { errno: "ENOENT", reason: "No such file or directory" };
          return { text, uid: 0, mode: files.files.get(path)!.mode };
        },
        statDevice: (path) => {
          const at = ports.findIndex((port) => port.path === path);
          return at < 0 ? { errno: "ENOENT", reason: "No such file or directory" } : { device: 1000 + at };
        },
        resolveHost: () => undefined,
        compileFilter: () => ({ errno: "ENOENT", reason: "there is no libpcap in the simulated world" }),
      },
    });
  }

  #turnMs(): number {
    return this.isSyslogStopped ? 100 : Infinity;
  }
}

/** A running pppd, or one that has run. */
export class Pppd {
  /** Undefined while it runs, and for ever when it was killed. */
  exitCode: number | undefined;
  /** What it threw, and what else must not happen. */
  fault: string | undefined;
  /** The log of this run. */
  readonly lines: string[] = [];
  readonly process: Process;
  readonly #computer: Computer;
  #session: Session | undefined;

  constructor(computer: Computer, process: Process, alone: Machine, words: readonly string[]) {
    const shared = computer.sharesPoll ? new SharedPoll(alone) : undefined;
    const machine = shared?.machine ?? alone;
    this.#computer = computer;
    this.process = process;
    const log: Log = {
      debug: false,
      fd: undefined,
      write: (level, text) => this.#log(level, text, log.debug),
      note: (level, text) => this.#log(level, text, log.debug),
      pass: () => {},
    };
    const host = computer.optionHost();
    try {
      let config = checkOptions(parseOptions(words, host), host);
      config = settleAddresses(config, host);
      log.debug = config.debug > 0;
      const { plugin } = computer;
      const passwords = new Passwords(config, machine, log, plugin);
      this.#session = new Session({
        machine,
        options: new OptionsInForce(config),
        log,
        peersOf: (options) => new Peers(options, host, machine, log, passwords),
        etc: "/etc/ppp",
        user: "root",
        uid: 0,
        runDirectory: RUN_DIRECTORY,
        notifier: SILENT_NOTIFIER,
        plugin,
        onUp: () => {},
        ready: () => passwords.ready(),
        servicesClass: SessionServices,
      });
      const run = (): Promise<number> => this.#session!.run();
      void (shared?.run(run) ?? run()).then(
        (code) => {
          plugin?.end();
          this.#end(code);
        },
        (error: unknown) => {
          this.fault = error instanceof Error ? (error.stack ?? String(error)) : String(error);
          this.#end(1);
        },
      );
    } catch (error) {
      if (!(error instanceof OptionError)) throw error;
      log.write("error", error.lines.join("; "));
      this.#end(error.code);
    }
  }

  #log(level: LogLevel, text: string, debug: boolean): void {
    if (level === "debug" && !debug) return;
    this.#computer.note(text);
    this.lines.push(text);
    if (this.lines.length > MOST_LINES) this.lines.splice(0, MOST_LINES / 2);
  }

  /** What `nullmodem ctl` and `nullmodem capture` reach. */
  get steering(): Session["steering"] {
    return this.#session!.steering;
  }

  get isRunning(): boolean {
    return this.process.isAlive;
  }

  signal(name: SignalName): void {
    const event: SignalEvent = { type: "signal", name, number: NUMBERS[name] };
    this.process.post(() => this.#session?.steering.onSignal(event), "signal");
  }

  /** A program that controls it. */
  controller(): ControlProgram {
    return new ControlProgram(this.process, () => (this.#session === undefined ? [] : [this.#session.steering]));
  }

  /** SIGKILL. */
  kill(): void {
    this.#computer.killed.add(this.process.pid);
    this.#computer.note(`killed (pid ${this.process.pid})`);
    this.#leave();
  }

  #end(code: number): void {
    // What it leaves open the kernel closes, but it should have closed it itself.
    const { descriptorCount } = this.process;
    if (descriptorCount > 0) this.fault ??= `ended with ${descriptorCount} open descriptors`;
    this.exitCode = code;
    this.#computer.note(`exit code ${code}`);
    this.#leave();
  }

  #leave(): void {
    this.process.kill();
    this.#computer.processes.running.delete(this.process.pid);
    for (const [path, { owner }] of this.#computer.processes.publications)
      if (owner === this.process) this.#computer.processes.publications.delete(path);
  }
}
