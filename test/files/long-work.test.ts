// What takes long is done in steps, and others have their turn between them.

import { expect, test } from "bun:test";
import type { Connection } from "../../src/files/connection.ts";
import { FileExchange } from "../kit/file-exchange.ts";
import { MemoryFolder } from "../kit/memory-folder.ts";
import { Command, SmbPeer } from "../kit/smb-peer.ts";

const MB = 1 << 20;

/** A folder that counts what is asked of it. */
class CountingFolder extends MemoryFolder {
  octetsRead = 0;
  stats = 0;
  opened = 0;
  lists = 0;
  mayOpen = true;

  override open(...[path]: Parameters<MemoryFolder["open"]>): ReturnType<MemoryFolder["open"]> {
    this.opened++;
    const file = this.mayOpen ? super.open(path) : "denied";
    if (typeof file === "string") return file;
    return {
      ...file,
      read: (...place) => {
        const got = file.read(...place);
        this.octetsRead += Number(got);
        return got;
      },
    };
  }

  override list(...[path]: Parameters<MemoryFolder["list"]>): ReturnType<MemoryFolder["list"]> {
    this.lists++;
    const listing = super.list(path);
    if (typeof listing === "string") return listing;
    return {
      ...listing,
      stat: (name) => {
        this.stats++;
        return listing.stat(name);
      },
    };
  }
}

function withFiles(count: number, folder = "d"): { one: FileExchange; folder: CountingFolder } {
  const many = new CountingFolder();
  many.makeFolder([folder]);
  for (let file = 0; file < count; file++) many.put(`${folder}/${file}`, "x");
  return { one: new FileExchange({}, many), folder: many };
}

function begin(one: FileExchange, head: string): Connection {
  const connection = one.connect();
  const octets = Buffer.from(`${head.replaceAll("\n", "\r\n")}\r\n\r\n`);
  connection.receive(octets, 0, octets.length, one.now);
  return connection;
}

/** Lets a connection work to its end. Returns the most that a single turn cost. */
function mostInTurn(one: FileExchange, connection: Connection, cost: () => number): number {
  let most = cost();
  const room = new Uint8Array(1 << 16);
  for (let before = cost(); connection.wantsOutput; before = cost()) {
    connection.transmit(room, 0, room.length, one.now);
    most = Math.max(most, cost() - before);
  }
  return most;
}

test("the part of the old file is copied in steps", () => {
  const folder = new CountingFolder();
  const one = new FileExchange({}, folder);
  folder.put("a", new Uint8Array(16 * MB));
  const range = `Content-Range: bytes ${16 * MB}-${16 * MB}/${16 * MB + 1}`;
  const head = `PUT /a HTTP/1.1\nUpload-Id: token-12345\nCopy-From-Old: 0-${16 * MB - 1}\n${range}\nContent-Length: 1`;
  const connection = begin(one, head);
  expect(connection.wantsInput).toBe(false);
  expect(one.ask("GET /a\nRange: bytes=0-0").status).toBe(206);
  expect(mostInTurn(one, connection, () => folder.octetsRead)).toBeLessThanOrEqual(2 * MB);
  connection.receive(Uint8Array.of(65), 0, 1, one.now);
  one.connection = connection;
  expect(one.collect()).toStartWith("HTTP/1.1 204");
  expect([folder.stat(["a"]), folder.open_]).toMatchObject([{ size: 16 * MB + 1 }, 0]);
  // A client that leaves meanwhile gives it up.
  begin(one, head.replace("12345", "67890")).cut();
  expect(folder.open_).toBe(0);
});

test("a large folder is counted for its quota in steps", () => {
  const { folder } = withFiles(3000);
  const wanted = '<propfind xmlns="DAV:"><prop><quota-used-bytes/></prop></propfind>';
  const find = `PROPFIND / HTTP/1.1\nDepth: 0\nContent-Length: ${wanted.length}\n\n${wanted}`;
  for (const head of ["PUT /new HTTP/1.1\nContent-Length: 0", find]) {
    const one = new FileExchange({ quota: 4000 }, folder);
    folder.stats = 0;
    const connection = begin(one, head);
    expect(mostInTurn(one, connection, () => folder.stats)).toBeLessThanOrEqual(600);
    expect(folder.stats).toBeGreaterThanOrEqual(3000);
  }
  expect(folder.open_).toBe(0);
});

