// TRANS2_QUERY_… and TRANS2_SET_…_INFORMATION of paths and open files: levels of what is told and set (MS-CIFS §2.2.8).

import { decoded } from "../../bytes/text.ts";
import { isTrouble, type Path, type Stat } from "../folder.ts";
import { allocated, attributesOf, isEmpty, putDosTimes, putNtTimes, short } from "./file-facts.ts";
import { setTime, thereUnder } from "./name-commands.ts";
import { Octets } from "./octets.ts";
import { type Handle, handleOf, pathOf, type SmbClient } from "./smb-client.ts";
import type { Request } from "./smb-message.ts";
import { secondsOfDos, secondsOfNtTime } from "./smb-time.ts";
import { namesOfPath, shownNames } from "./shown-names.ts";
import { readText, textOctets, unicodeOctets } from "./smb-text.ts";
import { Status, statusOf } from "./smb-status.ts";
import type { Transaction, TransactionAnswer } from "./transaction.ts";
import { setSize } from "./transfer-commands.ts";

interface Subject {
  readonly path: Path;
  readonly stat: Stat;
  /** Undefined: it is asked for by its name. */
  readonly handle: Handle | undefined;
}

type Put = (client: SmbClient, subject: Subject, out: Octets) => void;

const LEVELS: ReadonlyMap<number, Put> = new Map<number, Put>([
  [1, (client, subject, out) => putOfDos(client, subject, out)],
  [2, putWithEas],
  [0x101, (_client, subject, out) => putBasic(subject, out)],
  [0x102, (_client, subject, out) => putStandard(subject, out)],
  [0x103, (_client, _subject, out) => out.u32(0)],
  [0x104, putName],
  [0x107, putAll],
  [0x108, putShortName],
  [0x109, (_client, subject, out) => putStreams(subject, out)],
]);
/** NT's own numbers of these, above 1000, which some clients use without being told that they may. */
const ASKED_OF_NT = new Map<number, number>([
  [1004, 0x101],
  [1005, 0x102],
  [1007, 0x103],
  [1009, 0x104],
  [1021, 0x108],
  [1022, 0x109],
]);
const SET_OF_NT = new Map<number, number>([
  [1004, 0x101],
  [1013, 0x102],
  [1019, 0x103],
  [1020, 0x104],
]);

/** Tells whether a name is one that can be given. */
const IS_NAME = 6;

export function queryPath(
  client: SmbClient,
  _request: Request,
  { parameters }: Transaction,
): TransactionAnswer | Status {
  const level = parameters.u16();
  parameters.skip(4);
  const text = readText(parameters, client.isUnicode);
  if (parameters.isShort) return Status.INVALID_PARAMETER;
  if (level === IS_NAME) return namesOfPath(text) === undefined ? Status.OBJECT_NAME_INVALID : noData();
  const there = thereUnder(client, text);
  return typeof there === "number" ? there : told(client, level, { ...there, handle: undefined });
}

export function queryFile(
  client: SmbClient,
  request: Request,
  { parameters }: Transaction,
): TransactionAnswer | Status {
  const subject = subjectOf(client, request, parameters.u16());
  return typeof subject === "number" ? subject : told(client, parameters.u16(), subject);
}

function subjectOf(client: SmbClient, request: Request, fid: number): (Subject & { handle: Handle }) | Status {
  const handle = handleOf(client, request, fid);
  if (handle === undefined) return Status.INVALID_HANDLE;
  const path = pathOf(handle.open);
  const stat = handle.file?.stat() ?? client.site.folder.stat(path);
  return isTrouble(stat) ? statusOf(stat) : { path, stat, handle };
}

function told(client: SmbClient, level: number, subject: Subject): TransactionAnswer | Status {
  const put = LEVELS.get(ASKED_OF_NT.get(level) ?? level);
  if (put === undefined) return Status.INVALID_LEVEL;
  const answer = noData();
  put(client, subject, answer.data);
  return answer;
}

function noData(): TransactionAnswer & { readonly data: Octets } {
  const parameters = new Octets();
  // No extended attribute is wrong.
  parameters.u16(0);
  return { parameters, data: new Octets() };
}

// ── levels ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function sizeOf({ kind, size }: Stat): number {
  return kind === "folder" ? 0 : size;
}

function attributes({ path, stat }: Subject): number {
  return attributesOf(path.at(-1) ?? "", stat);
}

function putOfDos({ site }: SmbClient, subject: Subject, out: Octets): void {
  const size = sizeOf(subject.stat);
  putDosTimes(out, subject.stat.mtime, site);
  out.u32(short(size), short(allocated(size)));
  out.u16(attributes(subject));
}

function putWithEas(client: SmbClient, subject: Subject, out: Octets): void {
  putOfDos(client, subject, out);
  out.u32(0);
}

function putBasic(subject: Subject, out: Octets): void {
  putNtTimes(out, subject.stat.mtime);
  out.u32(attributes(subject), 0);
}

function putStandard({ stat, handle }: Subject, out: Octets): void {
  const size = sizeOf(stat);
  out.u64(allocated(size), size);
  out.u32(1);
  out.u8(handle?.isDoomed === true ? 1 : 0, stat.kind === "folder" ? 1 : 0);
  out.u16(0);
}

