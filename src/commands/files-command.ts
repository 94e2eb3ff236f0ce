// nullmodem files DIR: serves a folder by HTTP at our address of each link, while it is up.

import { defineCommand } from "citty";
import { consola } from "consola";
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { readAllStatus } from "../applets/read-status.ts";
import { thisMachine } from "../applets/this-machine.ts";
import { bytesOf, encoded, textOf } from "../bytes/text.ts";
import { parseAddress } from "../bytes/prefix.ts";
import { sizeOf } from "../options/table/files-rows.ts";
import { networkNamespace } from "../os/net/namespace.ts";
import { reasonOf } from "../os/ffi/libc.ts";
import { print } from "../os/log/print.ts";
import { hasLentRights, isPrivileged } from "../os/users/rights.ts";
import { Exit } from "../run/exit.ts";
import {
  addressOfService,
  type FileService,
  serviceText,
  startFileService,
  triedText,
} from "../run/files/file-service.ts";
import { closedSecrets, fileUsers } from "../run/files/file-users.ts";
import type { ServicePlace } from "../run/files/windows-sockets.ts";
import type { FilesProcess, FilesRequest } from "../run/host/processes.ts";
import type { Status } from "../run/live/published-status.ts";
import { servedPlaces, waitingText } from "./served-places.ts";
import { usageText } from "./usage-text.ts";

const command = defineCommand({
  meta: { name: "nullmodem files", description: "Give the other machine's browser a folder, while a link is up" },
  args: {
    dir: { type: "positional", description: "the folder", required: true },
    write: { type: "boolean", description: "the other machine may also send files, and replace them" },
    quota: { type: "string", description: "with --write: the folder takes no more than this in all (500M, 4G)" },
    auth: { type: "boolean", description: "only for users with a password in /etc/ppp/pap-secrets or chap-secrets" },
    smb: { type: "boolean", description: "also in Windows' network (SMB 1), for Windows 95 to XP and DOS" },
    user: { type: "string", description: "only for this user" },
    "password-file": { type: "string", description: "with --user: the file with the password" },
    names: { type: "string", description: "8.3: pages show names of eight and three characters, for DOS" },
    port: { type: "string", description: "the TCP port (80, or 8080 where 80 is taken or not allowed)" },
    address: { type: "string", description: "serve at this address of the machine, whatever links there are" },
  },
});

const AFTER = `It prints the address that the other machine's browser takes, and serves until it
is ended. pppd and serve do the same by their options: files DIR, files-write, ….
Started by root, it serves as the folder's owner, or as nobody if that is root.
  nullmodem files ~/pub
  nullmodem files /srv/incoming --write --quota 2G
  curl -T disk.img http://192.168.0.1/           # on the other machine
`;

const FLAGS = ["write", "auth", "smb"] as const;
const VALUES = ["quota", "user", "password-file", "names", "port", "address"] as const;

type Words = Partial<Record<(typeof VALUES)[number], string>> & Partial<Record<(typeof FLAGS)[number], true>>;

export interface FilesWish {
  readonly request: Omit<FilesRequest, "windows">;
  readonly hasWindows: boolean;
  readonly port: number | undefined;
  readonly address: string | undefined;
}

/** How often the links are looked at. */
const LOOK_MS = 1000;
const HIGHEST_PORT = 0xffff;

/** Runs files with the words after its name. Returns the exit code. */
export async function files(argv: readonly string[]): Promise<number> {
  consola.level = 3;
  const usage = await usageText(command, AFTER);
  if (argv.includes("--help") || argv.includes("-h")) {
    print(usage);
    return 0;
  }
  const wish = filesWish(argv);
  if (typeof wish === "string") {
    consola.error(wish);
    return Exit.OPTION;
  }
  if (!isPrivileged() && hasLentRights()) {
    consola.error("files does not run with rights that are lent to its user");
    return Exit.NOT_ROOT;
  }
  if (wish.request.quota !== null && !wish.request.isWritable) consola.warn("--quota has no effect without --write");
  return await serveLinks(wish);
}
files.definition = command;

/** Returns a text when a word is wrong. */
export function filesWish(argv: readonly string[]): FilesWish | string {
  const words: Words = {};
  const folders: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const [, name = "", , inside] = /^--([a-z-]+)(=(.*))?$/s.exec(argv[at]!) ?? [];
    const flag = FLAGS.find((one) => one === name);
    const key = VALUES.find((one) => one === name);
    if (flag !== undefined) words[flag] = true;
    else if (key !== undefined) {
      const value = inside ?? argv[++at];
      if (value === undefined || value === "") return `--${name} needs a value`;
      words[key] = value;
    } else if (argv[at]!.startsWith("-")) return `there is no option ${JSON.stringify(argv[at])}`;
    else folders.push(argv[at]!);
  }
  const [folder] = folders;
  if (folder === undefined) return "which folder? nullmodem files DIR";
  if (folders.length > 1) return "one folder at a time";
  const directory = resolve(folder);
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) return `${folder} is not a folder`;
  return wishOf(directory, words);
}

