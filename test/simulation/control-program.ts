// A program on a simulated computer that controls a link by the socket of its process.

import type { ControlConnection } from "../../src/run/control/control-connection.ts";
import type { ControlledLink } from "../../src/run/control/controlled-link.ts";
import { ControlServer } from "../../src/run/control/control-server.ts";
import type { Process } from "./process.ts";

export type Answer = Readonly<Record<string, unknown>>;

export class ControlProgram {
  readonly answers: Answer[] = [];
  readonly #process: Process;
  readonly #links: () => readonly ControlledLink[];
  readonly #connection: ControlConnection;

  constructor(process: Process, links: () => readonly ControlledLink[]) {
    this.#process = process;
    this.#links = links;
    const server = new ControlServer({
      pid: process.pid,
      owner: "uid 0",
      namespace: () => "net:[1]",
      realPath: (path) => path,
      portPath: (path) => path,
      links,
    });
    this.#connection = server.connect({
      user: "uid 0",
      write: (bytes) => {
        for (const line of new TextDecoder().decode(bytes).trimEnd().split("\n"))
          this.answers.push(JSON.parse(line) as Answer);
        return bytes.length;
      },
      close: () => {},
    });
  }

  /** Its process reads the request when the socket's descriptor has ended its poll, or at its next turn. */
  ask(verb: string, link?: string, ...words: readonly string[]): void {
    const line = `${JSON.stringify({ verb, link, words })}\n`;
    this.#process.post(() => this.#connection.received(new TextEncoder().encode(line)), "child");
  }

  /** The state of each line, by its device. */
  get states(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#links().flatMap(({ lines }) => lines.map(({ device, state }) => [device, state])));
  }
}
