import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { FileExchange, parseAnswer } from "../kit/file-exchange.ts";
import { Rng } from "../kit/rng.ts";

const TOKEN = "Upload-Id: token-12345";

function digestOf(text: string): string {
  return `Repr-Digest: sha-256=:${createHash("sha256").update(Buffer.from(text, "latin1")).digest("base64")}:`;
}

function files(one: FileExchange): Record<string, string | undefined> {
  return Object.fromEntries(one.folder.names.map((name) => [name, one.folder.text(name)]));
}

test("a file is put whole, replaced, and has the time that its sender gives", () => {
  const one = new FileExchange();
  const made = one.ask("PUT /a.txt\nX-File-Mtime: 86400", "one");
  expect(made.status).toBe(201);
  expect(one.ask("HEAD /a.txt").headers.get("last-modified")).toBe("Fri, 02 Jan 1970 00:00:00 GMT");
  expect(one.ask("HEAD /a.txt").headers.get("etag")).toBe(made.headers.get("etag")!);
  expect(one.ask(`PUT /a.txt\n${digestOf("two")}`, "two").status).toBe(204);
  expect(
    one.ask("PUT /b\nTransfer-Encoding: chunked", "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: z\r\n\r\n").status,
  ).toBe(201);
  expect(one.ask("PUT /empty", "").status).toBe(201);
  expect(files(one)).toEqual({ "a.txt": "two", b: "abcde", empty: "" });
  expect(one.folder.open_).toBe(0);
});

test("a time that no file can have is passed over", () => {
  for (const time of ["Infinity", "1e300", "-1", "0x10", "9".repeat(13), "NaN", ""]) {
    const one = new FileExchange();
    expect([time, one.ask(`PUT /a\nX-File-Mtime: ${time}`, "x").status]).toEqual([time, 201]);
    expect(one.folder.nodes.get("a")!.mtime).toBe(one.seconds);
  }
});

test("what must not be put is refused, and leaves nothing", () => {
  const one = new FileExchange();
  one.folder.makeFolder(["sub"]);
  one.folder.put("a", "old");
  const tag = one.ask("HEAD /a").headers.get("etag")!;
  for (const [head, status] of [
    ["PUT /sub", 409],
    ["PUT /sub/", 409],
    ["PUT /", 409],
    ["PUT /no/a", 409],
    ["PUT /a/b", 409],
    ["PUT /.nullmodem-part-x", 409],
    ["PUT /a\nIf-None-Match: *", 412],
    ['PUT /a\nIf-Match: "x"', 412],
    ["PUT /new\nIf-Match: *", 412],
    ["PUT /new\nUpload-Id: short", 400],
    ["PUT /new\nUpload-Id: with/slash", 400],
    ["PUT /new\nContent-Range: bytes 0-2/3", 400],
    [`PUT /new\n${TOKEN}\nContent-Range: bytes 0-9/3`, 400],
    [`PUT /new\n${TOKEN}\nContent-Range: bytes 0-0/3`, 400],
    [`PUT /new\n${digestOf("other")}`, 422],
    ["PUT /new\nOrigin: http://evil.example", 403],
  ] as const) {
    const answer = one.ask(head, "new");
    expect([head, answer.status]).toEqual([head, status]);
  }
  expect(files(one)).toEqual({ a: "old", sub: undefined });
  expect(one.ask(`PUT /a\nIf-Match: ${tag}\nOrigin: http://192.168.0.1`, "new").status).toBe(204);
  expect(new FileExchange({ isWritable: false }).ask("PUT /a", "x").status).toBe(403);
  expect(one.folder.open_).toBe(0);
});

