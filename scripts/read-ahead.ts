// Adds to an executable a piece of machine code that runs before everything else and asks the kernel to read the pages
// that a start needs. Otherwise the kernel reads them one after another, as they are touched: from a slow disk, 500 reads
// that each wait for the one before.
//
// The code and its table are appended to the file. The program header of the notes becomes that of one more segment, and
// the entry point is the code, which jumps to the former entry point. The pages are measured (start-pages.ts) for one
// Bun. An executable that was made from another Bun stays as it is.

import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Pages of the file, [first, end). */
export type Pages = readonly [first: number, end: number];

const PAGE = 4096;
const EXECUTABLE = 2;
const X86_64 = 62;
const LOAD = 1;
const NOTE = 4;
const READ_AND_EXECUTE = 5;
const HEADER = 56;
const BUILD_ID = 3;
/**
 * The kernel shortens a request to what the disk takes at once, and that is not known here. So the table has all of it
 * twice: in long requests, then in short ones, which cost nothing where the long ones were not shortened.
 */
const REQUESTS = [512 * 1024, 128 * 1024];

interface Segment {
  readonly header: number;
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly length: number;
  readonly end: number;
}

function viewOf(file: Uint8Array): DataView {
  return new DataView(file.buffer, file.byteOffset, file.byteLength);
}

function segmentsOf(file: Uint8Array): Segment[] {
  const view = viewOf(file);
  const number = (at: number): number => Number(view.getBigUint64(at, true));
  return Array.from({ length: view.getUint16(56, true) }, (_, index) => {
    const header = number(32) + index * HEADER;
    const address = number(header + 16);
    return {
      header,
      type: view.getUint32(header, true),
      offset: number(header + 8),
      address,
      length: number(header + 32),
      end: address + number(header + 40),
    };
  });
}

/** The build ID of an executable, by which the list of its pages is named. Undefined: it has none. */
export function buildIdOf(file: Uint8Array): string | undefined {
  const view = viewOf(file);
  for (const { type, offset, length } of segmentsOf(file)) {
    for (let at = offset; type === NOTE && at + 12 <= offset + length;) {
      const [name, size, kind] = [0, 4, 8].map((field) => view.getUint32(at + field, true)) as [number, number, number];
      const start = at + 12 + Math.ceil(name / 4) * 4;
      if (kind === BUILD_ID) return file.subarray(start, start + size).toHex();
      at = start + Math.ceil(size / 4) * 4;
    }
  }
  return undefined;
}

/** The measured pages of the Bun in an executable. Undefined: that Bun was not measured. */
export function measuredPages(file: Uint8Array): Pages[] | undefined {
  const id = buildIdOf(file);
  try {
    const text = readFileSync(join(import.meta.dir, "start-pages", `${id}.txt`), "utf8");
    return [...text.matchAll(/^(\d+) (\d+)$/gm)].map(([, first, end]) => [Number(first), Number(end)] as const);
  } catch {
    return undefined;
  }
}

/** The ranges of memory that have these pages, as requests of at most `most` octets. */
function requestsOf(segments: readonly Segment[], pages: readonly Pages[], most: number): [number, number][] {
  return pages.flatMap(([first, end]) =>
    segments.flatMap(({ type, offset, address, length }) => {
      const low = Math.max(first * PAGE, offset - (offset % PAGE));
      const high = Math.min(end * PAGE, offset + length);
      if (type !== LOAD || low >= high) return [];
      const count = Math.ceil((high - low) / most);
      return Array.from({ length: count }, (_, index): [number, number] => {
        const at = low + index * most;
        return [address - offset + at, Math.min(most, high - at)];
      });
    }),
  );
}

/** madvise(start, length, MADV_WILLNEED) for each row of the table after the code, then on to `entry`. */
function codeFor(entry: number): Uint8Array {
  const code = Uint8Array.of(
    ...[0x52], //                         push rdx        the C library's own, for _start
    ...[0x48, 0x8d, 0x1d, 0, 0, 0, 0], // lea rbx, [table]
    ...[0x8b, 0x3b], //             next: mov edi, [rbx]
    ...[0x85, 0xff], //                   test edi, edi
    ...[0x74, 0x15], //                   jz done
    ...[0x8b, 0x73, 0x04], //             mov esi, [rbx + 4]
    ...[0xba, 3, 0, 0, 0], //             mov edx, MADV_WILLNEED
    ...[0xb8, 28, 0, 0, 0], //            mov eax, SYS_madvise
    ...[0x0f, 0x05], //                   syscall
    ...[0x48, 0x83, 0xc3, 0x08], //       add rbx, 8
    ...[0xeb, 0xe5], //                   jmp next
    ...[0x5a], //                   done: pop rdx
    ...[0xb8, 0, 0, 0, 0], //             mov eax, entry
    ...[0xff, 0xe0], //                   jmp rax
  );
  const view = viewOf(code);
  view.setInt32(4, code.length - 8, true);
  view.setUint32(code.length - 6, entry, true);
  return code;
}

/** The executable with that code. Undefined: its form is another than this code is made for. */
export function withReadAhead(file: Uint8Array, pages: readonly Pages[]): Uint8Array<ArrayBuffer> | undefined {
  const view = viewOf(file);
  if (view.getUint16(16, true) !== EXECUTABLE || view.getUint16(18, true) !== X86_64) return undefined;
  const segments = segmentsOf(file);
  const loaded = segments.filter(({ type }) => type === LOAD);
  const note = segments.find(({ type }) => type === NOTE);
  // The kernel wants the segments in the order of their addresses.
  if (note === undefined || loaded.some(({ header }) => header > note.header)) return undefined;
  const aligned = (number: number): number => Math.ceil(number / PAGE) * PAGE;
  const offset = aligned(file.length);
  const address = aligned(Math.max(...loaded.map(({ end }) => end)));
  const code = codeFor(Number(view.getBigUint64(24, true)));
  const rows = REQUESTS.flatMap((most) => requestsOf(loaded, pages, most));
  const table = Uint32Array.from([...rows.flat(), 0, 0]);
  const length = code.length + table.byteLength;
  const result = new Uint8Array(offset + length);
  result.set(file);
  result.set(code, offset);
  result.set(new Uint8Array(table.buffer), offset + code.length);
  const changed = viewOf(result);
  changed.setBigUint64(24, BigInt(address), true);
  changed.setUint32(note.header, LOAD, true);
  changed.setUint32(note.header + 4, READ_AND_EXECUTE, true);
  [offset, address, address, length, length, PAGE].forEach((value, field) =>
    changed.setBigUint64(note.header + 8 + field * 8, BigInt(value), true),
  );
  return result;
}
