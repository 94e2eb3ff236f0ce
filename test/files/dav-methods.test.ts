import { describe, expect, test } from "bun:test";
import type { Path, Trouble } from "../../src/files/folder.ts";
import { isHidden } from "../../src/files/uploads.ts";
import { FileExchange } from "../kit/file-exchange.ts";
import { MemoryFolder } from "../kit/memory-folder.ts";

const LOCK_INFO =
  '<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype><owner>me &amp; you</owner></lockinfo>';
const OTHER = "Lock-Token: <urn:uuid:00000000-0000-8000-8000-000000000000>";

function files(one: FileExchange): Record<string, string | undefined> {
  return Object.fromEntries(one.folder.names.map((name) => [name, one.folder.text(name)]));
}

function withFiles(facts: ConstructorParameters<typeof FileExchange>[0] = {}): FileExchange {
  const one = new FileExchange(facts);
  one.folder.put("a", "one");
  one.folder.put("b", "two");
  one.folder.makeFolder(["d"]);
  one.folder.put("d/x", "three");
  return one;
}

function locked(one: FileExchange, head: string): string {
  const answer = one.ask(head, LOCK_INFO);
  const [, token] = /^<(.*)>$/.exec(answer.headers.get("lock-token") ?? "") ?? [];
  if (token === undefined) throw new Error(`${head}: ${answer.status} ${answer.body}`);
  return token;
}

describe("MOVE and COPY", () => {
  test("files and folders, onto others only if the client wants it", () => {
    const one = withFiles();
    for (const [head, status] of [
      ["MOVE /a\nDestination: /b\nOverwrite: F", 412],
      ["MOVE /a\nDestination: http://192.168.0.1/b", 204],
      ["COPY /b\nDestination: http://192.168.0.1:80/c%20d", 201],
      ["COPY /d\nDestination: /e/", 201],
      ["COPY /d/\nDestination: /f\nDepth: 0", 201],
      ["MOVE /e\nDestination: /f/", 204],
      ["MOVE /b\nDestination: /d", 204],
    ] as const)
      expect([head, one.ask(head).status]).toEqual([head, status]);
    expect(files(one)).toEqual({ "c d": "one", d: "one", f: undefined, "f/x": "three" });
    expect(one.folder.open_).toBe(0);
  });

  test.each([
    ["/a\nDestination: http://other.example/b", 502],
    ["/a\nDestination: ftp://192.168.0.1/b", 400],
    ["/a\nDestination: /../b", 400],
    ["/a\nDestination: /d/%2e%2e/b", 400],
    ["/a\nDestination: /d%2fb", 400],
    ["/a\nDestination: /.nullmodem-part-b", 409],
    ["/a\nDestination: /none/b", 409],
    ["/a\nDestination: /b/c", 409],
    ["/a\nDestination: /a", 403],
    ["/d\nDestination: /d/e", 403],
    ["/d/x\nDestination: /d", 403],
    ["/\nDestination: /e", 403],
    ["/a\nDestination: /", 403],
    ["/none\nDestination: /b", 404],
    ["/.nullmodem-part-x\nDestination: /b", 404],
    ["/a", 400],
    ["/a\nDestination: /b\nOrigin: http://evil.example", 403],
  ] as const)("%j is refused", (head, status) => {
    const one = withFiles();
    const before = files(one);
    for (const method of ["MOVE", "COPY"]) expect(one.ask(`${method} ${head}`).status).toBe(status);
    expect(files(one)).toEqual(before);
  });

  test("a copy is not larger than the quota and the disk, and leaves nothing when it fails or is given up", () => {
    for (const prepare of [(): FileExchange => withFiles({ quota: 20 }), (): FileExchange => withFiles()]) {
      const one = prepare();
      one.folder.put("d/y", "nine octets".slice(0, 9));
      if (one.folder.room() === Infinity) one.folder.capacity = 21;
      const before = files(one);
      const answer = one.ask("COPY /d/\nDestination: /e/");
      expect([answer.status, answer.body.includes("507")]).toEqual([207, true]);
      expect(files(one)).toEqual(before);
    }
    const one = withFiles();
    const before = files(one);
    one.connect();
    const request = Buffer.from("COPY /d HTTP/1.1\r\nDestination: /e\r\n\r\n");
    one.connection.receive(request, 0, request.length, one.now);
    expect(one.folder.names).toHaveLength(5);
    one.connection.cut();
    one.work();
    expect(files(one)).toEqual(before);
    expect(one.folder.open_).toBe(0);
  });
});

/** Hidden names cannot be looked for. The longest paths have none, and folders without the right to enter them neither. */
class FolderWithoutHiding extends MemoryFolder {
  trouble: Trouble = "denied";
  asked = 0;

