// Answers the programs that are connected to the control socket of a process with one link or many.

import { nearestNames } from "../../bytes/nearest.ts";
import { type ControlWire, ControlConnection, type Reply } from "./control-connection.ts";
import { parseRequest, type ControlRequest } from "./control-request.ts";
import { ControlError, type ControlledLink, type Steered } from "./controlled-link.ts";
import { VERBS } from "./control-verbs.ts";
import type { Verb } from "./verb.ts";

const MOST_PROGRAMS = 32;

export interface ControlServerHost {
  readonly pid: number;
  /** Distinguishes interfaces of the same name. */
  namespace(): string;
  /** The same device may have several names. */
  realPath(path: string): string;
  links(): readonly ControlledLink[];
}

/** One line of a link, for programs. */
export interface ControlledPlace {
  readonly interface?: string | undefined;
  readonly linkname?: string | undefined;
  readonly device: string;
  /** The word by which the options name the device. */
  readonly place: string;
  readonly state: string;
  readonly pid: number;
  readonly namespace: string;
}

export class ControlServer {
  readonly #host: ControlServerHost;
  readonly #verbs: readonly Verb[];
  #connections: ControlConnection[] = [];

  constructor(host: ControlServerHost, verbs = VERBS) {
    this.#host = host;
    this.#verbs = verbs;
  }

  /** A program has connected. */
  connect(wire: ControlWire): ControlConnection {
    const connection = new ControlConnection(wire, (line, user, reply) => this.#serve(line, user, reply));
    this.#connections = this.#connections.filter(({ isClosed }) => !isClosed);
    // One that has asked nothing for the longest time makes room.
    if (this.#connections.length >= MOST_PROGRAMS) this.#connections.find(({ isIdle }) => isIdle)?.close();
    this.#connections = this.#connections.filter(({ isClosed }) => !isClosed);
    if (this.#connections.length < MOST_PROGRAMS) this.#connections.push(connection);
    else connection.refuse(`${MOST_PROGRAMS} programs are connected already`);
    return connection;
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
    return this.#host.links().flatMap(({ interface: ifname, linkname, lines }) =>
      lines.map(({ device, place, state }) => ({
        interface: ifname,
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
  #find(name: string): { readonly link: ControlledLink; readonly target: Steered } {
    const links = this.#host.links();
    const whole = links.find((link) => link.interface === name || link.linkname === name);
    if (whole !== undefined) return { link: whole, target: whole };
    const path = name.startsWith("/") ? name : `/dev/${name}`;
    const real = this.#host.realPath(path);
    for (const link of links) {
      const { lines } = link;
      const line = lines.find(({ device, place }) =>
        [device, place].some((one) => one === name || one === path || this.#host.realPath(one) === real),
      );
      if (line !== undefined) return { link, target: lines.length === 1 ? link : line };
    }
    throw new ControlError(`There is no link ${name}`);
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
