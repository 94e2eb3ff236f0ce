import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { receiveTree, type Reporter, sendTree } from "../../src/transfer/carry.ts";
import { Meter } from "../../src/transfer/meter.ts";
import { planOf } from "../../src/transfer/tree-difference.ts";
import { FileServer } from "../kit/file-server.ts";
import { inFolder, quickClient } from "../kit/quick-client.ts";
import { ServedFolder } from "../kit/served-folder.ts";
import { writeTree } from "../kit/tree.ts";

const SYNC = { isPatch: true, deletes: true, isDry: false };
const one = new Uint8Array(1);
const NOTE = Buffer.from('{"target":"/x","validator":"y","size":1,"isPatched":false}');

interface Notes extends Reporter {
  readonly deleted: string[];
  readonly leftOut: string[];
}

function notes(): Notes {
  const deleted: string[] = [];
  const leftOut: string[] = [];
  return {
    deleted,
    leftOut,
    meter: new Meter(),
    begin: () => undefined,
    end: () => undefined,
    tell: (what, path) => void (what === "delete" && deleted.push(path)),
    fail: () => undefined,
    leaveOut: (paths) => void leftOut.push(...paths),
  };
}

test("what is a link or a partial file here is not deleted at the server", async () => {
  await inFolder(async (folder) => {
    const [here, there] = [join(folder, "here"), join(folder, "there")];
    writeTree(here, { "s/v2/f": one, "x.part": one, "x.part.json": NOTE, "y.part": one, "y.part.json": one });
    symlinkSync("v2", join(here, "s/current"));
    writeTree(there, { "s/current/f": one, "s/currently": one, "x.part": one, "gone/x": one });
    await using server = await ServedFolder.of(there);
    const client = quickClient(server.port);
    const reporter = notes();
    const outcome = await sendTree({ client, local: here, remote: "/" }, SYNC, reporter);
    client.close();
    expect(reporter.deleted.sort()).toEqual(["gone", "gone/x", "s/currently"]);
    expect(reporter.leftOut).toEqual(["s/current"]);
    expect(outcome).toMatchObject({ removed: 3, failed: 0 });
    expect(readFileSync(join(there, "s/current/f")).length).toBe(1);
    expect(existsSync(join(there, "x.part"))).toBe(true);
    // A file of the user's own is sent, whatever its name.
    expect(["x.part.json", "y.part", "y.part.json"].map((name) => existsSync(join(there, name)))).toEqual([
      false,
      true,
      true,
    ]);
  });
});

test("what the server has but cannot list is not deleted here", async () => {
  await inFolder(async (folder) => {
    const [here, there] = [join(folder, "here"), join(folder, "there")];
    writeTree(there, { "v2/f": one });
    symlinkSync("v2", join(there, "current"));
    symlinkSync("nowhere", join(there, "dangling"));
    // A server of ours that gives this folder too is receiving two of these.
    const unfinished = { ".nullmodem-part-a": one, "gone2/.nullmodem-part-b/x": one };
    writeTree(here, { "current/f": one, dangling: one, "gone/x": one, ...unfinished });
    await using server = await ServedFolder.of(there);
    const client = quickClient(server.port);
    const reporter = notes();
    await receiveTree({ client, local: here, remote: "/" }, SYNC, reporter);
    client.close();
    expect(reporter.deleted).toEqual(["gone/x", "gone"]);
    expect(reporter.leftOut.sort()).toEqual(["current", "dangling"]);
    expect(existsSync(join(here, "current/f"))).toBe(true);
    expect(existsSync(join(here, "dangling"))).toBe(true);
    expect(Object.keys(unfinished).every((path) => existsSync(join(here, path)))).toBe(true);
    expect(existsSync(join(here, "v2/f"))).toBe(true);
  });
});

test("a list that does not say that it is whole deletes nothing", async () => {
  await using server = new FileServer();
  const end = '{"kind":"end"}';
  const lists = [
    ["", [""], []],
    ['{"name":"","kind":"unknown"}\n', ["", ""], []],
    [`{"name":"","kind":"unknown"}\n${end}`, [""], []],
    [`{"name":"a","kind":"unknown"}\n${end}`, ["a"], ["b/x", "b"]],
    [`{"name":"a/x","kind":"unknown"}\n${end}\n`, ["a/x"], ["b/x", "a/y", "b", "a"].slice(0, 3)],
  ] as const;
  for (const [list, leftOut, deleted] of lists) {
    server.instead = () => new Response(list);
    await inFolder(async (local) => {
      writeTree(local, { "a/x": one, "a/y": one, "b/x": one });
      const client = quickClient(server.port);
      const reporter = notes();
      await receiveTree({ client, local, remote: "/" }, { ...SYNC, isDry: true }, reporter);
      client.close();
      expect(reporter.leftOut).toEqual([...leftOut]);
      expect(reporter.deleted.sort()).toEqual([...deleted].sort());
    });
  }
});

test("a folder here with a link in it is not taken away", async () => {
  await using server = new FileServer();
  await inFolder(async (local) => {
    mkdirSync(join(local, "a/b"), { recursive: true });
    writeFileSync(join(local, "a/x"), one);
    symlinkSync("nowhere", join(local, "a/b/link"));
    const client = quickClient(server.port);
    const reporter = notes();
    const outcome = await receiveTree({ client, local, remote: "/" }, SYNC, reporter);
    client.close();
    expect(reporter.deleted).toEqual(["a/x"]);
    expect(outcome.failed).toBe(0);
  });
});

test("nothing of a target is extra whose list is not whole, as its folders may hold more", () => {
  const entries = [{ path: "a", kind: "folder", size: 0, mtime: 0 } as const];
  const source = { entries: [], others: [] };
  expect(planOf(source, { entries, others: [""] }).extra).toEqual([]);
  expect(planOf(source, { entries, others: ["a/b"] }).extra).toEqual([]);
  expect(planOf(source, { entries, others: [] }).extra).toEqual(entries);
});
