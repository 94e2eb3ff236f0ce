// Remembers at which speed the peer of an adapter was found, so that this speed is tried first next time. A file that is
// missing, damaged or not writable only costs the time of a search.

import type { Serial } from "../host/serial.ts";
import type { Machine } from "../machine.ts";
import { keepAt, statePaths } from "../state-paths.ts";

const FILE = "nullmodem-speeds";
const MOST_LINES = 64;
const MOST_OCTETS = 16384;
const PTYS = encodeURIComponent("/dev/pts/");
const FASTEST = 20_000_000;

type MemoryMachine = Pick<Machine, "files" | "serial" | "processes" | "users">;

/** What the port is called: the adapter by what stays the same when it moves, any other port by its path. */
function keyOf(serial: Serial, path: string): string {
  const adapter = serial.adapterOf(path.slice(path.lastIndexOf("/") + 1), "/sys");
  if (adapter === undefined) return path;
  const { model, serial: number, port, part } = adapter;
  return ["usb", model, number ?? `at-${port}`, part].join("/");
}

export class SpeedMemory {
  readonly #machine: MemoryMachine;
  readonly #key: string;

  /** `path` is the device without symbolic links. */
  constructor(machine: MemoryMachine, path: string) {
    this.#machine = machine;
    this.#key = encodeURIComponent(keyOf(machine.serial, path));
  }

  /** The speed that was found last. Undefined: none is known. */
  recall(): number | undefined {
    for (const path of this.#paths) {
      const speed = Number(this.#linesOf(path).get(this.#key));
      if (Number.isInteger(speed) && speed > 0 && speed <= FASTEST) return speed;
    }
    return undefined;
  }

  remember(speed: number): void {
    // The speed of a terminal emulator's pty means nothing, and its name is soon another's.
    if (this.#key.startsWith(PTYS) || this.recall() === speed) return;
    keepAt(this.#machine, FILE, (path) => {
      const lines = this.#linesOf(path);
      lines.delete(this.#key);
      lines.set(this.#key, String(speed));
      const text = [...lines].slice(-MOST_LINES).map((words) => `${words.join(" ")}\n`);
      this.#machine.files.replace(path, Buffer.from(text.join("")), 0o644);
    });
  }

  get #paths(): string[] {
    return statePaths(this.#machine, FILE);
  }

  #linesOf(path: string): Map<string, string> {
    const lines = new Map<string, string>();
    try {
      const text = Buffer.from(this.#machine.files.readHead(path, MOST_OCTETS)).toString("latin1");
      for (const line of text.split("\n").slice(0, MOST_LINES)) {
        const [key = "", speed = ""] = line.split(" ");
        // Other lines are not of ours, and would grow each time that they are read and written.
        if (/^[\w%.!~*'()-]+$/.test(key) && /^\d{1,9}$/.test(speed)) lines.set(key, speed);
      }
    } catch {
      // There is no such file.
    }
    return lines;
  }
}
