// One connection to an HTTP server, and one request at a time on it (RFC 9112).

import { unacknowledged } from "../os/net/unsent.ts";
import { NotHttp, type ResponseHead, ResponseReader, type ResponseSink } from "./http-response.ts";

/** The line or the server broke off. The same request may succeed later. */
export class Interrupted extends Error {}

export interface Place {
  readonly host: string;
  readonly port: number;
  readonly isSecure: boolean;
  /** Where our own server is when another one has its port. */
  readonly otherPort?: number;
  /** An HTTP proxy that connects us (RFC 9110 §9.3.6). Without TLS behind it. */
  readonly proxy?: { readonly host: string; readonly port: number };
}

/** The octets of a request. */
export interface Body {
  readonly length: number;
  /** The next octets: at least one while any are left. They are read from the source in this call. */
  read(): Uint8Array;
}

export interface Request {
  readonly method: string;
  /** Escaped, with the query. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Body;
}

interface Running {
  readonly reader: ResponseReader;
  readonly body: Body | undefined;
  /** The head of the request, then octets of the body that the socket has not taken. */
  waiting: Uint8Array;
  bodyLeft: number;
  /** Octets of the request that the socket has taken. */
  written: number;
  readonly headLength: number;
  head: ResponseHead | undefined;
  resolve(head: ResponseHead): void;
  reject(error: unknown): void;
}

type Socket = Bun.Socket<undefined>;

export class Connection {
  readonly #place: Place;
  #socket: Socket | undefined;
  #running: Running | undefined;
  #received = 0;
  #trouble: Error | undefined;

  private constructor(place: Place) {
    this.#place = place;
  }

