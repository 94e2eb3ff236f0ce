// A folder and what is in it, for others who may send any path. The kernel follows each path beneath the folder (openat2,
// RESOLVE_BENEATH), so nothing can be exchanged between a check and its use. Links in the folder that stay in it are followed.
// Without openat2 each name is opened by itself, and no link is followed.
//
// An operation on a name (rename, remove) happens in the open folder that has the name. It never follows the name itself.

import { fsyncSync } from "node:fs";
import { constants } from "node:os";
import { fstatfsFree } from "./free-space.ts";
import { FolderFile } from "./folder-file.ts";
import { FolderListing } from "./folder-listing.ts";
import { closeFd, O, openFd } from "../ffi/libc.ts";
import { type FileTrouble, troubleOf } from "./file-trouble.ts";
import {
  accessTo,
  type FileFacts,
  factsAt,
  hasOpenBeneath,
  makeFolderAt,
  OPEN,
  openAt,
  openBeneath,
  removeAt,
  renameAt,
} from "./path-calls.ts";

type Path = readonly string[];

const { ELOOP, ENOTDIR, EXDEV } = constants.errno;
const FOLDER_TO_READ = OPEN.RDONLY | OPEN.DIRECTORY | OPEN.NONBLOCK;
const FILE_TO_READ = OPEN.RDONLY | OPEN.NONBLOCK | OPEN.NOCTTY;
const FILE_TO_WRITE = OPEN.RDWR | OPEN.NONBLOCK | OPEN.NOCTTY | OPEN.NOFOLLOW;
const MODE = 0o666;
/** A path of more names or a longer name is refused before the kernel sees it. */
const MOST_NAMES = 256;
const MOST_OCTETS = 255;

export class RootedFolder {
  readonly #fd: number;
  readonly #hasBeneath: boolean;
  readonly #files = new Set<FolderFile>();
  readonly #closed = (file: FolderFile): void => void this.#files.delete(file);

  /** The path of the folder, or a descriptor of it. `isOld` acts as a kernel without openat2. Throws OsError. */
  constructor(place: string | number, isOld = false) {
    this.#fd = typeof place === "number" ? place : openFd(place, O.RDONLY | OPEN.DIRECTORY);
    this.#hasBeneath = !isOld && hasOpenBeneath(this.#fd);
  }

  open(path: Path): FolderFile | FileTrouble {
    return this.#file(path, FILE_TO_READ);
  }

  create(path: Path): FolderFile | FileTrouble {
    if (path.length === 0) return "exists";
    return this.#file(path, FILE_TO_WRITE | OPEN.CREAT | OPEN.EXCL, MODE);
  }

  reopen(path: Path): FolderFile | FileTrouble {
    return this.#file(path, FILE_TO_WRITE);
  }

  #file(path: Path, flags: number, mode = 0): FolderFile | FileTrouble {
    // Opening a device may act on it, so nothing but a file is opened: this descriptor only stands for it.
    if ((flags & OPEN.CREAT) === 0) {
      const facts = this.#facts(path, flags & OPEN.NOFOLLOW);
      if (typeof facts === "string") return facts;
      if (facts.kind !== "file") return facts.kind === "folder" ? "is-folder" : "absent";
    }
    const fd = this.#resolve(path, flags, mode);
    if (fd < 0) return troubleOf(-fd);
    const facts = factsAt(fd, "");
    if (typeof facts !== "number" && facts.kind === "file") {
      const file = new FolderFile(fd, this.#closed);
      this.#files.add(file);
      return file;
    }
    closeFd(fd);
    return typeof facts !== "number" && facts.kind === "folder" ? "is-folder" : "absent";
  }

  stat(path: Path): (FileFacts & { readonly kind: "file" | "folder" }) | FileTrouble {
    const facts = this.#facts(path, 0);
    return typeof facts === "string" || isGiven(facts) ? facts : "absent";
  }

