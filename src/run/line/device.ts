// Opens the device of a line: a tty, a program on a pseudo terminal (pty), standard input and output (notty), or a TCP
// connection that is made (socket) or waited for (socket-listen).

import { addressPortText } from "../../bytes/prefix.ts";
import type { Config } from "../../options/config.ts";
import { parseSocketAddress } from "../../options/socket-address.ts";
import { Denied, Exit, Failed, Gone } from "../exit.ts";
import type { Endpoint } from "../host/network.ts";
import type { Child } from "../host/processes.ts";
import { type Device, isBaudRateError, isTty, type Tty, type TtySettings } from "../host/serial.ts";
import type { Log } from "../log.ts";
import { hasCode, isHostError, type Machine } from "../machine.ts";
import { AWAITS_CALL, type Notifier } from "../notifier.ts";
import type { Hooks } from "../scripts/hooks.ts";
import { portTrouble } from "../diagnose/port-trouble.ts";
import { commandEnvironment, startProgram } from "./line-script.ts";
import type { OptionsInForce } from "../settings/options-in-force.ts";
import type { Whereabouts } from "./whereabouts.ts";

/** The speed reported to scripts for a line without a speed. It is that of a new pseudo terminal, as with pppd. */
const NOMINAL_SPEED = 38400;
/** The interval between looks at a name query, a connection that is being made, or a listening socket. */
const CONNECT_POLL_MS = 5;
const CALL_POLL_MS = 100;

export interface LineHost {
  readonly machine: Machine;
  readonly options: OptionsInForce;
  readonly log: Log;
  readonly hooks: Hooks;
  readonly notifier: Notifier;
  /** The place of the device. Undefined when the line has no device that could move. */
  readonly whereabouts: Whereabouts | undefined;
  /** Somebody has called, or the device is gone or there again. */
  lineChanged(text: string): void;
  /** Sleeps. A signal may end the sleep early. */
  sleep(milliseconds: number): Promise<void>;
  /** True when nothing new may be started. */
  quitting(): boolean;
}

export interface Opened {
  readonly device: Device;
  /** The program on the other side of the pseudo terminal. */
  readonly program?: Child;
}

/** In pppd the character shunt limits the rate both ways, and a tty uses the shunt only while it is recorded. */
export function isShunted({ device, record }: Config): boolean {
  return device === undefined || record !== undefined;
}

/** The highest rate each way in octets a second. 0 means no limit. */
export function limitOf(config: Config): number {
  return isShunted(config) ? Math.max(0, config.datarate) : 0;
}

/** The bits a second for the pacer, but for a limit. 0 means unknown. */
export function paceOf(config: Config, opened: Device): number {
  if (config.device === undefined || !isTty(opened)) return 0;
  // The speed of a pty means nothing unless an option sets it.
  return opened.isPty ? config.speed : opened.speed;
}

/** Opens the device that the options name. Throws Failed. */
export async function openDevice(host: LineHost): Promise<Opened> {
  const { device, pty, socket, socketListen, notty } = host.options.config;
  if (device !== undefined) return { device: await openPort(host) };
  if (pty !== undefined) return openProgram(host, pty);
  if (socket !== undefined) return { device: await dial(host, socket) };
  if (socketListen !== undefined) return { device: await awaitCall(host, socketListen) };
  if (notty) return { device: standardStreams(host) };
  return { device: await openPort(host) };
}

function nominalSpeed({ speed }: Config): number {
  return speed === 0 ? NOMINAL_SPEED : speed;
}

async function openPort({ machine, options }: LineHost, path = options.config.device ?? "/dev/tty"): Promise<Tty> {
  const { config } = options;
  const { defaultDevice, speed, modem, modemIfCarrier, crtscts, stopBits } = config;
  const flow = ({ on: "crtscts", off: "nocrtscts", xonxoff: "xonxoff", unset: "unchanged" } as const)[crtscts];
  const settings: TtySettings = { speed, modem: modemIfCarrier ? "if carrier" : modem, flow, stopBits };
  try {
    return defaultDevice ? machine.serial.adopt(0, path, settings) : await machine.serial.open(path, settings);
  } catch (error) {
    if (isBaudRateError(error)) throw new Failed(Exit.FATAL, error.message);
    if (!isHostError(error)) throw error;
    const findings = portTrouble(machine, path, error);
    if (error.call === "open") {
      const isGone = hasCode(error, "ENOENT", "ENODEV", "ENXIO");
      const Kind = isGone ? Gone : hasCode(error, "EACCES", "EPERM") ? Denied : Failed;
      throw new Kind(Exit.OPEN, `Failed to open ${path}: ${error.reason}`, "error", findings);
    }
    throw new Failed(Exit.FATAL, `${error.call}: ${error.reason}`, "error", findings);
  }
}

