// A tar archive of texts, in the order of their names and without times: the same files give the same octets.

import { encoded } from "../../src/bytes/text.ts";
import { joined, TAR } from "../../src/files/tar.ts";

export function tarOf(files: ReadonlyMap<string, string>): Uint8Array<ArrayBuffer> {
  const parts = [...files.keys()].sort().flatMap((name) => {
    const bytes = Buffer.from(files.get(name) ?? "");
    const stat = { kind: "file", size: bytes.length, mtime: 0, version: "", isLink: false } as const;
    return [TAR.before({ path: [], stat }, encoded(name), 0), bytes, TAR.after(bytes.length)];
  });
  return new Uint8Array(joined([...parts, TAR.end()]));
}