test("an upload that breaks is continued where it broke", () => {
  const one = new FileExchange();
  const text = "0123456789".repeat(10);
  const put = (from: number, to: number, more = ""): ReturnType<FileExchange["ask"]> =>
    one.ask(`PUT /a\n${TOKEN}\nContent-Range: bytes ${from}-${to - 1}/100${more}`, text.slice(from, to));
  const offset = (): string | undefined => one.ask(`HEAD /a\n${TOKEN}`).headers.get("upload-offset");
  expect(one.ask(`HEAD /a\n${TOKEN}`).status).toBe(204);
  expect(offset()).toBeUndefined();
  expect(put(0, 30)).toMatchObject({ status: 204 });
  expect(offset()).toBe("30");
  // Of a request that is cut, what came counts.
  one.connect();
  one.octets(
    `PUT /a HTTP/1.1\r\n${TOKEN}\r\nContent-Range: bytes 30-99/100\r\nContent-Length: 70\r\n\r\n${text.slice(30, 45)}`,
  );
  one.connection.cut();
  expect(offset()).toBe("45");
  const wrong = put(30, 100);
  expect([wrong.status, wrong.headers.get("upload-offset")]).toEqual([409, "45"]);
  // Another target has nothing, even with the same token.
  expect(one.ask(`HEAD /b\n${TOKEN}`).headers.get("upload-offset")).toBeUndefined();
  expect(one.ask("GET /").body).not.toContain("nullmodem-part");
  expect(put(45, 100, `\n${digestOf(text)}`).status).toBe(201);
  expect(files(one)).toEqual({ a: text });
  expect(offset()).toBeUndefined();
  expect(one.folder.open_).toBe(0);
});

test("a last piece without octets ends an upload, and a wrong hash drops it", () => {
  const one = new FileExchange();
  const piece = (range: string, body: string, more = ""): number =>
    one.ask(`PUT /a\n${TOKEN}\nContent-Range: bytes ${range}${more}`, body).status;
  expect(piece("0-2/4", "abc")).toBe(204);
  expect(piece("*/4", "")).toBe(409);
  expect(piece("3-3/4", "d", `\n${digestOf("abce")}`)).toBe(422);
  expect(files(one)).toEqual({});
  expect(piece("0-2/4", "abc")).toBe(204);
  one.connect();
  one.octets(
    `PUT /a HTTP/1.1\r\n${TOKEN}\r\nContent-Range: bytes 3-3/4\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n`,
  );
  one.connection.cut();
  one.folder.put(one.folder.names[0]!, "abcd");
  expect(piece("*/4", "", `\n${digestOf("abcd")}`)).toBe(201);
  expect(files(one)).toEqual({ a: "abcd" });
});

test("a thousand cuts at random moments, and the file arrives whole", () => {
  const rng = new Rng(13);
  const one = new FileExchange();
  const text = Array.from({ length: 20_000 }, () => String.fromCharCode(rng.below(256))).join("");
  for (let cuts = 0; cuts < 1000; cuts++) {
    const from = Number(one.ask(`HEAD /a\n${TOKEN}`).headers.get("upload-offset") ?? 0);
    const request =
      `PUT /a HTTP/1.1\r\n${TOKEN}\r\nContent-Range: bytes ${from}-${text.length - 1}/${text.length}\r\n` +
      `Content-Length: ${text.length - from}\r\n${digestOf(text)}\r\n\r\n${text.slice(from)}`;
    one.connect();
    one.octets(request.slice(0, rng.below(220)), 1 + rng.below(50));
    one.connection.cut();
    expect(one.folder.open_).toBe(0);
  }
  const from = Number(one.ask(`HEAD /a\n${TOKEN}`).headers.get("upload-offset"));
  expect(from).toBeGreaterThan(1000);
  const rest = `\nContent-Range: bytes ${from}-${text.length - 1}/${text.length}\n${digestOf(text)}`;
  expect(one.ask(`PUT /a\n${TOKEN}${rest}`, text.slice(from)).status).toBe(201);
  expect(files(one)).toEqual({ a: text });
});

test("a newer request takes an upload over from a connection that is still open", () => {
  const one = new FileExchange();
  const head = `PUT /a HTTP/1.1\r\n${TOKEN}\r\nContent-Range: bytes 0-5/6\r\nContent-Length: 6\r\n\r\n`;
  one.octets(`${head}ab`);
  const old = one.connection;
  expect(one.ask(`PUT /a\n${TOKEN}\nContent-Range: bytes 2-5/6`, "cdef").status).toBe(201);
  one.connection = old;
  expect(parseAnswer(one.octets("XXXX")).status).toBe(409);
  expect(files(one)).toEqual({ a: "abcdef" });
  expect(one.folder.open_).toBe(0);
});

test("two uploads of one name: each is whole, the later one stays", () => {
  const one = new FileExchange();
  const begin = (text: string): typeof one.connection => {
    const connection = one.connect();
    one.octets(`PUT /a HTTP/1.1\r\nContent-Length: 6\r\n\r\n${text}`);
    return connection;
  };
  const [first, second] = [begin("111"), begin("222")];
  one.connection = first;
  expect(parseAnswer(one.octets("111")).status).toBe(201);
  one.connection = second;
  expect(parseAnswer(one.octets("222")).status).toBe(204);
  expect(files(one)).toEqual({ a: "222222" });
});

