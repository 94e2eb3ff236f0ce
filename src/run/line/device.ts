// What a line is opened on: a tty, a program on a pseudo terminal (pty), standard input and output (notty), or a TCP
// connection, made (socket) or waited for (socket-listen).

import type { Config } from "../../options/config.ts";
import { parseSocketAddress } from "../../options/socket-address.ts";
import { Exit, Failed, Gone } from "../exit.ts";
import type { Endpoint } from "../host/network.ts";
import type { Child } from "../host/processes.ts";
import { type Device, isBaudRateError, isTty, type Tty, type TtySettings } from "../host/serial.ts";
import type { Log } from "../log.ts";
import { hasCode, isHostError, type Machine } from "../machine.ts";
import type { Notifier } from "../notifier.ts";
import type { Hooks } from "../scripts/hooks.ts";
import { portTrouble } from "../diagnose/port-trouble.ts";
import { commandEnvironment, startProgram } from "./line-script.ts";
import type { OptionsInForce } from "../settings/options-in-force.ts";
import type { Whereabouts } from "./whereabouts.ts";

/** What scripts are told as the speed of a line that has none: a new pseudo terminal's, as with pppd. */
const NOMINAL_SPEED = 38400;
const OCTET_BITS = 10;
/** How often to look whether a name is found and a connection made, and whether there is a caller. */
const CONNECT_POLL_MS = 5;
const CALL_POLL_MS = 100;

export interface LineHost {
  readonly machine: Machine;
  readonly options: OptionsInForce;
  readonly log: Log;
  readonly hooks: Hooks;
  readonly notifier: Notifier;
  /** Where the device is, if the line has one. */
  readonly whereabouts: Whereabouts | undefined;
  /** Sleeps, unless a signal says otherwise. */
  sleep(milliseconds: number): Promise<void>;
  /** Nothing new may be started. */
  quitting(): boolean;
}

export interface Opened {
  readonly device: Device;
  /** The program at the far side of it. */
  readonly program?: Child;
}

/** Octets a second at most, each way; 0: as many as will go. */
export function limitOf({ device, record, datarate }: Config): number {
  // In pppd the character shunt keeps to the limit, and a tty goes through the shunt only when it is recorded.
  return device === undefined || record !== undefined ? Math.max(0, datarate) : 0;
}

/** Bits a second to pace the line by; 0: unknown. */
export function paceOf(config: Config, opened: Device): number {
  const limit = limitOf(config);
  if (limit > 0) return limit * OCTET_BITS;
  if (config.device === undefined || !isTty(opened)) return 0;
  // The speed of a pty means nothing, unless an option names it.
  return opened.isPty ? config.speed : opened.speed;
}

/** Opens what the options say. Throws Failed. */
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
  const { defaultDevice, speed, modem, crtscts, stopBits } = config;
  const flow = ({ on: "crtscts", off: "nocrtscts", xonxoff: "xonxoff", unset: "unchanged" } as const)[crtscts];
  const settings: TtySettings = { speed, modem, flow, stopBits };
  try {
    return defaultDevice ? machine.serial.adopt(0, path, settings) : await machine.serial.open(path, settings);
  } catch (error) {
    if (isBaudRateError(error)) throw new Failed(Exit.FATAL, error.message);
    if (!isHostError(error)) throw error;
    const findings = portTrouble(machine, path, error);
    if (error.call === "open") {
      const Kind = hasCode(error, "ENOENT", "ENODEV", "ENXIO") ? Gone : Failed;
      throw new Kind(Exit.OPEN, `Failed to open ${path}: ${error.reason}`, "error", findings);
    }
    throw new Failed(Exit.FATAL, `${error.call}: ${error.reason}`, "error", findings);
  }
}

/**
 * The program gets the master of a pseudo terminal, as with pppd: to ssh, chat, telnet and stty that is a terminal, and
 * our end is a tty like any other, which hangs up when the program has gone.
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

/** Looks again and again. Throws Failed, with no message, when nothing new may be started. */
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

/** Returns the descriptor. Throws HostError or Failed. */
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
  const { machine, log, notifier } = host;
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
    notifier.status(`waiting for a call on ${socketListen}`);
    const { fd, from } = await patiently(host, CALL_POLL_MS, () => tcp.takeCaller(at));
    const caller = tcp.text(from);
    log.write("notice", `Call from ${caller}`);
    return machine.serial.stream(fd, fd, caller, nominalSpeed(host.options.config), true);
  } catch (error) {
    if (!isHostError(error)) throw error;
    throw new Failed(Exit.PTY, `Can't listen on ${socketListen}: ${error.reason}`);
  } finally {
    if (listening !== undefined) machine.descriptors.close(listening);
  }
}
