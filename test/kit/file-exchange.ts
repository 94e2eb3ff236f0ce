// A client of the file server in memory: octets go into a Connection, and what it answers is read.

import { bytesOf, textOf } from "../../src/bytes/text.ts";
import { Connection } from "../../src/files/connection.ts";
import { Server, type ServerFacts } from "../../src/files/server.ts";
import { MemoryFolder } from "./memory-folder.ts";

export interface HttpAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export class FileExchange {
  readonly folder: MemoryFolder;
  readonly server: Server;
  now = 1000;
  seconds = 1_800_000_000;
  connection: Connection;
  #uuids = 1;

  constructor(facts: Partial<ServerFacts> = {}, folder = new MemoryFolder()) {
    this.folder = folder;
    folder.now = () => this.seconds;
    this.server = new Server({
      folder,
      isWritable: true,
      quota: Infinity,
      hasShortNames: false,
      knows: undefined,
      assets: new Map(),
      version: "0",
      wall: () => this.seconds,
      now: () => this.seconds,
      uuid: () => `00000000-0000-4000-8000-${String(this.#uuids++).padStart(12, "0")}`,
      zoneAt: () => 0,
      ...facts,
    });
    this.connection = this.connect();
  }

  /** A new connection takes the place of the present one. */
  connect(): Connection {
    return (this.connection = new Connection(this.server, this.now));
  }

  /** Sends octets in pieces of this size and returns all octets of the answer. */
  octets(text: string | Uint8Array, piece = Infinity): string {
    const bytes = typeof text === "string" ? bytesOf(text) : text;
    let answer = "";
    for (let at = 0; at < bytes.length;) {
      if (!this.connection.wantsInput) answer += this.collect();
      if (!this.connection.wantsInput) break;
      const end = Math.min(bytes.length, at + piece);
      this.connection.receive(bytes, at, end, this.now);
      at = end;
    }
    return answer + this.collect();
  }

  /** What the connection has to say now, in small parts. */
  collect(room = 700): string {
    const into = new Uint8Array(room);
    let text = "";
    while (this.connection.wantsOutput) {
      const count = this.connection.transmit(into, 0, room, this.now);
      text += textOf(into, 0, count);
    }
    return text;
  }

  /** Sends one request on a connection of its own. */
  ask(head: string, body: string | Uint8Array = ""): HttpAnswer {
    this.connect();
    const octets = typeof body === "string" ? body : textOf(body);
    const [first, ...lines] = head.split("\n");
    const hasBody = octets !== "" || /^(PUT|POST)/.test(head);
    const length = hasBody && !/content-length|transfer-encoding/i.test(head);
    const headers = [...lines, "Host: 192.168.0.1", ...(length ? [`Content-Length: ${octets.length}`] : [])];
    const answer = parseAnswer(this.octets(`${first} HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n${octets}`));
    this.work();
    return answer;
  }

  /** The server does all that no request waits for. */
  work(): void {
    while (this.server.work());
  }
}

export function parseAnswer(text: string): HttpAnswer {
  const rest = text.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, "");
  const end = rest.indexOf("\r\n\r\n");
  const [status = "", ...lines] = rest.slice(0, end).split("\r\n");
  const headers = new Map(
    lines.map((line) => line.split(/: (.*)/s, 2) as [string, string]).map(([n, v]) => [n.toLowerCase(), v]),
  );
  const body = rest.slice(end + 4);
  return {
    status: Number(status.split(" ")[1]),
    headers,
    body: headers.get("transfer-encoding") === "chunked" ? unchunked(body) : body,
  };
}

function unchunked(text: string): string {
  let body = "";
  for (let at = 0; ;) {
    const end = text.indexOf("\r\n", at);
    const size = parseInt(text.slice(at, end), 16);
    if (!(size >= 0)) throw new Error(`not a chunk at ${at}`);
    if (size === 0) return body;
    body += text.slice(end + 2, end + 2 + size);
    at = end + 4 + size;
  }
}
