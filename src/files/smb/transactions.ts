// What each transaction does: TRANSACTION for pipes, TRANSACTION2 for files, NT_TRANSACT.

import { diskLevel, makeFolderIn } from "./disk-transactions.ts";
import { queryFile, queryPath, setFile, setPath } from "./file-levels.ts";
import { findFirst, findNext } from "./find.ts";
import { Octets } from "./octets.ts";
import { askService } from "./pipes.ts";
import { lanManCall } from "./rap.ts";
import type { SmbClient } from "./smb-client.ts";
import type { Request } from "./smb-message.ts";
import { Status } from "./smb-status.ts";
import type { Transaction, TransactionAnswer } from "./transaction.ts";

type Perform = (client: SmbClient, request: Request, ask: Transaction) => TransactionAnswer | Status;

const FUNCTIONS: ReadonlyMap<number, Perform> = new Map<number, Perform>([
  [1, findFirst],
  [2, findNext],
  [3, diskLevel],
  [5, queryPath],
  [6, setPath],
  [7, queryFile],
  [8, setFile],
  [0xd, makeFolderIn],
]);

export function performOnFiles(client: SmbClient, request: Request, ask: Transaction): TransactionAnswer | Status {
  const perform = FUNCTIONS.get(ask.setup.u16());
  if (client.trees.get(request.tid) !== "disk" || perform === undefined) return Status.NOT_SUPPORTED;
  return perform(client, request, ask);
}

const PIPE = { SET_STATE: 1, QUERY_STATE: 0x21, TRANSACT: 0x26, WAIT: 0x53 } as const;
/** A pipe of messages, read as such, with any number of users. */
const STATE = 0x05ff;

export function performOnPipe(client: SmbClient, request: Request, ask: Transaction): TransactionAnswer | Status {
  if (client.trees.get(request.tid) !== "pipes") return Status.NOT_SUPPORTED;
  if (/^\\pipe\\lanman$/i.test(ask.name)) return lanManCall(client, ask);
  const what = ask.setup.u16();
  const fid = ask.setup.u16();
  const pipe = client.pipes.get(fid);
  if (pipe?.tid !== request.tid) return what === PIPE.WAIT ? Status.NOT_SUPPORTED : Status.INVALID_HANDLE;
  const parameters = new Octets();
  if (what === PIPE.SET_STATE) return { parameters };
  if (what === PIPE.QUERY_STATE) {
    parameters.u16(STATE);
    return { parameters };
  }
  if (what !== PIPE.TRANSACT) return Status.NOT_SUPPORTED;
  pipe.unread = askService(client.site, ask.data.take(ask.data.left));
  const data = new Octets();
  data.put(pipe.unread.subarray(0, ask.mostData));
  pipe.unread = pipe.unread.subarray(data.length);
  return pipe.unread.length === 0 ? { parameters, data } : { parameters, data, status: Status.BUFFER_OVERFLOW };
}

/** There are no access lists, no streams, and no word when a folder changes: Windows looks again by itself. */
export function performOfNt(): Status {
  return Status.NOT_SUPPORTED;
}
