// Commands that lock and unlock parts of files.

import type { Fields } from "./fields.ts";
import { handleOf, ownerOf, type SmbClient } from "./smb-client.ts";
import type { Reply, Request } from "./smb-message.ts";
import { Status } from "./smb-status.ts";

export function lockRange(client: SmbClient, request: Request): Reply | Status {
  return rangeCommand(client, request, true);
}

export function unlockRange(client: SmbClient, request: Request): Reply | Status {
  return rangeCommand(client, request, false);
}

function rangeCommand(client: SmbClient, request: Request, locks: boolean): Reply | Status {
  const { words } = request;
  const handle = handleOf(client, request, words.u16());
  const count = words.u32();
  const from = words.u32();
  if (handle === undefined || handle.isFolder) return Status.INVALID_HANDLE;
  const { opens } = client.site;
  const range = { owner: ownerOf(request), from, to: from + count, isShared: false };
  if (locks) return opens.lock(handle.open, range) ? {} : Status.LOCK_NOT_GRANTED;
  return opens.unlock(handle.open, range) ? {} : Status.RANGE_NOT_LOCKED;
}

const LOCK = { SHARED: 1, RELEASES_OPLOCK: 2, CHANGES: 4, CANCELS: 8, LARGE: 0x10 } as const;

/** All or nothing. A lock that cannot be had is refused at once, whatever time the client would wait; it asks again. */
export function lockingAndX(client: SmbClient, request: Request): Reply | Status | undefined {
  const { words, data } = request;
  const handle = handleOf(client, request, words.u16());
  const kind = words.u8();
  words.skip(1 + 4);
  const [unlocks, locks] = [words.u16(), words.u16()];
  if (handle === undefined || handle.isFolder) return Status.INVALID_HANDLE;
  // No oplock was given, so none is released.
  if ((kind & LOCK.RELEASES_OPLOCK) !== 0 && unlocks + locks === 0) return undefined;
  if ((kind & (LOCK.CHANGES | LOCK.CANCELS)) !== 0) return Status.NOT_SUPPORTED;
  const isLarge = (kind & LOCK.LARGE) !== 0;
  if ((unlocks + locks) * (isLarge ? 20 : 10) > data.left) return Status.INVALID_SMB;
  const { opens } = client.site;
  for (let at = 0; at < unlocks; at++)
    if (!opens.unlock(handle.open, rangeIn(data, isLarge))) return Status.RANGE_NOT_LOCKED;
  const got: ReturnType<typeof rangeIn>[] = [];
  for (let at = 0; at < locks; at++) {
    const range = rangeIn(data, isLarge);
    if (opens.lock(handle.open, { ...range, isShared: (kind & LOCK.SHARED) !== 0 })) got.push(range);
    else {
      for (const one of got) opens.unlock(handle.open, one);
      return Status.LOCK_NOT_GRANTED;
    }
  }
  return {};
}

function rangeIn(data: Fields, isLarge: boolean): { owner: number; from: number; to: number } {
  const owner = data.u16();
  if (isLarge) data.skip(2);
  const [highFrom, from] = [isLarge ? data.u32() : 0, data.u32()];
  const [highCount, count] = [isLarge ? data.u32() : 0, data.u32()];
  const start = highFrom * 2 ** 32 + from;
  return { owner, from: start, to: start + highCount * 2 ** 32 + count };
}
