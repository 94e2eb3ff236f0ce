// Asks running links of this machine by their control sockets: for `nullmodem ctl`, the keys of `status --watch`, and `capture`.

import { realpathSync } from "node:fs";
import { networkNamespace } from "../os/net/namespace.ts";
import { namesIn } from "../os/process/sysfs.ts";
import { runDirectories } from "../applets/run-directory.ts";
import { controllerOf, isControlName } from "../run/control/control-path.ts";
import type { ControlledPlace } from "../run/control/control-server.ts";

/** A stopped process keeps its socket and never answers. A busy machine takes its time. */
export const PATIENCE_MS = 10_000;
/** The longest answer. */
const MOST_ANSWER = 1 << 20;
const LF = 0x0a;
const NO_ANSWER = "The process of the link does not answer";
/** What helps a user who may not ask. */
export const SUDO = "sudo nullmodem ctl …, or pppd's option control-group";

/** Why a link cannot be asked, or what it answered instead. One plain sentence. */
export class ControlRefusal extends Error {}

/** What a link answered: the fields beside "ok". */
export type Answered = Readonly<Record<string, unknown>>;

/** A link of this machine and the socket of its process. */
export interface FoundLink {
  readonly path: string;
  /** What the process calls the link: the word that was looked for. */
  readonly name: string;
}

/** An answer, and what follows it. */
export interface Conversation {
  readonly answer: Answered;
  /** The octets after the answer, until one side closes. */
  readonly octets: AsyncIterable<Uint8Array>;
  /** Closes it. A second call does nothing. */
  close(): void;
}

/** The links of this machine. */
export interface ListedLinks {
  /** All lines of all links that this user may control. */
  readonly places: readonly (ControlledPlace & { readonly path: string })[];
  /** How many processes did not let us ask. */
  readonly denied: number;
  /** The processes that did not answer in time: "pid 812". */
  readonly silent: readonly string[];
}

export async function listLinks(
  directories: readonly string[] = runDirectories(),
  patienceMs = PATIENCE_MS,
): Promise<ListedLinks> {
  const paths = [...new Set(directories)].flatMap((directory) =>
    namesIn(directory)
      .filter(isControlName)
      .map((name) => `${directory}/${name}`),
  );
  let denied = 0;
  const silent: string[] = [];
  const asked = paths.map(async (path) => {
    try {
      const { links } = await request(path, "links", patienceMs);
      return Array.isArray(links) ? links.filter(isPlace).map((place) => ({ ...place, path })) : [];
    } catch (error) {
      if (error instanceof Denied) denied++;
      if (error instanceof Silent) silent.push(`pid ${controllerOf(path.slice(path.lastIndexOf("/") + 1))}`);
      return [];
    }
  });
  return { places: (await Promise.all(asked)).flat(), denied, silent };
}

/** Another version, or another program, may have answered. */
function isPlace(value: unknown): value is ControlledPlace {
  if (typeof value !== "object" || value === null) return false;
  const place = value as Record<keyof ControlledPlace, unknown>;
  const texts = [
    place.device,
    place.place,
    place.state,
    place.namespace,
    place.interface ?? "",
    place.usualInterface ?? "",
    place.linkname ?? "",
  ];
  return typeof place.pid === "number" && texts.every((text) => typeof text === "string");
}

