// The loop of the file server on real sockets, with a real folder.

import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../../kit/patience.ts";

const place = mkdtempSync(join(tmpdir(), "loop-"));
let server: Bun.Subprocess<"pipe", "pipe", "inherit">;
let port = 0;

beforeAll(async () => {
  const program = join(import.meta.dir, "../../kit/file-loop-main.ts");
  server = Bun.spawn([process.execPath, program, place], { stdio: ["pipe", "pipe", "inherit"] });
  for await (const chunk of server.stdout) {
    port = Number(Buffer.from(chunk).toString());
    break;
  }
});

afterAll(async () => {
  await server.stdin.end();
  // It ends with the pipe to its parent.
  expect(await server.exited).toBe(0);
  rmSync(place, { recursive: true });
});

const url = (path: string): string => `http://127.0.0.1:${port}${path}`;

function openFiles(): number {
  return readdirSync(`/proc/${server.pid}/fd`).length;
}

/** A connection that sends this and collects what comes. */
class RawClient {
  text = "";
  isClosed = false;
  readonly socket: Socket;

  constructor(octets: string) {
    this.socket = connect(port, "127.0.0.1");
    this.socket.on("data", (data) => (this.text += data.toString("latin1")));
    this.socket.on("close", () => (this.isClosed = true));
    this.socket.on("error", () => (this.isClosed = true));
    this.socket.write(octets, "latin1");
  }
}

test("a file goes there and back whole, larger than any buffer", async () => {
  const octets = Buffer.alloc(5_000_003, "some octets of a file ");
  expect((await fetch(url("/a%20b"), { method: "PUT", body: octets })).status).toBe(201);
  expect(readFileSync(join(place, "a b")).equals(octets)).toBe(true);
  const back = await fetch(url("/a%20b"));
  expect(Buffer.from(await back.arrayBuffer()).equals(octets)).toBe(true);
  const part = await fetch(url("/a%20b"), { headers: { Range: "bytes=4999990-" } });
  expect(Buffer.from(await part.arrayBuffer()).equals(octets.subarray(4_999_990))).toBe(true);
});

test("a client that does not read stops nobody else, and leaves nothing when it goes", async () => {
  writeFileSync(join(place, "big"), Buffer.alloc(40_000_000));
  const before = openFiles();
  const lazy = new RawClient("GET /big HTTP/1.1\r\n\r\n");
  await until("the answer begins", () => lazy.text.length > 0);
  lazy.socket.pause();
  for (let at = 0; at < 20; at++) expect((await fetch(url("/?list=json"))).status).toBe(200);
  lazy.socket.destroy();
  await until("its file is closed", () => openFiles() <= before + 1);
});

const isRoot = process.getuid?.() === 0;
test.skipIf(!isRoot)(
  `a full disk keeps the old file${isRoot ? "" : " [skipped: needs root, to mount one]"}`,
  async () => {
    const small = join(place, "small");
    mkdirSync(small);
    expect(Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small]).exitCode).toBe(0);
    try {
      const put = async (octets: number, headers: Record<string, string> = {}): Promise<number> =>
        (await fetch(url("/small/file"), { method: "PUT", headers, body: Buffer.alloc(octets, "x") })).status;
      expect(await put(400_000)).toBe(201);
      // By its length it is refused at once, without a length when the disk is full.
      expect(await put(900_000)).toBe(507);
      const chunked = new RawClient(
        `PUT /small/file HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n${"x".repeat(0xfffff)}\r\n0\r\n\r\n`,
      );
      await until("the answer", () => chunked.text.startsWith("HTTP/1.1 507"));
      chunked.socket.destroy();
      // A file of another disk is copied there and then removed here. A folder is not.
      writeFileSync(join(place, "moved"), "moved octets");
      mkdirSync(join(place, "folder"));
      const move = async (from: string, to: string): Promise<number> =>
        (await fetch(url(from), { method: "MOVE", headers: { Destination: to } })).status;
      expect(await move("/moved", "/small/moved")).toBe(201);
      expect(readFileSync(join(small, "moved"), "latin1")).toBe("moved octets");
      expect(existsSync(join(place, "moved"))).toBe(false);
      expect(await move("/folder", "/small/folder")).toBe(502);
      expect(await move("/small/moved", "/moved")).toBe(201);
      expect(readdirSync(small)).toEqual(["file"]);
      expect(statSync(join(small, "file")).size).toBe(400_000);
    } finally {
      Bun.spawnSync(["umount", "-l", small]);
    }
  },
);

test("a client that leaves while its file is hashed is let go", async () => {
  const file = join(place, "endless");
  writeFileSync(file, "");
  truncateSync(file, 2 ** 40);
  const before = openFiles();
  const client = new RawClient("GET /endless?hash=sha256 HTTP/1.1\r\n\r\n");
  await until("the answer begins", () => client.text.includes("200 OK"));
  expect(openFiles()).toBeGreaterThan(before);
  client.socket.destroy();
  await until("its file is closed", () => openFiles() <= before);
  rmSync(file);
});

test("half requests in numbers keep nobody out", async () => {
  const halves = Array.from({ length: 150 }, () => new RawClient("GET / HTTP/1.1\r\nX-Half: "));
  await until("most of them are closed for newer ones", () => halves.filter(({ isClosed }) => isClosed).length >= 86);
  expect((await fetch(url("/?list=json"))).status).toBe(200);
  for (const { socket } of halves) socket.destroy();
});

test("a client that is refused reads why, although it still sends", async () => {
  const client = new RawClient(`PUT /no/such HTTP/1.1\r\nContent-Length: 9000000\r\n\r\n${"x".repeat(3_000_000)}`);
  await until("the answer", () => client.text.includes("There is no folder for it"));
  expect(client.text).toStartWith("HTTP/1.1 409 Conflict\r\n");
  client.socket.destroy();
});

test("an upload that is cut counts, and can be continued", async () => {
  const head = (from: number): string =>
    `PUT /cut HTTP/1.1\r\nUpload-Id: loop-test-1\r\nContent-Range: bytes ${from}-99999/100000\r\n` +
    `Content-Length: ${100_000 - from}\r\n\r\n`;
  const client = new RawClient(head(0) + "a".repeat(60_000));
  const offset = async (): Promise<number> => {
    const answer = await fetch(url("/cut"), { method: "HEAD", headers: { "Upload-Id": "loop-test-1" } });
    return Number(answer.headers.get("upload-offset"));
  };
  await until("all of it is there", async () => (await offset()) === 60_000);
  client.socket.destroy();
  const rest = new RawClient(head(60_000) + "a".repeat(40_000));
  await until("the answer", () => rest.text.startsWith("HTTP/1.1 201"));
  rest.socket.destroy();
  expect(readFileSync(join(place, "cut"), "latin1")).toBe("a".repeat(100_000));
});

test("a fault while one client is answered costs that client only", async () => {
  writeFileSync(join(place, "kept"), "kept");
  const kept = new RawClient("GET /kept HTTP/1.1\r\n\r\n");
  await until("the answer", () => kept.text.endsWith("kept"));
  const faulty = new RawClient("GET /fault HTTP/1.1\r\n\r\n");
  await until("it is closed", () => faulty.isClosed);
  kept.socket.write("GET /kept HTTP/1.1\r\nConnection: close\r\n\r\n");
  await until("the next answer", () => kept.isClosed);
  expect(kept.text.split("HTTP/1.1 200 OK")).toHaveLength(3);
});
