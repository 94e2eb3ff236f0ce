import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { bytesOf, textOf } from "../../src/bytes/text.ts";
import { Connection } from "../../src/files/connection.ts";
import { FileExchange } from "../kit/file-exchange.ts";
import type { MemoryFolder } from "../kit/memory-folder.ts";

function exchange(fill: (folder: MemoryFolder) => void = () => {}): FileExchange {
  const one = new FileExchange();
  one.folder.put("a.txt", "0123456789");
  one.folder.makeFolder(["sub"]);
  one.folder.put("sub/deep.bin", "\0\x01");
  fill(one.folder);
  return one;
}

function sha256(text: string): string {
  return createHash("sha256").update(Buffer.from(text, "latin1")).digest("hex");
}

test("a file, its head, and its parts", () => {
  const one = exchange();
  const whole = one.ask("GET /a.txt");
  expect(whole).toMatchObject({ status: 200, body: "0123456789" });
  const tag = whole.headers.get("etag")!;
  expect(Object.fromEntries(whole.headers)).toMatchObject({
    "content-type": "text/plain",
    "content-length": "10",
    "last-modified": "Sun, 09 Sep 2001 01:46:40 GMT",
    "accept-ranges": "bytes",
    server: "nullmodem/0",
    date: "Fri, 15 Jan 2027 08:00:00 GMT",
  });
  expect(one.ask("HEAD /a.txt")).toMatchObject({ status: 200, body: "" });
  const parts: [string, number, string, string | undefined][] = [
    ["bytes=2-4", 206, "234", "bytes 2-4/10"],
    ["bytes=8-", 206, "89", "bytes 8-9/10"],
    ["bytes=8-99", 206, "89", "bytes 8-9/10"],
    ["bytes=-3", 206, "789", "bytes 7-9/10"],
    ["bytes=-99", 206, "0123456789", "bytes 0-9/10"],
    ["bytes=10-", 416, "", "bytes */10"],
    ["bytes=-0", 416, "", "bytes */10"],
    ["bytes=4-2", 200, "0123456789", undefined],
    ["bytes=0-1,3-4", 200, "0123456789", undefined],
    ["lines=1-2", 200, "0123456789", undefined],
  ];
  for (const [range, status, body, place] of parts) {
    const part = one.ask(`GET /a.txt\nRange: ${range}`);
    expect([range, part.status, part.body, part.headers.get("content-range")]).toEqual([range, status, body, place]);
    expect(one.ask(`GET /a.txt\nRange: ${range}\nIf-Range: ${tag}`).status).toBe(status);
    expect(one.ask(`GET /a.txt\nRange: ${range}\nIf-Range: "other"`)).toMatchObject({
      status: 200,
      body: "0123456789",
    });
  }
  expect(one.ask(`GET /a.txt\nRange: bytes=2-4\nIf-Range: Sun, 09 Sep 2001 01:46:40 GMT`).status).toBe(206);
  expect(one.folder.open_).toBe(0);
});

test("conditions: what a client has is not sent again", () => {
  const one = exchange();
  const tag = one.ask("HEAD /a.txt").headers.get("etag")!;
  for (const [condition, status] of [
    [`If-None-Match: ${tag}`, 304],
    [`If-None-Match: "x", W/${tag}`, 304],
    ["If-None-Match: *", 304],
    ['If-None-Match: "x"', 200],
    ["If-Modified-Since: Sun, 09 Sep 2001 01:46:40 GMT", 304],
    ["If-Modified-Since: Sunday, 09-Sep-01 01:46:40 GMT", 304],
    ["If-Modified-Since: Sun Sep  9 01:46:39 2001", 200],
    ["If-Modified-Since: once", 200],
    [`If-Match: ${tag}`, 200],
    ['If-Match: "x"', 412],
    ["If-Unmodified-Since: Sun, 09 Sep 2001 01:46:39 GMT", 412],
  ] as const) {
    const answer = one.ask(`GET /a.txt\n${condition}`);
    expect([condition, answer.status, answer.body.length]).toEqual([condition, status, status === 200 ? 10 : 0]);
  }
});

test("hashes of files, of their first octets and of their blocks", () => {
  const text = "x".repeat(3000) + "y".repeat(1000);
  const one = exchange((folder) => folder.put("h", text));
  expect(JSON.parse(one.ask("GET /h?hash=sha256").body)).toEqual({ size: 4000, sha256: sha256(text) });
  expect(JSON.parse(one.ask("GET /h?hash=sha256&first=3000").body)).toEqual({
    size: 3000,
    sha256: sha256(text.slice(0, 3000)),
  });
  expect(one.ask("GET /h?blocks=1024").body.trim().split("\n")).toEqual(
    [0, 1024, 2048, 3072].map((at) => sha256(text.slice(at, at + 1024))),
  );
  for (const query of ["hash=md5", "hash=sha256&first=x", "blocks=1", "blocks=x"])
    expect(one.ask(`GET /h?${query}`).status).toBe(400);
  expect(one.folder.open_).toBe(0);
});

