import { expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { GaveUp } from "../../src/transfer/client.ts";
import { Damaged } from "../../src/transfer/failed-file.ts";
import { download } from "../../src/transfer/download.ts";
import { Meter } from "../../src/transfer/meter.ts";
import { Refusal } from "../../src/transfer/refusal.ts";
import { CuttingRelay } from "../kit/cutting-relay.ts";
import { FileServer, sha256 } from "../kit/file-server.ts";
import { inFolder, quickClient } from "../kit/quick-client.ts";
import { Rng } from "../kit/rng.ts";

const BLOCK = 65_536;

function octetsOf(seed: number, length: number): Buffer {
  return Buffer.from(new Rng(seed).bytes(length));
}

/** Cuts the connection with the first answer after some octets, and refuses the next ones. */
async function getAPiece(server: FileServer, target: string, octets: number): Promise<void> {
  await using relay = await CuttingRelay.to(server.port);
  relay.plan = () => ({ after: octets, how: "end" });
  const client = quickClient(relay.port, {
    waiting: () => undefined,
    moving: () => (relay.isUp = relay.cuts === 0),
    giveUpMs: 100,
  });
  await expect(download(client, { path: "/a", target }, new Meter())).rejects.toThrow();
  client.close();
  expect(statSync(`${target}.part`).size).toBeGreaterThan(octets / 2);
}

test("a file arrives whole and checked through a line that is cut again and again", async () => {
  await using server = new FileServer();
  await using relay = await CuttingRelay.to(server.port);
  const rng = new Rng(1);
  server.put("a file", octetsOf(2, 300_000), 1_234_567_890);
  relay.plan = () => ({ after: 200 + rng.below(20_000), how: rng.pick(["reset", "end"]) });
  await inFolder(async (folder) => {
    const target = join(folder, "a");
    const client = quickClient(relay.port);
    const meter = new Meter();
    const got = await download(client, { path: "/a file", target }, meter);
    client.close();
    expect(got).toEqual({ size: 300_000, isChecked: true });
    expect(sha256(readFileSync(target))).toBe(sha256(server.files.get("a file")!.octets));
    expect(statSync(target).mtimeMs).toBe(1_234_567_890_000);
    expect(readdirSync(folder)).toEqual(["a"]);
    expect(relay.cuts).toBeGreaterThan(15);
    expect(meter.done).toBe(300_000);
    expect(meter.moved).toBe(300_000);
  });
});

test("a connection that falls silent is replaced when the server answers on another one", async () => {
  await using server = new FileServer();
  await using relay = await CuttingRelay.to(server.port);
  server.put("a", octetsOf(3, 300_000));
  const silent = [10_000, 90_000, 50];
  relay.plan = () => ({ after: silent.shift() ?? Infinity, how: "silence" });
  await inFolder(async (folder) => {
    const client = quickClient(relay.port);
    await download(client, { path: "/a", target: join(folder, "a") }, new Meter());
    client.close();
    expect(relay.cuts).toBe(3);
    expect(readFileSync(join(folder, "a")).equals(server.files.get("a")!.octets)).toBe(true);
  });
});

test("a later start continues a part, and a damaged part is mended block by block", async () => {
  await using server = new FileServer();
  server.put("a", octetsOf(4, 5 * BLOCK + 7));
  await inFolder(async (folder) => {
    const target = join(folder, "a");
    await getAPiece(server, target, 4 * BLOCK);
    const part = readFileSync(`${target}.part`);
    part.fill(0, BLOCK + 10, BLOCK + 20);
    writeFileSync(`${target}.part`, part);
    server.requests.length = 0;
    const client = quickClient(server.port);
    await download(client, { path: "/a", target }, new Meter());
    client.close();
    expect(readFileSync(target).equals(server.files.get("a")!.octets)).toBe(true);
    const ranges = server.requests.flatMap((request) => /bytes=(\d+)-/.exec(request)?.[1] ?? []);
    expect(ranges[0]).toBe(String(BLOCK));
    expect(server.requests.filter((request) => request === "GET /a")).toEqual([]);
  });
});

test("a part of another version or address is dropped, and one of an unknown origin is not used", async () => {
  await using server = new FileServer();
  await inFolder(async (folder) => {
    const target = join(folder, "a");
    const changes = [
      () => server.put("a", octetsOf(6, 2 * BLOCK)),
      () => writeFileSync(`${target}.part.json`, "{}"),
      () => writeFileSync(`${target}.part.json`, '{"target":"/x","validator":"y","size":1,"isPatched":true}'),
      () => truncateSync(`${target}.part.json`),
    ];
    for (const change of changes) {
      server.put("a", octetsOf(5, 3 * BLOCK));
      await getAPiece(server, target, BLOCK);
      change();
      const client = quickClient(server.port);
      await download(client, { path: "/a", target }, new Meter());
      client.close();
      expect(readFileSync(target).equals(server.files.get("a")!.octets)).toBe(true);
    }
  });
});

test("a file that changes while it is received arrives in its new version", async () => {
  await using server = new FileServer();
  await using relay = await CuttingRelay.to(server.port);
  server.put("a", octetsOf(7, 200_000));
  relay.plan = () => {
    if (relay.cuts === 1) server.put("a", octetsOf(8, 150_000));
    return relay.cuts < 2 ? { after: 50_000, how: "reset" } : undefined;
  };
  await inFolder(async (folder) => {
    const target = join(folder, "a");
    const client = quickClient(relay.port);
    await download(client, { path: "/a", target }, new Meter());
    client.close();
    expect(readFileSync(target).equals(octetsOf(8, 150_000))).toBe(true);
  });
});

test("only the blocks that differ from the old file are received", async () => {
  await using server = new FileServer();
  const old = octetsOf(9, 10 * BLOCK + 100);
  const changed = Buffer.concat([old, octetsOf(10, 20)]);
  changed.fill(1, 3 * BLOCK + 5, 3 * BLOCK + 9);
  changed.fill(2, 5 * BLOCK - 1, 5 * BLOCK + 1);
  server.put("a", changed);
  await inFolder(async (folder) => {
    const target = join(folder, "a");
    writeFileSync(target, old);
    const client = quickClient(server.port);
    const meter = new Meter();
    await download(client, { path: "/a", target, isPatch: true }, meter);
    client.close();
    expect(readFileSync(target).equals(changed)).toBe(true);
    expect(meter.moved).toBe(3 * BLOCK + 120);
    expect(meter.done).toBe(changed.length);
  });
});

test("a server that knows neither ranges nor hashes will do, and nothing is said to be checked", async () => {
  await using server = new FileServer();
  server.isOurs = false;
  server.put("a", octetsOf(11, 100_000));
  await inFolder(async (folder) => {
    const target = join(folder, "a");
    const client = quickClient(server.port);
    expect(await download(client, { path: "/a", target }, new Meter())).toEqual({ size: 100_000, isChecked: false });
    client.close();
    expect(readFileSync(target).equals(octetsOf(11, 100_000))).toBe(true);
  });
});

test("octets that are never those of the server are an error in the end, and the file does not get its name", async () => {
  await using server = new FileServer();
  server.put("a", octetsOf(12, 1000));
  server.instead = (request) =>
    request.url.includes("hash=")
      ? Response.json({ size: 1000, sha256: "0".repeat(64) }, { headers: { Server: "nullmodem" } })
      : undefined;
  await inFolder(async (folder) => {
    const target = join(folder, "a");
    const client = quickClient(server.port);
    await expect(download(client, { path: "/a", target }, new Meter())).rejects.toThrow(Damaged);
    client.close();
    expect(existsSync(target)).toBe(false);
  });
});

test("a refusal is an error at once, and so is a place where nothing can be written", async () => {
  await using server = new FileServer();
  server.put("a", octetsOf(13, 1000));
  await inFolder(async (folder) => {
    const client = quickClient(server.port);
    const target = join(folder, "b");
    await expect(download(client, { path: "/b", target }, new Meter())).rejects.toThrow(Refusal);
    expect(readdirSync(folder)).toEqual([]);
    const nowhere = join(folder, "missing", "a");
    await expect(download(client, { path: "/a", target: nowhere }, new Meter())).rejects.toThrow("ENOENT");
    client.close();
  });
});

test("a file of the user's own that has the name of the partial file or of its note stays as it is", async () => {
  await using server = new FileServer();
  server.put("a", octetsOf(13, 1000));
  const target = (folder: string): string => join(folder, "a");
  const cases: ((folder: string) => void)[] = [
    (folder) => writeFileSync(join(folder, "a.part"), "mine"),
    (folder) => writeFileSync(join(folder, "a.part.json"), '{"mine":1}'),
    (folder) => {
      writeFileSync(join(folder, "a.part"), "mine");
      writeFileSync(join(folder, "a.part.json"), "{}");
      writeFileSync(join(folder, "a.part~"), "mine too");
    },
    (folder) => symlinkSync("/dev/null", join(folder, "a.part")),
    (folder) => symlinkSync("nowhere", join(folder, "a.part.json")),
    (folder) => mkdirSync(join(folder, "a.part")),
  ];
  const shape = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true })
      .map((entry) => `${entry.name} ${entry.isFile() ? readFileSync(join(folder, entry.name), "latin1") : "-"}`)
      .sort();
  for (const prepare of cases)
    await inFolder(async (folder) => {
      prepare(folder);
      const before = shape(folder);
      // One that fails leaves them too.
      const client = quickClient(server.port);
      await expect(download(client, { path: "/no", target: target(folder) }, new Meter())).rejects.toThrow(Refusal);
      expect(shape(folder)).toEqual(before);
      await download(client, { path: "/a", target: target(folder) }, new Meter());
      client.close();
      expect(readFileSync(target(folder)).equals(octetsOf(13, 1000))).toBe(true);
      rmSync(target(folder));
      expect(shape(folder)).toEqual(before);
    });
});

