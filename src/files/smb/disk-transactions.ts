// TRANS2_QUERY_FS_INFORMATION and TRANS2_CREATE_DIRECTORY.

import { DISK_LEVELS } from "./disk-facts.ts";
import { makeFolderNamed } from "./name-commands.ts";
import { Octets } from "./octets.ts";
import type { SmbClient } from "./smb-client.ts";
import type { Request } from "./smb-message.ts";
import { readText } from "./smb-text.ts";
import { Status } from "./smb-status.ts";
import type { Transaction, TransactionAnswer } from "./transaction.ts";

export function diskLevel(
  client: SmbClient,
  _request: Request,
  { parameters }: Transaction,
): TransactionAnswer | Status {
  const put = DISK_LEVELS.get(parameters.u16());
  if (put === undefined) return Status.INVALID_LEVEL;
  const data = new Octets();
  put(client, data);
  return { parameters: new Octets(), data };
}

export function makeFolderIn(
  client: SmbClient,
  _request: Request,
  { parameters }: Transaction,
): TransactionAnswer | Status {
  parameters.skip(4);
  const made = makeFolderNamed(client, readText(parameters, client.isUnicode));
  if (typeof made === "number") return made;
  const answer = new Octets();
  answer.u16(0);
  return { parameters: answer };
}
