// Files and folders of this machine, below one folder. Names are of octets. Links are not followed.

import { closeSync, constants, lstatSync, mkdirSync, openSync, readdirSync, rmdirSync, unlinkSync } from "node:fs";
import { FileTrouble } from "./failed-file.ts";
import { originOf } from "./part-file.ts";
import type { Entry, Tree } from "./remote-files.ts";
import { systemPath, under } from "./remote-path.ts";
import { textOf } from "../bytes/text.ts";

/** The names of partial files, and of the notes beside them, are no business of the other side. */
const PART = /\.part(~*)(\.json)?$/;

/** What a file server of ours that gives this folder too has not finished. */
const HIDDEN = /^\.nullmodem-part-/;

export interface LocalTree extends Tree {
  /** Links, devices, sockets and the like. They are in `others` too. */
  readonly odd: readonly string[];
}

/** Throws the errors of node:fs. */
export function readTree(root: string): LocalTree {
  const entries: Entry[] = [];
  const odd: string[] = [];
  const parts: string[] = [];
  const visit = (folder: string): void => {
    const names = readdirSync(systemPath(under(root, folder)), { encoding: "buffer" }).map((name) => textOf(name));
    const all = new Set(names);
    for (const name of names.sort()) {
      const path = under(folder, name);
      const isOurs = isPart(name, all) && originOf(under(root, path.replace(/\.json$/, ""))) !== undefined;
      if (isOurs || HIDDEN.test(name)) {
        parts.push(path);
        continue;
      }
      const stat = lstatSync(systemPath(under(root, path)), { throwIfNoEntry: false });
      if (stat === undefined) continue;
      const mtime = Math.floor(stat.mtimeMs / 1000);
      if (stat.isDirectory()) {
        entries.push({ path, kind: "folder", size: 0, mtime });
        visit(path);
      } else if (stat.isFile()) entries.push({ path, kind: "file", size: stat.size, mtime });
      else odd.push(path);
    }
  };
  visit("");
  return { entries, odd, others: [...odd, ...parts] };
}

function isPart(name: string, names: ReadonlySet<string>): boolean {
  return PART.test(name) && names.has(name.replace(PART, (_, tildes: string) => `.part${tildes}.json`));
}

/** A folder below which files of the other side are put. */
export class TargetFolder {
  readonly root: string;
  readonly #known = new Set<string>();

  /** Makes the folder itself, where it may be a link. */
  constructor(root: string) {
    this.root = root;
    mkdirSync(systemPath(root), { recursive: true });
    closeSync(openSync(systemPath(root), constants.O_RDONLY | constants.O_DIRECTORY));
  }

  /** Makes a folder and those above it. A link or a file in its place is an error: files would go elsewhere. */
  make(folder: string): void {
    if (folder === "" || this.#known.has(folder)) return;
    const at = folder.lastIndexOf("/");
    if (at >= 0) this.make(folder.slice(0, at));
    const path = systemPath(under(this.root, folder));
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) mkdirSync(path);
    else if (!stat.isDirectory()) throw new FileTrouble("a file or a link is where a folder should be");
    this.#known.add(folder);
  }

  remove({ path, kind }: Entry): void {
    const whole = systemPath(under(this.root, path));
    if (kind === "folder") rmdirSync(whole);
    else unlinkSync(whole);
  }
}
