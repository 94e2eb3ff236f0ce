// A server at the other end of a line that comes and goes. Requests are tried again until they succeed.

import { Connection, Interrupted, type Place, type Request } from "./http-connection.ts";
import { NotHttp, type ResponseHead, type ResponseSink } from "./http-response.ts";
import { Refusal } from "./refusal.ts";

export interface Patience {
  /** How often a running exchange is looked at. */
  readonly tickMs: number;
  /** After this time without an octet a second connection asks whether the server can be reached. */
  readonly quietMs: number;
  /** A server that has the whole request may need this long to answer, and twice as long the next time. */
  readonly answerMs: number;
  /** Between two attempts to connect, and between two questions that no answer came to. */
  readonly retryMs: number;
  /** An attempt to connect may take this long, and twice as long the next time, up to a minute. */
  readonly connectMs: number;
  /** Without an octet for this long, it gives up. */
  readonly giveUpMs: number;
}

export const PATIENCE: Patience = {
  tickMs: 500,
  quietMs: 5000,
  answerMs: 60_000,
  retryMs: 1000,
  connectMs: 10_000,
  giveUpMs: Infinity,
};

export interface Watcher {
  /** The line is down, or the server is away. Called again with each new reason. */
  waiting(reason: string): void;
  /** Octets move. Called at each tick of an exchange, and at its end. */
  moving(client: Client): void;
}

/** `--give-up` has passed. */
export class GaveUp extends Error {}

/** The server answers, and may do better later. Its answers alone do not keep us from giving up. */
export class Later extends Interrupted {}

export interface Answer {
  readonly head: ResponseHead;
  readonly body: Buffer;
}

/** Statuses of a server that may do better later (RFC 9110 §15.5.9, §15.6). */
const LATER = [408, 425, 429, 500, 502, 503, 504];
const MOST_ANSWER = 256 * 1024 * 1024;
const MOST_CONNECT_MS = 60_000;

function isOurs({ headers }: ResponseHead): boolean {
  return headers.get("server")?.startsWith("nullmodem") === true;
}

export class Client {
  #place: Place;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #patience: Patience;
  readonly #watcher: Watcher;
  #connection: Connection | undefined;
  /** When the other side last sent something, or acknowledged a part of a file. */
  #lastHeard = performance.now();
  #failedConnects = 0;
  #lateAnswers = 0;
  /** The server has said that it is ours. Undefined until it has answered. */
  isOurs: boolean | undefined;

  constructor(place: Place, headers: Readonly<Record<string, string>>, patience: Patience, watcher: Watcher) {
    this.#place = place;
    this.#headers = headers;
    this.#patience = patience;
    this.#watcher = watcher;
  }

  get host(): string {
    return this.#place.host;
  }

  /** Octets of the running request's body that have reached the other side. */
  get bodySent(): number {
    return this.#connection?.bodySent ?? 0;
  }

  close(): void {
    this.#connection?.close();
  }