function wishOf(directory: string, words: Words): FilesWish | string {
  const quota = words.quota === undefined ? null : sizeOf(words.quota);
  if (quota === undefined) return `--quota: not a size such as 500M or 4G: ${words.quota}`;
  const port = words.port === undefined ? undefined : Number(words.port);
  if (port !== undefined && !(Number.isInteger(port) && port > 0 && port <= HIGHEST_PORT))
    return `--port: not a TCP port: ${words.port}`;
  if (words.names !== undefined && words.names !== "8.3") return "--names is 8.3, or left out";
  const { address } = words;
  if (address !== undefined && parseAddress(address)?.length !== 4) return `--address: not an IPv4 address: ${address}`;
  const users = usersOf(words);
  if (typeof users === "string") return users;
  const hasShortNames = words.names !== undefined;
  const request = { directory, isWritable: words.write === true, quota, hasShortNames, users };
  return { request, hasWindows: words.smb === true, port, address };
}

function usersOf({ auth, user, "password-file": file }: Words): FilesRequest["users"] | string {
  if ((user === undefined) !== (file === undefined)) return "--user and --password-file belong together";
  const users: [string, string][] = [];
  if (user !== undefined && file !== undefined) {
    try {
      const [password = ""] = textOf(readFileSync(file)).split(/\r?\n/, 1);
      if (password === "") return `the first line of ${file} is empty: it must be the password`;
      users.push([encoded(user), password]);
    } catch (error) {
      return `cannot read the password from ${file}: ${reasonOf(error)}`;
    }
  }
  const secrets = { papSecrets: "/etc/ppp/pap-secrets", chapSecrets: "/etc/ppp/chap-secrets" };
  if (auth === true) users.push(...fileUsers(thisMachine, { ...secrets, name: thisHost() }));
  if (auth === true && users.length === 0) {
    const closed = closedSecrets(thisMachine, secrets);
    if (closed !== undefined) return `--auth: you may not read ${closed}; give --user and --password-file instead`;
    return "no user has a password in /etc/ppp/pap-secrets or chap-secrets";
  }
  return auth === true || user !== undefined ? users : null;
}

/** The name that secrets are for, as pppd takes it. */
function thisHost(): string {
  return textOf(bytesOf(readFileSync("/proc/sys/kernel/hostname", "latin1"))).trim();
}

async function serveLinks(wish: FilesWish): Promise<number> {
  const { address } = wish;
  const served = new Map<string, FilesProcess | undefined>();
  let isOver = false;
  let wake = (): void => {};
  const release = thisMachine.processes.catchSignals(["SIGINT", "SIGTERM", "SIGHUP"], () => {
    isOver = true;
    wake();
  });
  let said = "";
  while (!isOver) {
    const links = ourLinks();
    const wanted = address === undefined ? servedPlaces(links) : [{ address, device: undefined }];
    const waiting = wanted.length > 0 ? "" : waitingText(links);
    if (waiting !== "" && waiting !== said) print(`${waiting}\n`);
    said = waiting;
    for (const one of served.keys()) if (!wanted.some((place) => place.address === one)) stop(served, one);
    for (const one of wanted) if (!served.has(one.address)) served.set(one.address, start(wish, one, served));
    if (address !== undefined && served.get(address) === undefined) break;
    await new Promise<void>((resolve) => {
      wake = resolve;
      setTimeout(resolve, LOOK_MS);
    });
  }
  for (const one of [...served.keys()]) stop(served, one);
  release();
  return isOver ? Exit.USER_REQUEST : Exit.FATAL;
}

/** The links that are up. */
function ourLinks(): Status[] {
  const namespace = networkNamespace();
  return readAllStatus().filter((link) => link.namespace === namespace && link.up !== undefined);
}

function start(
  { request, hasWindows, port }: FilesWish,
  place: ServicePlace,
  served: Map<string, FilesProcess | undefined>,
): FilesProcess | undefined {
  const { address } = place;
  try {
    const wanted = { ...request, windowsAt: hasWindows ? address : undefined };
    const service = startFileService(thisMachine, wanted, place, port);
    for (const trouble of service.troubles) consola.warn(trouble);
    void watch(service, request.directory, address, served);
    return service.server;
  } catch (error) {
    consola.error(`Files are not served at ${triedText(address, port)}: ${reasonOf(error)}`);
    return undefined;
  }
}

/** Tells when the folder is served, and when it is not any more. */
async function watch(
  { server, port }: FileService,
  directory: string,
  address: string,
  served: Map<string, FilesProcess | undefined>,
): Promise<void> {
  const opened = await server.opened;
  if (served.get(address) !== server) return;
  if ("trouble" in opened) consola.error(`${directory} is not served at ${address}: ${opened.trouble}`);
  else print(`${serviceText(directory, addressOfService(address, port), opened)}\n`);
  await server.ended;
  if (served.get(address) !== server) return;
  if (!("trouble" in opened)) consola.error("Files are not served any more: the process has ended");
  served.set(address, undefined);
}

function stop(served: Map<string, FilesProcess | undefined>, address: string): void {
  const process = served.get(address);
  served.delete(address);
  process?.end();
}
