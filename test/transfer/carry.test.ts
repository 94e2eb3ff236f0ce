import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CarryOptions, receiveTree, type Reporter, sendTree } from "../../src/transfer/carry.ts";
import { GaveUp } from "../../src/transfer/client.ts";
import { Meter } from "../../src/transfer/meter.ts";
import { CuttingRelay } from "../kit/cutting-relay.ts";
import { FileServer, sha256 } from "../kit/file-server.ts";
import { inFolder, quickClient } from "../kit/quick-client.ts";
import { Rng, withRng } from "../kit/rng.ts";
import { ServedFolder } from "../kit/served-folder.ts";
import { hashesOf, writeTree } from "../kit/tree.ts";

const PLAIN: CarryOptions = { isPatch: false, deletes: false, isDry: false };
const SYNC: CarryOptions = { isPatch: true, deletes: true, isDry: false };

interface Notes extends Reporter {
  readonly told: string[];
}

function notes(): Notes {
  const told: string[] = [];
  return {
    told,
    meter: new Meter(),
    begin: () => undefined,
    end: (path, isChecked) => void told.push(`${isChecked ? "checked" : "whole"} ${path}`),
    tell: (what, path) => void told.push(`${what} ${path}`),
    fail: (path, error) => void told.push(`failed ${path}: ${(error as Error).message}`),
    leaveOut: (paths) => void told.push(`left out ${paths.join(", ")}`),
  };
}

/** A tree of files of many sizes, with names of all kinds. */
function someTree(rng: Rng, count: number, largest: number): Record<string, Uint8Array> {
  const tree: Record<string, Uint8Array> = {};
  for (let index = 0; index < count; index++) {
    const folder = rng.pick(["", "a/", "a/b c/", "\xff\xe9/", "%41?#/"]);
    tree[`${folder}${index}-${rng.pick(["x.txt", "caf\xc3\xa9", "\xfe", "a b", "%2e%2e", "q?x=1", "part.part"])}`] =
      rng.bytes(rng.below(rng.below(largest) + 1));
  }
  return tree;
}

function hashes(tree: Readonly<Record<string, Uint8Array>>): Record<string, string> {
  return Object.fromEntries(Object.entries(tree).map(([path, octets]) => [path, sha256(octets)]));
}

function filesOf(root: string): Record<string, string> {
  return Object.fromEntries(Object.entries(hashesOf(root)).filter(([, hash]) => hash !== "folder"));
}

test("a thousand cuts, and every file arrives whole, in both directions", async () => {
  await withRng(async (rng) => {
    const tree = someTree(rng, 40, 60_000);
    await inFolder(async (folder) => {
      const [here, there] = [join(folder, "here"), join(folder, "there")];
      writeTree(here, tree);
      mkdirSync(there);
      await using server = await ServedFolder.of(there);
      await using relay = await CuttingRelay.to(server.port);
      // A listing has to come through in one piece.
      relay.plan = () => ({ after: 100 + rng.below(5000), how: rng.pick(["reset", "end"]) });
      for (let round = 0; relay.cuts < 1000; round++) {
        const client = quickClient(relay.port);
        const sending = notes();
        await sendTree({ client, local: here, remote: `/in ${round}/` }, PLAIN, sending);
        expect(filesOf(join(there, `in ${round}`))).toEqual(hashes(tree));
        expect(sending.meter.done).toBe(sending.meter.total);
        const receiving = notes();
        const back = join(folder, `back${round}`);
        await receiveTree({ client, local: back, remote: `/in ${round}/` }, PLAIN, receiving);
        expect(filesOf(back)).toEqual(hashes(tree));
        expect(receiving.told.every((text) => text.startsWith("checked"))).toBe(true);
        client.close();
      }
      expect(readdirSync(there, { recursive: true }).filter((name) => String(name).includes("part-"))).toEqual([]);
    });
  });
}, 120_000);

test("sync through our own server sends the blocks that differ, in both directions", async () => {
  await inFolder(async (folder) => {
    const rng = new Rng(7);
    const [here, there] = [join(folder, "here"), join(folder, "there")];
    const large = rng.bytes(2_000_000);
    writeTree(here, { large, "a/empty": new Uint8Array(0), "b/\xff": rng.bytes(5) });
    mkdirSync(there);
    await using server = await ServedFolder.of(there);
    const client = quickClient(server.port);
    expect((await sendTree({ client, local: here, remote: "/" }, SYNC, notes())).carried).toBe(3);
    expect(hashesOf(there)).toEqual(hashesOf(here));
    large[700_000] = 1;
    writeTree(here, { large }, 1_000_000_100);
    writeTree(there, { "gone/x": rng.bytes(5) });
    server.received = 0;
    expect(await sendTree({ client, local: here, remote: "/" }, SYNC, notes())).toEqual({
      carried: 1,
      same: 2,
      removed: 2,
      failed: 0,
    });
    expect(server.received).toBeLessThan(70_000);
    expect(hashesOf(there)).toEqual(hashesOf(here));
    large[1_999_999] = 1;
    writeTree(there, { large }, 1_000_000_200);
    const back = notes();
    expect((await receiveTree({ client, local: here, remote: "/" }, SYNC, back)).carried).toBe(1);
    expect(back.meter.moved).toBeLessThan(66_000);
    expect(hashesOf(there)).toEqual(hashesOf(here));
    client.close();
  });
});

