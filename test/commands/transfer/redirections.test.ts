import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { get } from "../../../src/commands/transfer/transfer.ts";
import { PATIENCE } from "../../../src/transfer/client.ts";
import { FileServer } from "../../kit/file-server.ts";
import { inFolder } from "../../kit/quick-client.ts";
import { Rng } from "../../kit/rng.ts";
import { hashesOf } from "../../kit/tree.ts";

const host = {
  screen: { isTerminal: false, columns: () => 60, write: () => undefined, say: () => undefined, now: () => 0 },
  patience: { ...PATIENCE, tickMs: 5, retryMs: 1, giveUpMs: 60_000 },
  peers: () => [],
};

function redirecting(server: FileServer, ways: Readonly<Record<string, string>>): void {
  server.instead = (request) => {
    const url = new URL(request.url);
    const to = ways[`${url.pathname}${url.search}`];
    return to === undefined ? undefined : new Response(null, { status: 302, headers: { Location: to } });
  };
}

test("a file has the name that the user wrote, whatever the server sends us to", async () => {
  await using server = new FileServer();
  server.put(".bashrc", Buffer.from("evil"));
  server.put("evil/.profile", Buffer.from("evil"));
  server.put("evil/", Buffer.from("page"));
  redirecting(server, {
    "/a.txt": "/.bashrc",
    "/b.txt": "/evil/",
  });
  await inFolder(async (folder) => {
    const url = `http://127.0.0.1:${server.port}`;
    expect(await get([`${url}/a.txt`, `${url}/b.txt`, folder], host)).toBe(0);
    expect(Object.keys(hashesOf(folder)).sort()).toEqual(["a.txt", "b.txt"]);
  });
});

test("a part goes on behind a redirection, also to the same path of another server", async () => {
  await using here = new FileServer();
  await using other = new FileServer();
  const octets = Buffer.from(new Rng(1).bytes(200_000));
  for (const [server, path] of [
    [here, "b"],
    [other, "a"],
  ] as const) {
    server.put(path, octets);
    redirecting(here, { "/a": `http://127.0.0.1:${server.port}/${path}` });
    await inFolder(async (folder) => {
      writeFileSync(join(folder, "a.part"), octets.subarray(0, 150_000));
      const note = { target: `/${path}`, validator: server.files.get(path)!.etag, size: 200_000, isPatched: false };
      writeFileSync(join(folder, "a.part.json"), JSON.stringify(note));
      server.requests.length = 0;
      expect(await get([`http://127.0.0.1:${here.port}/a`, folder], host)).toBe(0);
      expect(server.requests.filter((request) => /^GET \/.( |$)/.test(request))).toEqual([
        `GET /${path} bytes=150000-`,
      ]);
      expect(readFileSync(join(folder, "a")).equals(octets)).toBe(true);
    });
  }
});
