// Makes a folder at one end of the line like a folder at the other end.

import type { Client } from "./client.ts";
import { download } from "./download.ts";
import { FileTrouble } from "./failed-file.ts";
import { readTree, TargetFolder } from "./local-tree.ts";
import type { Meter } from "./meter.ts";
import { partSuffix, type Plan, planOf, type PlannedFile } from "./tree-difference.ts";
import { Refusal } from "./refusal.ts";
import { type Entry, listTree, type Tree } from "./remote-files.ts";
import { escapePath, under } from "./remote-path.ts";
import { upload } from "./upload.ts";

/** Where the two trees are. The remote folder is a path of the server, with slashes at both ends. */
export interface Ends {
  readonly client: Client;
  readonly local: string;
  readonly remote: string;
}

export interface CarryOptions {
  /** Compares files of the same name block by block. */
  readonly isPatch: boolean;
  /** Removes what only the target has. */
  readonly deletes: boolean;
  /** Tells what would be done. */
  readonly isDry: boolean;
}

export interface Reporter {
  readonly meter: Meter;
  /** A file is begun. */
  begin(path: string): void;
  /** A file is whole. */
  end(path: string, isChecked: boolean): void;
  /** Something else was done, or would be. */
  tell(what: "folder" | "delete" | "send", path: string): void;
  /** A file that could not be carried. Others follow. */
  fail(path: string, error: unknown): void;
  /** Links, devices and the like, which are left out. "" is the whole folder: its list is not complete. */
  leaveOut(paths: readonly string[]): void;
}

/** One direction. */
interface Way {
  readonly source: Tree;
  readonly target: Tree;
  makeFolder(path: string): Promise<void> | void;
  /** True when its hash was compared. */
  carry(file: PlannedFile, names: ReadonlySet<string>): Promise<boolean>;
  remove(entry: Entry): Promise<void> | void;
}

export interface Outcome {
  readonly carried: number;
  readonly same: number;
  readonly removed: number;
  readonly failed: number;
}

/** From the server to this machine. Throws when nothing more can succeed: GaveUp, a full disk, a refused list. */
export async function receiveTree(ends: Ends, options: CarryOptions, reporter: Reporter): Promise<Outcome> {
  const { client, local, remote } = ends;
  const source = await listTree(client, remote);
  if (source.others.length > 0) reporter.leaveOut(source.others);
  const folder = new TargetFolder(local);
  const tree = readTree(local);
  return await carryAll(
    {
      source,
      target: tree,
      makeFolder: (path) => folder.make(path),
      carry: async ({ entry: { path }, isThere }, names) => {
        folder.make(path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "");
        const wanted = {
          path: under(remote, path),
          target: under(local, path),
          suffix: partSuffix(path, names),
          isPatch: isThere && options.isPatch,
        };
        return (await download(client, wanted, reporter.meter)).isChecked;
      },
      remove: (entry) => folder.remove(entry),
    },
    options,
    reporter,
  );
}

/** From this machine to the server. */
export async function sendTree(ends: Ends, options: CarryOptions, reporter: Reporter): Promise<Outcome> {
  const { client, local, remote } = ends;
  const tree = readTree(local);
  if (tree.odd.length > 0) reporter.leaveOut(tree.odd);
  const target = await listOrNothing(client, remote);
  if (target === undefined && !options.isDry) await makeRemote(client, remote);
  return await carryAll(
    {
      source: tree,
      target: target ?? { entries: [], others: [] },
      makeFolder: (path) => makeRemote(client, under(remote, path)),
      carry: async ({ entry: { path }, isThere }) => {
        const sent = { source: under(local, path), path: under(remote, path), isPatch: isThere && options.isPatch };
        await upload(client, sent, reporter.meter);
        return true;
      },
      remove: async ({ path }) => {
        // A folder must be empty by now. What came into it meanwhile stays.
        const headers = { Depth: "0" };
        await client.ask({ method: "DELETE", target: escapePath(under(remote, path)), headers }, [200, 204, 404]);
      },
    },
    options,
    reporter,
  );
}

async function carryAll(way: Way, options: CarryOptions, reporter: Reporter): Promise<Outcome> {
  const plan = planOf(way.source, way.target);
  const removed = options.deletes ? plan.extra : [];
  if (options.isDry) {
    for (const path of plan.folders) reporter.tell("folder", path);
    for (const { entry } of plan.files) reporter.tell("send", entry.path);
    for (const { path } of removed) reporter.tell("delete", path);
    return { carried: plan.files.length, same: plan.same, removed: removed.length, failed: 0 };
  }
  const failed = (await makeFolders(way, plan, reporter)) + (await carryFiles(way, plan, reporter));
  let gone = 0;
  // What could not be carried may be what its old copy is still needed for.
  if (failed === 0)
    for (const entry of removed) {
      reporter.tell("delete", entry.path);
      if (await succeeds(entry.path, reporter, async () => await way.remove(entry))) gone++;
    }
  const notGone = failed === 0 ? removed.length - gone : 0;
  return { carried: plan.files.length - failed, same: plan.same, removed: gone, failed: failed + notGone };
}

async function makeFolders(way: Way, plan: Plan, reporter: Reporter): Promise<number> {
  let failed = 0;
  for (const path of plan.folders)
    if (!(await succeeds(path, reporter, async () => await way.makeFolder(path)))) failed++;
  return failed;
}

async function carryFiles(way: Way, plan: Plan, reporter: Reporter): Promise<number> {
  const { meter } = reporter;
  const names = new Set(way.source.entries.map(({ path }) => path));
  let failed = 0;
  meter.total += plan.octets;
  for (const file of plan.files) {
    const { path, size } = file.entry;
    reporter.begin(path);
    const before = meter.done;
    const isGood = await succeeds(path, reporter, async () => reporter.end(path, await way.carry(file, names)));
    if (!isGood) failed++;
    // The file may have another size than the list says.
    meter.total += isGood ? meter.done - before - size : -size;
  }
  return failed;
}

/** False when it failed in a way that does not concern other files. */
async function succeeds(path: string, reporter: Reporter, act: () => Promise<void>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    if (!concernsOne(error)) throw error;
    reporter.fail(path, error);
    return false;
  }
}

const ONE_FILE = ["EACCES", "EPERM", "ENOENT", "EISDIR", "ENOTDIR", "ELOOP", "ENAMETOOLONG", "EINVAL", "ENOTEMPTY"];

function concernsOne(error: unknown): boolean {
  if (error instanceof FileTrouble) return true;
  if (error instanceof Refusal) return !error.isFinal;
  return error instanceof Error && "code" in error && ONE_FILE.includes(String(error.code));
}

/** Undefined: there is no such folder yet. */
async function listOrNothing(client: Client, remote: string): Promise<Tree | undefined> {
  try {
    return await listTree(client, remote);
  } catch (error) {
    if (error instanceof Refusal && error.status === 404) return undefined;
    throw error;
  }
}

/** Makes a folder of the server, and those above it. 405: it is there (RFC 4918 §9.3.1). */
export async function makeRemote(client: Client, path: string): Promise<void> {
  const folder = path.endsWith("/") ? path : `${path}/`;
  try {
    await client.ask({ method: "MKCOL", target: escapePath(folder) }, [201, 405]);
  } catch (error) {
    const above = folder.replace(/[^/]*\/$/, "");
    if (!(error instanceof Refusal) || error.status !== 409 || above === "/" || above === folder) throw error;
    await makeRemote(client, above);
    await client.ask({ method: "MKCOL", target: escapePath(folder) }, [201, 405]);
  }
}
