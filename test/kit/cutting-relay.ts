// A TCP relay that cuts its connections after a number of octets, as a cable that is pulled out does.

import { createServer, connect, type Server, type Socket } from "node:net";
import { once } from "node:events";

export type Cut =
  /** The connection is reset. */
  | "reset"
  /** It ends as if the program had closed it. */
  | "end"
  /** It stays open, and nothing comes any more. */
  | "silence";

export class CuttingRelay {
  /** Called for each connection: how many octets of both directions it carries, and how it ends. Undefined: no cut. */
  plan: () => { readonly after: number; readonly how: Cut } | undefined = () => undefined;
  cuts = 0;
  /** False: connections are refused at once. */
  isUp = true;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(port: number) {
    this.#server = createServer((near) => this.#carry(near, port));
  }

  static async to(port: number): Promise<CuttingRelay> {
    const relay = new CuttingRelay(port);
    relay.#server.listen(0, "127.0.0.1");
    await once(relay.#server, "listening");
    return relay;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("not listening");
    return address.port;
  }

  /** Ends all connections now. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }

  #carry(near: Socket, port: number): void {
    if (!this.isUp) return void near.destroy();
    const far = connect(port, "127.0.0.1");
    const plan = this.plan();
    let left = plan?.after ?? Infinity;
    let isCut = false;
    const pass = (from: Socket, to: Socket): void => {
      this.#sockets.add(from);
      from.on("data", (octets: Buffer) => {
        if (isCut) return;
        if (octets.length < left) {
          left -= octets.length;
          if (!to.write(octets)) from.pause();
          return;
        }
        isCut = true;
        this.cuts++;
        to.write(octets.subarray(0, left));
        if (plan?.how === "silence") return;
        for (const socket of [to, from]) plan?.how === "end" ? socket.end(() => socket.destroy()) : socket.destroy();
      });
      to.on("drain", () => from.resume());
      from.on("error", () => undefined);
      from.on("close", () => {
        this.#sockets.delete(from);
        if (!(isCut && plan?.how === "silence")) to.end(() => to.destroy());
      });
    };
    pass(near, far);
    pass(far, near);
  }
}
