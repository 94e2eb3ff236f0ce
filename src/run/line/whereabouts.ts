// Finds the device of the line. Each attempt looks again, because an adapter that is plugged in again may have another
// name: a link in /dev/serial/by-id then leads elsewhere, and /dev/ttyUSB0 becomes /dev/ttyUSB1.

import type { Config } from "../../options/config.ts";
import type { Adapter } from "../host/serial.ts";
import type { Machine } from "../machine.ts";

export interface Place {
  /** The path to open. It is also the name of the line in messages. */
  readonly path: string;
  /** The path of the device without symbolic links. The lock uses this path. */
  readonly real: string;
  readonly there: boolean;
}

type DeviceMachine = Pick<Machine, "files" | "serial">;

export class Whereabouts {
  readonly #machine: DeviceMachine;
  readonly given: string;
  readonly #roots: { readonly dev: string; readonly sys: string };
  /**
   * A symbolic link is never replaced by another name: a link in by-path stands for its port, whatever is plugged in.
   */
  #isLink: boolean;
  #path: string;
  #adapter: Adapter | undefined;
  #lastReal: string | undefined;

  /** Undefined when there is no device to look for: a terminal on standard input never comes back. */
  static of(
    machine: DeviceMachine,
    { device, defaultDevice }: Pick<Config, "device" | "defaultDevice">,
  ): Whereabouts | undefined {
    return device === undefined || defaultDevice ? undefined : new Whereabouts(machine, device);
  }

  /** `given` is the path in the options. Tests pass other `roots`. */
  constructor(machine: DeviceMachine, given: string, roots = { dev: "/dev", sys: "/sys" }) {
    this.#machine = machine;
    this.given = given;
    this.#path = given;
    this.#roots = roots;
    const { files } = machine;
    this.#isLink = files.isSymbolicLink(given);
    if (!files.isCharacterDevice(given)) return;
    this.#lastReal = this.#realOf(given);
    this.#adapter = this.#adapterOf(this.#lastReal);
  }

  find(): Place {
    const path = this.#current();
    const there = path !== undefined && this.#machine.files.isCharacterDevice(path);
    const named = path ?? this.#path;
    return { path: named, real: there ? this.#realOf(named) : named, there };
  }

  /** The message for a device that is not there. */
  missing({ path }: Place): string {
    return this.#lastReal === undefined
      ? `${path} is not there yet; waiting for it`
      : `${path} is gone; waiting for it`;
  }

  /** Called when the device has been opened. Returns the message when it was missing before or has moved. */
  opened({ path, real }: Place, wasMissing: boolean): string | undefined {
    const isFirst = this.#lastReal === undefined;
    const moved = !isFirst && real !== this.#lastReal;
    this.#isLink ||= this.#machine.files.isSymbolicLink(this.given);
    this.#path = path;
    this.#lastReal = real;
    this.#adapter = this.#adapterOf(real);
    if (moved) return `${this.given} is back as ${real}`;
    if (!wasMissing) return undefined;
    return isFirst ? `${this.given} is there` : `${this.given} is back`;
  }

  #current(): string | undefined {
    const { given } = this;
    const { files, serial } = this.#machine;
    const followed = this.#path !== given;
    if (followed && files.isCharacterDevice(this.#path) && this.#isOurs(this.#path)) return this.#path;
    if (files.isCharacterDevice(given)) return given;
    if (this.#isLink || this.#adapter === undefined) return undefined;
    const tty = serial.ttyOfAdapter(this.#adapter, this.#roots.sys);
    const path = `${this.#roots.dev}/${tty}`;
    return tty !== undefined && files.isCharacterDevice(path) ? path : undefined;
  }

  #isOurs(path: string): boolean {
    const now = this.#adapterOf(path);
    return now !== undefined && this.#adapter !== undefined && this.#machine.serial.isSameAdapter(this.#adapter, now);
  }

  #adapterOf(path: string): Adapter | undefined {
    return this.#machine.serial.adapterOf(path.slice(path.lastIndexOf("/") + 1), this.#roots.sys);
  }

  /** The path without symbolic links. It is the path itself when the device is gone; opening it will report that. */
  #realOf(path: string): string {
    try {
      return this.#machine.files.realPath(path);
    } catch {
      return path;
    }
  }
}
