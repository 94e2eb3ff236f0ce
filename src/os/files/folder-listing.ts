// The names in a folder of a RootedFolder, read in parts.

import { closeFd } from "../ffi/libc.ts";
import { type FileTrouble, troubleOf } from "./file-trouble.ts";
import { type FileFacts, factsAt, namesIn } from "./path-calls.ts";

type Stat = FileFacts & { readonly kind: "file" | "folder" };

interface EntryStat {
  readonly kind: "file" | "folder";
  readonly size: number;
  readonly mtime: number;
  readonly version: string;
  readonly isLink: boolean;
}

export class FolderListing {
  readonly #fd: number;
  readonly #statOfLink: (name: string) => Stat | FileTrouble;
  #names: readonly string[] = [];
  #at = 0;
  #isOpen = true;
  #hasFailed = false;

  constructor(fd: number, statOfLink: (name: string) => Stat | FileTrouble) {
    this.#fd = fd;
    this.#statOfLink = statOfLink;
  }

  next(): string | undefined {
    if (this.#at === this.#names.length && this.#isOpen) {
      const names = namesIn(this.#fd);
      // What fails in the middle, such as a folder that was removed, ends the list.
      if (typeof names === "number") this.#hasFailed = true;
      this.#names = typeof names === "number" ? [] : names;
      this.#at = 0;
    }
    return this.#names[this.#at++];
  }

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  stat(name: string): EntryStat | FileTrouble {
    const facts = factsAt(this.#fd, name);
    if (typeof facts === "number") return troubleOf(-facts);
    const isLink = facts.kind === "link";
    const found = isLink ? this.#statOfLink(name) : facts;
    if (typeof found === "string") return found;
    const { kind, size, mtime, version } = found;
    return kind === "file" || kind === "folder" ? { kind, size, mtime, version, isLink } : "absent";
  }

  close(): void {
    if (this.#isOpen) closeFd(this.#fd);
    this.#isOpen = false;
  }
}
