// The files of a simulated computer: a tree in memory, which may be full.

import { bytesOf } from "../../src/bytes/text.ts";
import type { Files, OpenMode } from "../../src/run/host/files.ts";
import { Poll } from "../../src/run/machine.ts";
import { SimulatedError } from "./errors.ts";
import { Channel, type Process } from "./process.ts";

interface FileNode {
  bytes: Uint8Array;
  mode: number;
}

export class FileTree {
  readonly files = new Map<string, FileNode>();
  /** Nothing more can be written. */
  isFull = false;
  /** /var/lock is for root. */
  deniesLocks = false;
  /** Devices that this user may not open. */
  readonly closed = new Set<string>();
  /** Of the paths in `files`, those that are folders, and those that nobody may remove. */
  readonly folders = new Set<string>();
  readonly deniesRemoval = new Set<string>();
  /** Whether a path is a device, and where a symbolic link leads. The computer knows its ports. */
  isDevice = (_path: string): boolean => false;
  /** Paths of all devices. */
  devices = (): string[] => [];

  put(path: string, text: string, mode = 0o644): void {
    this.files.set(path, { bytes: bytesOf(text), mode });
  }

  remove(path: string): void {
    this.files.delete(path);
  }

  text(path: string): string | undefined {
    const file = this.files.get(path);
    return file && Buffer.from(file.bytes).toString("latin1");
  }

  /** Throws ENOSPC, after which the file is as it was. */
  append(path: string, bytes: Uint8Array, position?: number): void {
    if (this.isFull) throw new SimulatedError("write", path, "ENOSPC");
    const file = this.files.get(path);
    // A file that was removed while it was open is nobody's.
    if (file === undefined) return;
    if (position === undefined && file.bytes.length > MOST_OCTETS) file.bytes = new Uint8Array(0);
    const at = position ?? file.bytes.length;
    const grown = new Uint8Array(Math.max(file.bytes.length, at + bytes.length));
    grown.set(file.bytes);
    grown.set(bytes, at);
    file.bytes = grown;
  }

  names(folder: string): string[] {
    return [...this.files.keys()]
      .filter((path) => path.startsWith(`${folder}/`))
      .map((path) => path.slice(folder.length + 1));
  }
}

/** A file that is appended to begins anew after so many octets: nobody reads that much. */
const MOST_OCTETS = 16384;

class FileChannel extends Channel {
  #at = 0;
  readonly tree: FileTree;
  readonly path: string;

  constructor(tree: FileTree, path: string) {
    super();
    this.tree = tree;
    this.path = path;
  }

  events(): number {
    return Poll.IN | Poll.OUT;
  }

  override read(into: Uint8Array, length: number): number {
    const bytes = this.tree.files.get(this.path)?.bytes ?? new Uint8Array(0);
    const piece = bytes.subarray(this.#at, this.#at + length);
    into.set(piece);
    this.#at += piece.length;
    return piece.length;
  }

  override write(bytes: Uint8Array): number {
    try {
      this.tree.append(this.path, bytes);
      return bytes.length;
    } catch (error) {
      return error instanceof SimulatedError ? -error.errno : 0;
    }
  }

  close(): void {}
}

/** The files as a process sees them. */
export function filesOf(tree: FileTree, process: Process): Files {
  const node = (call: string, path: string): FileNode => {
    const found = tree.files.get(path);
    if (found === undefined) throw new SimulatedError(call, path, "ENOENT");
    return found;
  };
  const channel = (fd: number): FileChannel => {
    const found = process.channel(fd);
    if (!(found instanceof FileChannel)) throw new SimulatedError("write", `descriptor ${fd}`, "EBADF");
    return found;
  };
  const make = (path: string, mode: number): void => {
    if (tree.files.has(path)) return;
    if (tree.isFull) throw new SimulatedError("open", path, "ENOSPC");
    tree.put(path, "", mode);
  };
  const open = (path: string, mode: OpenMode, permissions = 0o644): number => {
    if (mode === "append" || mode === "update") make(path, permissions);
    node("open", path);
    return process.open(new FileChannel(tree, path));
  };
  return {
    open,
    openForCaller: open,
    readAll: (fd) => node("read", channel(fd).path).bytes,
    read: (path) => node("open", path).bytes,
    readHead: (path, most) => node("open", path).bytes.subarray(0, most),
    readResized(_fd, path, bytes) {
      const file = node("read", path);
      const resized = new Uint8Array(bytes.length);
      resized.set(file.bytes.subarray(0, bytes.length));
      if (tree.isFull && file.bytes.length < bytes.length) throw new SimulatedError("ftruncate", path, "ENOSPC");
      bytes.set((file.bytes = resized));
    },
    write: (fd, bytes, position) => tree.append(channel(fd).path, bytes, position),
    replace(path, bytes, permissions) {
      if (tree.isFull) throw new SimulatedError("write", path, "ENOSPC");
      tree.files.set(path, { bytes: bytes.slice(), mode: permissions });
    },
    makeFolder: () => {},
    move(from, to) {
      tree.files.set(to, node("rename", from));
      tree.remove(from);
    },
    size: (path) => tree.files.get(path)?.bytes.length ?? 0,
    remove(path) {
      if (tree.folders.has(path) || tree.deniesRemoval.has(path)) throw new SimulatedError("rm", path, "EACCES");
      tree.remove(path);
    },
    readSome: async () => new Uint8Array(0),
    list: (path) =>
      [...tree.names(path), ...tree.devices().flatMap((device) => device.split(`${path}/`)[1] ?? [])].filter(
        (name) => !name.includes("/"),
      ),
    realPath: (path) => path,
    isSymbolicLink: () => false,
    isRegularFile: (path) => tree.files.has(path) && !tree.folders.has(path),
    isCharacterDevice: (path) => tree.isDevice(path),
    isExecutable: (path) => ((tree.files.get(path)?.mode ?? 0) & 0o111) !== 0,
    isReadWritable: (path) => !tree.closed.has(path),
    isPipe: () => false,
  };
}