/** Finds the process that has a link of this name: an interface, a linkname or a device. Throws ControlRefusal. */
export async function findLink(
  name: string,
  directories: readonly string[] = runDirectories(),
  patienceMs = PATIENCE_MS,
): Promise<FoundLink> {
  const { places, denied, silent } = await listLinks(directories, patienceMs);
  const device = realPath(name.startsWith("/") ? name : `/dev/${name}`);
  const here = networkNamespace();
  const named = places.filter((place) =>
    [place.interface, place.linkname, place.device, place.place].some(
      (one) => one !== undefined && (one === name || realPath(one) === device),
    ),
  );
  const matching = named.length > 0 ? named : places.filter(({ usualInterface }) => usualInterface === name);
  const near = matching.filter(({ namespace }) => namespace === here);
  const found = near.length > 0 ? near : matching;
  const paths = new Set(found.map(({ path }) => path));
  const [path] = paths;
  if (paths.size > 1) {
    const owners = found.map(({ interface: ifname = "no interface", pid }) => `${ifname} of process ${pid}`);
    throw new ControlRefusal(`${name} means more than one link: ${[...new Set(owners)].join(", ")}`);
  }
  // The process itself looks up no names outside of /dev.
  const isNamed = found.some(({ interface: ifname, usualInterface, linkname, device: port, place }) =>
    [ifname, usualInterface, linkname, port, place].includes(name),
  );
  if (path !== undefined) return { path, name: isNamed || !name.startsWith("/") ? name : found[0]!.device };
  if (denied > 0) throw new ControlRefusal(`${name} may belong to another user: ${SUDO}`);
  const quiet = silent.map((one) => `; ${one} does not answer`).join("");
  const others = places.length === 0 ? "no link runs" : "nullmodem ctl shows the names that there are";
  throw new ControlRefusal(`No link of this machine is called ${name}: ${others}${quiet}`);
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** Asks for one verb and returns the answer. Throws ControlRefusal. */
async function request(path: string, verb: string, patienceMs: number): Promise<Answered> {
  const conversation = await converse(path, verb, undefined, [], patienceMs);
  conversation.close();
  return conversation.answer;
}

class Denied extends ControlRefusal {}
class Silent extends ControlRefusal {}

/** Asks for one verb and keeps the connection. Throws ControlRefusal. */
export async function converse(
  path: string,
  verb: string,
  link?: string,
  words: readonly string[] = [],
  patienceMs = PATIENCE_MS,
): Promise<Conversation> {
  const wire = new ClientWire();
  await wire.connect(path);
  wire.send(`${JSON.stringify({ verb, ...(link !== undefined && { link }), words })}\n`);
  const line = await wire.line(patienceMs);
  const { ok, ...answer } = parseAnswer(line);
  if (ok === true) return { answer, octets: wire.octets(), close: () => wire.close() };
  wire.close();
  throw new ControlRefusal(typeof answer["error"] === "string" ? answer["error"] : "The link's answer makes no sense");
}

function parseAnswer(line: string | undefined): Answered {
  if (line === undefined) throw new ControlRefusal(NO_ANSWER);
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null) return value as Answered;
  } catch {
    // Not one of ours answers there.
  }
  throw new ControlRefusal("The link's answer makes no sense");
}

/** A connection to a control socket. A reader that is slow holds up the other side, which has a limit for that. */
class ClientWire {
  #socket: Bun.Socket | undefined;
  #pieces: Uint8Array[] = [];
  #hasEnded = false;
  #wake = (): void => {};

  async connect(path: string): Promise<void> {
    try {
      this.#socket = await Bun.connect({
        unix: path,
        socket: {
          data: (socket, bytes) => {
            this.#pieces.push(bytes.slice());
            socket.pause();
            this.#wake();
          },
          end: () => this.#end(),
          close: () => this.#end(),
          error: () => this.#end(),
        },
      });
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : "";
      if (code === "EACCES" || code === "EPERM")
        throw new Denied("Only the user of the link, root and its control-group may control it");
      throw new ControlRefusal("The process of the link has ended");
    }
  }

  #end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  send(text: string): void {
    this.#socket?.write(text);
  }

  close(): void {
    this.#socket?.terminate();
  }

  /** The first line. Undefined: the other side has closed it before. Throws Silent. */
  async line(patienceMs: number): Promise<string | undefined> {
    let line = new Uint8Array(0);
    let isLate = false;
    const giveUp = (): void => {
      isLate = true;
      this.close();
    };
    const timer = patienceMs === Infinity ? undefined : setTimeout(giveUp, patienceMs);
    try {
      while (line.length < MOST_ANSWER) {
        const piece = await this.#next();
        if (isLate) throw new Silent(NO_ANSWER);
        if (piece === undefined) return undefined;
        const end = piece.indexOf(LF);
        line = Buffer.concat([line, end < 0 ? piece : piece.subarray(0, end)]);
        if (end < 0) continue;
        if (end + 1 < piece.length) this.#pieces.unshift(piece.subarray(end + 1));
        return new TextDecoder().decode(line);
      }
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  async *octets(): AsyncGenerator<Uint8Array> {
    for (let piece; (piece = await this.#next()) !== undefined;) yield piece;
  }

  async #next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const piece = this.#pieces.shift();
      if (piece !== undefined) return piece;
      if (this.#hasEnded) return undefined;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      this.#socket?.resume();
      await promise;
    }
  }
}
