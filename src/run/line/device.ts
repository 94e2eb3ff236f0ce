// What a line is opened on: a tty, a program on a pseudo terminal (pty), standard input and output (notty), or a TCP
// connection, made (socket) or waited for (socket-listen).

import type { Config } from "../../options/config.ts";
import { parseSocketAddress } from "../../options/socket-address.ts";
import type { Child } from "../../os/process/exec.ts";
import { closeFd, hasCode, OsError, reasonOf } from "../../os/ffi/libc.ts";
import type { Log, LogLevel } from "../../os/log/log.ts";
import type { Notifier } from "../../os/log/notify.ts";
import { openPty } from "../../os/serial/pty.ts";
import { type Device, Stream } from "../../os/serial/stream.ts";
import {
  type Endpoint,
  endpointText,
  isConnected,
  listenEverywhere,
  listenOn,
  lookUp,
  startConnecting,
  takeCaller,
} from "../../os/net/tcp.ts";
import { adoptTty, BaudRateError, openTty, type Tty, type TtySettings } from "../../os/serial/tty.ts";
import { Exit } from "../exit.ts";
import type { Hooks } from "../scripts/hooks.ts";
import { adviceOnPort } from "../diagnose/port-trouble.ts";
import { commandEnvironment, startProgram } from "./line-script.ts";
import type { OptionsInForce } from "../settings/options-in-force.ts";
import type { Whereabouts } from "./whereabouts.ts";

/** What scripts are told as the speed of a line that has none: a new pseudo terminal's, as with pppd. */
const NOMINAL_SPEED = 38400;
const OCTET_BITS = 10;
/** How often it is looked whether a name is found and a connection made, and whether somebody has called. */
const CONNECT_POLL_MS = 5;
const CALL_POLL_MS = 100;

/** Why an attempt ended before its link began; the exit code goes with it. */
export class Failed extends Error {
  readonly exit: Exit;
  readonly level: LogLevel;
  /** More lines for the person: said once, however often it fails. */
  readonly advice: readonly string[];

  constructor(exit: Exit, message: string, level: LogLevel = "error", advice: readonly string[] = []) {
    super(message);
    this.exit = exit;
    this.level = level;
    this.advice = advice;
  }
}

/** The device is not there: an adapter that was pulled out. */
export class Gone extends Failed {}

export interface LineHost {
  readonly options: OptionsInForce;
  readonly log: Log;
  readonly hooks: Hooks;
  readonly notifier: Notifier;
  /** Of the device, where there is one. */
  readonly whereabouts: Whereabouts | undefined;
  /** Sleeps, unless a signal says otherwise. */
  sleep(milliseconds: number): Promise<void>;
  /** Nothing more is to be begun. */
  quitting(): boolean;
}

export interface Opened {
  readonly device: Device;
  /** What runs at the far side of it. */
  readonly program?: Child;
}

/** Octets a second at most, each way; 0: as many as will go. */
export function limitOf({ device, record, datarate }: Config): number {
  // It is pppd's character shunt that keeps to it, and a tty goes through that only to be recorded.
  return device === undefined || record !== undefined ? Math.max(0, datarate) : 0;
}

/** Bits a second to pace the line by; 0: nobody knows. */
export function paceOf(config: Config, opened: Device): number {
  const limit = limitOf(config);
  if (limit > 0) return limit * OCTET_BITS;
  if (config.device === undefined || !("isPty" in opened)) return 0;
  // A pty carries a speed that means nothing, unless somebody said which.
  return opened.isPty ? config.speed : opened.speed;
}

/** Opens what the options say. Throws Failed. */
export async function openDevice(host: LineHost): Promise<Opened> {
  const { device, pty, socket, socketListen, notty } = host.options.config;
  if (device !== undefined) return { device: await openPort(host.options.config) };
  if (pty !== undefined) return openProgram(host, pty);
  if (socket !== undefined) return { device: await dial(host, socket) };
  if (socketListen !== undefined) return { device: await awaitCall(host, socketListen) };
  if (notty) return { device: standardStreams(host.options.config) };
  return { device: await openPort(host.options.config) };
}

function nominalSpeed({ speed }: Config): number {
  return speed === 0 ? NOMINAL_SPEED : speed;
}

