// Sends one file or one folder.

import { statSync } from "node:fs";
import { makeRemote, sendTree } from "../../transfer/carry.ts";
import type { Client } from "../../transfer/client.ts";
import { Refusal } from "../../transfer/refusal.ts";
import { escapePath, systemPath, under } from "../../transfer/remote-path.ts";
import { upload } from "../../transfer/upload.ts";
import type { Run } from "./transfer-run.ts";

const AS_IT_IS = { isPatch: false, deletes: false, isDry: false };
/** FAT keeps even seconds only. */
const SAME_SECONDS = 2;

export interface LocalSource {
  readonly path: string;
  /** Its name at the other end: that of the folder itself where "." is given. */
  readonly name: string;
  readonly isFolder: boolean;
}

/** Returns how many files were not sent. `folder`: at the server. */
export async function putOne(client: Client, source: LocalSource, folder: string, run: Run): Promise<number> {
  const { path, name, isFolder } = source;
  const remote = under(folder, name);
  if (isFolder) {
    const outcome = await sendTree({ client, local: path, remote: `${remote}/` }, AS_IT_IS, run.progress);
    run.same += outcome.same;
    return outcome.failed;
  }
  const { size, mtimeMs } = statSync(systemPath(path));
  if (await isThere(client, remote, size, mtimeMs)) {
    run.same++;
    return 0;
  }
  const { progress } = run;
  progress.meter.total += size;
  progress.begin(name);
  try {
    await upload(client, { source: path, path: remote }, progress.meter);
  } catch (error) {
    if (!(error instanceof Refusal) || error.status !== 409 || folder === "/") throw error;
    await makeRemote(client, folder);
    await upload(client, { source: path, path: remote }, progress.meter);
  }
  progress.end(name, true);
  return 0;
}

/** The server has a file of this name, size and time. */
async function isThere(client: Client, remote: string, size: number, mtimeMs: number): Promise<boolean> {
  const { head } = await client.persist(() => client.once({ method: "HEAD", target: escapePath(remote) }));
  const seconds = Date.parse(head.headers.get("last-modified") ?? "") / 1000;
  const isSameTime = Math.abs(seconds - Math.floor(mtimeMs / 1000)) <= SAME_SECONDS;
  return head.status === 200 && head.headers.get("content-length") === String(size) && isSameTime;
}