function putName({ isUnicode }: SmbClient, { path }: Subject, out: Octets): void {
  const octets = textOctets(`\\${path.map(decoded).join("\\")}`, isUnicode);
  out.u32(octets.length);
  out.put(octets);
}

function putAll(client: SmbClient, subject: Subject, out: Octets): void {
  putBasic(subject, out);
  putStandard(subject, out);
  out.u32(0);
  putName(client, subject, out);
}

function putShortName(client: SmbClient, { path }: Subject, out: Octets): void {
  const real = path.at(-1);
  const shown = shownNames(client.site.folder, path.slice(0, -1), client).find((one) => one.real === real);
  const octets = textOctets(shown?.short ?? shown?.long.toUpperCase() ?? "", client.isUnicode);
  out.u32(octets.length);
  out.put(octets);
}

/** A file has its contents, and nothing beside them. */
function putStreams({ stat }: Subject, out: Octets): void {
  if (stat.kind === "folder") return;
  const name = unicodeOctets("::$DATA");
  out.u32(0, name.length);
  out.u64(stat.size, allocated(stat.size));
  out.put(name);
}

// ── setting ──────────────────────────────────────────────────────────────────────────────────────────────────────────

type Set = (client: SmbClient, subject: Subject, data: Transaction["data"]) => Status | undefined;

const SETTERS: ReadonlyMap<number, Set> = new Map<number, Set>([
  [1, setDosTimes],
  [2, () => Status.EAS_NOT_SUPPORTED],
  [0x101, setBasic],
  [0x102, setDoomed],
  [0x103, setAllocation],
  [0x104, setEnd],
]);

export function setPath(client: SmbClient, _request: Request, ask: Transaction): TransactionAnswer | Status {
  const { parameters } = ask;
  const level = parameters.u16();
  parameters.skip(4);
  const there = thereUnder(client, readText(parameters, client.isUnicode));
  if (parameters.isShort) return Status.INVALID_PARAMETER;
  return typeof there === "number" ? there : set(client, level, { ...there, handle: undefined }, ask);
}

export function setFile(client: SmbClient, request: Request, ask: Transaction): TransactionAnswer | Status {
  const subject = subjectOf(client, request, ask.parameters.u16());
  return typeof subject === "number" ? subject : set(client, ask.parameters.u16(), subject, ask);
}

function set(client: SmbClient, level: number, subject: Subject, { data }: Transaction): TransactionAnswer | Status {
  const setter = SETTERS.get(SET_OF_NT.get(level) ?? level);
  if (setter === undefined) return Status.INVALID_LEVEL;
  const status = client.site.isWritable ? setter(client, subject, data) : Status.ACCESS_DENIED;
  return status ?? (data.isShort ? Status.INVALID_PARAMETER : noData());
}

function setDosTimes(client: SmbClient, subject: Subject, data: Transaction["data"]): Status | undefined {
  data.skip(8);
  return keepTime(
    client,
    subject,
    secondsOfDos(data.u16(), data.u16(), (at) => client.site.zoneAt(at)),
  );
}

function setBasic(client: SmbClient, subject: Subject, data: Transaction["data"]): Status | undefined {
  // Creation and access are not kept.
  data.skip(16);
  const seconds = secondsOfNtTime(data.u64());
  data.skip(8 + 4);
  return data.isShort ? Status.INVALID_PARAMETER : keepTime(client, subject, seconds);
}

function keepTime({ site }: SmbClient, subject: Subject, seconds: number | undefined): Status | undefined {
  const { file, open } = subject.handle ?? {};
  if (seconds === undefined || file === undefined || open?.opening.canWrite !== true)
    return setTime(site, subject, seconds);
  const trouble = file.setTime(seconds);
  return trouble && statusOf(trouble);
}

/** Removes it when it is closed, or not. */
function setDoomed(
  { site }: SmbClient,
  { handle, path, stat }: Subject,
  data: Transaction["data"],
): Status | undefined {
  if (handle === undefined) return Status.INVALID_LEVEL;
  const isDoomed = data.u8() !== 0;
  if (data.isShort) return Status.INVALID_PARAMETER;
  if (!handle.open.opening.canDelete || (isDoomed && path.length === 0)) return Status.ACCESS_DENIED;
  if (isDoomed && stat.kind === "folder" && !isEmpty(site.folder, path)) return Status.DIRECTORY_NOT_EMPTY;
  handle.isDoomed = isDoomed;
  return undefined;
}

/** What is reserved is not; what is given back is. */
function setAllocation({ site }: SmbClient, { handle, stat }: Subject, data: Transaction["data"]): Status | undefined {
  const size = data.u64();
  if (handle === undefined || data.isShort) return Status.INVALID_PARAMETER;
  return size < stat.size ? setSize(site, handle, size) : undefined;
}

function setEnd({ site }: SmbClient, { handle }: Subject, data: Transaction["data"]): Status | undefined {
  const size = data.u64();
  return handle === undefined || data.isShort ? Status.INVALID_PARAMETER : setSize(site, handle, size);
}
