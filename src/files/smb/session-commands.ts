// Sessions of users and trees of shares: SESSION_SETUP_ANDX, LOGOFF_ANDX, TREE_CONNECT, TREE_CONNECT_ANDX, TREE_DISCONNECT, and
// what else is about neither files nor names: ECHO and PROCESS_EXIT.

import { Dialect, OUR_BUFFER, type SmbClient, type Tree, treeOf } from "./smb-client.ts";
import type { Reply, Request } from "./smb-message.ts";
import { WORKGROUP } from "./smb-site.ts";
import { putText, readText } from "./smb-text.ts";
import { Status } from "./smb-status.ts";

const GUEST = 1;
const LEAST_BUFFER = 512;
const SYSTEM = "nullmodem";
/** Windows does with an NTFS what it would not try with another file system: files above 4 GB, names in UTF-16. */
const FILE_SYSTEM = "NTFS";

export function sessionSetup(client: SmbClient, request: Request): Reply | Status {
  const { words, data, wordCount, isUnicode } = request;
  const isNt = wordCount === 13;
  if (!isNt && wordCount !== 10) return Status.INVALID_SMB;
  const buffer = words.u16();
  // How many requests may wait, the connection's number, and the session's key.
  words.skip(2 + 2 + 4);
  const first = words.u16();
  const second = isNt ? words.u16() : 0;
  const [lm, nt] = [data.take(first), data.take(second)];
  const user = readText(data, isUnicode);
  const domain = readText(data, isUnicode);
  if (data.isShort || words.isShort) return Status.INVALID_SMB;
  const { prover } = client.site;
  if (prover?.isProven({ user, domain, lm, nt }, client.challenge) === false) return Status.LOGON_FAILURE;
  const uid = client.addSession();
  if (uid === undefined) return Status.INSUFFICIENT_RESOURCES;
  client.peerBuffer = Math.max(LEAST_BUFFER, buffer);
  request.uid = uid;
  return {
    words: (out) => out.u16(prover === undefined ? GUEST : 0),
    data(out) {
      for (const text of [SYSTEM, SYSTEM, WORKGROUP]) putText(out, text, isUnicode);
    },
  };
}

export function logoff(client: SmbClient, request: Request): Reply | Status {
  if (!client.sessions.delete(request.uid)) return Status.SMB_BAD_UID;
  if (client.sessions.size === 0) client.closeAll(() => true);
  return {};
}

/** The client may do without a session where everybody is a guest. */
function mayConnect({ site, sessions }: SmbClient, uid: number): boolean {
  return site.prover === undefined || sessions.has(uid);
}

export function treeConnectAndX(client: SmbClient, request: Request): Reply | Status {
  const { words, data, isUnicode } = request;
  const flags = words.u16();
  data.skip(words.u16());
  const path = readText(data, isUnicode);
  const service = readText(data, false);
  if (words.isShort || data.isShort) return Status.INVALID_SMB;
  const made = connected(client, request, path, service);
  if (typeof made === "number") return made;
  // The client asks for the rights too.
  const isExtended = (flags & 8) !== 0 && client.dialect === Dialect.NT;
  return {
    words(out) {
      if (client.dialect !== Dialect.NT) return;
      // The client searches with attributes that it means.
      out.u16(1);
      if (isExtended) out.u32(0x001f01ff, 0);
    },
    data(out) {
      putText(out, made.tree === "disk" ? "A:" : "IPC", false);
      if (client.dialect !== Dialect.LANMAN1) putText(out, made.tree === "disk" ? FILE_SYSTEM : "", isUnicode);
    },
  };
}

export function treeConnect(client: SmbClient, request: Request): Reply | Status {
  const { data, isUnicode } = request;
  // Each text has a number for its kind before it.
  const texts = [0, 1, 2].map(() => {
    data.skip(1);
    return readText(data, isUnicode);
  });
  const [path = "", , service = ""] = texts;
  if (data.isShort) return Status.INVALID_SMB;
  const made = connected(client, request, path, service);
  return typeof made === "number" ? made : { words: (out) => out.u16(OUR_BUFFER, made.tid) };
}

function connected(
  client: SmbClient,
  request: Request,
  path: string,
  service: string,
): { readonly tid: number; readonly tree: Tree } | Status {
  if (!mayConnect(client, request.uid)) return Status.SMB_BAD_UID;
  const tree = treeOf(path);
  if (tree === undefined) return Status.BAD_NETWORK_NAME;
  if (!["?????", "", tree === "disk" ? "A:" : "IPC"].includes(service.toUpperCase())) return Status.BAD_DEVICE_TYPE;
  const tid = client.addTree(tree);
  if (tid === undefined) return Status.INSUFFICIENT_RESOURCES;
  request.tid = tid;
  return { tid, tree };
}

export function treeDisconnect(client: SmbClient, { tid }: Request): Reply | Status {
  if (!client.trees.delete(tid)) return Status.SMB_BAD_TID;
  client.closeAll((one) => one.tid === tid);
  return {};
}

/** One answer, however many are wanted. Undefined: none is. */
export function echo(_client: SmbClient, { words, data }: Request): Reply | undefined {
  if (words.u16() === 0) return undefined;
  const octets = data.take(data.left);
  return { words: (out) => out.u16(1), data: (out) => out.put(octets) };
}

export function processExit(client: SmbClient, { pid }: Request): Reply {
  client.closeAll((one) => one.pid === pid);
  return {};
}
