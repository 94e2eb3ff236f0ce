import { expect, test } from "bun:test";
import { encoded } from "../../src/bytes/text.ts";
import { sentName, shownName } from "../../src/files/page-text.ts";
import { Zip } from "../../src/files/zip.ts";

// The second half of the surrogate pair of U+1F4C1 is in the range by which `decoded` marks octets that are not UTF-8.
const FOLDER = encoded("📁 é");

test("a character beyond the first 65536 is UTF-8 like any other", () => {
  expect(shownName(FOLDER, "utf-8")).toBe(FOLDER);
  expect(shownName(FOLDER, "iso-8859-1")).toBe("&#128193; \xe9");
  expect(sentName(FOLDER, "iso-8859-1")).toBe(FOLDER);
  const stat = { kind: "file", size: 0, mtime: 1e9, version: "", isLink: false } as const;
  const flags = (name: string): number => new Zip(() => 0).before({ path: [name], stat }, name, 0)[7]!;
  expect([flags(FOLDER), flags("\xe9"), flags("a")]).toEqual([0x08, 0, 0]);
});
