// The record of what setup changed, from which --undo takes it back. A record is written before the first file is
// changed, and names the text of each file before and after. So at whatever point a setup or an undo was interrupted,
// the next undo knows for each file what has been done.

import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Disk, Stored } from "./disk.ts";
import { beginMark, withoutPart } from "./marked-part.ts";

/** A file that is to be changed. */
export interface Change {
  readonly path: string;
  /** Undefined: the file is new. */
  readonly before: Stored | undefined;
  readonly after: Stored;
  /** The part that was put in, the older part in whose place it is, and its name. Undefined: all of the file is ours. */
  readonly placed: { readonly name: string; readonly part: string; readonly replaced: string } | undefined;
}

interface FileRecord {
  readonly path: string;
  /** Undefined: the file was made. */
  readonly before?: { readonly hash: string; readonly backup: string; mode: number; uid: number; gid: number };
  readonly after: string;
  readonly placed?: Change["placed"];
}

interface RunRecord {
  readonly title: string;
  /** The folders that were made, the outermost first. */
  readonly folders: readonly string[];
  readonly files: readonly FileRecord[];
  /** All files have been changed. */
  readonly complete: boolean;
}

/** Nothing was changed, for these reasons. */
export class Refusal extends Error {
  readonly reasons: readonly string[];

  constructor(reasons: readonly string[]) {
    super(reasons.join("\n"));
    this.name = "Refusal";
    this.reasons = reasons;
  }
}

/** What was done, as lines for the user. */
export interface Undone {
  readonly title: string;
  readonly lines: readonly string[];
}

const FOLDER = "nullmodem-setup";
const JOURNAL = "journal.json";
const SECRET_MODE = 0o600;

export class Journal {
  readonly #disk: Disk;
  readonly #folder: string;

  /** `etc` is the folder of pppd's configuration files, where the journal and the backups are too. */
  constructor(disk: Disk, etc: string) {
    this.#disk = disk;
    this.#folder = join(etc, FOLDER);
  }

  get folder(): string {
    return this.#folder;
  }

  /** The setups that can be taken back, the oldest first. */
  runs(): readonly RunRecord[] {
    const stored = this.#disk.read(this.#path);
    return stored === undefined ? [] : (JSON.parse(stored.text) as RunRecord[]);
  }

  /** True when this text of the file is what a setup left there. */
  made(path: string, { text }: Stored): boolean {
    return this.runs().some(({ files }) => files.some((file) => file.path === path && file.after === hash(text)));
  }

  /** Throws Refusal after a setup that was interrupted. */
  checkComplete(): void {
    if (this.runs().at(-1)?.complete === false) {
      throw new Refusal(["an earlier setup was interrupted: take it back first with nullmodem setup --undo"]);
    }
  }

