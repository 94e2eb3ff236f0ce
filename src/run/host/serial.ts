// The line: serial ports, pseudo terminals and other descriptors that a link can run on.

/** What a link can run on. */
export interface Device {
  /** To read from. */
  readonly fd: number;
  /** To write to; may be the same. */
  readonly writeFd: number;
  /** For the log: "/dev/ttyS0", "10.0.0.1:5000". */
  readonly path: string;
  /** Bits a second, as reported to scripts. */
  readonly speed: number;
  /** Its driver says how much it has not sent yet. */
  readonly countsOutput: boolean;
  /** Makes it ready for PPP, again: a script may have changed it. */
  configure(watchCarrier: boolean): void;
  /** Keeps others from opening it. */
  setExclusive(on: boolean): void;
  /** Waits for what was written to be sent. False when it is not after `patienceMs`. */
  drain(patienceMs: number): Promise<boolean>;
  /** Gives it back as it was found. The second call does nothing. */
  close(): void;
}

/** A device with terminal settings. */
export interface Tty extends Device {
  readonly isPty: boolean;
  /** Sets it for a person, who types lines: echo, keys that correct, and signals. */
  makeTerminal(): void;
  /** Puts back the settings that another program has changed. Returns what they were changed to, in stty's words. */
  mend(): string[];
  /** Changes the speed for good, and throws away what is received and not sent. False: the port cannot have it. */
  setSpeed(speed: number): boolean;
  /** Receives damaged characters as well, and a break as a zero, instead of dropping them. */
  hearDamage(on: boolean): void;
}

export function isTty(device: Device): device is Tty {
  return "isPty" in device;
}

/** pppd's options for the line. */
export interface TtySettings {
  /** 0 leaves the speed as it is. */
  readonly speed: number;
  readonly modem: boolean | "if carrier";
  readonly flow: "crtscts" | "nocrtscts" | "xonxoff" | "unchanged";
  readonly stopBits: 1 | 2;
}

/** No option names the speed, and the line has none. */
export function isBaudRateError(error: unknown): error is Error {
  return error instanceof Error && error.name === "BaudRateError";
}

export interface Lock {
  /** What happened on the way, for the log. */
  readonly notice: string | undefined;
  /** Names another process as the holder, which uses the line for us. */
  pass(pid: number): void;
  unlock(): void;
}

/** The line is another program's. The message is pppd's. */
export interface LockError extends Error {
  /** The process that holds the lock, where that is the trouble. */
  readonly holder: number | undefined;
  /** The directory that may not be written to, where that is it. */
  readonly denied: string | undefined;
}

export function isLockError(error: unknown): error is LockError {
  return error instanceof Error && error.name === "LockError";
}

export interface ModemLines {
  readonly dtr: boolean;
  readonly rts: boolean;
  readonly cts: boolean;
  readonly dsr: boolean;
  /** DCD, carrier. */
  readonly cd: boolean;
  readonly ri: boolean;
}

/** What the driver counted since it was loaded. */
export interface LineErrors {
  readonly frame: number;
  readonly overrun: number;
  readonly parity: number;
  readonly brk: number;
  readonly bufOverrun: number;
}

/** A process that has a device open. */
export interface Opener {
  readonly pid: number;
  /** "minicom" */
  readonly name: string;
  /** The unit of systemd that runs it, such as "serial-getty@ttyS1.service". */
  readonly unit?: string;
}

/** What the driver says about the chip of a port. */
export interface Uart {
  /** "16550A". Undefined for a port of another kind than the PC's. */
  readonly type: string | undefined;
  /** Octets that the chip can hold before it sends them. 0: the driver does not say. */
  readonly fifo: number;
  /** The fastest speed of the chip. 0: the driver does not say. */
  readonly base: number;
}

/** A USB adapter, by what stays the same when it is plugged in again. */
export interface Adapter {
  readonly model: string;
  readonly serial: string | undefined;
  readonly port: string;
  readonly part: string;
}

/** The terminal settings of a chat's line. Throws HostError. */
export interface ChatTerminal {
  /** Puts the settings back. */
  restore(): void;
  /** Throws away what was written to a descriptor and not yet sent. */
  flushOutput(fd: number): void;
  sendBreak(): void;
}

export interface Serial {
  /** Opens a port without waiting for a carrier. Throws HostError (call "open" or "tcgetattr") or BaudRateError. */
  open(path: string, settings: TtySettings): Promise<Tty>;
  /** Takes over a terminal that is open already. Throws as `open` does. */
  adopt(fd: number, path: string, settings: TtySettings): Tty;
  /** A pseudo terminal: the master's descriptor and the slave's path. Throws HostError. */
  openPty(): { readonly master: number; readonly slave: string };
  /** A device of descriptors that are no terminal; `ours`: they are closed at its end. Throws HostError. */
  stream(fd: number, writeFd: number, path: string, speed: number, ours: boolean): Device;
  /** Makes a terminal raw for a chat. Throws HostError: call "TCGETS2" when it cannot be asked, another when not set. */
  chatTerminal(fd: number): ChatTerminal;
  /** Locks a device for this process. Throws LockError. */
  lock(device: string): Lock;

  // None of the next nine throws: undefined, false or 0 where the device has no such thing.
  modemLines(fd: number): ModemLines | undefined;
  setDtr(fd: number, up: boolean): boolean;
  lineErrors(fd: number): LineErrors | undefined;
  /** The fastest speed of a plain UART. */
  uartBase(fd: number): number | undefined;
  uartOf(fd: number): Uart | undefined;
  /** Milliseconds for which a USB adapter by FTDI keeps octets that do not fill a packet. */
  latencyOf(path: string): number | undefined;
  setLatency(path: string, milliseconds: number): boolean;
  /** Octets written and not yet sent. */
  outputQueued(fd: number): number;
  /** The other processes that have the device open. */
  openersOf(path: string): Opener[];

  /** What a process runs; "": it is gone. */
  programName(pid: number): string;
  /** The group that may use a device. */
  groupOf(path: string): string | undefined;
  /** Paths of all ports. */
  ports(): string[];
  /** The adapter behind a tty ("ttyUSB0"). `sysfs` is for tests. */
  adapterOf(tty: string, sysfs: string): Adapter | undefined;
  isSameAdapter(one: Adapter, other: Adapter): boolean;
  /** The tty that an adapter is now. */
  ttyOfAdapter(adapter: Adapter, sysfs: string): string | undefined;
}
