// The libraries that an ELF file for 64-bit little-endian machines needs, and the versions of their symbols: the dynamic
// section's DT_NEEDED and DT_VERNEED (System V ABI; LSB, "Symbol Versioning").

const DYNAMIC = 2;
const LOAD = 1;
const NEEDED = 1n;
const STRTAB = 5n;
const VERNEED = 0x6ffffffen;
const VERNEEDNUM = 0x6fffffffn;

export interface ElfNeeds {
  /** "libc.so.6" */
  readonly libraries: readonly string[];
  /** "GLIBC_2.17" */
  readonly versions: readonly string[];
}

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly length: number;
}

export function elfNeeds(file: Uint8Array): ElfNeeds {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const segments = segmentsOf(view);
  const dynamic = segments.find(({ type }) => type === DYNAMIC);
  if (dynamic === undefined) return { libraries: [], versions: [] };
  const entries: [tag: bigint, value: number][] = [];
  for (let at = dynamic.offset; at < dynamic.offset + dynamic.length; at += 16) {
    entries.push([view.getBigInt64(at, true), Number(view.getBigUint64(at + 8, true))]);
  }
  const valueOf = (tag: bigint): number => entries.find(([one]) => one === tag)?.[1] ?? 0;
  const placeOf = (address: number): number => {
    const segment = segments.find(
      (one) => one.type === LOAD && address >= one.address && address < one.address + one.length,
    );
    return segment === undefined ? 0 : address - segment.address + segment.offset;
  };
  const strings = placeOf(valueOf(STRTAB));
  const textAt = (offset: number): string => {
    const start = strings + offset;
    return new TextDecoder().decode(file.subarray(start, file.indexOf(0, start)));
  };

  const libraries = entries.filter(([tag]) => tag === NEEDED).map(([, offset]) => textAt(offset));
  const versions: string[] = [];
  let library = placeOf(valueOf(VERNEED));
  for (let left = valueOf(VERNEEDNUM); left > 0; left--) {
    let version = library + view.getUint32(library + 8, true);
    for (let more = view.getUint16(library + 2, true); more > 0; more--) {
      versions.push(textAt(view.getUint32(version + 8, true)));
      version += view.getUint32(version + 12, true);
    }
    library += view.getUint32(library + 12, true);
  }
  return { libraries, versions };
}

function segmentsOf(view: DataView): Segment[] {
  const number = (at: number): number => Number(view.getBigUint64(at, true));
  return Array.from({ length: view.getUint16(56, true) }, (_, index) => {
    const at = number(32) + index * view.getUint16(54, true);
    return {
      type: view.getUint32(at, true),
      offset: number(at + 8),
      address: number(at + 16),
      length: number(at + 32),
    };
  });
}
