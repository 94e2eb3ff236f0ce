import { expect, test } from "bun:test";
import { truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GaveUp } from "../../src/transfer/client.ts";
import { Damaged } from "../../src/transfer/failed-file.ts";
import { Meter } from "../../src/transfer/meter.ts";
import { upload } from "../../src/transfer/upload.ts";
import { CuttingRelay } from "../kit/cutting-relay.ts";
import { FileServer } from "../kit/file-server.ts";
import { inFolder, quickClient } from "../kit/quick-client.ts";
import { Rng } from "../kit/rng.ts";

const BLOCK = 65_536;

function octetsOf(seed: number, length: number): Buffer {
  return Buffer.from(new Rng(seed).bytes(length));
}

test("files of all sizes arrive whole through a line that is cut again and again", async () => {
  await using server = new FileServer();
  await using relay = await CuttingRelay.to(server.port);
  const rng = new Rng(1);
  relay.plan = () => ({ after: 600 + rng.below(30_000), how: rng.pick(["reset", "end"]) });
  await inFolder(async (folder) => {
    for (const size of [0, 1, 32_768, 32_769, 400_000]) {
      const source = join(folder, "a");
      writeFileSync(source, octetsOf(size, size));
      utimesSync(source, 1_234_567_890, 1_234_567_890);
      const client = quickClient(relay.port);
      const meter = new Meter();
      await upload(client, { source, path: `/in/${size}` }, meter);
      client.close();
      const stored = server.files.get(`in/${size}`);
      expect(stored?.octets.equals(octetsOf(size, size))).toBe(true);
      expect(stored?.mtime).toBe(1_234_567_890);
      expect(meter.done).toBe(size);
      expect(meter.moved).toBeGreaterThanOrEqual(size * 0.9);
    }
    expect(relay.cuts).toBeGreaterThan(15);
    expect(server.partials.size).toBe(0);
  });
});

test("the octets that the server has are not sent again by a later start", async () => {
  await using server = new FileServer();
  await inFolder(async (folder) => {
    const source = join(folder, "a");
    writeFileSync(source, octetsOf(2, 300_000));
    {
      await using relay = await CuttingRelay.to(server.port);
      relay.plan = () => ({ after: 200_000, how: "end" });
      const moving = (): void => void (relay.isUp = relay.cuts === 0);
      const client = quickClient(relay.port, { moving, giveUpMs: 100 });
      await expect(upload(client, { source, path: "/a" }, new Meter())).rejects.toThrow();
      client.close();
    }
    const has = server.received;
    expect(has).toBeGreaterThan(100_000);
    const client = quickClient(server.port);
    await upload(client, { source, path: "/a" }, new Meter());
    client.close();
    expect(server.received).toBe(300_000);
    expect(server.files.get("a")?.octets.equals(octetsOf(2, 300_000))).toBe(true);
  });
});

test("a server that has all octets and was interrupted at the hash is asked to go on", async () => {
  await using server = new FileServer();
  await inFolder(async (folder) => {
    const source = join(folder, "a");
    writeFileSync(source, octetsOf(10, 100_000));
    let isFirst = true;
    server.instead = ({ headers }) => {
      const [partial] = server.partials.values();
      if (!headers.has("repr-digest") || !isFirst || partial === undefined) return undefined;
      partial.octets = octetsOf(10, 100_000);
      isFirst = false;
      return new Response(null, { status: 503 });
    };
    const client = quickClient(server.port);
    await upload(client, { source, path: "/a" }, new Meter());
    client.close();
    expect(server.files.get("a")?.octets.equals(octetsOf(10, 100_000))).toBe(true);
    expect(server.received).toBeLessThan(100_000);
  });
});

test("a connection that falls silent is replaced, wherever it does", async () => {
  await using server = new FileServer();
  await using relay = await CuttingRelay.to(server.port);
  let isFirst = true;
  relay.plan = () => {
    const after = isFirst ? 20 : relay.cuts < 3 ? 100_000 : Infinity;
    isFirst = false;
    return { after, how: "silence" };
  };
  await inFolder(async (folder) => {
    const source = join(folder, "a");
    writeFileSync(source, octetsOf(3, 300_000));
    const client = quickClient(relay.port);
    await upload(client, { source, path: "/a" }, new Meter());
    client.close();
    expect(relay.cuts).toBe(3);
    expect(server.files.get("a")?.octets.equals(octetsOf(3, 300_000))).toBe(true);
  });
});

