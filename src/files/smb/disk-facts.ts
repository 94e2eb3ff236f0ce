// What Windows is told of the disk: its size, what is free, its name and its kind. How large the whole disk is, the folder does not
// tell: what is free and what is used of a quota are all that counts.

import type { SmbClient } from "./smb-client.ts";
import type { Reply } from "./smb-message.ts";
import type { Octets } from "./octets.ts";
import { SHARE, type SmbSite } from "./smb-site.ts";
import { textOctets } from "./smb-text.ts";

const BLOCK = 512;
const UNIT_BLOCKS = 8;
const UNIT = BLOCK * UNIT_BLOCKS;
/** Where nothing tells how much is free. */
const MUCH = 2 ** 40;
const SERIAL = 0x6e6d_0001;
const DISK = 7;
const LONGEST_NAME = 255;
/** Names keep their case, and are of UTF-16. */
const FEATURES = 2 | 4;

function units({ quota }: SmbSite): readonly [all: number, free: number] {
  const free = Math.max(0, Math.min(quota.available(), MUCH));
  return [Math.floor((free + (quota.used() ?? 0)) / UNIT), Math.floor(free / UNIT)];
}

/** The levels of TRANS2_QUERY_FS_INFORMATION. Each writes its answer. */
export const DISK_LEVELS: ReadonlyMap<number, (client: SmbClient, out: Octets) => void> = new Map([
  [1, putAllocation],
  [2, putVolumeOfDos],
  [0x102, putVolume],
  [0x103, putSizes],
  [0x104, (_client, out) => out.u32(DISK, 0)],
  [0x105, putKind],
]);

function putAllocation({ site }: SmbClient, out: Octets): void {
  const [all, free] = units(site).map((count) => Math.min(count, 0xffff_ffff));
  out.u32(0, UNIT_BLOCKS, all!, free!);
  out.u16(BLOCK);
}

function putVolumeOfDos({ isUnicode }: SmbClient, out: Octets): void {
  const name = textOctets(SHARE, isUnicode);
  out.u32(SERIAL);
  out.u8(name.length);
  out.align(isUnicode ? 2 : 1);
  out.put(name);
  out.zeros(isUnicode ? 2 : 1);
}

function putVolume({ isUnicode }: SmbClient, out: Octets): void {
  const name = textOctets(SHARE, isUnicode);
  out.u64(0);
  out.u32(SERIAL, name.length);
  out.u16(0);
  out.put(name);
}

function putSizes({ site }: SmbClient, out: Octets): void {
  out.u64(...units(site));
  out.u32(UNIT_BLOCKS, BLOCK);
}

function putKind({ isUnicode }: SmbClient, out: Octets): void {
  const name = textOctets("NTFS", isUnicode);
  out.u32(FEATURES, LONGEST_NAME, name.length);
  out.put(name);
}

/** QUERY_INFORMATION_DISK, for clients whose numbers end at 65535: 2 GB at most. */
export function diskOfDos({ site }: SmbClient): Reply {
  const scale = 8;
  const [all, free] = units(site).map((count) => Math.min(0xffff, Math.floor(count / scale)));
  return { words: (out) => out.u16(all!, UNIT_BLOCKS * scale, BLOCK, free!, 0) };
}
