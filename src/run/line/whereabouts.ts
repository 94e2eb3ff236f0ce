// Where the line's device is: each attempt looks again. A name in /dev/serial/by-id is a link that leads elsewhere when
// the adapter was plugged in again; one like /dev/ttyUSB0 may belong to nobody, while the same adapter is /dev/ttyUSB1.

import { lstatSync, realpathSync, statSync } from "node:fs";
import { basename } from "node:path";
import type { Config } from "../../options/config.ts";
import { type Adapter, adapterOf, isSameAdapter, ttyOfAdapter } from "../../os/serial/adapter.ts";

export interface Place {
  /** To be opened, and what the line is called. */
  readonly path: string;
  /** The device itself, whatever links lead to it: its lock is there. */
  readonly real: string;
  readonly there: boolean;
}

export class Whereabouts {
  readonly given: string;
  readonly #roots: { readonly dev: string; readonly sys: string };
  /** A link says of itself what it stands for: one in by-path is not to be followed to another port. */
  #isLink: boolean;
  #path: string;
  #adapter: Adapter | undefined;
  #lastReal: string | undefined;

  /** Undefined where there is none to look for: a terminal on standard input never comes back. */
  static of({ device, defaultDevice }: Pick<Config, "device" | "defaultDevice">): Whereabouts | undefined {
    return device === undefined || defaultDevice ? undefined : new Whereabouts(device);
  }

  /** `given` is the path in the options. `roots` are for tests. */
  constructor(given: string, roots = { dev: "/dev", sys: "/sys" }) {
    this.given = given;
    this.#path = given;
    this.#roots = roots;
    this.#isLink = isLink(given);
    if (!isDevice(given)) return;
    this.#lastReal = realOf(given);
    this.#adapter = adapterOf(basename(this.#lastReal), roots.sys);
  }

  find(): Place {
    const path = this.#current();
    const there = path !== undefined && isDevice(path);
    const named = path ?? this.#path;
    return { path: named, real: there ? realOf(named) : named, there };
  }

  /** What is to be said of a device that is not there. */
  missing({ path }: Place): string {
    return this.#lastReal === undefined
      ? `${path} is not there yet; waiting for it`
      : `${path} is gone; waiting for it`;
  }

  /** It has been opened. Returns what is to be said of it when it had been missing, or is elsewhere. */
  opened({ path, real }: Place, wasMissing: boolean): string | undefined {
    const isFirst = this.#lastReal === undefined;
    const moved = !isFirst && real !== this.#lastReal;
    this.#isLink ||= isLink(this.given);
    this.#path = path;
    this.#lastReal = real;
    this.#adapter = adapterOf(basename(real), this.#roots.sys);
    if (moved) return `${this.given} is back as ${real}`;
    if (!wasMissing) return undefined;
    return isFirst ? `${this.given} is there` : `${this.given} is back`;
  }

  #current(): string | undefined {
    const { given } = this;
    const followed = this.#path !== given;
    if (followed && isDevice(this.#path) && this.#isOurs(this.#path)) return this.#path;
    if (isDevice(given)) return given;
    if (this.#isLink || this.#adapter === undefined) return undefined;
    const tty = ttyOfAdapter(this.#adapter, this.#roots.sys);
    const path = `${this.#roots.dev}/${tty}`;
    return tty !== undefined && isDevice(path) ? path : undefined;
  }

  #isOurs(path: string): boolean {
    const now = adapterOf(basename(path), this.#roots.sys);
    return now !== undefined && this.#adapter !== undefined && isSameAdapter(this.#adapter, now);
  }
}

/** The path itself when it is gone by now, which opening it will tell. */
function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

function isDevice(path: string): boolean {
  try {
    return statSync(path).isCharacterDevice();
  } catch {
    return false;
  }
}
