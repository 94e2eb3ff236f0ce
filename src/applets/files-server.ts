// The process that serves files (os/process/files-process.ts): it opens the folder, gives up root's rights, and answers.

import { readSync, statSync, writeSync } from "node:fs";
import { Server } from "../files/server.ts";
import { pageAssets } from "../files/page-assets.ts";
import { closeFd, OsError, reasonOf } from "../os/ffi/libc.ts";
import { RootedFolder } from "../os/files/rooted-folder.ts";
import { FILES_FD } from "../os/process/files-process.ts";
import { FILES_MARK } from "../os/process/inherited.ts";
import { giveUpRights, lesserIdentity } from "../os/users/lesser-rights.ts";
import { FileLoop } from "../run/files/file-loop.ts";
import type { FilesRequest } from "../run/host/processes.ts";
import { thisMachine } from "./this-machine.ts";
import { VERSION } from "../options/version.ts";

/** Runs until the pipe of the request is closed. Returns the exit code. */
export async function runFilesServer(): Promise<number> {
  delete process.env[FILES_MARK];
  const request = readRequest();
  if (request === undefined) return 1;
  let loop: FileLoop;
  try {
    loop = new FileLoop(thisMachine, serverOf(request));
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
    writeSync(FILES_FD.answer, `${error.call}: ${reasonOf(error)}\n`);
    return 1;
  }
  closeFd(FILES_FD.answer);
  await loop.run(FILES_FD.listening, FILES_FD.request);
  return 0;
}

function serverOf({ directory, isWritable, quota, hasShortNames, users }: FilesRequest): Server {
  const folder = new RootedFolder(directory);
  giveUpRights(lesserIdentity(statSync(directory)));
  const passwords = users && new Set(users.map(([name, password]) => `${name}\0${password}`));
  return new Server({
    folder,
    isWritable,
    quota: quota ?? Infinity,
    hasShortNames,
    knows: passwords === null ? undefined : (name, password) => passwords.has(`${name}\0${password}`),
    assets: pageAssets((octets) => Bun.gzipSync(Uint8Array.from(octets))),
    version: VERSION,
    wall: () => Math.floor(Date.now() / 1000),
    zoneAt: (seconds) => -60 * new Date(seconds * 1000).getTimezoneOffset(),
  });
}

/** It is a line, because the pipe stays open. */
function readRequest(): FilesRequest | undefined {
  const chunk = Buffer.alloc(65536);
  let text = "";
  while (!text.endsWith("\n")) {
    const got = readSync(FILES_FD.request, chunk);
    if (got === 0) return undefined;
    text += chunk.toString("latin1", 0, got);
  }
  return JSON.parse(Buffer.from(text, "latin1").toString("utf8")) as FilesRequest;
}
