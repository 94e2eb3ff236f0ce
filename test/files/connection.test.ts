import { expect, test } from "bun:test";
import { FileExchange, parseAnswer } from "../kit/file-exchange.ts";

function exchange(): FileExchange {
  const one = new FileExchange();
  one.folder.put("a.txt", "hello");
  return one;
}

const GET = "GET /a.txt HTTP/1.1\r\nHost: x\r\n\r\n";

test("a request is answered however it is cut into pieces", () => {
  const whole = exchange().octets(GET);
  expect(parseAnswer(whole)).toMatchObject({ status: 200, body: "hello" });
  for (let piece = 1; piece < GET.length; piece++) expect(exchange().octets(GET, piece)).toBe(whole);
});

test("requests that come together are answered one after the other", () => {
  const one = exchange();
  const text = one.octets(GET + GET + "GET /no HTTP/1.1\r\nConnection: close\r\n\r\n");
  expect(text.match(/HTTP\/1.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 200", "HTTP/1.1 404"]);
  expect(one.connection.hasFinished).toBe(true);
});

test("HTTP/1.0 and 0.9 get no chunks, and the connection ends", () => {
  for (const request of ["GET / HTTP/1.0\r\n\r\n", "GET /\r\n"]) {
    const one = exchange();
    const text = one.octets(request);
    expect(text).not.toContain("chunked");
    expect(text).toContain("a.txt</A>");
    expect(one.connection.hasFinished).toBe(true);
  }
  const kept = exchange();
  expect(kept.octets("GET /a.txt HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")).toContain("Connection: keep-alive\r\n");
  expect(kept.connection.hasFinished).toBe(false);
});

test("what is no request is refused, and the connection ends", () => {
  const cases: [string, number][] = [
    ["nonsense\r\n\r\n", 400],
    ["GET / HTTP/2.0\r\n\r\n", 505],
    ["GET /../etc/passwd HTTP/1.1\r\n\r\n", 400],
    ["GET /%2e%2e/x HTTP/1.1\r\n\r\n", 400],
    ["GET /a%2fb HTTP/1.1\r\n\r\n", 400],
    ["GET /a%00 HTTP/1.1\r\n\r\n", 400],
    ["GET /%zz HTTP/1.1\r\n\r\n", 400],
    ["GET / HTTP/1.1\r\nno colon\r\n\r\n", 400],
    ["GET / HTTP/1.1\r\n folded: x\r\n\r\n", 400],
    ["PUT /x HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400],
    ["PUT /x HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400],
    ["PUT /x HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400],
    ["PUT /x HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501],
    ["PUT /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400],
    ["PUT /x HTTP/1.1\r\nExpect: more\r\n\r\n", 417],
    [`GET /${"a".repeat(5000)} HTTP/1.1\r\n\r\n`, 414],
    [`GET / HTTP/1.1\r\n${"a: b\r\n".repeat(200)}\r\n`, 431],
    [`GET / HTTP/1.1\r\n${"a: b\r\n".repeat(1_000_000)}\r\n`, 431],
    [`GET / HTTP/1.1\r\na: ${"b".repeat(1_000_000)}`, 431],
  ];
  for (const [octets, status] of cases) {
    const one = exchange();
    const answer = parseAnswer(one.octets(octets, 4096));
    expect([octets.slice(0, 60), answer.status]).toEqual([octets.slice(0, 60), status]);
    expect(answer.headers.get("connection")).toBe("close");
    expect(one.connection.hasFinished).toBe(true);
    expect(one.folder.names).toEqual(["a.txt"]);
    expect(one.folder.open_).toBe(0);
  }
});

test("a client that sends slowly, or nothing, is given up", () => {
  const quiet = exchange();
  expect(quiet.connection.nextTimeout()).toBe(quiet.now + 60_000);
  // An octet every second does not prolong the time for the head.
  const slow = exchange();
  const began = slow.now;
  for (const octet of GET.slice(0, 31)) {
    slow.octets(octet);
    slow.now += 1000;
    slow.connection.handleTimeout(slow.now);
  }
  expect(slow.connection.isOver).toBe(true);
  expect(slow.now - began).toBeLessThanOrEqual(31_000);
  // A body of an octet a second ends as well, one at 300 bit/s does not.
  for (const [rate, isOver] of [
    [1, true],
    [30, false],
  ] as const) {
    const one = exchange();
    one.octets("PUT /b HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n");
    for (let second = 0; second < 600 && !one.connection.isOver; second++) {
      one.octets("x".repeat(rate));
      one.now += 1000;
      one.connection.handleTimeout(one.now);
    }
    expect(one.connection.isOver).toBe(isOver);
    if (isOver) expect(one.folder.names).toEqual(["a.txt"]);
  }
});

test("a client that does not read the answer is given up, and the file is closed", () => {
  const one = exchange();
  one.folder.put("big", new Uint8Array(100_000));
  one.connection.receive(Buffer.from("GET /big HTTP/1.1\r\n\r\n"), 0, 21, one.now);
  one.connection.transmit(new Uint8Array(1000), 0, 1000, one.now);
  expect([one.folder.open_, one.connection.wantsInput]).toEqual([1, false]);
  // Octets that leave the kernel count.
  one.connection.noteSent(1000);
  one.connection.handleTimeout((one.now += 120_000));
  expect(one.connection.isOver).toBe(false);
  one.connection.handleTimeout((one.now += 120_000));
  expect([one.folder.open_, one.connection.isOver]).toEqual([0, true]);
});

test("100 Continue is sent before the body is there, and not to HTTP/1.0 or for what is refused", () => {
  const put = (version: string, path: string): string =>
    exchange().octets(`PUT ${path} HTTP/${version}\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n`);
  expect(put("1.1", "/b")).toBe("HTTP/1.1 100 Continue\r\n\r\n");
  expect(put("1.0", "/b")).toBe("");
  expect(parseAnswer(put("1.1", "/no/b")).status).toBe(409);
});

test("a file that becomes shorter while it is sent ends the connection", () => {
  const one = exchange();
  one.folder.put("big", new Uint8Array(100_000));
  one.connection.receive(Buffer.from("GET /big HTTP/1.1\r\n\r\n"), 0, 21, one.now);
  one.connection.transmit(new Uint8Array(1000), 0, 1000, one.now);
  one.folder.nodes.get("big")!.size = 10;
  one.collect();
  expect(one.connection.isOver).toBe(true);
  expect(one.folder.open_).toBe(0);
});