  #facts(path: Path, flags: number): FileFacts | FileTrouble {
    const fd = this.#resolve(path, OPEN.PATH | flags);
    if (fd < 0) return troubleOf(-fd);
    const facts = factsAt(fd, "");
    closeFd(fd);
    return typeof facts === "number" ? troubleOf(-facts) : facts;
  }

  list(path: Path): FolderListing | FileTrouble {
    const fd = this.#resolve(path, FOLDER_TO_READ);
    if (fd < 0) return fd === -ENOTDIR ? this.#whyNoFolder(path) : troubleOf(-fd);
    return new FolderListing(fd, (name) => this.stat([...path, name]));
  }

  #whyNoFolder(path: Path): FileTrouble {
    const facts = this.stat(path);
    return typeof facts !== "string" && facts.kind === "file" ? "is-file" : "absent";
  }

  rename(from: Path, to: Path, replaces: boolean): FileTrouble | undefined {
    return this.#inParent(from, (fromFolder, one) =>
      this.#inParent(to, (toFolder, other) => {
        const result = renameAt(fromFolder, one, toFolder, other, replaces);
        const trouble = result === -EXDEV ? "other-disk" : troubleIn(result);
        if (trouble === undefined) syncFolder(toFolder);
        return trouble;
      }),
    );
  }

  remove(path: Path): FileTrouble | undefined {
    return this.#inParent(path, (folder, name) => troubleIn(removeAt(folder, name)));
  }

  makeFolder(path: Path): FileTrouble | undefined {
    if (path.length === 0) return "exists";
    return this.#inParent(path, (folder, name) => {
      const trouble = troubleIn(makeFolderAt(folder, name));
      if (trouble === undefined) syncFolder(folder);
      return trouble;
    });
  }

  /** "denied": this process, as it is now, may not do that with the folder itself. */
  refusal(wanted: "read" | "write"): FileTrouble | undefined {
    return troubleIn(accessTo(this.#fd, wanted));
  }

  mayWrite(path: Path): boolean {
    const fd = this.#resolve(path, OPEN.PATH | OPEN.DIRECTORY);
    if (fd < 0) return false;
    const result = accessTo(fd, "write");
    closeFd(fd);
    return result === 0;
  }

  /** Octets of open files that have lost their names. */
  namelessOctets(): number {
    const sizes = new Map<string, number>();
    for (const file of this.#files) {
      const { version, size } = file.nameless() ?? {};
      if (version !== undefined && size !== undefined) sizes.set(version, size);
    }
    return [...sizes.values()].reduce((sum, size) => sum + size, 0);
  }

  /** Octets that can still be written on its disk. */
  room(): number {
    return fstatfsFree(this.#fd);
  }

  close(): void {
    closeFd(this.#fd);
  }

  /** Acts on the last name of a path in the open folder before it. */
  #inParent(path: Path, act: (folder: number, name: string) => FileTrouble | undefined): FileTrouble | undefined {
    const name = path.at(-1);
    if (name === undefined) return "denied";
    if (!path.every(isName)) return "bad-name";
    const folder = this.#resolve(path.slice(0, -1), FOLDER_TO_READ);
    if (folder < 0) return folder === -ENOTDIR ? this.#whyNoFolder(path.slice(0, -1)) : troubleOf(-folder);
    const trouble = act(folder, name);
    closeFd(folder);
    return trouble;
  }

  /** A descriptor, or minus the error number. */
  #resolve(path: Path, flags: number, mode = 0): number {
    if (path.length > MOST_NAMES || !path.every(isName)) return -constants.errno.EILSEQ;
    if (path.length === 0) return openAt(this.#fd, ".", flags, mode);
    if (this.#hasBeneath) return openBeneath(this.#fd, path.join("/"), flags, mode);
    return this.#walk(path, flags, mode);
  }

  #walk(path: Path, flags: number, mode: number): number {
    let folder = this.#fd;
    for (const [at, name] of path.entries()) {
      const isLast = at === path.length - 1;
      const wanted = isLast ? flags | OPEN.NOFOLLOW : OPEN.PATH | OPEN.DIRECTORY | OPEN.NOFOLLOW;
      const fd = openAt(folder, name, wanted, isLast ? mode : 0);
      if (folder !== this.#fd) closeFd(folder);
      if (fd < 0 || isLast) return fd;
      folder = fd;
    }
    return -ELOOP;
  }
}

function isName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && name.length <= MOST_OCTETS && !/[/\0]/.test(name);
}

function isGiven(facts: FileFacts): facts is FileFacts & { readonly kind: "file" | "folder" } {
  return facts.kind === "file" || facts.kind === "folder";
}

function troubleIn(result: number): FileTrouble | undefined {
  return result < 0 ? troubleOf(-result) : undefined;
}

/** A file system that cannot do this has no better way either. */
function syncFolder(fd: number): void {
  try {
    fsyncSync(fd);
  } catch {
    // EINVAL
  }
}
