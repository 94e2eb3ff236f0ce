// A client of the message bus: it calls methods and gets their replies (D-Bus Specification, "Authentication Protocol" and
// "Message Bus Messages"). Other messages are not for it. A library would bring an XML parser and a table of types for the
// five calls that a plugin makes, into a daemon that runs as root.

import { bytesOf, textOf } from "../../bytes/text.ts";
import { type DbusArgument, dbusCall, dbusError, dbusLength, type DbusMessage } from "../../wire/dbus.ts";
import { type DbusTarget, DbusType, LONGEST_MESSAGE, parseDbus } from "../../wire/dbus.ts";
import type { BusConnection, MessageBus } from "../host/message-bus.ts";
import type { Clock } from "../machine.ts";

/** Our identity is that of the socket. The server sends DATA for the empty one, and OK after it. */
const AUTHENTICATION = "\0AUTH EXTERNAL\r\nDATA\r\n";
const BEGIN = "BEGIN\r\n";
const DAEMON = "org.freedesktop.DBus";
const UNKNOWN_METHOD = "org.freedesktop.DBus.Error.UnknownMethod";
/** The longest line of the authentication. */
const LONGEST_LINE = 16384;

/** A call that failed, with the text of the one who refused it. */
class BusError extends Error {}

interface Waiting {
  resolve(texts: readonly string[]): void;
  reject(error: BusError): void;
}

export class Bus {
  readonly #clock: Clock;
  #connection: BusConnection | undefined;
  #state: "authenticating" | "open" | "closed" = "authenticating";
  #received = new Uint8Array(0);
  #serial = 0;
  readonly #calls = new Map<number, Waiting>();
  #authenticated: Waiting | undefined;

  private constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Connects, proves who we are, and says hello. Rejects with an error that has the reason. */
  static async open(bus: MessageBus, clock: Clock, patienceMs: number): Promise<Bus> {
    const client = new Bus(clock);
    const late = clock.after(patienceMs, () => client.#close("the bus does not answer"));
    try {
      const connection = await bus.connect({
        data: (bytes) => client.#receive(bytes),
        closed: () => client.#close("The connection is closed"),
      });
      if (client.#state === "closed") connection.end();
      client.#connection = connection;
      await client.#authenticate();
      const daemon = { destination: DAEMON, path: "/org/freedesktop/DBus", interface: DAEMON };
      await client.call({ ...daemon, member: "Hello" }, []);
    } catch (error) {
      client.end();
      throw error;
    } finally {
      late();
    }
    return client;
  }

  async #authenticate(): Promise<void> {
    if (this.#state === "closed") throw new BusError("The connection is closed");
    const done = new Promise<readonly string[]>((resolve, reject) => (this.#authenticated = { resolve, reject }));
    this.#send(bytesOf(AUTHENTICATION));
    await done;
    this.#send(bytesOf(BEGIN));
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Calls a method. Resolves with the texts that the reply begins with. Rejects with a BusError. */
  call(target: DbusTarget, body: readonly DbusArgument[], patienceMs = Infinity): Promise<readonly string[]> {
    const serial = ++this.#serial;
    return new Promise((resolve, reject) => {
      if (this.#state === "closed") return reject(new BusError("The connection is closed"));
      const cancel =
        patienceMs === Infinity
          ? undefined
          : this.#clock.after(patienceMs, () => this.#takeCall(serial)?.reject(new BusError("Timeout was reached")));
      this.#calls.set(serial, {
        resolve: (texts) => {
          cancel?.();
          resolve(texts);
        },
        reject: (error) => {
          cancel?.();
          reject(error);
        },
      });
      this.#send(dbusCall(serial, target, body));
    });
  }

  /** Ends the connection. What was sent before still goes out. */
  end(): void {
    this.#close("The connection is closed");
  }

  #send(bytes: Uint8Array): void {
    this.#connection?.write(bytes);
  }

  #takeCall(serial: number): Waiting | undefined {
    const call = this.#calls.get(serial);
    this.#calls.delete(serial);
    return call;
  }

  #close(reason: string): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#connection?.end();
    this.#authenticated?.reject(new BusError(reason));
    for (const serial of [...this.#calls.keys()]) this.#takeCall(serial)?.reject(new BusError(reason));
  }

  // ── what the bus sends ───────────────────────────────────────────────────────────────────────────────────────────

  #receive(bytes: Uint8Array): void {
    const all = new Uint8Array(this.#received.length + bytes.length);
    all.set(this.#received);
    all.set(bytes, this.#received.length);
    const taken = this.#state === "authenticating" ? this.#readLines(all) : 0;
    this.#received = all.slice(this.#state === "open" ? this.#readMessages(all, taken) : taken);
    // The rest of a line or a message that never ends.
    if (this.#received.length > (this.#state === "open" ? LONGEST_MESSAGE : LONGEST_LINE)) this.#break();
  }

  #break(): void {
    this.#close("The bus sends what is no message");
  }

  /** Returns the number of octets that were read. */
  #readLines(bytes: Uint8Array): number {
    let at = 0;
    while (this.#state === "authenticating") {
      const end = bytes.indexOf(0x0a, at);
      if (end < 0) break;
      const [word] = textOf(bytes, at, end).trim().split(" ");
      at = end + 1;
      if (word === "DATA") continue;
      if (word !== "OK") {
        this.#close("The bus does not admit us");
        break;
      }
      this.#state = "open";
      this.#authenticated?.resolve([]);
      this.#authenticated = undefined;
    }
    return at;
  }

  #readMessages(bytes: Uint8Array, from: number): number {
    let at = from;
    for (;;) {
      const length = dbusLength(bytes, at, bytes.length);
      if (length === 0 || (length !== undefined && at + length > bytes.length)) return at;
      const message = length === undefined ? undefined : parseDbus(bytes, at, at + length);
      if (length === undefined || message === undefined) {
        this.#break();
        return bytes.length;
      }
      at += length;
      this.#take(message);
    }
  }

  #take(message: DbusMessage): void {
    const { type, replyTo, texts } = message;
    if (type === DbusType.Reply) this.#takeCall(replyTo)?.resolve(texts);
    else if (type === DbusType.Error) this.#takeCall(replyTo)?.reject(errorOf(message));
    // Another program calls a method of ours, and there is none.
    else if (type === DbusType.Call && message.wantsReply)
      this.#send(dbusError(++this.#serial, message, UNKNOWN_METHOD));
  }
}

/** In the words of GLib, which NetworkManager's own plugin is made with. */
function errorOf({ errorName, texts }: DbusMessage): BusError {
  return new BusError(`GDBus.Error:${errorName}: ${texts[0] ?? ""}`);
}