/** A part of five octets of "0123456789", and a server of another kind that answers GET so. */
async function withRest(answer: () => Response, act: (target: string, port: number) => Promise<void>): Promise<void> {
  await using server = new FileServer();
  server.isOurs = false;
  server.instead = ({ method }) =>
    method === "GET" ? answer() : new Response(null, { headers: { ETag: '"x"', "Content-Length": "10" } });
  await inFolder(async (folder) => {
    const target = join(folder, "a");
    writeFileSync(`${target}.part`, "01234");
    writeFileSync(`${target}.part.json`, '{"target":"/a","validator":"\\"x\\"","size":10,"isPatched":false}');
    await act(target, server.port);
  });
}

test("a server that sends more than it announced does not fill the disk", async () => {
  const headers = { "Content-Range": "bytes 5-9/10" };
  await withRest(
    () => new Response("x".repeat(1_000_000), { status: 206, headers }),
    async (target, port) => {
      const client = quickClient(port);
      await expect(download(client, { path: "/a", target }, new Meter())).rejects.toThrow("another number of octets");
      client.close();
      expect(statSync(`${target}.part`).size).toBeLessThanOrEqual(10);
    },
  );
});

test("a server that answers but sends nothing of the file is given up in the end", async () => {
  const headers = { "Content-Range": "bytes 5-9/10" };
  const answers = [
    () => new Response(null, { status: 416 }),
    () => new Response("", { status: 206, headers }),
    () => new Response(null, { status: 503 }),
  ];
  for (const answer of answers)
    await withRest(answer, async (target, port) => {
      const client = quickClient(port, { giveUpMs: 60 });
      await expect(download(client, { path: "/a", target }, new Meter())).rejects.toThrow(GaveUp);
      client.close();
    });
});

test("a server that answers ranges with other ones, or too much, does not make a file", async () => {
  const replies = [
    "HTTP/1.1 206 x\r\nContent-Range: bytes 0-9/10\r\nContent-Length: 10\r\n\r\n0123456789",
    "HTTP/1.1 206 x\r\nContent-Length: 10\r\n\r\n0123456789",
    "HTTP/1.1 200 x\r\nContent-Length: 99999999999999999999\r\n\r\n0123456789",
    "HTTP/1.1 200 x\r\nContent-Length: 4, 5\r\n\r\n0123456789",
    "SSH-2.0-OpenSSH_9.2\r\n",
    `HTTP/1.1 200 x\r\n${"a: b\r\n".repeat(20_000)}\r\n`,
    "HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
  ];
  for (const reply of replies) {
    const server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { data: (socket) => void socket.end(reply) },
    });
    await inFolder(async (folder) => {
      const client = quickClient(server.port);
      const target = join(folder, "a");
      await expect(download(client, { path: "/a", target }, new Meter())).rejects.toThrow();
      client.close();
      expect(existsSync(target)).toBe(false);
    });
    server.stop(true);
  }
});