  /** Rejects with Interrupted, and with NotHttp for a certificate that is not trusted. */
  static async open(place: Place, signal: AbortSignal): Promise<Connection> {
    const connection = new Connection(place);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const isAborted = (): void => {
      connection.close();
      reject(new Interrupted("no answer"));
    };
    signal.addEventListener("abort", isAborted, { once: true });
    const fail = (text: string): void => reject(new Interrupted(text));
    void Bun.connect<undefined>({
      hostname: place.proxy?.host ?? place.host,
      port: place.proxy?.port ?? place.port,
      ...(place.isSecure ? { tls: { serverName: place.host } } : {}),
      socket: {
        open: (socket) => {
          connection.#socket = socket;
          if (signal.aborted) return void socket.terminate();
          if (!place.isSecure) resolve();
        },
        // A certificate that is not trusted will not be better later.
        handshake: (_, isGood, error) =>
          isGood && error === null ? resolve() : reject(new NotHttp(`its certificate: ${error?.message ?? "refused"}`)),
        data: (_, octets) => connection.#take(octets),
        drain: () => connection.#guard(() => connection.#write()),
        close: () => {
          connection.#closed();
          fail("the connection broke off");
        },
        error: (_, error) => connection.#fail(new Interrupted(error.message)),
        connectError: (_, error) => fail(reasonOf(error)),
        timeout: () => undefined,
      },
    }).catch((error: unknown) => fail(reasonOf(error)));
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", isAborted);
    }
    connection.#socket?.setKeepAlive(true, 10_000);
    if (place.proxy !== undefined) await connection.#passProxy(signal);
    return connection;
  }

  get isOpen(): boolean {
    return this.#socket !== undefined && this.#trouble === undefined;
  }

  /** A mark that changes with each octet that came in, went out, or was acknowledged. */
  get mark(): string {
    return `${this.#received} ${this.#running?.written ?? 0} ${this.#unacknowledged()}`;
  }

  get received(): number {
    return this.#received;
  }

  /** Octets of the body of the request that runs, without those that the other side has not acknowledged. */
  get bodySent(): number {
    const running = this.#running;
    if (running === undefined) return 0;
    return Math.max(0, running.written - running.headLength - this.#unacknowledged());
  }

  /** All of the request has reached the other side, and no octet of the answer has come. */
  get isAnswerDue(): boolean {
    const running = this.#running;
    if (running === undefined || running.head !== undefined) return false;
    return running.bodyLeft === 0 && running.waiting.length === 0 && this.#unacknowledged() === 0;
  }

  /** Resolves when the whole response has come. Rejects with Interrupted, NotHttp, and what the sink or the body throws. */
  async exchange(request: Request, sink: ResponseSink): Promise<ResponseHead> {
    if (!this.isOpen) throw this.#trouble ?? new Interrupted("the connection is closed");
    const { promise, resolve, reject } = Promise.withResolvers<ResponseHead>();
    const waiting = Buffer.from(this.#requestHead(request), "latin1");
    const running: Running = {
      reader: new ResponseReader(request.method, {
        head: (head) => {
          running.head = head;
          sink.head(head);
        },
        data: (octets) => sink.data(octets),
      }),
      body: request.body,
      waiting,
      headLength: waiting.length,
      bodyLeft: request.body?.length ?? 0,
      written: 0,
      head: undefined,
      resolve,
      reject,
    };
    this.#running = running;
    this.#guard(() => this.#write());
    return await promise;
  }

  /** The head of an answer. The connection ends when the signal comes first. */
  async headWithin(signal: AbortSignal, request: Request): Promise<ResponseHead> {
    const end = (): void => this.close(new Interrupted("no answer"));
    if (signal.aborted) end();
    signal.addEventListener("abort", end, { once: true });
    try {
      return await this.exchange(request, { head: () => undefined, data: () => undefined });
    } finally {
      signal.removeEventListener("abort", end);
    }
  }

  /** The response to CONNECT has no body, as that to HEAD. */
  async #passProxy(signal: AbortSignal): Promise<void> {
    const target = `${this.#nameOfHost()}:${this.#place.port}`;
    const { status } = await this.headWithin(signal, { method: "CONNECT", target });
    if (status === 200) return;
    this.close();
    throw new Interrupted(`the proxy answers ${status}`);
  }

  #nameOfHost(): string {
    const { host } = this.#place;
    return host.includes(":") ? `[${host}]` : host;
  }

  /** Ends a running exchange with `error`. */
  close(error: Error = new Interrupted("the connection was closed")): void {
    this.#fail(error);
  }

  #requestHead({ method, target, headers = {}, body }: Request): string {
    const { port, isSecure } = this.#place;
    const name = this.#nameOfHost();
    const isUsual = port === (isSecure ? 443 : 80);
    const lines = [`${method} ${target} HTTP/1.1`, `Host: ${isUsual ? name : `${name}:${port}`}`];
    for (const [key, value] of Object.entries(headers)) lines.push(`${key}: ${value}`);
    if (body !== undefined) lines.push(`Content-Length: ${body.length}`);
    return `${lines.join("\r\n")}\r\n\r\n`;
  }

  #write(): void {
    const running = this.#running;
    const socket = this.#socket;
    if (running === undefined || socket === undefined) return;
    for (;;) {
      if (running.waiting.length === 0) {
        if (running.bodyLeft === 0 || running.body === undefined) return;
        const next = running.body.read();
        if (next.length === 0 || next.length > running.bodyLeft) throw new Error("a body of another length");
        running.bodyLeft -= next.length;
        running.waiting = next;
      }
      const put = socket.write(running.waiting);
      if (put < 0) return;
      running.written += put;
      // The body may use its memory again for the next octets, so what is left is kept until then.
      running.waiting = running.waiting.subarray(put);
      if (running.waiting.length > 0) return;
    }
  }

  #take(octets: Uint8Array): void {
    this.#received += octets.length;
    const running = this.#running;
    if (running === undefined) return this.#fail(new Interrupted("octets without a request"));
    this.#guard(() => {
      running.reader.push(octets);
      if (running.reader.isDone) this.#finish(running);
    });
  }

  #finish(running: Running): void {
    this.#running = undefined;
    // A server that answers before the request is whole (an error) has not read the rest of it.
    const isWhole = running.bodyLeft === 0 && running.waiting.length === 0;
    if (!running.reader.isKept || !isWhole) this.#fail(new Interrupted("the server closed the connection"));
    running.resolve(running.head!);
  }

  #closed(): void {
    const running = this.#running;
    if (running?.reader.close() === true) return this.#finish(running);
    this.#fail(new Interrupted("the connection broke off"));
  }

  #fail(error: Error): void {
    this.#trouble ??= error;
    const running = this.#running;
    this.#running = undefined;
    this.#socket?.terminate();
    this.#socket = undefined;
    running?.reject(error);
  }

  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#fail(error instanceof Error ? error : new NotHttp(String(error)));
    }
  }

  #unacknowledged(): number {
    const fd = (this.#socket as { readonly fd?: number } | undefined)?.fd;
    return fd === undefined || fd < 0 ? 0 : unacknowledged(fd);
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ENOTFOUND") return "its name is not known";
  return code === "ECONNREFUSED" || code === "" ? "no answer" : code;
}
