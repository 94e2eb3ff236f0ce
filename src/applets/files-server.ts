// The process that serves files (os/process/files-process.ts): it opens the folder, gives up root's rights, and answers.

import { readSync, statSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { Server } from "../files/server.ts";
import { pageAssets } from "../files/page-assets.ts";
import { libc, OsError, reasonOf, setNonblocking } from "../os/ffi/libc.ts";
import { RootedFolder } from "../os/files/rooted-folder.ts";
import { Log } from "../os/log/log-writer.ts";
import { Syslog } from "../os/log/syslog-client.ts";
import { FILES_FD } from "../os/process/files-process.ts";
import { FILES_MARK } from "../os/process/inherited.ts";
import { giveUpRights, lesserIdentity, NOBODY } from "../os/users/lesser-rights.ts";
import { FileLoop } from "../run/files/file-loop.ts";
import type { FilesOpened, FilesRequest } from "../run/host/processes.ts";
import { thisMachine } from "./this-machine.ts";
import { VERSION } from "../options/version.ts";

/** Runs until the pipe of the request is closed. Returns the exit code. */
export async function runFilesServer(): Promise<number> {
  delete process.env[FILES_MARK];
  const request = readRequest();
  if (request === undefined) return 1;
  let loop: FileLoop | undefined;
  try {
    const { server, opened } = serverOf(request);
    if (server !== undefined) loop = new FileLoop(thisMachine, server, logFault, tellTransfers);
    tell(opened);
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
    tell({ trouble: `${error.call}: ${reasonOf(error)}` });
  }
  if (loop === undefined) return 1;
  setNonblocking(FILES_FD.answer, true);
  await loop.run(FILES_FD.listening, FILES_FD.request);
  return 0;
}

/** Nobody sees what this process writes to stderr. */
let log: Log | undefined;

function logFault(fault: unknown): void {
  log ??= new Log(new Syslog("nullmodem", "local2", { pid: true }), undefined, false);
  log.write("error", `files: a request was dropped: ${reasonOf(fault)}`);
}

function tell(opened: FilesOpened): void {
  writeSync(FILES_FD.answer, `${JSON.stringify(opened)}\n`);
}

/** Whoever has started us need not read it, and must not stop us. */
function tellTransfers(transfers: string): void {
  try {
    writeSync(FILES_FD.answer, `${transfers}\n`);
  } catch {
    // The pipe is full, or nobody reads it any more.
  }
}

interface Opened {
  readonly server?: Server;
  readonly opened: FilesOpened;
}

/** Throws OsError. */
function serverOf(request: FilesRequest): Opened {
  const folder = new RootedFolder(request.directory);
  giveUpRights(lesserIdentity(statSync(request.directory)));
  if (folder.refusal("read") !== undefined)
    return { opened: { trouble: `${ownName()} may not read it; chown it or chmod it` } };
  const isWritable = request.isWritable && folder.refusal("write") === undefined;
  const whyNot =
    isWritable || !request.isWritable ? undefined : `${ownName()} may not write there; chown it or chmod it`;
  return { server: serverFor(folder, { ...request, isWritable }), opened: { isWritable, whyNot } };
}

function ownName(): string {
  const uid = libc.geteuid();
  return uid === NOBODY ? "nobody" : `user ${uid}`;
}

function serverFor(folder: RootedFolder, { isWritable, quota, hasShortNames, users }: FilesRequest): Server {
  const passwords = users && new Set(users.map(([name, password]) => `${name}\0${password}`));
  return new Server({
    folder,
    isWritable,
    quota: quota ?? Infinity,
    hasShortNames,
    knows: passwords === null ? undefined : (name, password) => passwords.has(`${name}\0${password}`),
    assets: pageAssets((octets) => Bun.gzipSync(Uint8Array.from(octets))),
    version: VERSION,
    hostName: hostname(),
    wall: () => Math.floor(Date.now() / 1000),
    now: () => Math.floor(thisMachine.clock.now() / 1000),
    uuid: () => crypto.randomUUID(),
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