test("listings for programs have names of any octets", () => {
  const one = exchange((folder) => {
    folder.put("caf\xc3\xa9", "");
    folder.put("sub/\xff\n", "");
  });
  const lines = (target: string): unknown[] =>
    Buffer.from(one.ask(`GET ${target}`).body, "latin1")
      .toString("utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
  const mtime = 1_000_000_000;
  expect(lines("/?list=json")).toEqual([
    { name: "a.txt", size: 10, mtime, kind: "file" },
    { name: "café", size: 0, mtime, kind: "file" },
    { name: "sub", size: 0, mtime, kind: "folder" },
  ]);
  expect(lines("/?list=json&deep").map((entry) => (entry as { name?: string }).name)).toEqual([
    "a.txt",
    "café",
    "sub",
    "sub/deep.bin",
    "sub/\udcff\n",
    undefined,
  ]);
  expect(one.ask("GET /sub/%FF%0A").status).toBe(200);
});

test("the page: plain HTML in the browser's character set", () => {
  const one = exchange((folder) => {
    folder.put('<b>"&', "");
    folder.put("caf\xc3\xa9", "");
    folder.put("caf\xe9-latin", "");
    folder.put("\xe2\x82\xac", "");
    folder.put(".nullmodem-part-x", "");
  });
  const modern = one.ask("GET /\nUser-Agent: Mozilla/5.0 (X11)");
  expect(modern.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(modern.body).toContain('<A HREF="./caf%C3%A9">caf\xc3\xa9</A>');
  expect(modern.body).toContain('<A HREF="./caf%E9-latin">caf\xc3\xa9-latin</A>');
  expect(modern.body).toContain('<A HREF="./%3Cb%3E%22%26">&lt;b&gt;&quot;&amp;</A>');
  expect(modern.body).toContain('<A HREF="./sub/">sub/</A>');
  expect(modern.body).toMatch(/a\.txt<\/A> {39} {10}10 {2}2001-09-09 01:46\n/);
  expect(modern.body).not.toContain("part-x");
  expect(modern.body.indexOf("<PRE")).toBeLessThan(2000);
  for (const agent of ["Mozilla/3.0 (Win95; I)", "Mozilla/2.0 (compatible; MSIE 3.0; Windows 95)"]) {
    const old = one.ask(`GET /\nUser-Agent: ${agent}`);
    expect(old.headers.get("content-type")).toBe("text/html; charset=iso-8859-1");
    expect(old.body).toContain('<A HREF="./caf%C3%A9">caf\xe9</A>');
    expect(old.body).toContain(">&#8364;</A>");
  }
  expect(one.ask("GET /\nUser-Agent: Mozilla/4.0 (compatible; MSIE 5.5; x)").headers.get("content-type")).toContain(
    "utf-8",
  );
  expect(
    one.ask("GET /\nAccept-Charset: iso-8859-1,utf-8\nUser-Agent: Mozilla/4.7").headers.get("content-type"),
  ).toContain("utf-8");
  expect(one.ask("GET /.nullmodem-part-x").status).toBe(404);
});

test("folders have a slash, files have none", () => {
  const one = exchange();
  expect(one.ask("GET /sub?names=8.3").headers.get("location")).toBe("http://192.168.0.1/sub/?names=8.3");
  expect(one.ask("GET /sub/").body).toContain('<A HREF="../">Files</A> / sub');
  expect(one.ask("GET /a.txt/").status).toBe(404);
  expect(one.ask("GET /sub/no").status).toBe(404);
  expect(one.ask("GET http://192.168.0.1/a.txt").body).toBe("0123456789");
  expect(one.ask("GET //sub/./deep.bin").body).toBe("\0\x01");
});

test("names of eight and three characters are shown and found", () => {
  const one = exchange((folder) => {
    for (const name of ["long name.text", "long name 2.text", "LONGNA~1.TEX", "a.b.c", ".profile"])
      folder.put(name, name);
    folder.makeFolder(["some folder"]);
    folder.put("some folder/inside file.htm", "inside");
  });
  const page = one.ask("GET /?names=8.3").body;
  const shown = [...page.matchAll(/<A HREF="\.\/([^"?]+)[^"]*">/g)]
    .map(([, name]) => name)
    .filter((name) => /~|A\.TXT|SUB/.test(name!));
  expect(shown).toEqual([
    "PROFIL~1",
    "AB~1.C",
    "A.TXT",
    "LONGNA~2.TEX",
    "LONGNA~3.TEX",
    "LONGNA~1.TEX",
    "SOMEFO~1/",
    "SUB/",
  ]);
  expect(one.ask("GET /LONGNA~2.TEX").body).toBe("long name 2.text");
  expect(one.ask("GET /LONGNA~3.TEX").body).toBe("long name.text");
  expect(one.ask("GET /LONGNA~1.TEX").body).toBe("LONGNA~1.TEX");
  expect(one.ask("GET /SOMEFO~1/INSIDE~1.HTM").body).toBe("inside");
  expect(one.ask("GET /LONGNA~4.TEX").status).toBe(404);
});

test("a listing of 10,000 entries begins with its first entries", () => {
  const one = exchange((folder) => {
    for (let at = 0; at < 10_000; at++) folder.put(`file-${String(at).padStart(5, "0")}`, "");
  });
  one.connection.receive(Buffer.from("GET / HTTP/1.1\r\n\r\n"), 0, 18, one.now);
  // At 115200 bit/s a second has 11,520 octets.
  const into = new Uint8Array(4096);
  const count = one.connection.transmit(into, 0, into.length, one.now);
  const text = Buffer.from(into.subarray(0, count)).toString("latin1");
  expect(text).toContain(">file-00005</A>");
  expect(one.connection.wantsOutput).toBe(true);
});

test("methods that there are not, and assets of the program", () => {
  const one = new FileExchange({
    assets: new Map([["page.js", { type: "text/javascript", octets: Buffer.from("x()") }]]),
  });
  expect(one.ask("BREW /").status).toBe(405);
  expect(one.ask("OPTIONS *").headers.get("allow")).toContain("PUT");
  expect(one.ask("GET /").body).toMatch(/SRC="\/~nullmodem\/page\.js\?0"><\/SCRIPT>\n<\/BODY>/);
  expect(one.ask("GET /~nullmodem/page.js?0")).toMatchObject({ status: 200, body: "x()" });
  expect(one.ask("GET /~nullmodem/no").status).toBe(404);
});

test("users and passwords", () => {
  const knows = (user: string, password: string): boolean => user === "zaphod" && password === "a:b\xe9";
  const one = new FileExchange({ knows });
  one.folder.put("a", "secret");
  const ask = (pair: string): number =>
    one.ask(`GET /a\nAuthorization: Basic ${Buffer.from(pair, "latin1").toString("base64")}`).status;
  expect(one.ask("GET /a").headers.get("www-authenticate")).toStartWith("Basic ");
  expect(ask("zaphod:a:b\xe9")).toBe(200);
  for (const wrong of ["zaphod:", "zaphod", ":a:b\xe9", "zaphod:a:b\xe9x"]) expect(ask(wrong)).toBe(401);
  // Who guesses is slowed down.
  for (let at = 0; at < 30; at++) ask("zaphod:guess");
  expect(ask("zaphod:a:b\xe9")).toBe(429);
  one.seconds += 60;
  expect(ask("zaphod:a:b\xe9")).toBe(200);
});

test("no query of a client becomes a header of the answer", () => {
  const one = exchange();
  const answer = one.ask("GET /sub?a%0d%0aSet-Cookie:%20x=1&b%00=%0a\nConnection: close");
  expect(answer.status).toBe(301);
  expect(answer.headers.has("set-cookie")).toBe(false);
  expect(answer.headers.get("location")).toBe("http://192.168.0.1/sub/?a%0D%0ASet-Cookie:%20x=1&b%00=%0A");
});

test("a header whose value has a line's end is left out", () => {
  const headers = [
    ["X-Bad", "a\r\nSet-Cookie: x"],
    ["X-Wide", "\u010aSet-Cookie: x"],
    ["X-Good", "b"],
  ] as const;
  const connection = new Connection({ headers: () => [], answer: () => ({ status: 204, headers }) }, 0);
  const request = bytesOf("GET / HTTP/1.1\r\n\r\n");
  connection.receive(request, 0, request.length, 0);
  const into = new Uint8Array(1000);
  const text = textOf(into, 0, connection.transmit(into, 0, into.length, 0));
  expect(text).toBe("HTTP/1.1 204 No Content\r\nX-Good: b\r\n\r\n");
});