test("what a copy left is removed in steps when its client has gone", () => {
  const { one, folder } = withFiles(50);
  const connection = begin(one, "COPY /d HTTP/1.1\nDestination: /e");
  const room = new Uint8Array(1000);
  while (folder.names.length < 90) connection.transmit(room, 0, room.length, one.now);
  connection.cut();
  const left = folder.names.length;
  one.server.work();
  expect(folder.names.length).toBeGreaterThan(left - 3);
  one.work();
  expect(folder.names).toHaveLength(51);
  expect(folder.open_).toBe(0);
});

test("trees that a killed server left are removed after a week, by the time in their names", () => {
  const { one, folder } = withFiles(3);
  const seconds = (days: number): string => (one.seconds - days * 86_400).toString(36);
  for (const days of [6, 8]) {
    folder.makeFolder([`.nullmodem-part-${seconds(days)}-tree-0`]);
    folder.put(`.nullmodem-part-${seconds(days)}-tree-0/a`, "x", 0);
  }
  one.ask("PUT /new", "x");
  expect(folder.names.filter((name) => name.includes("part"))).toEqual([
    `.nullmodem-part-${seconds(6)}-tree-0`,
    `.nullmodem-part-${seconds(6)}-tree-0/a`,
  ]);
});

test("many who ask for the hash of one file have it computed once", () => {
  const folder = new CountingFolder();
  const one = new FileExchange({}, folder);
  folder.put("a", new Uint8Array(8 * MB));
  const askers = Array.from({ length: 5 }, () => begin(one, "GET /a?hash=sha256 HTTP/1.1"));
  const room = new Uint8Array(1 << 16);
  for (const asker of askers) asker.transmit(room, 0, room.length, one.now);
  // The first one leaves, and the others go on with what is done.
  askers.shift()!.cut();
  const answers = askers.map((connection) => {
    one.connection = connection;
    return /"sha256":"(.*?)"/.exec(one.collect())?.[1];
  });
  expect(new Set(answers).size).toBe(1);
  expect(answers[0]).toMatch(/^[0-9a-f]{64}$/);
  expect(folder.octetsRead).toBe(8 * MB);
  // Another content is another computation.
  folder.put("a", new Uint8Array(MB));
  expect(one.ask("GET /a?hash=sha256").body).toContain(`"size":${MB}`);
  expect([folder.octetsRead, folder.open_]).toEqual([9 * MB, 0]);
});

test("an archive of files that may not be read lets others have their turn", () => {
  const { one, folder } = withFiles(2000);
  folder.mayOpen = false;
  const connection = begin(one, "GET /d/?tar HTTP/1.1");
  expect(mostInTurn(one, connection, () => folder.opened)).toBeLessThanOrEqual(300);
  expect(folder.opened).toBe(2000);
});

test("others have their turn between requests that came together", () => {
  const { one, folder } = withFiles(10);
  const connection = begin(one, Array.from({ length: 40 }, () => "GET /d/NOPE~1 HTTP/1.1").join("\n\n"));
  expect(folder.lists).toBe(1);
  expect([connection.wantsInput, connection.isIdle]).toEqual([false, false]);
  expect(mostInTurn(one, connection, () => folder.lists)).toBeLessThanOrEqual(1);
  expect([folder.lists, connection.hasMore, connection.wantsInput]).toEqual([40, false, true]);
});

test("others have their turn between messages of Windows that came together", () => {
  const { one, folder } = withFiles(10);
  const peer = new SmbPeer({}, folder).begin();
  const message = peer.message(
    Command.CHECK_FOLDER,
    () => {},
    (out) => {
      out.u8(4);
      out.put(Buffer.from("\\d\\nope\0", "utf16le"));
    },
  );
  const frame = Buffer.concat([Uint8Array.of(0, 0, 0, message.length), message]);
  const octets = Buffer.concat(Array.from({ length: 60 }, () => frame));
  const { connection } = peer;
  connection.receive(octets, 0, octets.length, one.now);
  expect([folder.lists, connection.hasMore, connection.wantsInput]).toEqual([0, true, false]);
  const room = new Uint8Array(1 << 16);
  for (let count = 1; count <= 60; count++) {
    const got = connection.transmit(room, 0, room.length, one.now);
    expect([got > 0, folder.lists]).toEqual([true, count]);
  }
  expect([connection.wantsOutput, connection.wantsInput]).toEqual([false, true]);
});
