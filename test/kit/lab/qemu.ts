// The lab's PC: a qemu machine with a 16550A and a USB adapter by FTDI, Debian's kernel and our executable. A test
// changes the modem lines of both ports, and plugs the adapter in and out.

import { closeSync, mkdirSync, openSync, readSync, writeFileSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { closeFd, O, openFd } from "../../../src/os/ffi/libc.ts";
import { flushTty } from "../../../src/os/serial/termios.ts";
import { type Cable, openCable } from "../cable.ts";
import { Lab, type LabOptions } from "../lab.ts";
import { built } from "../program.ts";
import type { Kernel } from "./guest.ts";
import { KERNEL, modemLines, pcImage, pcMissing } from "./qemu-image.ts";
import { Qmp } from "./qmp.ts";

/** Bits of TIOCMGET, by the lines' names. */
const BITS = { dtr: 0x2, rts: 0x4, cts: 0x20, carrier: 0x40, ring: 0x80, dsr: 0x100 } as const;
type Line = keyof typeof BITS;
/** The lines that a port sees. It drives the others. */
const SEEN = ["cts", "carrier", "ring", "dsr"] as const;
type SeenLine = (typeof SEEN)[number];

export function isSeenLine(name: string): name is SeenLine {
  return SEEN.some((line) => line === name);
}
const WORD = 4;

/** The oldest processor that our executable supports. */
const PROCESSOR = "Nehalem";
const MEMORY = "512M";
/** Turns off what Debian's kernel does at boot for hardware and attacks that do not exist here. */
const QUICKER = [
  "tsc=reliable",
  "no_timer_check",
  "cryptomgr.notests",
  "random.trust_cpu=on",
  "mitigations=off",
  "nokaslr",
];
/** Twenty times the usual time on an idle machine. */
const BOOT_MS = 240_000;

/** Runs a command that writes the lines for standard error to the FIFO $0. */
const WITH_CONSOLE = 'mkfifo "$0"; cat "$0" >&2 & exec "$@"';

/** Why there is no such PC here, as text, or undefined. */
export const missing = pcMissing;

/** The modem lines of one port, in the file that qemu-lines.c reads. */
export class ModemLines {
  readonly #path: string;
  #seen: number;

  /** `terminal` is behind the port. CTS, DSR and carrier are on. */
  constructor(folder: string, terminal: string) {
    this.#path = join(folder, basename(terminal));
    this.#seen = BITS.cts | BITS.dsr | BITS.carrier;
    writeFileSync(this.#path, new Uint8Array(Uint32Array.of(this.#seen, 0).buffer));
  }

  /** Changes lines that the port sees. */
  set(lines: Partial<Record<SeenLine, boolean>>): void {
    for (const line of SEEN) {
      const on = lines[line];
      if (on !== undefined) this.#seen = on ? this.#seen | BITS[line] : this.#seen & ~BITS[line];
    }
    const file = openSync(this.#path, "r+");
    writeSync(file, new Uint8Array(Uint32Array.of(this.#seen).buffer), 0, WORD, 0);
    closeSync(file);
  }

  /** A line that the port drives. */
  drives(line: Exclude<Line, SeenLine>): boolean {
    const word = new Uint32Array(1);
    const file = openSync(this.#path, "r");
    readSync(file, new Uint8Array(word.buffer), 0, WORD, WORD);
    closeSync(file);
    return (word[0]! & BITS[line]) !== 0;
  }
}

/** A serial port of this machine for qemu. This is its only kind that asks for modem lines and sets speeds. */
const serial = (id: string, terminal: string): string[] => ["-chardev", `serial,id=${id},path=${terminal}`];

/**
 * qemu's arguments: ttyS0 is the port for tests, ttyS1 the console, and the port on the PCI card is for the dialogue.
 */
function hardware(folder: string, uart: string, usb: string): string[] {
  const share = (tag: string, path: string, more = ""): string[] => [
    ...["-fsdev", `local,id=${tag},path=${path},security_model=none${more}`],
    ...["-device", `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`],
  ];
  return [
    ...["-accel", "tcg", "-cpu", PROCESSOR, "-m", MEMORY, "-nodefaults", "-no-user-config", "-display", "none"],
    ...["-kernel", KERNEL, "-initrd", pcImage()],
    ...["-append", ["console=ttyS1", "quiet", "loglevel=1", "rdinit=/sbin/init", "panic=-1", ...QUICKER].join(" ")],
    ...[...serial("uart", uart), "-device", "isa-serial,chardev=uart,index=0"],
    ...["-chardev", `file,id=console,path=${join(folder, "console")}`, "-device", "isa-serial,chardev=console,index=1"],
    ...["-chardev", "stdio,id=control,signal=off", "-device", "pci-serial,chardev=control"],
    ...["-device", "qemu-xhci,id=usb", ...serial("adapter", usb)],
    ...share("host", folder),
    ...share("dist", dirname(built()), ",readonly=on"),
    ...["-qmp", `unix:${join(folder, "qmp")},server=on,wait=off`],
  ];
}

export class Pc {
  readonly lab: Lab;
  /** The modem lines of ttyS0, and of the adapter, plugged in or not. */
  readonly uart: ModemLines;
  readonly adapter: ModemLines;
  /** The terminal at the other end of the adapter's line. That of ttyS0 is the lab's. */
  readonly adapterLine: string;
  readonly #qmp: Qmp;
  readonly #cable: Cable;
  #plugged = 0;

  private constructor(lab: Lab, uart: ModemLines, adapter: ModemLines, cable: Cable, qmp: Qmp) {
    this.lab = lab;
    this.uart = uart;
    this.adapter = adapter;
    this.adapterLine = cable.b;
    this.#cable = cable;
    this.#qmp = qmp;
  }

  /** Boots a PC with nothing in its USB port. This takes seconds, because the processor is emulated. */
  static async run(options: Omit<LabOptions, "kernel" | "tty"> = {}): Promise<Pc> {
    const cable = await openCable();
    let started: { folder: string; uart: ModemLines; adapter: ModemLines } | undefined;
    const kernel: Kernel = {
      bootMs: BOOT_MS,
      tries: 1,
      command: (folder, _tty, terminal) => {
        const lines = join(folder, "lines");
        mkdirSync(lines);
        started = { folder, uart: new ModemLines(lines, terminal), adapter: new ModemLines(lines, cable.a) };
        const environment = [`LD_PRELOAD=${modemLines()}`, `MODEM_LINES=${lines}`];
        const words = ["env", ...environment, "qemu-system-x86_64", ...hardware(folder, terminal, cable.a)];
        return ["sh", "-c", WITH_CONSOLE, join(folder, "console"), ...words];
      },
    };
    let lab: Lab | undefined;
    try {
      lab = await Lab.run({ ...options, kernel, tty: "ttyS0" });
      const { folder, uart, adapter } = started!;
      return new Pc(lab, uart, adapter, cable, await Qmp.connect(join(folder, "qmp")));
    } catch (error) {
      await lab?.stop();
      await cable.close();
      throw error;
    }
  }

  /** Plugs in the adapter, as ttyUSB0 if that name is free. */
  async plug(): Promise<void> {
    await this.#qmp.ask("device_add", { driver: "usb-serial", id: `adapter${++this.#plugged}`, chardev: "adapter" });
    await this.#cable.mend();
  }

  /** Pulls it out. */
  async unplug(): Promise<void> {
    // qemu 7.2 ends by SIGSEGV when an octet arrives for a device that is being removed.
    await this.#cable.cut();
    const line = openFd(this.#cable.a, O.RDWR | O.NOCTTY | O.NONBLOCK);
    flushTty(line, "input");
    closeFd(line);
    const id = `adapter${this.#plugged}`;
    const gone = this.#qmp.event("DEVICE_DELETED", (data) => data["device"] === id);
    await this.#qmp.ask("device_del", { id });
    await gone;
  }

  async stop(): Promise<void> {
    this.#qmp.close();
    await this.lab.stop();
    await this.#cable.close();
  }
}
