// The serial addon (@serialport/bindings-cpp) without its JavaScript: no poller, no loader, no udevadm.
//
// The paths are literal so that `bun build --compile` puts the files into the executable. Bun would unpack an addon
// into TMPDIR, where others could swap it before it is loaded. We load it from an anonymous memory file instead.
// Loading can fail (a kernel with vm.memfd_noexec=2; no libstdc++). Then os/serial/tty.ts opens the line without it.

import { readFileSync, writeSync } from "node:fs";
import { check, closeFd, cstring, libc } from "../ffi/libc.ts";

/** The settings that `open` needs. It sets each of them, and CLOCAL, CREAD and raw mode as well. */
export interface OpenOptions {
  baudRate: number;
  dataBits: 5 | 6 | 7 | 8;
  stopBits: 1 | 2;
  parity: "none" | "even" | "odd";
  rtscts: boolean;
  xon: boolean;
  xoff: boolean;
  xany: boolean;
  hupcl: boolean;
  vmin: number;
  vtime: number;
  /** flock(2). We use pppd's lock files instead, and only with the `lock` option. */
  lock: boolean;
}

/** The modem lines that `set` takes. It sets all of them. */
export interface ModemSet {
  brk: boolean;
  cts: boolean;
  dsr: boolean;
  dtr: boolean;
  rts: boolean;
}

type Done<Value> = (error: Error | null, value: Value) => void;

interface Addon {
  open(path: string, options: OpenOptions, done: Done<number>): void;
  update(fd: number, options: { baudRate: number }, done: Done<void>): void;
  getBaudRate(fd: number, done: Done<{ baudRate: number }>): void;
  get(fd: number, done: Done<{ cts: boolean; dsr: boolean; dcd: boolean }>): void;
  set(fd: number, lines: ModemSet, done: Done<void>): void;
  flush(fd: number, done: Done<void>): void;
  drain(fd: number, done: Done<void>): void;
  close(fd: number, done: Done<void>): void;
}

/** True when this process runs on musl: the addon must be built for the C library we are on. */
function onMusl(): boolean {
  return readFileSync("/proc/self/maps", "latin1").includes("ld-musl-");
}

/** From sources, the addon itself. In the executable, the path of its embedded file. */
function required(): Addon | string {
  if (process.arch === "arm64") {
    return onMusl()
      ? require("@serialport/bindings-cpp/prebuilds/linux-arm64/@serialport+bindings-cpp.armv8.musl.node")
      : require("@serialport/bindings-cpp/prebuilds/linux-arm64/@serialport+bindings-cpp.armv8.glibc.node");
  }
  return onMusl()
    ? require("@serialport/bindings-cpp/prebuilds/linux-x64/@serialport+bindings-cpp.musl.node")
    : require("@serialport/bindings-cpp/prebuilds/linux-x64/@serialport+bindings-cpp.glibc.node");
}

const MFD_CLOEXEC = 1;
const SYS_MEMFD_CREATE = process.arch === "arm64" ? 279 : 319;

function load(): Addon {
  const found = required();
  if (typeof found !== "string") return found;
  const bytes = readFileSync(found);
  const name = cstring("nullmodem-serial");
  const fd = check(libc.syscall(SYS_MEMFD_CREATE, name.address, MFD_CLOEXEC, 0, 0, 0), "memfd_create");
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
    const module = { exports: {} as Addon };
    process.dlopen(module, `/proc/self/fd/${fd}`);
    return module.exports;
  } finally {
    closeFd(fd);
  }
}

let loaded: Addon | Error | undefined;

/** The addon, or the reason why it cannot be loaded. It is loaded at first use, which takes 2 to 5 ms. */
export function serialAddon(): Addon | Error {
  try {
    loaded ??= load();
  } catch (error) {
    loaded = error instanceof Error ? error : new Error(String(error));
  }
  return loaded;
}

/**
 * Opens and sets up a serial line, close-on-exec and non-blocking. Undefined when the addon is missing or fails. The
 * caller already has a descriptor of the line and continues without the addon.
 */
export function openSerial(path: string, options: OpenOptions): Promise<number | undefined> {
  const addon = serialAddon();
  if (addon instanceof Error) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    try {
      addon.open(path, options, (error, fd) => resolve(error ? undefined : fd));
    } catch {
      resolve(undefined);
    }
  });
}