  override stat(path: Path): ReturnType<MemoryFolder["stat"]> {
    if (!path.some(isHidden)) return super.stat(path);
    if (++this.asked > 100) throw new Error("it asks for ever");
    return this.trouble;
  }
}

test.each([
  ["denied", 403],
  ["bad-name", 400],
  ["failed", 500],
] as const)("where no hidden name can be had (%s), COPY and MOVE end", (trouble, status) => {
  const folder = new FolderWithoutHiding();
  folder.trouble = trouble;
  folder.put("a", "one");
  folder.put("b", "two");
  folder.makeFolder(["d"]);
  const one = new FileExchange({}, folder);
  for (const head of ["COPY /a\nDestination: /c", "COPY /a\nDestination: /b", "MOVE /a\nDestination: /d"])
    expect([head, one.ask(head).status]).toEqual([head, status]);
  expect([folder.names, folder.open_]).toEqual([["a", "b", "d"], 0]);
});

describe("LOCK", () => {
  test("only who has the token writes", () => {
    const one = withFiles();
    const answer = one.ask("LOCK /a\nTimeout: Infinite, Second-4100000000", LOCK_INFO);
    expect(answer.status).toBe(200);
    expect(answer.body).toContain("<D:owner>me &amp; you</D:owner><D:timeout>Second-3600</D:timeout>");
    const token = /<(.*)>/.exec(answer.headers.get("lock-token")!)![1]!;
    for (const head of [
      "PUT /a",
      "DELETE /a",
      "MOVE /a\nDestination: /c",
      "MOVE /b\nDestination: /a",
      "COPY /b\nDestination: /a",
    ])
      expect([head, one.ask(head).status]).toEqual([head, 423]);
    expect(one.ask("PUT /a").body).toContain("<D:lock-token-submitted><D:href>/a</D:href>");
    expect(one.ask("LOCK /a", LOCK_INFO).status).toBe(423);
    expect(one.ask("LOCK /", LOCK_INFO).status).toBe(423);
    expect(one.ask("COPY /a\nDestination: /c").status).toBe(201);
    expect(one.ask("PROPFIND /a\nDepth: 0").body).toContain(token);
    expect(one.ask(`PUT /a\nIf: (<${token}>)`, "new").status).toBe(204);
    expect(one.ask(`UNLOCK /a\n${OTHER}`).status).toBe(409);
    expect(one.ask(`UNLOCK /b\nLock-Token: <${token}>`).status).toBe(409);
    expect(one.ask(`UNLOCK /a\nLock-Token: <${token}>`).status).toBe(204);
    expect(one.ask("PUT /a", "newer").status).toBe(204);
  });

  test("a lock's token is a UUID that was drawn, and its time runs on when the clock is set", () => {
    let seconds = 50;
    const one = withFiles({ now: () => seconds, uuid: () => "9c5a3b1e-0000-4000-8000-00000000000f" });
    expect(locked(one, "LOCK /a\nTimeout: Second-100")).toBe("urn:uuid:9c5a3b1e-0000-4000-8000-00000000000f");
    one.seconds += 1_000_000;
    expect(one.ask("PUT /a", "x").status).toBe(423);
    one.seconds -= 2_000_000;
    seconds += 99;
    expect(one.ask("PUT /a", "x").status).toBe(423);
    seconds += 1;
    expect(one.ask("PUT /a", "x").status).toBe(204);
  });

  test("a folder's lock counts for its names, and a deep one for all below", () => {
    const one = withFiles();
    const flat = locked(one, "LOCK /d/\nDepth: 0");
    expect(one.ask("PUT /d/x", "y").status).toBe(204);
    expect(one.ask("PUT /d/new", "y").status).toBe(423);
    expect(one.ask("MKCOL /d/new").status).toBe(423);
    expect(one.ask("DELETE /d/x").status).toBe(423);
    expect(one.ask(`UNLOCK /d/\nLock-Token: <${flat}>`).status).toBe(204);
    const deep = locked(one, "LOCK /d/");
    expect(one.ask("PUT /d/x", "y").status).toBe(423);
    expect(one.ask("LOCK /d/x", LOCK_INFO).status).toBe(423);
    expect(one.ask(`DELETE /d/\nIf: </d/> (<${deep}>)`).status).toBe(204);
    expect(one.ask("MKCOL /d/").status).toBe(201);
    expect(one.ask("PUT /d/x", "y").status).toBe(201);
  });

  test("it ends by itself, unless it is refreshed, and may be of a name without a file", () => {
    const one = withFiles();
    const token = locked(one, "LOCK /new\nTimeout: Second-100");
    expect(one.folder.text("new")).toBe("");
    one.seconds += 90;
    expect(one.ask(`LOCK /new\nTimeout: Second-50\nIf: (<${token}>)`).body).toContain("Second-50");
    one.seconds += 49;
    expect(one.ask("PUT /new", "x").status).toBe(423);
    one.seconds += 1;
    expect(one.ask("PUT /new", "x").status).toBe(204);
    expect(one.ask(`LOCK /new\nIf: (<${token}>)`).status).toBe(412);
    expect(locked(one, "LOCK /new")).not.toBe(token);
    expect(one.ask("LOCK /none/new", LOCK_INFO).status).toBe(409);
    expect(one.ask("LOCK /b", LOCK_INFO.replace("exclusive", "shared")).status).toBe(403);
    expect(one.ask("LOCK /b", "<lockinfo/>").status).toBe(400);
  });

  test("there are a thousand at most", () => {
    const one = withFiles();
    for (let lock = 0; lock < 1000; lock++) locked(one, `LOCK /n${lock}`);
    expect(one.ask("LOCK /b", LOCK_INFO).status).toBe(503);
    one.seconds += 3600;
    expect(one.ask("LOCK /b", LOCK_INFO).status).toBe(200);
  });
});

