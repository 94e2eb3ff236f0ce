// Opens shared libraries that may not be installed, by soname, at first use. Also makes NUL-terminated byte strings for
// them.

import { dlopen, type FFIFunction } from "bun:ffi";
import { cstring, Memory } from "./libc.ts";

/** The C library: glibc's soname, then musl's. */
export const LIBC = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"];

const RTLD_NOW = 2;

// Every glibc has libdl.so.2, and musl accepts the name for its own libc.
const loader = dlopen("libdl.so.2", { dlopen: { args: ["ptr", "i32"], returns: "ptr" } }).symbols;

/**
 * Asks the system's loader first. Bun also looks in the working directory, where anybody may have put a file of that
 * name.
 */
function isInstalled(name: string): boolean {
  return loader.dlopen(cstring(name).address, RTLD_NOW) !== null;
}

function open<const Symbols extends Record<string, FFIFunction>>(names: readonly string[], symbols: Symbols) {
  for (const name of names) {
    if (!isInstalled(name)) continue;
    try {
      return dlopen(name, symbols).symbols;
    } catch {
      // The library lacks one of the functions: try the next name.
    }
  }
  return undefined;
}

/** A function that opens the first of `names` that has all of `symbols`, once, and returns undefined if none has. */
export function library<const Symbols extends Record<string, FFIFunction>>(
  names: readonly string[],
  symbols: Symbols,
): () => ReturnType<typeof open<Symbols>> {
  let tried = false;
  let opened: ReturnType<typeof open<Symbols>>;
  return () => {
    if (!tried) opened = open(names, symbols);
    tried = true;
    return opened;
  };
}

/** A NUL-terminated copy of bytes that need not be UTF-8, such as names and passwords from the peer. */
export function terminated(bytes: Uint8Array): Memory {
  const memory = new Memory(bytes.length + 1);
  memory.bytes.set(bytes);
  return memory;
}
