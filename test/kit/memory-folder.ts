// A folder in memory, with a disk of a given size.

import type { EntryStat, Folder, Listing, OpenFile, Path, Stat, Trouble } from "../../src/files/folder.ts";

interface StoredFile {
  octets: Uint8Array;
  size: number;
  mtime: number;
  changes: number;
}

export class MemoryFolder implements Folder {
  /** By path, its names joined by slashes. A folder is null. */
  readonly nodes = new Map<string, StoredFile | null>([["", null]]);
  /** How many octets the disk takes in all. */
  capacity = Infinity;
  /** Files that are links. */
  readonly links = new Set<string>();
  open_ = 0;
  readonly #openings = new Set<{ readonly node: StoredFile }>();
  /** The time of a file that is made. */
  now: () => number = () => 1_000_000_000;
  #changes = 0;

  put(path: string, octets: Uint8Array | string, mtime = 1_000_000_000): void {
    const bytes = typeof octets === "string" ? Buffer.from(octets, "latin1") : octets;
    this.nodes.set(path, { octets: bytes, size: bytes.length, mtime, changes: this.#changes++ });
  }

  text(path: string): string | undefined {
    const node = this.nodes.get(path);
    return node ? Buffer.from(node.octets.subarray(0, node.size)).toString("latin1") : undefined;
  }

  get names(): string[] {
    return [...this.nodes.keys()].filter((path) => path !== "").sort();
  }

  get #used(): number {
    return [...this.nodes.values()].reduce((sum, node) => sum + (node?.size ?? 0), 0);
  }

  mayWrite(): boolean {
    return true;
  }

  room(): number {
    return this.capacity - this.#used;
  }

  open(path: Path): OpenFile | Trouble {
    const node = this.nodes.get(path.join("/"));
    if (node === null) return "is-folder";
    return node === undefined ? "absent" : this.#opened(node);
  }

  reopen(path: Path): OpenFile | Trouble {
    return this.open(path);
  }

  create(path: Path): OpenFile | Trouble {
    const key = path.join("/");
    if (this.nodes.has(key)) return "exists";
    if (this.nodes.get(path.slice(0, -1).join("/")) !== null) return "absent";
    this.put(key, "", this.now());
    return this.open(path);
  }

  #opened(node: StoredFile): OpenFile {
    this.open_++;
    const opening = { node };
    this.#openings.add(opening);
    const version = (): Stat => statOf(node);
    return {
      stat: version,
      read: (into, at, end, position) => {
        const part = node.octets.subarray(position, Math.min(node.size, position + end - at));
        into.set(part, at);
        return part.length;
      },
      write: (from, start, end, position) => {
        const count = Math.min(end - start, this.room() + Math.max(0, node.size - position));
        if (count <= 0) return "full";
        if (position + count > node.octets.length) {
          const larger = new Uint8Array(2 * (position + count));
          larger.set(node.octets);
          node.octets = larger;
        }
        node.octets.set(from.subarray(start, start + count), position);
        node.size = Math.max(node.size, position + count);
        node.changes = this.#changes++;
        return count;
      },
      truncate: (size) => void (node.size = Math.min(node.size, size)),
      sync: () => undefined,
      setTime: (mtime) => void (node.mtime = mtime),
      close: () => {
        if (this.#openings.delete(opening)) this.open_--;
      },
    };
  }

  namelessOctets(): number {
    const named = new Set(this.nodes.values());
    const nameless = new Set([...this.#openings].map(({ node }) => node).filter((node) => !named.has(node)));
    return [...nameless].reduce((sum, { size }) => sum + size, 0);
  }

  stat(path: Path): Stat | Trouble {
    if (path.includes("..")) return "bad-name";
    const node = this.nodes.get(path.join("/"));
    return node === undefined ? "absent" : statOf(node);
  }

  list(path: Path): Listing | Trouble {
    const key = path.join("/");
    const node = this.nodes.get(key);
    if (node !== null) return node === undefined ? "absent" : "is-file";
    const start = key === "" ? "" : `${key}/`;
    const names = [...this.nodes.keys()]
      .filter((one) => one !== "" && one.startsWith(start) && !one.slice(start.length).includes("/"))
      .map((one) => one.slice(start.length));
    this.open_++;
    let at = 0;
    return {
      next: () => names[at++],
      hasFailed: false,
      stat: (name): EntryStat | Trouble => {
        const stat = this.stat([...path, name]);
        return typeof stat === "string" ? stat : { ...stat, isLink: this.links.has([...path, name].join("/")) };
      },
      close: () => void this.open_--,
    };
  }

  rename(from: Path, to: Path, replaces: boolean): Trouble | undefined {
    if (!this.nodes.has(from.join("/"))) return "absent";
    const key = to.join("/");
    if (this.nodes.get(key) === null) return "is-folder";
    if (this.nodes.has(key) && !replaces) return "exists";
    const start = from.join("/");
    for (const [path, inside] of [...this.nodes])
      if (path === start || path.startsWith(`${start}/`)) {
        this.nodes.delete(path);
        this.nodes.set(key + path.slice(start.length), inside);
      }
    return undefined;
  }

  remove(path: Path): Trouble | undefined {
    const key = path.join("/");
    if (this.names.some((name) => name.startsWith(`${key}/`))) return "not-empty";
    return this.nodes.delete(key) ? undefined : "absent";
  }

  makeFolder(path: Path): Trouble | undefined {
    if (this.nodes.has(path.join("/"))) return "exists";
    this.nodes.set(path.join("/"), null);
    return undefined;
  }

  close(): void {}
}

function statOf(node: StoredFile | null): Stat {
  return node === null
    ? { kind: "folder", size: 0, mtime: 1_000_000_000, version: "folder" }
    : { kind: "file", size: node.size, mtime: node.mtime, version: `${node.changes}-${node.mtime}` };
}
