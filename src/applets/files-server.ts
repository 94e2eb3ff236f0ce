// The process that serves files (os/process/files-process.ts): it opens the folder, gives up root's rights, and answers.

import { fstatSync, readSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { Connection } from "../files/connection.ts";
import { Server } from "../files/server.ts";
import { pageAssets } from "../files/page-assets.ts";
import { libc, O, openFd, OsError, reasonOf, setNonblocking } from "../os/ffi/libc.ts";
import { OPEN } from "../os/files/path-calls.ts";
import { RootedFolder } from "../os/files/rooted-folder.ts";
import { Log } from "../os/log/log-writer.ts";
import { Syslog } from "../os/log/syslog-client.ts";
import { takeOwnPlace } from "../os/process/take-place.ts";
import { FILES_BEGIN, FILES_FD } from "../os/process/files-process.ts";
import { FILES_MARK, ownEnvironment } from "../os/process/inherited.ts";
import { giveUpRights, hideMemory, isLesserForGood, lesserIdentity, NOBODY } from "../os/users/lesser-rights.ts";
import type { Door } from "../run/files/caller-places.ts";
import { FileLoop, type Post } from "../run/files/file-loop.ts";
import type { FilesOpened, FilesRequest } from "../run/host/processes.ts";
import { thisMachine } from "./this-machine.ts";
import { VERSION } from "../options/version.ts";

const LINE_END = 0x0a;

/** Runs until the pipe of the request is closed. Returns the exit code. */
export async function runFilesServer(): Promise<number> {
  let served: Served | undefined;
  try {
    const opening = openedFolder();
    hideMemory();
    const request = readLine() as FilesRequest | undefined;
    if (request === undefined) return 1;
    const opened = await serverOf(new RootedFolder(opening), request);
    if ("doors" in opened) served = opened;
    tell(opened.opened);
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
    tell({ trouble: `${error.call}: ${reasonOf(error)}` });
  }
  if (served === undefined) return 1;
  setNonblocking(FILES_FD.answer, true);
  await new FileLoop(thisMachine, { work: served.work, note: logFault, tell: tellTransfers }).run(
    served.doors,
    FILES_FD.request,
    served.posts,
  );
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

interface Served {
  readonly opened: FilesOpened;
  readonly doors: readonly Door[];
  readonly posts: readonly Post[];
  work(): boolean;
}

/**
 * Opens the folder with the rights that we have, gives them up, and lets a process without them take our place, which finds it open.
 * Where it cannot, because the program is root's alone, this process goes on. Throws OsError.
 */
function openedFolder(): number {
  const mark = process.env[FILES_MARK];
  delete process.env[FILES_MARK];
  if (mark !== FILES_BEGIN) return Number(mark);
  const folder = openFd(readLine() as string, O.RDONLY | OPEN.DIRECTORY);
  giveUpRights(lesserIdentity(fstatSync(folder)));
  if (isLesserForGood())
    takeOwnPlace({ ...ownEnvironment(), [FILES_MARK]: String(folder) }, FILES_FD.names + 1, folder);
  return folder;
}

async function serverOf(
  folder: RootedFolder,
  request: FilesRequest,
): Promise<Served | { readonly opened: FilesOpened }> {
  if (folder.refusal("read") !== undefined)
    return { opened: { trouble: `${ownName()} may not read it; chown it or chmod it` } };
  // A folder in it may have other rights.
  const isClosed = request.isWritable && folder.refusal("write") !== undefined;
  const whyNot = isClosed ? `${ownName()} may not write there; chown it or chmod it` : undefined;
  const { isWritable } = request;
  const server = serverFor(folder, request);
  const work = (): boolean => server.work();
  const http = { listening: FILES_FD.http, connect: (now: number) => new Connection(server, now) };
  if (request.windows === null) return { opened: { isWritable, whyNot }, doors: [http], posts: [], work };
  const { windowsNetwork } = await import("./windows-network.ts");
  const { share, door, posts } = windowsNetwork(folder, request, server.quota);
  return { opened: { isWritable, whyNot, share }, doors: [http, door], posts, work };
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

/** The next line of the pipe, and no octet more: the rest may be for the process that takes our place. Undefined: its end. */
function readLine(): unknown {
  const octet = Buffer.alloc(1);
  const octets: number[] = [];
  for (;;) {
    if (readSync(FILES_FD.request, octet) === 0) return undefined;
    if (octet[0] === LINE_END) return JSON.parse(Buffer.from(octets).toString("utf8"));
    octets.push(octet[0]!);
  }
}
