// Questions to a server of `nullmodem files`: listings, hashes of files and of blocks. Its answers may be hostile.

import { encoded } from "../bytes/text.ts";
import type { Client } from "./client.ts";
import { NotHttp } from "./http-response.ts";
import { escapePath, isInside } from "./remote-path.ts";

/** A file or a folder, by its path relative to the root of a tree. */
export interface Entry {
  readonly path: string;
  readonly kind: "file" | "folder";
  readonly size: number;
  /** Seconds. */
  readonly mtime: number;
}

/** What lies below a folder. */
export interface Tree {
  /** In no order. */
  readonly entries: readonly Entry[];
  /** Paths of what is there, or may be, and is not carried. "" is the whole folder: its list is not complete. */
  readonly others: readonly string[];
}

/** The size of the blocks that are compared. */
export const BLOCK = 65_536;
const SHA256 = /^[0-9a-f]{64}$/;

/** What lies below a folder. `folder` ends with a slash. Throws Refusal when there is none. */
export async function listTree(client: Client, folder: string): Promise<Tree> {
  const { body } = await client.ask({ method: "GET", target: `${escapePath(folder)}?list=json&deep` });
  // An empty page of another server would be an empty folder.
  if (client.isOurs !== true) throw new NotHttp("the server is not nullmodem and has no list of its files");
  return parseListing(body.toString("utf8"));
}

/** Throws NotHttp when a line is no entry. Leaves out what would lead out of the folder. */
function parseListing(text: string): Tree {
  const entries: Entry[] = [];
  const others: string[] = [];
  let isWhole = false;
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      throw new NotHttp("the listing is not that of nullmodem");
    }
    const entry = parseEntry(value);
    isWhole = entry === "end";
    if (typeof entry === "object") {
      if (entry.kind === "unknown") others.push(entry.path);
      else entries.push({ ...entry, kind: entry.kind });
    }
  }
  if (!isWhole) others.push("");
  return { entries, others };
}

interface ListedEntry extends Omit<Entry, "kind"> {
  readonly kind: Entry["kind"] | "unknown";
}

/** "end": the list is whole. */
function parseEntry(value: unknown): ListedEntry | "end" | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { name, kind, size, mtime } = value as Record<string, unknown>;
  if (kind === "end") return "end";
  if (typeof name !== "string") return undefined;
  const path = encoded(name).replace(/\/$/, "");
  if (name === "" && kind === "unknown") return { path, kind, size: 0, mtime: 0 };
  if (!isInside(path)) return undefined;
  if (kind === "folder") return { path, kind, size: 0, mtime: seconds(mtime) };
  if (kind !== "file" || typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
    return { path, kind: "unknown", size: 0, mtime: 0 };
  return { path, kind, size, mtime: seconds(mtime) };
}

function seconds(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? Math.floor(value) : 0;
}

/** The SHA-256 of a file, or of its first octets, in hex. Throws Refusal. */
export async function remoteHash(client: Client, path: string, first?: number): Promise<string> {
  const range = first === undefined ? "" : `&first=${first}`;
  const { body } = await client.ask({ method: "GET", target: `${escapePath(path)}?hash=sha256${range}` });
  const hash = /"sha256"\s*:\s*"([0-9a-f]{64})"/.exec(body.toString("latin1"))?.[1];
  if (hash === undefined) throw new NotHttp("the server sent no hash");
  return hash;
}

/** The SHA-256 of each block of {@link BLOCK} octets. Throws Refusal. */
export async function remoteBlocks(client: Client, path: string): Promise<string[]> {
  const { body } = await client.ask({ method: "GET", target: `${escapePath(path)}?blocks=${BLOCK}` });
  const hashes = body
    .toString("latin1")
    .split(/\s+/)
    .filter((word) => word !== "");
  if (!hashes.every((hash) => SHA256.test(hash))) throw new NotHttp("the server sent no hashes of blocks");
  return hashes;
}

export interface Span {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

/** The parts of a file of `size` octets whose blocks differ, in order. */
export function differentSpans(wanted: readonly string[], had: readonly string[], size: number): Span[] {
  const spans: Span[] = [];
  let last = -Infinity;
  for (const [index, hash] of wanted.entries()) {
    if (hash === had[index]) continue;
    const to = Math.min(size, (index + 1) * BLOCK);
    if (index === last + 1) spans.push({ from: spans.pop()!.from, to });
    else spans.push({ from: index * BLOCK, to });
    last = index;
  }
  return spans.filter(({ from, to }) => from < to);
}