test("a full disk and a quota lose nothing", () => {
  const one = new FileExchange();
  one.folder.put("a", "old");
  one.folder.capacity = 10;
  expect(one.ask("PUT /a", "x".repeat(8)).status).toBe(507);
  // Without a length it is noticed when the disk is full.
  expect(one.ask("PUT /a\nTransfer-Encoding: chunked", `ff\r\n${"x".repeat(255)}\r\n0\r\n\r\n`).status).toBe(507);
  expect(files(one)).toEqual({ a: "old" });
  one.folder.capacity = Infinity;
  const limited = new FileExchange({ quota: 10, folder: one.folder }, one.folder);
  expect(limited.ask("PUT /b", "x".repeat(8)).status).toBe(507);
  expect(limited.ask("PUT /b\nTransfer-Encoding: chunked", `ff\r\n${"x".repeat(255)}\r\n0\r\n\r\n`).status).toBe(507);
  // A file that is replaced makes room.
  expect(limited.ask("PUT /a", "x".repeat(10)).status).toBe(204);
  expect(limited.ask("PUT /b", "x").status).toBe(507);
  // The owner has removed it meanwhile.
  limited.folder.nodes.delete("a");
  limited.seconds += 2;
  expect(limited.ask("PUT /b", "x").status).toBe(201);
  // A partial file counts.
  expect(limited.ask(`PUT /c\n${TOKEN}\nContent-Range: bytes 0-4/9`, "12345").status).toBe(204);
  expect(limited.ask("PUT /d", "12345").status).toBe(507);
  expect(one.folder.open_).toBe(0);
});

test("what a target frees is counted as it is now, and once", () => {
  const one = new FileExchange({ quota: 10 });
  one.folder.put("a", "0123456789");
  const begin = (name: string, token: string, length: number): typeof one.connection => {
    const connection = one.connect();
    const range = `Content-Range: bytes 0-${length - 1}/${length}`;
    one.octets(`PUT /${name} HTTP/1.1\r\nUpload-Id: ${token}\r\n${range}\r\nContent-Length: ${length}\r\n\r\n`);
    return connection;
  };
  const [first, second] = [begin("a", "token-first", 10), begin("a", "token-second", 10)];
  expect(one.ask("DELETE /a").status).toBe(204);
  one.seconds += 2;
  expect(one.ask("PUT /b", "12345").status).toBe(201);
  for (const connection of [first, second]) {
    one.connection = connection;
    expect(parseAnswer(one.octets("x".repeat(10))).status).toBe(507);
  }
  // A smaller file took the target's place meanwhile.
  const small = new FileExchange({ quota: 10 });
  small.folder.put("a", "0123456789");
  small.connect();
  small.octets("PUT /a HTTP/1.1\r\nContent-Length: 10\r\n\r\n01234");
  const held = small.connection;
  expect(small.ask("PUT /a", "1").status).toBe(204);
  expect(small.ask("PUT /b", "1234").status).toBe(201);
  small.connection = held;
  expect(parseAnswer(small.octets("56789")).status).toBe(507);
});

test("what has lost its name counts while it is open", () => {
  const one = new FileExchange({ quota: 18 });
  const head = (path: string): string => `PUT ${path} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n`;
  expect(one.ask("MKCOL /x").status).toBe(201);
  one.connect();
  one.octets(`${head("/x/a")}11\r\n${"x".repeat(17)}\r\n`);
  const held = one.connection;
  expect(one.ask("DELETE /x").status).toBe(204);
  one.seconds += 60;
  expect(one.ask("PUT /b", "12").status).toBe(507);
  expect(one.ask("PUT /b", "1").status).toBe(201);
  // Its room is free as soon as it is closed.
  held.cut();
  expect(one.ask("PUT /b", "123456").status).toBe(204);
});

test("an upload that no longer fits does not take its name", () => {
  const one = new FileExchange({ quota: 10 });
  one.folder.put("a", "0123456789");
  one.octets(`PUT /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n${TOKEN}\r\n\r\na\r\n9876543210\r\n`);
  one.folder.put("b", "owner");
  one.seconds += 60;
  expect(parseAnswer(one.octets("0\r\n\r\n")).status).toBe(507);
  expect([one.folder.text("a"), one.folder.text("b")]).toEqual(["0123456789", "owner"]);
});