  /** Changes the files. Throws Refusal when one of them is another by now; then all are as they were. */
  apply(title: string, changes: readonly Change[]): void {
    const disk = this.#disk;
    this.checkComplete();
    const runs = this.runs();
    const paths = [this.#path, ...changes.map(({ path }) => path)];
    const folders = [...new Set(paths.flatMap((path) => disk.missingFolders(path)))];
    const files = changes.map((change, at) => recordOf(change, `${runs.length + 1}-${at + 1}`));
    const run: RunRecord = {
      title,
      folders: folders.filter((folder) => folder !== this.#folder),
      files,
      complete: false,
    };
    this.#begin(runs, run);
    try {
      for (const [at, { before }] of changes.entries()) {
        const backup = files[at]?.before?.backup;
        if (before !== undefined && backup !== undefined) disk.write(join(this.#folder, backup), owned(before.text));
      }
      for (const folder of folders) disk.makeFolder(folder, 0o755);
      for (const { path, before, after } of changes) {
        if (disk.read(path)?.text !== before?.text)
          throw new Refusal([`${path} was changed by another program just now`]);
        disk.write(path, after);
      }
    } catch (error) {
      this.undo();
      throw error;
    }
    this.#write([...runs, { ...run, complete: true }]);
  }

  /** Writes the record of a run before anything else is changed. */
  #begin(runs: readonly RunRecord[], run: RunRecord): void {
    for (const folder of this.#disk.missingFolders(this.#path)) {
      this.#disk.makeFolder(folder, folder === this.#folder ? 0o700 : 0o755);
    }
    try {
      this.#write([...runs, run]);
    } catch (error) {
      if (runs.length === 0) this.#forget([run]);
      throw error;
    }
  }

  /** Takes the last setup back. Undefined: there is none. Throws Refusal when that would undo somebody else's changes. */
  undo(): Undone | undefined {
    const runs = this.runs();
    const run = runs.at(-1);
    const restored = run?.files.toReversed().map((file) => this.#restored(file)) ?? [];
    const reasons = restored.flatMap(({ refusal }) => refusal ?? []);
    if (reasons.length > 0) throw new Refusal(reasons);
    const lines: string[] = [];
    for (const { path, to, said } of restored) {
      this.#disk.removeUnfinished(path);
      if (to === "gone") this.#disk.remove(path);
      else if (to !== "stays") this.#disk.write(path, to);
      lines.push(said);
    }
    this.#forget(runs);
    return run === undefined ? undefined : { title: run.title, lines };
  }

  get #path(): string {
    return join(this.#folder, JOURNAL);
  }

  #write(runs: readonly RunRecord[]): void {
    this.#disk.write(this.#path, owned(`${JSON.stringify(runs, undefined, 1)}\n`));
  }

  /** Removes the last run from the journal, its backups, and the folders that setup made and that are empty. */
  #forget(runs: readonly RunRecord[]): void {
    const left = runs.slice(0, -1);
    const named = new Set(left.flatMap(({ files }) => files.flatMap(({ before }) => before?.backup ?? [])));
    for (const name of this.#disk.list(this.#folder)) {
      if (name !== JOURNAL && !named.has(name)) this.#disk.remove(join(this.#folder, name));
    }
    const mine = runs.at(-1)?.folders.filter((folder) => !this.#folder.startsWith(`${folder}/`)) ?? [];
    for (const folder of mine.toReversed()) this.#disk.removeFolder(folder);
    // Last of all, so that an undo that is interrupted before is repeated as a whole.
    if (left.length > 0) return this.#write(left);
    const above = runs.flatMap(({ folders }) => folders).filter((folder) => this.#folder.startsWith(`${folder}/`));
    this.#disk.remove(this.#path);
    for (const folder of [this.#folder, ...above.toReversed()]) this.#disk.removeFolder(folder);
  }

  /** What to do with a file, and what to say of it. */
  #restored({ path, before, after, placed }: FileRecord): {
    path: string;
    to: Stored | "gone" | "stays";
    said: string;
    refusal?: string;
  } {
    const now = this.#disk.read(path);
    if (now === undefined) {
      const said = before === undefined ? `${path} is not there` : `${path} was removed since, and stays so`;
      return { path, to: "stays", said };
    }
    if (before !== undefined && hash(now.text) === before.hash) {
      return { path, to: "stays", said: `${path} is as it was` };
    }
    if (hash(now.text) === after) {
      if (before === undefined) return { path, to: "gone", said: `${path} removed` };
      const backup = this.#disk.read(join(this.#folder, before.backup));
      if (backup !== undefined && hash(backup.text) === before.hash) {
        const { mode, uid, gid } = before;
        return { path, to: { text: backup.text, mode, uid, gid }, said: `${path} is as it was` };
      }
    }
    const refuse = (reason: string) => ({ path, to: "stays" as const, said: "", refusal: `${path} ${reason}` });
    if (placed === undefined) return refuse("was changed since setup wrote it: remove it yourself");
    const merged = withoutPart(now.text, placed.part, placed.replaced);
    if (merged !== undefined) {
      const to = merged === "" && before === undefined ? "gone" : { ...now, text: merged };
      return { path, to, said: `${path}: the part of setup removed, other changes kept` };
    }
    const old = placed.replaced;
    const isGone = old === "" ? !now.text.includes(beginMark(placed.name)) : now.text.includes(old);
    if (isGone) return { path, to: "stays", said: `${path} has no part of this setup any more` };
    return refuse("was changed within the part that setup wrote: remove that part yourself, then repeat --undo");
  }
}

function recordOf({ path, before, after, placed }: Change, number: string): FileRecord {
  const backup = `${number}-${path.slice(path.lastIndexOf("/") + 1)}`;
  return {
    path,
    after: hash(after.text),
    ...(before && {
      before: { hash: hash(before.text), backup, mode: before.mode, uid: before.uid, gid: before.gid },
    }),
    ...(placed && { placed }),
  };
}

/** A file of root's that nobody else reads: it may have passwords. */
function owned(text: string): Stored {
  return { text, mode: SECRET_MODE, uid: 0, gid: 0 };
}

function hash(text: string): string {
  return createHash("sha256").update(text, "latin1").digest("hex");
}