test("If holds when one of its lists does", () => {
  const one = withFiles();
  const token = locked(one, "LOCK /a");
  const tag = one.ask("HEAD /a").headers.get("etag")!;
  for (const [condition, status] of [
    [`(<${token}> [${tag}])`, 200],
    [`(<${token}> ["x"])`, 412],
    [`(<${token}> ["x"]) ([${tag}])`, 200],
    ["(<DAV:no-lock>)", 412],
    ["(Not <DAV:no-lock>)", 200],
    [`</b> (<${token}>)`, 412],
    [`<http://192.168.0.1/a> (<${token}>) (["x"])`, 200],
    [`(Not <${token}>)`, 412],
    ["()", 400],
    [`(<${token}>`, 400],
    ["no", 400],
    [`${"(".repeat(8000)}`, 400],
  ] as const)
    expect([condition, one.ask(`GET /a\nIf: ${condition}`).status]).toEqual([condition, status]);
});

test("PROPPATCH sets the time that Windows gives, and no properties of others", () => {
  const one = withFiles();
  const update = (names: string, action = "set"): string =>
    `<D:propertyupdate xmlns:D="DAV:" xmlns:Z="urn:schemas-microsoft-com:"><D:${action}><D:prop>${names}</D:prop></D:${action}></D:propertyupdate>`;
  const time = "<Z:Win32LastModifiedTime>Fri, 02 Jan 1970 00:00:00 GMT</Z:Win32LastModifiedTime>";
  const done = one.ask("PROPPATCH /a", update(`${time}<Z:Win32FileAttributes>00000020</Z:Win32FileAttributes>`));
  expect([done.status, done.body.includes("200 OK"), done.body.includes("403")]).toEqual([207, true, false]);
  expect(one.ask("HEAD /a").headers.get("last-modified")).toBe("Fri, 02 Jan 1970 00:00:00 GMT");
  const refused = one.ask("PROPPATCH /b", update(`${time}<x xmlns="u:"/>`)).body;
  expect(refused).toContain('<D:prop><x xmlns="u:"/></D:prop><D:status>HTTP/1.1 403 Forbidden');
  expect(refused).toContain("424 Failed Dependency");
  expect(one.ask("HEAD /b").headers.get("last-modified")).not.toContain("1970");
  expect(one.ask("PROPPATCH /b", update('<x xmlns="u:"/>', "remove")).body).toContain("200 OK");
  expect(one.ask("PROPPATCH /b", update("<D:getetag/>", "remove")).body).toContain("403 Forbidden");
  expect(one.ask("PROPPATCH /b", "<D:x xmlns:D='DAV:'/>").status).toBe(400);
  expect(one.ask("PROPPATCH /none", update(time)).status).toBe(404);
});

test("nothing is changed in a folder that is to be read", () => {
  const one = withFiles({ isWritable: false });
  const before = files(one);
  for (const method of ["PUT", "POST", "MKCOL", "DELETE", "PROPPATCH", "MOVE", "COPY", "LOCK", "UNLOCK"])
    expect([method, one.ask(`${method} /a\nDestination: /c`).status]).toEqual([method, 403]);
  expect(one.ask("OPTIONS /").headers.get("dav")).toBe("1");
  expect(new FileExchange().ask("OPTIONS /").headers.get("dav")).toBe("1, 2");
  expect(files(one)).toEqual(before);
});
