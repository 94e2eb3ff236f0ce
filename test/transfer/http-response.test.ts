import { expect, test } from "bun:test";
import { bytesOf, textOf } from "../../src/bytes/text.ts";
import { NotHttp, ResponseReader } from "../../src/transfer/http-response.ts";
import { cuts } from "../kit/cuts.ts";

interface Read {
  readonly status: number | undefined;
  readonly body: string;
  readonly isDone: boolean;
  readonly isKept: boolean;
}

function read(pieces: readonly Uint8Array[], method = "GET"): Read {
  let status: number | undefined;
  let body = "";
  const reader = new ResponseReader(method, {
    head: (head) => (status = head.status),
    data: (octets) => (body += textOf(octets)),
  });
  for (const piece of pieces) reader.push(piece);
  return { status, body, isDone: reader.isDone, isKept: reader.isKept };
}

const BODY = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
const CHUNKED =
  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 206 Part\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nTrailer: x\r\n\r\n";
const OLD = "HTTP/1.0 200 OK\nServer: x\n\nhello";

test("a response is the same however its octets come", () => {
  for (const pieces of cuts(bytesOf(BODY)))
    expect(read(pieces)).toEqual({ status: 200, body: "hello", isDone: true, isKept: true });
  for (const pieces of cuts(bytesOf(CHUNKED)))
    expect(read(pieces)).toEqual({ status: 206, body: "hello", isDone: true, isKept: true });
  for (const pieces of cuts(bytesOf(OLD)))
    expect(read(pieces)).toEqual({ status: 200, body: "hello", isDone: false, isKept: false });
});

test("each beginning of a response is unfinished, and none throws", () => {
  for (const text of [BODY, CHUNKED])
    for (let length = 0; length < text.length; length++)
      expect(read([bytesOf(text.slice(0, length))]).isDone).toBe(false);
});

test("responses without a body end with their heads", () => {
  const head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
  expect(read([bytesOf(head)], "HEAD").isDone).toBe(true);
  expect(read([bytesOf("HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n")]).isDone).toBe(true);
  expect(read([bytesOf("HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n")]).isKept).toBe(false);
});

test("what is not HTTP, or lies about a length, is refused", () => {
  const bad = [
    "SSH-2.0-x\r\n",
    "HTTP/2 200\r\n",
    "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab",
    `HTTP/1.1 200 OK\r\nX: ${"x".repeat(70_000)}`,
    `HTTP/1.1 200 OK\r\n${"a: b\r\n".repeat(20_000)}`,
  ];
  for (const text of bad) expect(() => read([bytesOf(text)])).toThrow(NotHttp);
});
