// Writes a .deb (deb(5)): an ar archive of a version, a control.tar.gz and a data.tar.gz. The bytes depend on the input
// alone. The tar archives are ustar (POSIX 1003.1): entries in the order of their paths, owned by root, with one time.

const BLOCK = 512;
const encoder = new TextEncoder();

export interface PackedFile {
  /** "usr/bin/nullmodem": without a slash at the beginning. */
  readonly path: string;
  /** The content, or where a symbolic link leads. */
  readonly content: Uint8Array | { readonly link: string };
  /** 0o644 if absent. */
  readonly mode?: number;
}

/** The .deb with these files and these parts of the control archive ("control", "postinst"). `time` is in seconds. */
export function debArchive(
  control: readonly PackedFile[],
  data: readonly PackedFile[],
  time: number,
): Uint8Array<ArrayBuffer> {
  return joined([
    encoder.encode("!<arch>\n"),
    ...arMember("debian-binary", encoder.encode("2.0\n"), time),
    ...arMember("control.tar.gz", gzip(tar(control, time)), time),
    ...arMember("data.tar.gz", gzip(tar(data, time)), time),
  ]);
}

/** Without a name and a time. */
export function gzip(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return Bun.gzipSync(bytes, { library: "libdeflate", level: 9 });
}

/** The folders that these paths lie in, each before what is in it. */
export function foldersOf(paths: readonly string[]): string[] {
  const folders = paths.flatMap((path) => [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index)));
  return [...new Set(folders)].sort();
}

function tar(files: readonly PackedFile[], time: number): Uint8Array<ArrayBuffer> {
  const folders = foldersOf(files.map(({ path }) => path)).map((path) => ({ path, content: undefined }));
  const entries = [...folders, ...files].sort((one, other) => (one.path < other.path ? -1 : 1));
  const parts = entries.flatMap((entry) => {
    const { path, content } = entry;
    if (content === undefined) return [header({ name: `./${path}/`, mode: 0o755, size: 0, type: "5", time })];
    if ("link" in content) {
      return [header({ name: `./${path}`, mode: 0o777, size: 0, type: "2", link: content.link, time })];
    }
    const mode = ("mode" in entry ? entry.mode : undefined) ?? 0o644;
    const head = header({ name: `./${path}`, mode, size: content.length, type: "0", time });
    return [head, content, new Uint8Array((BLOCK - (content.length % BLOCK)) % BLOCK)];
  });
  const top = header({ name: "./", mode: 0o755, size: 0, type: "5", time });
  return joined([top, ...parts, new Uint8Array(2 * BLOCK)]);
}

interface Entry {
  readonly name: string;
  readonly mode: number;
  readonly size: number;
  /** "0": a file. "2": a symbolic link. "5": a folder. */
  readonly type: "0" | "2" | "5";
  readonly link?: string;
  readonly time: number;
}

function header({ name, mode, size, type, link = "", time }: Entry): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const put = (at: number, text: string, room: number): void => {
    const bytes = encoder.encode(text);
    if (bytes.length > room) throw new Error(`${text} is too long for a tar archive`);
    block.set(bytes, at);
  };
  const octal = (number: number, digits: number): string => number.toString(8).padStart(digits, "0");
  put(0, name, 100);
  put(100, `${octal(mode, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0`, 24);
  put(124, `${octal(size, 11)}\0${octal(time, 11)}\0`, 24);
  // The sum is made with spaces in its own place.
  put(148, "        ", 8);
  put(156, type, 1);
  put(157, link, 100);
  put(257, "ustar\x0000root", 32);
  put(297, "root", 32);
  const sum = block.reduce((total, octet) => total + octet, 0);
  put(148, `${octal(sum, 6)}\0 `, 8);
  return block;
}

function arMember(name: string, bytes: Uint8Array, time: number): Uint8Array[] {
  const fields = [
    name.padEnd(16),
    String(time).padEnd(12),
    "0     0     100644  ",
    String(bytes.length).padEnd(10),
    "`\n",
  ];
  return [encoder.encode(fields.join("")), bytes, encoder.encode(bytes.length % 2 === 0 ? "" : "\n")];
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
