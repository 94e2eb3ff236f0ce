// Makes a folder of one machine like one of the other.

import { encoded } from "../../bytes/text.ts";
import { receiveTree, sendTree } from "../../transfer/carry.ts";
import { isRemote } from "./place-words.ts";
import { placeOf, type Run } from "./transfer-run.ts";
import type { TransferWords } from "./transfer-words.ts";

/** Returns how many files were not carried. */
export async function syncFolders({ from, to, deletes, isDry }: TransferWords, run: Run): Promise<number> {
  const [source = ""] = from;
  const isReceiving = isRemote(source);
  const remote = await placeOf(isReceiving ? source : to, run);
  const ends = {
    client: run.clientOf(remote),
    local: encoded(isReceiving ? to : source),
    remote: remote.path.endsWith("/") ? remote.path : `${remote.path}/`,
  };
  const options = { isPatch: true, deletes, isDry };
  const outcome = await (isReceiving ? receiveTree : sendTree)(ends, options, run.progress);
  run.same += outcome.same;
  return outcome.failed;
}
