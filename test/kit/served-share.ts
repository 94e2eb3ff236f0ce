// A folder of the disk, served to Windows' clients (src/files/smb) in this process.

import { once } from "node:events";
import { createServer, type Server as NetServer, type Socket } from "node:net";
import type { Folder } from "../../src/files/folder.ts";
import { Chores } from "../../src/files/chores.ts";
import { Quota } from "../../src/files/quota.ts";
import { OpenTable } from "../../src/files/smb/open-table.ts";
import { Prover } from "../../src/files/smb/prover.ts";
import { SmbConnection } from "../../src/files/smb/smb-connection.ts";
import type { SmbSite } from "../../src/files/smb/smb-site.ts";
import { RootedFolder } from "../../src/os/files/rooted-folder.ts";

const wall = (): number => Math.floor(Date.now() / 1000);

export interface ShareFacts {
  readonly isWritable?: boolean;
  readonly quota?: number;
  readonly users?: readonly (readonly [name: string, password: string])[];
}

export function siteOf(folder: Folder, { isWritable = true, quota = Infinity, users }: ShareFacts = {}): SmbSite {
  return {
    folder,
    isWritable,
    quota: new Quota(folder, quota, wall, new Chores()),
    opens: new OpenTable(),
    prover: users && new Prover(users, wall),
    name: "SERVER",
    wall,
    zoneAt: () => 0,
    random: (bytes) => bytes.fill(7),
    held: 0,
    missing: 0,
  };
}

export class ServedShare {
  readonly site: SmbSite;
  readonly #folder: RootedFolder;
  readonly #net: NetServer;
  readonly #sockets = new Set<Socket>();

  private constructor(path: string, facts: ShareFacts) {
    this.#folder = new RootedFolder(path);
    this.site = siteOf(this.#folder, facts);
    this.#net = createServer((socket) => this.#serve(socket, new SmbConnection(this.site, performance.now())));
  }

  static async of(path: string, facts: ShareFacts = {}, port = 0): Promise<ServedShare> {
    const served = new ServedShare(path, facts);
    served.#net.listen(port, "127.0.0.1");
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

  #serve(socket: Socket, connection: SmbConnection): void {
    this.#sockets.add(socket);
    const part = new Uint8Array(65_536);
    const turn = (): void => {
      while (connection.wantsOutput && !socket.writableNeedDrain) {
        const end = connection.transmit(part, 0, part.length, performance.now());
        if (end > 0) socket.write(part.slice(0, end));
      }
      if (connection.isOver) socket.end();
    };
    socket.on("data", (octets: Buffer) => {
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