/**
 * Starts a program on a pseudo terminal, as pppd does. The program gets the master side, so it behaves as on a terminal
 * (ssh, chat, telnet and stty need one). Our side is a tty like any other. It hangs up when the program has ended.
 */
async function openProgram(host: LineHost, command: string): Promise<Opened> {
  const { machine, log, hooks } = host;
  const { config } = host.options;
  let master: number, slave: string;
  try {
    ({ master, slave } = machine.serial.openPty());
  } catch (error) {
    if (!isHostError(error)) throw error;
    throw new Failed(Exit.FATAL, "Couldn't allocate pseudo-tty");
  }
  let device: Tty | undefined;
  try {
    device = await openPort(host, slave);
    const program = startProgram(command, {
      machine,
      line: master,
      log,
      hooks,
      env: commandEnvironment(machine, config),
    });
    return { device, program };
  } catch (error) {
    device?.close();
    if (!isHostError(error)) throw error;
    throw new Failed(Exit.PTY, `Can't execute ${command}: ${error.reason}`);
  } finally {
    machine.descriptors.close(master);
  }
}

function standardStreams({ machine, options }: LineHost): Device {
  try {
    return machine.serial.stream(0, 1, "/dev/stdin", nominalSpeed(options.config), false);
  } catch (error) {
    if (!isHostError(error)) throw error;
    throw new Failed(Exit.PTY, `Can't use standard input and output: ${error.reason}`);
  }
}

// ── TCP ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Calls `look` until it returns a result. Throws Failed without a message when nothing new may be started. */
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
  void host.machine.network.tcp.lookUp(name, port).then((addresses) => (found = addresses));
  return patiently(host, CONNECT_POLL_MS, () => found);
}

async function dial(host: LineHost, socket: string): Promise<Device> {
  const { host: name, port } = parseSocketAddress(socket) ?? {};
  if (name === undefined || port === undefined)
    throw new Failed(Exit.PTY, "Can't parse host:port for socket destination");
  let problem = `${name}: unknown host in socket option`;
  for (const address of await addressesOf(host, name, port))
    try {
      const fd = await connect(host, address);
      return host.machine.serial.stream(fd, fd, socket, nominalSpeed(host.options.config), true);
    } catch (error) {
      if (!isHostError(error)) throw error;
      const doing = error.call === "socket" ? "Can't create socket" : `Can't connect to ${socket}`;
      problem = `${doing}: ${error.reason}`;
    }
  throw new Failed(Exit.PTY, problem);
}

/** Makes a TCP connection and returns the descriptor. Throws HostError or Failed. */
async function connect(host: LineHost, to: Endpoint): Promise<number> {
  const { descriptors, network } = host.machine;
  const fd = network.tcp.startConnecting(to);
  try {
    await patiently(host, CONNECT_POLL_MS, () => network.tcp.isConnected(fd) || undefined);
    return fd;
  } catch (error) {
    descriptors.close(fd);
    throw error;
  }
}

/** Waits for one caller. Later callers are refused until the link has ended. */
async function awaitCall(host: LineHost, socketListen: string): Promise<Device> {
  const { machine, log, notifier, lineChanged } = host;
  const { tcp } = machine.network;
  const { host: name, port = 0 } = parseSocketAddress(socketListen) ?? {};
  const [address] = name === undefined ? [] : await addressesOf(host, name, port);
  if (name !== undefined && address === undefined)
    throw new Failed(Exit.PTY, `${name}: unknown host in socket-listen option`);
  let listening: number | undefined;
  try {
    listening = tcp.listen(address, port);
    const at = listening;
    log.write("info", `Waiting for a call on ${socketListen}`);
    notifier.status(`${AWAITS_CALL} ${socketListen}`);
    const { fd, from } = await patiently(host, CALL_POLL_MS, () => tcp.takeCaller(at));
    const caller = addressPortText(from.address, from.port);
    log.write("notice", `Call from ${caller}`);
    lineChanged(`Call from ${caller}`);
    return machine.serial.stream(fd, fd, caller, nominalSpeed(host.options.config), true);
  } catch (error) {
    if (!isHostError(error)) throw error;
    throw new Failed(Exit.PTY, `Can't listen on ${socketListen}: ${error.reason}`);
  } finally {
    if (listening !== undefined) machine.descriptors.close(listening);
  }
}
