import { expect, test } from "bun:test";
import { type Door, MOST_CONNECTIONS, placeFor } from "../../../src/run/files/caller-places.ts";
import { FileExchange } from "../../kit/file-exchange.ts";
import { SmbPeer } from "../../kit/smb-peer.ts";

interface Client {
  readonly door: Door;
  readonly connection: ReturnType<Door["connect"]>;
}

const server = new FileExchange();
const http: Door = { listening: 1, connect: () => server.connect() };
const smb: Door = { listening: 2, most: MOST_CONNECTIONS / 2, connect: () => new SmbPeer().connection };

/** A client of Windows with an open file that was heard last at this moment. */
function withFile(now: number): Client {
  const peer = new SmbPeer();
  peer.now = now;
  peer.begin();
  peer.fid("\\a", { disposition: 2 });
  return { door: smb, connection: peer.connection };
}

/** A client that sends a file. */
function sending(): Client {
  const connection = server.connect();
  server.octets("PUT /a HTTP/1.1\r\nContent-Length: 9\r\n\r\n123");
  return { door: http, connection };
}

test("clients of Windows with open files keep neither HTTP nor other clients of Windows out", () => {
  const clients = Array.from({ length: MOST_CONNECTIONS / 2 }, (_, at) => withFile(5000 - at));
  expect(placeFor(clients, http)).toBe("free");
  // The one that has been silent longest has to go.
  expect(placeFor(clients, smb)).toBe(clients.at(-1)!);
  const idle = { door: smb, connection: new SmbPeer().begin().connection };
  expect(placeFor([...clients.slice(1), idle], smb)).toBe(idle);
  const all = [...clients, ...Array.from({ length: MOST_CONNECTIONS / 2 }, sending)];
  expect(placeFor(all, http)).toBe(clients.at(-1)!);
  expect(placeFor(Array.from({ length: MOST_CONNECTIONS }, sending), http)).toBe("none");
});
