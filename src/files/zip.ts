// ZIP archives (APPNOTE 6.3) of files as they are: the link compresses by itself. Each file is read once before it is sent, so
// that its header has the CRC, and the oldest programs can unpack it. Larger than 4 GB or 65534 files: Zip64.

import { bytesOf, decoded } from "../bytes/text.ts";
import type { ArchiveFormat } from "./archive.ts";
import { crc32 } from "./crc32.ts";
import type { DeepEntry } from "./folder-entries.ts";
import { momentOf } from "./http-date.ts";
import { joined } from "./tar.ts";

const MOST_32 = 0xffffffff;
const MOST_16 = 0xffff;
const UTF8_NAME = 0x800;
/** Made by Unix: then names are taken as they are. The upper half of the attributes is the mode. */
const MADE_BY = 0x0314;
const FILE_ATTRIBUTES = 0o100644 * 0x10000;
const FOLDER_ATTRIBUTES = 0o040755 * 0x10000 + 0x10;

type Field = readonly [octets: 2 | 4 | 8, value: number];

function packed(...fields: readonly Field[]): Uint8Array {
  const octets = new Uint8Array(fields.reduce((sum, [length]) => sum + length, 0));
  let at = 0;
  for (const [length, value] of fields) {
    let rest = value;
    for (let octet = 0; octet < length; octet++) {
      octets[at++] = rest % 256;
      rest = Math.floor(rest / 256);
    }
  }
  return octets;
}

/** Local time and date as DOS has them, from 1980 on. */
function dosTime(seconds: number): readonly [Field, Field] {
  const { year, month, day, hour, minute, second } = momentOf(seconds);
  if (year < 1980)
    return [
      [2, 0],
      [2, 0x21],
    ];
  const date = ((Math.min(year, 2107) - 1980) << 9) | (month << 5) | day;
  return [
    [2, (hour << 11) | (minute << 5) | (second >> 1)],
    [2, date],
  ];
}

/** An archive that is being made. */
export class Zip implements ArchiveFormat {
  readonly crc = crc32;
  readonly #zoneAt: (seconds: number) => number;
  readonly #central: Uint8Array[] = [];
  #count = 0;
  #offset = 0;

  constructor(zoneAt: (seconds: number) => number) {
    this.#zoneAt = zoneAt;
  }

  before({ stat }: DeepEntry, name: string, crc: number): Uint8Array {
    const isFolder = stat.kind === "folder";
    const size = isFolder ? 0 : stat.size;
    const octets = bytesOf(name);
    const isLarge = size >= MOST_32;
    const time = dosTime(stat.mtime + this.#zoneAt(stat.mtime));
    const isUtf8 = /[\x80-\xff]/.test(name) && !/[\udc80-\udcff]/u.test(decoded(name));
    const shown: Field = [4, isLarge ? MOST_32 : size];
    const flags: Field = [2, isUtf8 ? UTF8_NAME : 0];
    const what: readonly Field[] = [flags, [2, 0], ...time, [4, crc], shown, shown, [2, octets.length]];
    const sizes = isLarge ? packed([2, 1], [2, 16], [8, size], [8, size]) : new Uint8Array(0);
    const version: Field = [2, isLarge ? 45 : 20];
    const local = joined([packed([4, 0x04034b50], version, ...what, [2, sizes.length]), octets, sizes]);
    const isFar = this.#offset >= MOST_32;
    const places: Field[] = [
      ...(isLarge
        ? ([
            [8, size],
            [8, size],
          ] as Field[])
        : []),
      ...(isFar ? ([[8, this.#offset]] as Field[]) : []),
    ];
    const extra = places.length === 0 ? new Uint8Array(0) : packed([2, 1], [2, places.length * 8], ...places);
    const end: readonly Field[] = [
      [2, 0],
      [2, 0],
      [2, 0],
      [4, isFolder ? FOLDER_ATTRIBUTES : FILE_ATTRIBUTES],
    ];
    const start: readonly Field[] = [
      [4, 0x02014b50],
      [2, MADE_BY],
      [2, isFar || isLarge ? 45 : 20],
    ];
    const offset: Field = [4, isFar ? MOST_32 : this.#offset];
    this.#central.push(joined([packed(...start, ...what, [2, extra.length], ...end, offset), octets, extra]));
    this.#count++;
    this.#offset += local.length + size;
    return local;
  }

  after(): Uint8Array {
    return new Uint8Array(0);
  }

  end(): Uint8Array {
    const central = joined(this.#central);
    const { length } = central;
    const at = this.#offset;
    const count = this.#count;
    const isLarge = count >= MOST_16 || at >= MOST_32 || length >= MOST_32;
    const large = isLarge
      ? packed(
          ...([
            [4, 0x06064b50],
            [8, 44],
            [2, 45],
            [2, 45],
            [4, 0],
            [4, 0],
            [8, count],
            [8, count],
          ] as const),
          ...([
            [8, length],
            [8, at],
            [4, 0x07064b50],
            [4, 0],
            [8, at + length],
            [4, 1],
          ] as const),
        )
      : new Uint8Array(0);
    const shown: Field = [2, Math.min(count, MOST_16)];
    const places: readonly Field[] = [
      [4, Math.min(length, MOST_32)],
      [4, Math.min(at, MOST_32)],
      [2, 0],
    ];
    return joined([central, large, packed([4, 0x06054b50], [2, 0], [2, 0], shown, shown, ...places)]);
  }
}
