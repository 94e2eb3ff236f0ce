// Fetches one file or one folder.

import { lstatSync, mkdirSync, statSync } from "node:fs";
import { receiveTree } from "../../transfer/carry.ts";
import type { Client } from "../../transfer/client.ts";
import { download } from "../../transfer/download.ts";
import { NotHttp } from "../../transfer/http-response.ts";
import { Redirected } from "../../transfer/refusal.ts";
import { escapePath, isInside, lastName, shown, systemPath, under } from "../../transfer/remote-path.ts";
import { type RemotePlace, remotePlace } from "./place-words.ts";
import { NoPlace, type Run } from "./transfer-run.ts";

const MOST_REDIRECTIONS = 5;
const AS_IT_IS = { isPatch: false, deletes: false, isDry: false };
/** FAT keeps even seconds only. */
const SAME_SECONDS = 2;

/**
 * Returns how many files were not fetched. The name here is that of the address that the user wrote, whatever the server sends us
 * to: a server does not choose which file of this machine it writes.
 */
export async function getOne(remote: RemotePlace, folder: string, run: Run): Promise<number> {
  let from = remote;
  let isFolder = remote.path.endsWith("/");
  for (let redirections = 0; ; redirections++) {
    const client = run.clientOf(from);
    try {
      const isListed = isFolder && from.path.endsWith("/");
      const failed = isListed ? await getFolder(client, from, { folder, name: lastName(remote.path) }, run) : undefined;
      if (failed !== undefined) return failed;
      const name = remote.path.endsWith("/") ? "index.html" : lastName(remote.path);
      await getFile(client, from, { folder, name }, run);
      return 0;
    } catch (error) {
      if (!(error instanceof Redirected) || redirections === MOST_REDIRECTIONS) throw error;
      const next = redirected(from, error.location);
      // A folder is what an address means to which its own server only adds the slash.
      isFolder ||= next.path === `${remote.path}/` && next.place === remote.place;
      from = next;
    }
  }
}

/** A place on this machine. */
interface Target {
  readonly folder: string;
  readonly name: string;
}

/** Undefined: the server does not list its folders. */
async function getFolder(client: Client, from: RemotePlace, target: Target, run: Run): Promise<number | undefined> {
  if (from.query !== "") return undefined;
  const { folder, name } = target;
  if (name !== "" && !isInside(name)) throw new NoPlace("the folder has a name that this machine cannot have");
  const ends = { client, local: name === "" ? folder : under(folder, name), remote: from.path };
  try {
    const outcome = await receiveTree(ends, AS_IT_IS, run.progress);
    run.same += outcome.same;
    return outcome.failed;
  } catch (error) {
    if (!(error instanceof NotHttp) || client.isOurs === true) throw error;
    run.progress.say("warn", "the server is not nullmodem and has no list of its files; only its page is fetched");
    return undefined;
  }
}

async function getFile(client: Client, { path, query }: RemotePlace, place: Target, run: Run): Promise<void> {
  const { progress } = run;
  const { folder, name } = place;
  if (!isInside(name)) throw new NoPlace("the file has a name that this machine cannot have");
  makeFolder(folder);
  const target = under(folder, name);
  if (query === "" && (await isHere(client, path, target))) {
    run.same++;
    return;
  }
  const before = progress.meter.total;
  const announce = (size: number): void => void (progress.meter.total = before + size);
  progress.begin(name);
  const wanted = { path, target, announce, ...(query === "" ? {} : { query }) };
  progress.end(name, (await download(client, wanted, progress.meter)).isChecked);
}

/** Throws NoPlace. */
function makeFolder(path: string): void {
  if (statSync(systemPath(path), { throwIfNoEntry: false })?.isDirectory() === false)
    throw new NoPlace(`${shown(path)} is not a folder`);
  mkdirSync(systemPath(path), { recursive: true });
}

/** The file has the size and the time of the one that is here. */
async function isHere(client: Client, path: string, target: string): Promise<boolean> {
  const old = lstatSync(systemPath(target), { throwIfNoEntry: false });
  if (old?.isFile() !== true) return false;
  const { head } = await client.persist(() => client.once({ method: "HEAD", target: escapePath(path) }));
  const seconds = Date.parse(head.headers.get("last-modified") ?? "") / 1000;
  const isSameTime = Math.abs(seconds - Math.floor(old.mtimeMs / 1000)) <= SAME_SECONDS;
  return head.status === 200 && head.headers.get("content-length") === String(old.size) && isSameTime;
}

/** Throws NoPlace. */
function redirected({ place, path, authorization }: RemotePlace, location: string): RemotePlace {
  const scheme = place.isSecure ? "https" : "http";
  const host = place.host.includes(":") ? `[${place.host}]` : place.host;
  const base = `${scheme}://${host}:${place.port}${escapePath(path)}`;
  const url = URL.parse(location, base);
  const next = url === null || !/^https?:$/.test(url.protocol) ? "no address" : remotePlace(url.href, () => []);
  if (typeof next === "string") throw new NoPlace("the server sends us to an address that is none");
  const isSamePlace = next.place.host === place.host && next.place.port === place.port;
  // A password is for the server that it was given for. A proxy leads to the peer only.
  return isSamePlace ? { ...next, place, authorization } : next;
}