test("a second start sends nothing, and sync sends what changed and removes what is gone", async () => {
  await using server = new FileServer();
  await inFolder(async (folder) => {
    const rng = new Rng(2);
    const large = rng.bytes(300_000);
    writeTree(folder, { large: large, old: rng.bytes(10), "sub/small": rng.bytes(10) });
    const client = quickClient(server.port);
    const ends = { client, local: folder, remote: "/" };
    expect(await sendTree(ends, PLAIN, notes())).toEqual({ carried: 3, same: 0, removed: 0, failed: 0 });
    expect(await sendTree(ends, PLAIN, notes())).toEqual({ carried: 0, same: 3, removed: 0, failed: 0 });
    large[150_000] = 1;
    writeTree(folder, { large }, 1_000_000_100);
    server.put("gone", Buffer.from("x"));
    server.received = 0;
    const dry = notes();
    await sendTree(ends, { ...SYNC, isDry: true }, dry);
    expect(dry.told).toEqual(["folder sub", "send large", "delete gone"]);
    expect(server.received).toBe(0);
    expect(await sendTree(ends, SYNC, notes())).toEqual({ carried: 1, same: 2, removed: 1, failed: 0 });
    expect(server.received).toBeLessThan(70_000);
    expect([...server.files.keys()].sort()).toEqual(["large", "old", "sub/small"]);
    expect(server.files.get("large")?.octets.equals(large)).toBe(true);

    await inFolder(async (local) => {
      const from = { client, local, remote: "/" };
      writeTree(local, { "only-here": rng.bytes(5), "empty/only-here": rng.bytes(5) });
      expect((await receiveTree(from, SYNC, notes())).removed).toBe(3);
      expect(hashesOf(local)).toEqual(hashesOf(folder));
      expect((await receiveTree(from, SYNC, notes())).carried).toBe(0);
    });
    client.close();
  });
});

test("nothing in a hostile list leads out of the folder", async () => {
  await using server = new FileServer();
  const names = [
    "../evil",
    "/etc/evil",
    "a/../../evil",
    "a//b",
    "./x",
    "..",
    ".",
    "",
    "a\0b",
    "link/evil",
    "file/evil",
    "x".repeat(300),
  ];
  const lines = names.map((name) => JSON.stringify({ name, size: 4, mtime: 1, kind: "file" }));
  lines.push('{"name":"neg","size":-1,"kind":"file"}', '{"name":"dev","size":0,"kind":"device"}', "[]", "null", "7");
  lines.push('{"name":7}', '{"name":"good","size":4,"mtime":1e99,"kind":"file"}');
  server.instead = (request) =>
    request.url.includes("list=json")
      ? new Response(lines.join("\n"))
      : request.url.includes("hash")
        ? Response.json({ sha256: sha256(Buffer.from("evil")) })
        : new Response("evil");
  await inFolder(async (folder) => {
    const local = join(folder, "in", "side");
    const outside = join(folder, "outside");
    mkdirSync(outside);
    mkdirSync(local, { recursive: true });
    symlinkSync(outside, join(local, "link"));
    writeFileSync(join(local, "file"), "mine");
    const client = quickClient(server.port);
    const reporter = notes();
    await receiveTree({ client, local, remote: "/" }, PLAIN, reporter);
    client.close();
    expect(filesOf(folder)).toEqual({
      "in/side/file": sha256(Buffer.from("mine")),
      "in/side/good": sha256(Buffer.from("evil")),
    });
    expect(reporter.told.map((text) => text.replace(/:.*/, "")).sort()).toEqual([
      "checked good",
      "failed file/evil",
      "failed link/evil",
      "left out neg, dev, ",
    ]);
  });
});

test("a list that is no list is an error, and deletes nothing", async () => {
  await using server = new FileServer();
  server.instead = () => new Response("<html>");
  await inFolder(async (local) => {
    writeTree(local, { a: new Uint8Array(3) });
    const client = quickClient(server.port);
    await expect(receiveTree({ client, local, remote: "/" }, SYNC, notes())).rejects.toThrow("not that of nullmodem");
    client.close();
    expect(readFileSync(join(local, "a")).length).toBe(3);
  });
});

test("one file that is refused does not stop the others, a full disk does, and nothing is deleted then", async () => {
  await using server = new FileServer();
  let status = 403;
  server.instead = ({ method, url }) =>
    method === "PUT" && url.includes("bad") ? new Response(null, { status }) : undefined;
  await inFolder(async (local) => {
    writeTree(local, { bad: new Uint8Array(3), good: new Uint8Array(4) });
    symlinkSync("/dev/null", join(local, "link"));
    server.put("gone", Buffer.from("x"));
    const client = quickClient(server.port);
    const reporter = notes();
    expect(await sendTree({ client, local, remote: "/" }, SYNC, reporter)).toEqual({
      carried: 1,
      same: 0,
      removed: 0,
      failed: 1,
    });
    expect(reporter.told[0]).toBe("left out link");
    expect(server.files.has("gone")).toBe(true);
    status = 507;
    await expect(sendTree({ client, local, remote: "/" }, SYNC, notes())).rejects.toThrow("no room there");
    server.instead = ({ method }) =>
      method === "PUT" ? new Response("Files can only be read here\n", { status: 403 }) : undefined;
    const once = notes();
    await expect(sendTree({ client, local, remote: "/" }, SYNC, once)).rejects.toThrow("only be read");
    expect(once.told).toEqual(["left out link"]);
    client.close();
  });
});

test("it gives up when the time for that has passed", async () => {
  await using server = new FileServer();
  await using relay = await CuttingRelay.to(server.port);
  relay.isUp = false;
  await inFolder(async (local) => {
    const waits: string[] = [];
    const client = quickClient(relay.port, { giveUpMs: 50, waiting: (reason) => void waits.push(reason) });
    await expect(receiveTree({ client, local, remote: "/" }, PLAIN, notes())).rejects.toThrow(GaveUp);
    client.close();
  });
});
