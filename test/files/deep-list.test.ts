import { expect, test } from "bun:test";
import type { EntryStat, Listing } from "../../src/files/folder.ts";
import { FileExchange } from "../kit/file-exchange.ts";

/** The deep list of the folder "x/", in short. */
function deepList(one: FileExchange): string[] {
  return one
    .ask("GET /x/?list=json&deep")
    .body.trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { name?: string; kind: string })
    .map(({ kind, name }) => (name === undefined ? kind : `${kind} ${name}`));
}

test("what the deep list leaves out is named in it, and its last line says that it is whole", () => {
  const one = new FileExchange();
  const { folder } = one;
  for (const path of ["x", "x/denied", "x/half", "x/link"]) folder.makeFolder(path.split("/"));
  for (const path of ["x/denied/f", "x/half/f", "x/half/g", "x/link/f", "x/.nullmodem-part-x", "x/y"])
    folder.put(path, "1");
  const list = folder.list.bind(folder);
  folder.list = (path) => {
    const listing = list(path) as Listing;
    if (path.join("/") !== "x/denied")
      return {
        next: () => listing.next(),
        stat: (name) => (name === "g" ? "failed" : { ...(listing.stat(name) as EntryStat), isLink: name === "link" }),
        close: () => listing.close(),
        hasFailed: path.at(-1) === "half",
      };
    listing.close();
    return "failed";
  };
  expect(deepList(one)).toEqual([
    "folder denied",
    "unknown denied",
    "folder half",
    "file half/f",
    "unknown half/g",
    "unknown half",
    "unknown link",
    "file y",
    "end",
  ]);
  expect(folder.open_).toBe(0);
  // An archive holds what can be read.
  expect(one.ask("GET /x/?tar").body).toContain("x/half/f");
});

test("a folder below a hundred others is named as unknown", () => {
  const one = new FileExchange();
  const path = ["x"];
  one.folder.makeFolder(path);
  for (let depth = 1; depth <= 103; depth++) {
    path.push("a");
    one.folder.makeFolder([...path]);
  }
  const list = deepList(one);
  expect(list.filter((line) => line.startsWith("unknown"))).toEqual([`unknown ${Array(101).fill("a").join("/")}`]);
  expect(list.at(-1)).toBe("end");
});
