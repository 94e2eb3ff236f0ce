// Telling the service manager how we are: sd_notify(3)'s datagrams, for units of Type=notify. Without NOTIFY_SOCKET in the
// environment nothing is said.

import { check, closeFd, EAGAIN, errno, libc, Memory, O, POLLOUT } from "../ffi/libc.ts";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const SUN_PATH_SIZE = 108;
/** A manager that is busy is waited for this long, and the link no longer. */
const PATIENCE_MS = 100;

type Environment = Record<string, string | undefined>;

/**
 * The manager's socket, taken out of the environment: what we start must not speak for us. To be called once, before
 * anything is started.
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
  /** The service has started when the link is up, and not before (`up_sdnotify`). */
  startsUp = false;
  /**
   * The manager started this very process and keeps it, so that it has no background to go into. (MAINPID would hand the
   * service over, but systemd does not wait for the end of a process that was not its child when it heard of it.)
   */
  isService = false;
  readonly #socket: string | undefined;
  /** Half of the time after which the manager would take us for dead. */
  readonly #beatMs: number;
  #beatAt: number;
  #status = "";
  #ready = false;
  #stopping = false;

  /** `socket` is a path or, behind an @, an abstract name. `watchdogMs` 0: nobody waits for a sign of life. */
  constructor(socket: string | undefined, watchdogMs = 0) {
    this.#socket = socket !== undefined && /^[/@]./.test(socket) ? socket : undefined;
    this.#beatMs = this.#socket === undefined || watchdogMs <= 0 ? Infinity : watchdogMs / 2;
    this.#beatAt = this.#beatMs === Infinity ? Infinity : 0;
  }

  /**
   * Says what is going on; the first time also that the service has started: its line is open, or waited for. Who calls
   * may come in a week, and a modem may be off: a manager would take a service that has not started for broken.
   */
  status(text: string, isUp = false): void {
    if (this.#stopping || text === this.#status) return;
    this.#status = text;
    const starts = !this.#ready && (isUp || !this.startsUp);
    this.#send(`${starts ? "READY=1\n" : ""}STATUS=${text}`);
    this.#ready ||= starts;
  }

  /** The end has begun. */
  stopping(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#send("STOPPING=1\nSTATUS=ending");
  }

  /** How often a sign of life is due, in milliseconds; Infinity: never. */
  get beatMs(): number {
    return this.#beatMs;
  }

  /** When the next one is. */
  get beatAt(): number {
    return this.#beatAt;
  }

  /** Gives it. */
  beat(now: number): void {
    if (this.#beatMs === Infinity) return;
    this.#beatAt = now + this.#beatMs;
    this.#send("WATCHDOG=1");
  }

  /** Each on a socket of its own: they are few, and the manager may have been started anew. */
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
      awaitRoom(fd);
      send();
    } catch {
      // Nobody listens: the link is worth more than the word.
    } finally {
      closeFd(fd);
    }
  }
}

/** struct sockaddr_un. An abstract name has its NUL in front, and none behind. */
function address(socket: string): { memory: Memory; length: number } {
  const name = Buffer.from(socket).subarray(0, SUN_PATH_SIZE - 1);
  const memory = new Memory(2 + SUN_PATH_SIZE);
  memory.view.setUint16(0, AF_UNIX, true);
  memory.bytes.set(name, 2);
  if (socket.startsWith("@")) memory.bytes[2] = 0;
  return { memory, length: 2 + name.length + (socket.startsWith("@") ? 0 : 1) };
}

function awaitRoom(fd: number): void {
  const set = new Memory(8);
  set.view.setInt32(0, fd, true);
  set.view.setInt16(4, POLLOUT, true);
  libc.poll(set.address, 1, PATIENCE_MS);
}
