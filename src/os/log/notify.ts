// Reports progress to the service manager by sd_notify(3) datagrams, for units of Type=notify. Does nothing without
// NOTIFY_SOCKET in the environment.

import { check, closeFd, EAGAIN, errno, libc, Memory, O, POLLOUT } from "../ffi/libc.ts";
import { PollSet } from "../ffi/poll-set.ts";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const SUN_PATH_SIZE = 108;
/** How long we wait for a busy manager. */
const PATIENCE_MS = 100;

type Environment = Record<string, string | undefined>;

/**
 * Takes the manager's socket out of the environment, so that programs we start cannot use it. Call it once, before any
 * program is started.
 */
export function takeNotifier(
  environment: Environment = process.env,
  { pid, ppid }: { readonly pid: number; readonly ppid: number } = process,
): Notifier {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: period = "", WATCHDOG_PID: whose } = environment;
  const { SYSTEMD_EXEC_PID: started } = environment;
  for (const name of ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]) delete environment[name];
  const isOurs = whose === undefined || Number(whose) === pid;
  const notifier = new Notifier(socket, isOurs && /^\d+$/.test(period) ? Number(period) / 1000 : 0);
  // SYSTEMD_EXEC_PID came with systemd 248.
  notifier.isService = socket !== undefined && (started === undefined ? ppid === 1 : Number(started) === pid);
  return notifier;
}

export class Notifier {
  /** With `up_sdnotify` the service counts as started only when the link is up. */
  startsUp = false;
  /**
   * True when the manager itself started this process and keeps watching it. Then there is no background to go into.
   * (MAINPID could hand over the service, but systemd does not wait for the end of a process that was not its child at
   * that time.)
   */
  isService = false;
  readonly #socket: string | undefined;
  /** Half of the watchdog's timeout. */
  readonly #beatMs: number;
  #beatAt: number;
  #status = "";
  #ready = false;
  #stopping = false;

  /** `socket` is a path, or an abstract name after "@". `watchdogMs` 0: there is no watchdog. */
  constructor(socket: string | undefined, watchdogMs = 0) {
    this.#socket = socket !== undefined && /^[/@]./.test(socket) ? socket : undefined;
    this.#beatMs = this.#socket === undefined || watchdogMs <= 0 ? Infinity : watchdogMs / 2;
    this.#beatAt = this.#beatMs === Infinity ? Infinity : 0;
  }

  /**
   * Reports the state. The first report also says that the service has started: its line is open or awaited. A caller
   * may come only in a week and a modem may be off; until then a manager would take the service for broken.
   */
  status(text: string, isUp = false): void {
    if (this.#stopping || text === this.#status) return;
    this.#status = text;
    const starts = !this.#ready && (isUp || !this.startsUp);
    this.#send(`${starts ? "READY=1\n" : ""}STATUS=${text}`);
    this.#ready ||= starts;
  }

  /** Reports that the service is stopping. */
  stopping(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#send("STOPPING=1\nSTATUS=ending");
  }

  /** The interval of the watchdog messages in milliseconds. Infinity: none. */
  get beatMs(): number {
    return this.#beatMs;
  }

  /** When the next watchdog message is due. */
  get beatAt(): number {
    return this.#beatAt;
  }

  /** Sends a watchdog message. */
  beat(now: number): void {
    if (this.#beatMs === Infinity) return;
    this.#beatAt = now + this.#beatMs;
    this.#send("WATCHDOG=1");
  }

  /** Uses a new socket for each message. Messages are few, and the manager may have been restarted. */
  #send(text: string): void {
    if (this.#socket === undefined) return;
    const fd = libc.socket(AF_UNIX, SOCK_DGRAM | O.CLOEXEC, 0);
    if (fd < 0) return;
    try {
      const { memory, length } = address(this.#socket);
      check(libc.connect(fd, memory.address, length), "connect", this.#socket);
      const bytes = Buffer.from(text);
      const message = new Memory(bytes.length);
      message.bytes.set(bytes);
      const send = (): number => libc.send(fd, message.address, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (send() >= 0 || errno() !== EAGAIN) return;
      new PollSet([fd], POLLOUT).wait(PATIENCE_MS);
      send();
    } catch {
      // Nobody listens. That must not end the link.
    } finally {
      closeFd(fd);
    }
  }
}

/** struct sockaddr_un. An abstract name begins with a NUL and has none at its end. */
function address(socket: string): { memory: Memory; length: number } {
  const name = Buffer.from(socket).subarray(0, SUN_PATH_SIZE - 1);
  const memory = new Memory(2 + SUN_PATH_SIZE);
  memory.view.setUint16(0, AF_UNIX, true);
  memory.bytes.set(name, 2);
  if (socket.startsWith("@")) memory.bytes[2] = 0;
  return { memory, length: 2 + name.length + (socket.startsWith("@") ? 0 : 1) };
}
