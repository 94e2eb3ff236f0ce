import { expect, test } from "bun:test";
import { get } from "../../../src/commands/transfer/transfer.ts";
import { PATIENCE } from "../../../src/transfer/client.ts";
import { FileServer } from "../../kit/file-server.ts";
import { inFolder } from "../../kit/quick-client.ts";
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