test("only the blocks that differ from the old file are sent", async () => {
  const old = octetsOf(4, 10 * BLOCK + 100);
  const middle = Buffer.from(old);
  middle.fill(1, 3 * BLOCK + 5, 3 * BLOCK + 9);
  middle.fill(2, 5 * BLOCK - 1, 5 * BLOCK + 1);
  const cases = [
    { octets: middle, sends: 3 * BLOCK + 1 },
    { octets: Buffer.concat([old, octetsOf(5, 20)]), sends: 120 },
    { octets: old.subarray(0, 2 * BLOCK), sends: 1 },
    { octets: Buffer.concat([Buffer.from("x"), old.subarray(1)]), sends: BLOCK + 1 },
  ];
  await using server = new FileServer();
  for (const { octets, sends } of cases)
    await inFolder(async (folder) => {
      const source = join(folder, "a");
      writeFileSync(source, octets);
      server.put("a", old);
      server.received = 0;
      const client = quickClient(server.port);
      const meter = new Meter();
      await upload(client, { source, path: "/a", isPatch: true }, meter);
      client.close();
      expect(server.files.get("a")?.octets.equals(octets)).toBe(true);
      expect(server.received).toBe(sends);
      expect(meter.done).toBe(octets.length);
    });
});

test("an old file that changes under the blocks taken from it is replaced as a whole", async () => {
  await using server = new FileServer();
  await inFolder(async (folder) => {
    const source = join(folder, "a");
    const octets = octetsOf(6, 4 * BLOCK);
    writeFileSync(source, Buffer.concat([Buffer.from("x"), octets.subarray(1)]));
    server.put("a", octets);
    server.instead = (request) => {
      if (request.method === "PUT" && request.headers.has("copy-from-old")) server.put("a", octetsOf(7, 4 * BLOCK));
      return undefined;
    };
    const client = quickClient(server.port);
    await upload(client, { source, path: "/a", isPatch: true }, new Meter());
    client.close();
    expect(server.files.get("a")?.octets.subarray(1).equals(octets.subarray(1))).toBe(true);
  });
});

test("a file that becomes shorter while it is sent arrives in its new version", async () => {
  await using server = new FileServer();
  await inFolder(async (folder) => {
    const source = join(folder, "a");
    writeFileSync(source, octetsOf(8, 200_000));
    let isFirst = true;
    server.instead = (request) => {
      if (request.method === "PUT" && isFirst) truncateSync(source, 100_000);
      isFirst &&= request.method !== "PUT";
      return undefined;
    };
    const client = quickClient(server.port);
    await upload(client, { source, path: "/a" }, new Meter());
    client.close();
    expect(server.files.get("a")?.octets.equals(octetsOf(8, 200_000).subarray(0, 100_000))).toBe(true);
  });
});

test("refusals are errors at once, and damage is one in the end", async () => {
  await using server = new FileServer();
  await inFolder(async (folder) => {
    const source = join(folder, "a");
    writeFileSync(source, octetsOf(9, 100_000));
    const client = quickClient(server.port);
    for (const [status, words] of [
      [403, "does not allow"],
      [405, "files-write"],
      [507, "no room there"],
    ] as const) {
      server.instead = ({ method }) => (method === "PUT" ? new Response(null, { status }) : undefined);
      await expect(upload(client, { source, path: "/a" }, new Meter())).rejects.toThrow(words);
    }
    server.instead = ({ headers }) => (headers.has("repr-digest") ? new Response(null, { status: 422 }) : undefined);
    await expect(upload(client, { source, path: "/a" }, new Meter())).rejects.toThrow(Damaged);
    client.close();
  });
});

test("a server that refuses every offset is given up in the end", async () => {
  await using server = new FileServer();
  server.instead = ({ method }) =>
    method === "PUT" ? new Response(null, { status: 409, headers: { "Upload-Offset": "0" } }) : undefined;
  await inFolder(async (folder) => {
    const source = join(folder, "a");
    writeFileSync(source, new Uint8Array(100));
    const client = quickClient(server.port, { giveUpMs: 60 });
    await expect(upload(client, { source, path: "/a" }, new Meter())).rejects.toThrow(GaveUp);
    client.close();
  });
});
