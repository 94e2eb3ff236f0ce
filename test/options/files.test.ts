// The options of files: those that do nothing alone, and the folder.

import { expect, test } from "bun:test";
import { folderTrouble, requireFolder } from "../../src/options/check-files.ts";
import { checkOptions } from "../../src/options/check.ts";
import { parseOptions } from "../../src/options/parse.ts";
import { fakeHost } from "../kit/optionhost.ts";

test("an option of files that does nothing is warned of", () => {
  const logged = (...words: string[]): string[] => {
    const host = fakeHost();
    checkOptions(parseOptions(["notty", ...words], host), host);
    return host.logged.filter((line) => line.includes("no effect"));
  };
  const all = ["files-write", "files-auth", "files-quota", "5M", "files-names", "8.3", "files-port", "81"];
  const names = all.filter((word) => word.startsWith("files-"));
  expect(logged(...all)).toEqual(names.map((name) => `${name} has no effect without files`));
  expect(logged("files", "/srv", ...all)).toEqual([]);
  expect(logged("files", "/srv", "files-quota", "5M")).toEqual(["files-quota has no effect without files-write"]);
});

test("a folder that is not there is told before the link is up", () => {
  const host = fakeHost();
  const trouble = (...words: string[]): string | undefined =>
    folderTrouble(parseOptions(["notty", ...words], host), host);
  expect(trouble()).toBeUndefined();
  expect(trouble("files", "/srv")).toBeUndefined();
  expect(trouble("files", "/no/such")).toBe("files: /no/such is not a folder");
  const config = parseOptions(["notty", "files", "/no/such"], host);
  expect(() => requireFolder(config, host)).toThrow("files: /no/such is not a folder");
});