  /** Runs `attempt` until it is not interrupted. Other errors go through. Throws GaveUp. */
  async persist<T>(attempt: () => Promise<T>): Promise<T> {
    let stuckSince = Infinity;
    for (;;) {
      const began = performance.now();
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error;
        const isLater = error instanceof Later;
        stuckSince = isLater ? Math.min(stuckSince, began) : Infinity;
        const quietMs = performance.now() - Math.min(this.#lastHeard, stuckSince);
        if (quietMs > this.#patience.giveUpMs) throw new GaveUp(error.message);
        if (this.#failedConnects > 0 || isLater) this.#watcher.waiting(error.message);
        const rest = this.#patience.retryMs - (performance.now() - began);
        if (rest > 0) await Bun.sleep(rest);
      }
    }
  }

  /** One request and its whole answer, tried until it comes. Throws Refusal for a status that is not in `good`. */
  async ask(request: Request, good: readonly number[] = [200]): Promise<Answer> {
    const answer = await this.persist(() => this.once(request));
    if (!good.includes(answer.head.status)) throw new Refusal(request, answer.head.status, answer.body);
    return answer;
  }

  /** One attempt of a request with a short answer. */
  async once(request: Request): Promise<Answer> {
    const pieces: Buffer[] = [];
    let length = 0;
    const head = await this.exchange(request, {
      head: () => undefined,
      data: (octets) => {
        if ((length += octets.length) > MOST_ANSWER) throw new NotHttp("the answer is too long");
        pieces.push(Buffer.from(octets));
      },
    });
    return { head, body: Buffer.concat(pieces) };
  }

  /** One attempt. Rejects with Interrupted also when the server asks to come later. */
  async exchange(request: Request, sink: ResponseSink): Promise<ResponseHead> {
    const connection = await this.#connected();
    let isLater = false;
    const stop = this.#watch(connection);
    try {
      const head = await connection.exchange(
        { ...request, headers: { ...this.#headers, ...request.headers } },
        {
          head: (head) => {
            this.#lastHeard = performance.now();
            this.#recognize(head);
            isLater = LATER.includes(head.status);
            if (!isLater) sink.head(head);
          },
          data: (octets) => {
            if (!isLater) sink.data(octets);
          },
        },
      );
      if (isLater) throw new Later(`the server answers ${head.status}`);
      this.#lateAnswers = 0;
      return head;
    } catch (error) {
      connection.close();
      throw error;
    } finally {
      stop();
      this.#watcher.moving(this);
    }
  }

  /** While the line is down, packets to the peer's address may reach another machine, a router for example. */
  #recognize(head: ResponseHead): void {
    const isNowOurs = isOurs(head);
    if (this.isOurs === true && !isNowOurs) throw new Interrupted("another server answers at this address");
    this.isOurs = isNowOurs;
  }

  async #connected(): Promise<Connection> {
    if (this.#connection?.isOpen === true) return this.#connection;
    try {
      const most = Math.min(MOST_CONNECT_MS, this.#patience.connectMs * 2 ** this.#failedConnects);
      this.#connection = await this.#open(AbortSignal.timeout(most));
    } catch (error) {
      this.#failedConnects++;
      throw error;
    }
    this.#failedConnects = 0;
    return this.#connection;
  }

  /** Of two possible ports, that of our own server, else the first that answers. */
  async #open(signal: AbortSignal): Promise<Connection> {
    const { otherPort, ...first } = this.#place;
    if (otherPort === undefined) return await Connection.open(first, signal);
    const other = { ...first, port: otherPort };
    let found: { readonly place: Place; readonly connection: Connection } | undefined;
    let trouble: unknown;
    for (const place of [first, other])
      try {
        const connection = await Connection.open(place, signal);
        const head = await connection.headWithin(signal, { method: "HEAD", target: "/", headers: this.#headers });
        if (found !== undefined && !isOurs(head)) connection.close();
        else found = { place, connection };
        if (isOurs(head)) break;
      } catch (error) {
        trouble ??= error;
      }
    if (found === undefined) throw trouble;
    this.#place = found.place;
    return found.connection.isOpen ? found.connection : await Connection.open(found.place, signal);
  }

  /**
   * Looks after an exchange. A slow line may be silent for long, so silence alone does not end it. It ends when a newer
   * connection is answered while it stays silent: then this connection has lost its other end, or waits for a repetition
   * that is far away.
   */
  #watch(connection: Connection): () => void {
    const { tickMs, quietMs, answerMs, giveUpMs, retryMs } = this.#patience;
    let mark = connection.mark;
    let heard = connection.received;
    let moved = performance.now();
    let isAsking = false;
    let askAt = 0;
    const tick = (): void => {
      const now = performance.now();
      if (connection.mark !== mark) {
        mark = connection.mark;
        moved = now;
        this.#watcher.moving(this);
      }
      const hears = connection.received + connection.bodySent;
      if (hears !== heard) this.#lastHeard = now;
      heard = hears;
      const silent = now - moved;
      if (now - this.#lastHeard > giveUpMs) connection.close(new GaveUp("no answer"));
      if (silent < quietMs || isAsking || now < askAt) return;
      isAsking = true;
      const isDue = connection.isAnswerDue;
      const isTooLate = !isDue || silent > answerMs * 2 ** this.#lateAnswers;
      void this.#reach().then((newer) => {
        isAsking = false;
        askAt = performance.now() + (newer === undefined ? retryMs : quietMs);
        if (newer === undefined) return this.#watcher.waiting("no answer");
        if (!isTooLate || connection.mark !== mark || this.#connection !== connection) return newer.close();
        if (isDue) this.#lateAnswers++;
        this.#connection = newer;
        connection.close(new Interrupted("the connection was lost"));
      });
    };
    const timer = setInterval(tick, tickMs);
    return () => clearInterval(timer);
  }

  /** A new connection over which the server has answered. */
  async #reach(): Promise<Connection | undefined> {
    const limit = AbortSignal.timeout(this.#patience.connectMs);
    let connection: Connection | undefined;
    try {
      connection = await Connection.open(this.#place, limit);
      await connection.headWithin(limit, { method: "HEAD", target: "/", headers: this.#headers });
      return connection.isOpen ? connection : await Connection.open(this.#place, limit);
    } catch {
      connection?.close();
      return undefined;
    }
  }
}
