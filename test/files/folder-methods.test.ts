import { expect, test } from "bun:test";
import { FileExchange } from "../kit/file-exchange.ts";

test("MKCOL makes a folder in a folder, and nothing else", () => {
  const one = new FileExchange();
  one.folder.put("file", "x");
  for (const [head, status, body] of [
    ["MKCOL /a/", 201, ""],
    ["MKCOL /a/b", 201, ""],
    ["MKCOL /a/b/", 405, ""],
    ["MKCOL /file/", 405, ""],
    ["MKCOL /no/b/", 409, ""],
    ["MKCOL /file/b/", 409, ""],
    ["MKCOL /.nullmodem-part-x/", 409, ""],
    ["MKCOL /", 405, ""],
    ["MKCOL /c/\nContent-Length: 4", 415, "text"],
    ["MKCOL /c/\nOrigin: http://evil.example", 403, ""],
  ] as const)
    expect([head, one.ask(head, body).status]).toEqual([head, status]);
  expect([...one.folder.names].sort()).toEqual(["a", "a/b", "file"]);
  expect(new FileExchange({ isWritable: false }).ask("MKCOL /a/").status).toBe(403);
});

test("DELETE removes files, and folders with what is in them", () => {
  const one = new FileExchange();
  one.folder.put("file", "x");
  one.ask("MKCOL /a/");
  one.folder.put("a/b", "x");
  for (const [head, status] of [
    ["DELETE /file/", 404],
    ["DELETE /none", 404],
    ["DELETE /", 403],
    ["DELETE /.nullmodem-part-x", 404],
    ["DELETE /file\nOrigin: http://evil.example", 403],
    ["DELETE /file", 204],
    ["DELETE /a/\nDepth: 0", 409],
    ["DELETE /a/", 204],
    ["DELETE /a/b", 404],
  ] as const)
    expect([head, one.ask(head).status]).toEqual([head, status]);
  expect([...one.folder.names]).toEqual([]);
  const reading = new FileExchange({ isWritable: false });
  reading.folder.put("file", "x");
  expect(reading.ask("DELETE /file").status).toBe(403);
});
