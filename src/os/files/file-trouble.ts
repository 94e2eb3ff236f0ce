// Error numbers of file calls, in the words of the folder that is given to others.

import { constants } from "node:os";

export type FileTrouble =
  | "absent"
  | "denied"
  | "exists"
  | "is-folder"
  | "is-file"
  | "not-empty"
  | "other-disk"
  | "full"
  | "bad-name"
  | "failed";

const E = constants.errno;

const WORDS = new Map<number, FileTrouble>([
  [E.ENOENT, "absent"],
  [E.ENOTDIR, "absent"],
  // A link leads to itself, or one is not followed.
  [E.ELOOP, "absent"],
  // openat2: the path leads out of the folder.
  [E.EXDEV, "absent"],
  // A device without a driver, a FIFO without a reader.
  [E.ENXIO, "absent"],
  [E.EACCES, "denied"],
  [E.EPERM, "denied"],
  [E.EROFS, "denied"],
  [E.EEXIST, "exists"],
  [E.EISDIR, "is-folder"],
  [E.ENOTEMPTY, "not-empty"],
  [E.ENOSPC, "full"],
  [E.EDQUOT, "full"],
  [E.EFBIG, "full"],
  [E.ENAMETOOLONG, "bad-name"],
  // The file system takes UTF-8 only, or not all characters.
  [E.EILSEQ, "bad-name"],
  [E.EINVAL, "bad-name"],
]);

export function troubleOf(errno: number): FileTrouble {
  return WORDS.get(errno) ?? "failed";
}

/** Acts with node:fs. */
export function withTrouble<T>(act: () => T): T | FileTrouble {
  try {
    return act();
  } catch (error) {
    if (error instanceof Error && "errno" in error) return troubleOf(Math.abs(Number(error.errno)));
    throw error;
  }
}
