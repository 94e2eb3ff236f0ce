import { describe, expect, test } from "bun:test";
import { elementsIn, readXml, textIn, xmlOf } from "../../src/files/dav/xml-reader.ts";
import { FileExchange } from "../kit/file-exchange.ts";

const ASKS = (names: string): string => `<?xml version="1.0"?><a:propfind xmlns:a="DAV:">${names}</a:propfind>`;

describe("XML", () => {
  test("has namespaces, references, comments and CDATA", () => {
    const xml = readXml(
      '<?xml version="1.0" encoding="UTF-8"?>\n<!-- a --><D:a xmlns:D="DAV:" x="1"><b xmlns="u:v">&lt;&#233;<![CDATA[<&]]></b><D:c/></D:a>\n',
    )!;
    expect([xml.space, xml.name]).toEqual(["DAV:", "a"]);
    const [b, c] = elementsIn(xml);
    expect([b!.space, b!.name, textIn(b!)]).toEqual(["u:v", "b", "<\xc3\xa9<&"]);
    expect([c!.space, c!.name]).toEqual(["DAV:", "c"]);
    expect(xmlOf(xml)).toBe('<D:a><b xmlns="u:v">&lt;\xc3\xa9&lt;&amp;</b><D:c/></D:a>');
  });

  test.each([
    ["nothing", ""],
    ["an open element", "<a><b></a>"],
    ["two elements", "<a/><b/>"],
    ["text outside", "<a/>x"],
    ["an undeclared prefix", "<x:a/>"],
    ["a prefix taken back", '<a xmlns:x=""/>'],
    ["an attribute twice", '<a x="1" x="2"/>'],
    ["an unknown reference", "<a>&b;</a>"],
    ["a bare ampersand", "<a>&</a>"],
    ["a control character", "<a>\x01</a>"],
    ["another encoding", '<?xml version="1.0" encoding="utf-16"?><a/>'],
    ["a processing instruction", "<a><?php x?></a>"],
    ["a document type", '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>'],
    ["a billion laughs", `<!DOCTYPE a [<!ENTITY l "ha"><!ENTITY m "${"&l;".repeat(100)}">]><a>&m;</a>`],
    ["deep elements", "<a>".repeat(60) + "</a>".repeat(60)],
    ["many elements", `<a>${"<b/>".repeat(2000)}</a>`],
    ["what is long", `<a>${"x".repeat(70_000)}</a>`],
    ["attributes without end", `<a ${'x="1" '.repeat(8000)}`],
    ["a comment without end", `<a><!--${"-x".repeat(30_000)}`],
    ["blanks without end", `<a${" ".repeat(60_000)}`],
  ])("%s is refused", (_, text) => {
    expect(readXml(text)).toBeUndefined();
  });
});

test("OPTIONS says what may be done", () => {
  const writing = new FileExchange().ask("OPTIONS /");
  expect([writing.status, writing.headers.get("ms-author-via")]).toEqual([200, "DAV"]);
  expect(writing.headers.get("allow")).toContain("PUT");
  const reading = new FileExchange({ isWritable: false }).ask("OPTIONS /");
  expect(reading.headers.get("allow")).toBe("GET, HEAD, OPTIONS, PROPFIND");
});

test("PROPFIND tells all, the names, or what is asked for", () => {
  const one = new FileExchange();
  one.folder.put("a&b.txt", "four", 86_400);
  const tag = one.ask("HEAD /a&b.txt").headers.get("etag")!.replaceAll('"', "&quot;");
  const all = one.ask("PROPFIND /a&b.txt\nDepth: 0");
  expect([all.status, all.headers.get("content-type")]).toEqual([207, 'application/xml; charset="utf-8"']);
  for (const part of [
    "<D:href>/a%26b.txt</D:href>",
    "<D:resourcetype/>",
    "<D:displayname>a&amp;b.txt</D:displayname>",
    "<D:getcontentlength>4</D:getcontentlength>",
    "<D:getlastmodified>Fri, 02 Jan 1970 00:00:00 GMT</D:getlastmodified>",
    "<D:creationdate>1970-01-02T00:00:00Z</D:creationdate>",
    `<D:getetag>${tag}</D:getetag>`,
    "200 OK",
  ])
    expect(all.body).toContain(part);
  expect(all.body).not.toContain("404");
  expect(readXml(all.body)).toBeDefined();
  expect(one.ask("PROPFIND /a&b.txt\nDepth: 0", ASKS("<a:propname/>")).body).toContain("<D:getetag/>");
  const some = one.ask("PROPFIND /\nDepth: 0", ASKS('<a:prop><a:resourcetype/><x xmlns="u&amp;v"/></a:prop>'));
  expect(some.body).toContain("<D:prop><D:resourcetype><D:collection/></D:resourcetype></D:prop>");
  expect(some.body).toContain('<D:prop><x xmlns="u&amp;v"/></D:prop><D:status>HTTP/1.1 404 Not Found');
});

test("PROPFIND lists a folder, however large, and nothing deeper", () => {
  const one = new FileExchange({ isWritable: false });
  one.folder.makeFolder(["sub"]);
  for (let file = 0; file < 1000; file++) one.folder.put(`sub/${file}`, "");
  one.folder.put("sub/.nullmodem-part-x", "");
  expect(one.ask("PROPFIND /\nDepth: 1").body.match(/<D:href>.*?<\/D:href>/g)).toEqual([
    "<D:href>/</D:href>",
    "<D:href>/sub/</D:href>",
  ]);
  expect(one.ask("PROPFIND /sub\nDepth: 1").body.match(/<D:href>/g)).toHaveLength(1001);
  expect(one.folder.open_).toBe(0);
  for (const [head, status] of [
    ["PROPFIND /\nDepth: infinity", 403],
    ["PROPFIND /", 403],
    ["PROPFIND /sub/5", 207],
    ["PROPFIND /\nDepth: 2", 400],
    ["PROPFIND /none\nDepth: 0", 404],
    ["PROPFIND /sub/.nullmodem-part-x\nDepth: 0", 404],
  ] as const)
    expect([head, one.ask(head).status]).toEqual([head, status]);
  expect(one.ask("PROPFIND /").body).toContain("propfind-finite-depth");
  expect(one.ask("PROPFIND /\nDepth: 0", "<no").status).toBe(400);
  expect(one.ask("PROPFIND /\nDepth: 0", '<propertyupdate xmlns="DAV:"/>').status).toBe(400);
  expect(one.ask("PROPFIND /\nDepth: 0", "x".repeat(10_000_000)).status).toBe(413);
});

test("PROPFIND tells how much room there is", () => {
  const one = new FileExchange({ quota: 1000 });
  one.folder.put("a", "x".repeat(300));
  const { body } = one.ask(
    "PROPFIND /\nDepth: 0",
    ASKS("<a:prop><a:quota-available-bytes/><a:quota-used-bytes/></a:prop>"),
  );
  expect(body).toContain(
    "<D:quota-available-bytes>700</D:quota-available-bytes><D:quota-used-bytes>300</D:quota-used-bytes>",
  );
});
