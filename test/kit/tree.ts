// Trees of files on the disk, for comparison.

import { mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { textOf } from "../../src/bytes/text.ts";
import { readTree } from "../../src/transfer/local-tree.ts";
import { systemPath, under } from "../../src/transfer/remote-path.ts";
import { sha256 } from "./file-server.ts";

/** Paths and contents. A path may have any octets, one char an octet. */
export function writeTree(root: string, files: Readonly<Record<string, Uint8Array>>, mtime = 1_000_000_000): void {
  for (const [path, octets] of Object.entries(files)) {
    const whole = systemPath(under(root, path));
    mkdirSync(systemPath(dirname(textOf(whole))), { recursive: true });
    writeFileSync(whole, octets);
    utimesSync(whole, mtime, mtime);
  }
}

/** The hash of each file, by its path; "folder" for a folder. */
export function hashesOf(root: string): Record<string, string> {
  return Object.fromEntries(
    readTree(root).entries.map(({ path, kind }) => [
      path,
      kind === "folder" ? "folder" : sha256(readFileSync(systemPath(under(root, path)))),
    ]),
  );
}
