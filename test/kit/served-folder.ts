// A folder of the disk, served by our file server (src/files) in this process.

import { once } from "node:events";
import { createServer, type Server as NetServer, type Socket } from "node:net";
import { Connection } from "../../src/files/connection.ts";
import { Server } from "../../src/files/server.ts";
import type { Asset } from "../../src/files/site.ts";
import { RootedFolder } from "../../src/os/files/rooted-folder.ts";

export class ServedFolder {
  /** Octets that came from clients, with the heads of requests. */
  received = 0;
  readonly #folder: RootedFolder;
  readonly #net: NetServer;
  readonly #sockets = new Set<Socket>();

  private constructor(path: string, assets: ReadonlyMap<string, Asset>) {
    this.#folder = new RootedFolder(path);
    const server = new Server({
      folder: this.#folder,
      isWritable: true,
      quota: Infinity,
      hasShortNames: false,
      knows: undefined,
      assets,
      version: "0",
      wall: () => Math.floor(Date.now() / 1000),
      now: () => Math.floor(performance.now() / 1000),
      uuid: () => crypto.randomUUID(),
      zoneAt: () => 0,
    });
    this.#net = createServer((socket) => this.#serve(socket, new Connection(server, performance.now())));
  }

  static async of(path: string, assets: ReadonlyMap<string, Asset> = new Map()): Promise<ServedFolder> {
    const served = new ServedFolder(path, assets);
    served.#net.listen(0, "127.0.0.1");
    await once(served.#net, "listening");
    return served;
  }

  get port(): number {
    const address = this.#net.address();
    if (address === null || typeof address === "string") throw new Error("not listening");
    return address.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#net.close();
    await once(this.#net, "close");
    this.#folder.close();
  }

  #serve(socket: Socket, connection: Connection): void {
    this.#sockets.add(socket);
    const part = new Uint8Array(65_536);
    const turn = (): void => {
      while (connection.wantsOutput && !socket.writableNeedDrain && !connection.isOver) {
        const end = connection.transmit(part, 0, part.length, performance.now());
        if (end > 0) socket.write(part.slice(0, end));
        else if (!connection.isWorking) break;
      }
      if (connection.isOver) socket.destroy();
      else if (connection.hasFinished) socket.end();
      if (connection.wantsInput) socket.resume();
      else socket.pause();
    };
    socket.on("data", (octets: Buffer) => {
      this.received += octets.length;
      connection.receive(octets, 0, octets.length, performance.now());
      turn();
    });
    socket.on("drain", turn);
    socket.on("end", () => {
      connection.endOfInput();
      turn();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.#sockets.delete(socket);
      connection.cut();
    });
  }
}
