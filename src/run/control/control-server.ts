// Answers the programs that are connected to the control socket of a process with one link or many.

import { nearestNames } from "../../bytes/nearest.ts";
import { type ControlWire, ControlConnection, type Reply } from "./control-connection.ts";
import { parseRequest, type ControlRequest } from "./control-request.ts";
import { ControlError, type ControlledLink, type Steered } from "./controlled-link.ts";
import { VERBS } from "./control-verbs.ts";
import type { Verb } from "./verb.ts";

const MOST_PROGRAMS = 32;
/** Of one user. Root and the user of this process have no such limit. */
const MOST_OF_USER = 8;
const ROOT = "uid 0";

export interface ControlServerHost {
  readonly pid: number;
  /** The user of this process: "uid 0". */
  readonly owner: string;
  /** Distinguishes interfaces of the same name. */
  namespace(): string;
  /** Where a path that a program names leads. Undefined: it is no path of a device, or not worth the time. */
  realPath(path: string): string | undefined;
  /** Where the path of a port led a moment ago. */
  portPath(path: string): string;
  links(): readonly ControlledLink[];
}

/** One line of a link, for programs. */
export interface ControlledPlace {
  readonly interface?: string | undefined;
  /** While there is no interface: the last one, or the one that the options ask for. */
  readonly usualInterface?: string | undefined;
  readonly linkname?: string | undefined;
  readonly device: string;
  /** The word by which the options name the device. */
  readonly place: string;
  readonly state: string;
  readonly pid: number;
  readonly namespace: string;
}

interface Found {
  readonly link: ControlledLink;
  readonly target: Steered;
}

interface Connected {
  readonly user: string;
  readonly connection: ControlConnection;
}

function isIdle({ connection }: Connected): boolean {
  return connection.isIdle;
}

export class ControlServer {
  readonly #host: ControlServerHost;
  readonly #verbs: readonly Verb[];
  /** The oldest comes first. */
  #connections: Connected[] = [];

  constructor(host: ControlServerHost, verbs = VERBS) {
    this.#host = host;
    this.#verbs = verbs;
  }

  /** A program has connected. */
  connect(wire: ControlWire): ControlConnection {
    const connection = new ControlConnection(wire, (line, user, reply) => this.#serve(line, user, reply));
    const refusal = this.#makeRoom(wire.user);
    if (refusal === undefined) this.#connections.push({ user: wire.user, connection });
    else connection.refuse(refusal);
    return connection;
  }

  /** Returns why there is no room for a program of this user. */
  #makeRoom(user: string): string | undefined {
    this.#forgetClosed();
    const own = this.#connections.filter((one) => one.user === user);
    const isFull = this.#connections.length >= MOST_PROGRAMS;
    if (this.#isMaster(user)) {
      if (!isFull) return undefined;
      const others = this.#connections.filter((one) => !this.#isMaster(one.user));
      // One that waits for something makes room only where it must.
      const leaving = others.find(isIdle) ?? this.#connections.find(isIdle) ?? others[0];
      return this.#displace(leaving, `${MOST_PROGRAMS} programs are connected already`);
    }
    if (own.length >= MOST_OF_USER)
      return this.#displace(own.find(isIdle), `${MOST_OF_USER} programs of your user are connected already`);
    if (!isFull) return undefined;
    const others = this.#connections.filter((one) => !this.#isMaster(one.user));
    return this.#displace(others.find(isIdle), `${MOST_PROGRAMS} programs are connected already`);
  }

  #displace(leaving: Connected | undefined, refusal: string): string | undefined {
    leaving?.connection.close();
    this.#forgetClosed();
    return leaving === undefined ? refusal : undefined;
  }

  #forgetClosed(): void {
    this.#connections = this.#connections.filter(({ connection }) => !connection.isClosed);
  }

  #isMaster(user: string): boolean {
    return user === ROOT || user === this.#host.owner;
  }

  #serve(line: string, user: string, reply: Reply): void {
    try {
      this.#answer(parseRequest(line), user, reply);
    } catch (error) {
      if (!(error instanceof ControlError)) throw error;
      reply.fail(error.message);
    }
  }

  #answer({ verb: name, link, words }: ControlRequest, user: string, reply: Reply): void {
    if (name === "links") {
      reply.answer({ links: this.#places() });
      return;
    }
    const verb = this.#verbs.find((one) => one.name === name);
    if (verb === undefined) throw new ControlError(unknownVerb(name, this.#verbs));
    if (link === undefined) throw new ControlError(`${name} needs a link`);
    const found = this.#find(link);
    const note = (): void => found.link.asked([name, ...words.map(wordText)].join(" "), user);
    verb.run({ ...found, words, reply, note });
  }

  #places(): ControlledPlace[] {
    const { pid } = this.#host;
    const namespace = this.#host.namespace();
    return this.#host.links().flatMap(({ interface: ifname, usualInterface, linkname, lines }) =>
      lines.map(({ device, place, state }) => ({
        interface: ifname,
        usualInterface: ifname === undefined ? usualInterface : undefined,
        linkname,
        device,
        place,
        state,
        pid,
        namespace,
      })),
    );
  }

  /** An interface or a linkname means all lines of the link. */
  #find(name: string): Found {
    const links = this.#host.links();
    const whole = links.find((link) => link.interface === name || link.linkname === name);
    if (whole !== undefined) return { link: whole, target: whole };
    const path = name.startsWith("/") ? name : `/dev/${name}`;
    const found =
      this.#lineOf(links, (port) => port === name || port === path) ?? this.#lineAt(links, this.#host.realPath(path));
    if (found !== undefined) return found;
    // Its interface is gone between two attempts.
    const usual = links.find((link) => link.interface === undefined && link.usualInterface === name);
    if (usual !== undefined) return { link: usual, target: usual };
    throw new ControlError(`There is no link ${name}`);
  }

  #lineAt(links: readonly ControlledLink[], real: string | undefined): Found | undefined {
    return real === undefined ? undefined : this.#lineOf(links, (port) => this.#host.portPath(port) === real);
  }

  /** The link with a port that `isMeant`, or one line of it. */
  #lineOf(links: readonly ControlledLink[], isMeant: (port: string) => boolean): Found | undefined {
    for (const link of links) {
      const { lines } = link;
      const line = lines.find(({ device, place }) => isMeant(device) || (place !== device && isMeant(place)));
      if (line !== undefined) return { link, target: lines.length === 1 ? link : line };
    }
    return undefined;
  }
}

/** One plain sentence about a verb that does not exist. */
export function unknownVerb(name: string, verbs: readonly Verb[] = VERBS): string {
  const near = nearestNames(
    name,
    verbs.map((verb) => verb.name),
  );
  const hint = near.length === 0 ? "" : `; did you mean ${near.join(" or ")}?`;
  return `There is no verb ${JSON.stringify(name)}${hint}`;
}

/** A word as the log has it, on one line. */
function wordText(word: string): string {
  return /^[\w.:/%+-]+$/.test(word) ? word : JSON.stringify(word);
}