async function openPort(config: Config, path = config.device ?? "/dev/tty"): Promise<Tty> {
  const { defaultDevice, speed, modem, crtscts, stopBits } = config;
  const flow = ({ on: "crtscts", off: "nocrtscts", xonxoff: "xonxoff", unset: "unchanged" } as const)[crtscts];
  const settings: TtySettings = { speed, modem, flow, stopBits };
  try {
    return defaultDevice ? adoptTty(0, path, settings) : await openTty(path, settings);
  } catch (error) {
    if (error instanceof BaudRateError) throw new Failed(Exit.FATAL, error.message);
    if (!(error instanceof OsError)) throw error;
    const advice = adviceOnPort(path, error);
    if (error.call === "open") {
      const Kind = hasCode(error, "ENOENT", "ENODEV", "ENXIO") ? Gone : Failed;
      throw new Kind(Exit.OPEN, `Failed to open ${path}: ${reasonOf(error)}`, "error", advice);
    }
    throw new Failed(Exit.FATAL, `${error.call}: ${reasonOf(error)}`, "error", advice);
  }
}

/**
 * The program gets the master of a pseudo terminal, as with pppd: to ssh, chat, telnet and stty that is a terminal, and
 * our end is a tty like any other, which hangs up when the program has gone.
 */
async function openProgram(host: LineHost, command: string): Promise<Opened> {
  const { log, hooks } = host;
  const { config } = host.options;
  let master: number, slave: string;
  try {
    ({ master, slave } = openPty());
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
    throw new Failed(Exit.FATAL, "Couldn't allocate pseudo-tty");
  }
  let device: Tty | undefined;
  try {
    device = await openPort(config, slave);
    const program = startProgram(command, { line: master, log, hooks, env: commandEnvironment(config) });
    return { device, program };
  } catch (error) {
    device?.close();
    if (!(error instanceof OsError)) throw error;
    throw new Failed(Exit.PTY, `Can't execute ${command}: ${reasonOf(error)}`);
  } finally {
    closeFd(master);
  }
}

function standardStreams(config: Config): Stream {
  try {
    return new Stream(0, 1, "/dev/stdin", nominalSpeed(config), false);
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
    throw new Failed(Exit.PTY, `Can't use standard input and output: ${reasonOf(error)}`);
  }
}

// ── TCP ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Looks again and again. Throws Failed, without a word, when nothing more is to be begun. */
async function patiently<T>({ sleep, quitting }: LineHost, everyMs: number, look: () => T | undefined): Promise<T> {
  for (;;) {
    const seen = look();
    if (seen !== undefined) return seen;
    if (quitting()) throw new Failed(Exit.USER_REQUEST, "");
    await sleep(everyMs);
  }
}

async function addressesOf(host: LineHost, name: string, port: number): Promise<Endpoint[]> {
  let found: Endpoint[] | undefined;
  void lookUp(name, port).then((addresses) => (found = addresses));
  return patiently(host, CONNECT_POLL_MS, () => found);
}

async function dial(host: LineHost, socket: string): Promise<Stream> {
  const { host: name, port } = parseSocketAddress(socket) ?? {};
  if (name === undefined || port === undefined)
    throw new Failed(Exit.PTY, "Can't parse host:port for socket destination");
  let problem = `${name}: unknown host in socket option`;
  for (const address of await addressesOf(host, name, port))
    try {
      return new Stream(...(await connect(host, address)), socket, nominalSpeed(host.options.config), true);
    } catch (error) {
      if (!(error instanceof OsError)) throw error;
      const doing = error.call === "socket" ? "Can't create socket" : `Can't connect to ${socket}`;
      problem = `${doing}: ${reasonOf(error)}`;
    }
  throw new Failed(Exit.PTY, problem);
}

/** Throws OsError or Failed. */
async function connect(host: LineHost, to: Endpoint): Promise<[fd: number, writeFd: number]> {
  const fd = startConnecting(to);
  try {
    await patiently(host, CONNECT_POLL_MS, () => isConnected(fd) || undefined);
    return [fd, fd];
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

/** Waits for one caller; whoever calls after that finds nobody at home until the link has ended. */
async function awaitCall(host: LineHost, socketListen: string): Promise<Stream> {
  const { log, notifier } = host;
  const { host: name, port = 0 } = parseSocketAddress(socketListen) ?? {};
  const [address] = name === undefined ? [] : await addressesOf(host, name, port);
  if (name !== undefined && address === undefined)
    throw new Failed(Exit.PTY, `${name}: unknown host in socket-listen option`);
  let listening: number | undefined;
  try {
    listening = address === undefined ? listenEverywhere(port) : listenOn(address);
    const at = listening;
    log.write("info", `Waiting for a call on ${socketListen}`);
    notifier.status(`waiting for a call on ${socketListen}`);
    const { fd, from } = await patiently(host, CALL_POLL_MS, () => takeCaller(at));
    const caller = endpointText(from);
    log.write("notice", `Call from ${caller}`);
    return new Stream(fd, fd, caller, nominalSpeed(host.options.config), true);
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
    throw new Failed(Exit.PTY, `Can't listen on ${socketListen}: ${reasonOf(error)}`);
  } finally {
    if (listening !== undefined) closeFd(listening);
  }
}