test("octets that the present file has are copied from it", () => {
  const one = new FileExchange();
  one.folder.put("a", "0123456789");
  const answer = one.ask(
    `PUT /a\n${TOKEN}\nCopy-From-Old: 0-7\nContent-Range: bytes 8-9/10\n${digestOf("01234567XY")}`,
    "XY",
  );
  expect(answer.status).toBe(204);
  expect(files(one)).toEqual({ a: "01234567XY" });
});

test("partial files of a week ago are removed", () => {
  const one = new FileExchange();
  one.folder.put(".nullmodem-part-old", "x", one.seconds - 8 * 86400);
  one.folder.put(".nullmodem-part-new", "x", one.seconds - 86400);
  one.ask("PUT /a", "x");
  expect(one.folder.names).toEqual([".nullmodem-part-new", "a"]);
});

// ── forms ────────────────────────────────────────────────────────────────────────────────────────────────────────────

function form(...parts: readonly (readonly [name: string, body: string])[]): string {
  return `${parts.map(([name, body]) => `--XyZ\r\nContent-Disposition: form-data; ${name}\r\n\r\n${body}\r\n`).join("")}--XyZ--\r\n`;
}

const POST = "POST / HTTP/1.0\r\nContent-Type: multipart/form-data; boundary=XyZ\r\nUser-Agent: Mozilla/3.0\r\n";

function post(body: string, piece = Infinity, fill = ""): { one: FileExchange; text: string } {
  const one = new FileExchange();
  if (fill !== "") one.folder.put(fill, "old");
  return { one, text: one.octets(`${POST}Content-Length: ${body.length}\r\n\r\n${body}`, piece) };
}

test("a form's files arrive however the octets are cut", () => {
  const tricky = "\r\n--Xy\r\r\n--XyY\r\n-- data \r\n";
  const body = form(
    ['name="note"', "text"],
    ['name="file"; filename="C:\\DOS\\caf\xe9.txt"; x="\r\nContent-Type: text/plain'.replace("; x=", ""), tricky],
    ['name="file"; filename="empty"', ""],
    ['name="file"; filename=""', ""],
  );
  for (let piece = 1; piece < 90; piece++) {
    const { one, text } = post(body, piece);
    expect([piece, text.slice(0, 18)]).toEqual([piece, "HTTP/1.1 302 Found"]);
    expect(files(one)).toEqual({ "caf\xc3\xa9.txt": tricky, empty: "" });
    expect(one.folder.open_).toBe(0);
  }
});

test("a damaged form leaves no half files", () => {
  const body = form(['name="file"; filename="a"', "new octets"]);
  for (const damaged of [body.slice(0, -8), body.slice(0, 70), `--XyZ\r\n${"x".repeat(5000)}`, "nothing"]) {
    const { one, text } = post(damaged, Infinity, "a");
    expect(text.slice(0, 12)).toBe("HTTP/1.1 400");
    expect(files(one)).toEqual({ a: "old" });
    expect(one.folder.open_).toBe(0);
  }
  const { one, text } = post(form(['name="file"; filename=".."', "x"]));
  expect(text.slice(0, 12)).toMatch(/400|409/);
  expect(files(one)).toEqual({});
});

test("another site's form is not taken", () => {
  const one = new FileExchange();
  const body = form(['name="file"; filename="a"', "x"]);
  const type = "Content-Type: multipart/form-data; boundary=XyZ";
  expect(one.ask(`POST /\n${type}\nOrigin: http://evil.example`, body).status).toBe(403);
  expect(one.ask(`POST /\n${type}\nOrigin: http://192.168.0.1`, body).status).toBe(303);
  expect(one.ask("POST /", "x").status).toBe(415);
  expect(one.ask(`POST /a\n${type}`, body).status).toBe(405);
});

test("a part that is empty does not stay when there is no room, or the connection breaks", () => {
  const one = new FileExchange({ quota: 4 });
  expect(one.ask(`PUT /a\n${TOKEN}\nContent-Range: bytes 0-7/8`, "x".repeat(8)).status).toBe(507);
  expect(one.folder.names).toEqual([]);
  one.connect();
  one.octets(`PUT /a HTTP/1.1\r\n${TOKEN}\r\nContent-Range: bytes 0-3/4\r\nContent-Length: 4\r\n\r\n`);
  one.connection.cut();
  expect(one.folder.names).toEqual([]);
});
