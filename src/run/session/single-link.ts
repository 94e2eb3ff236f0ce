// One link on one line, from the line's lock to its close. The counterpart for several lines is Bundling.

import { Line } from "../line/line.ts";
import type { Whereabouts } from "../line/whereabouts.ts";
import type { InterfaceBuffers, LineBuffers } from "../loop/buffers.ts";
import type { PacketPort } from "../packets/port.ts";
import type { Peers } from "../peers/peers.ts";
import { Attempt, type End } from "./attempt.ts";
import { LinkGroup, type LinkGroupHost } from "./link-group.ts";
import type { Waits } from "./waits.ts";

export interface SingleLinkHost extends LinkGroupHost {
  readonly peers: Peers;
  readonly whereabouts: Whereabouts | undefined;
  readonly waits: Waits;
  /** Nothing more is to be begun. */
  quitting(): boolean;
  /** Makes what the link carries packets for. Throws Failed. */
  openPort(): PacketPort;
  /** The link is about to begin. */
  starts(port: PacketPort): void;
  /** The link has ended; the line has not. */
  ended(group: LinkGroup, end: End): void;
}

export class SingleLink {
  readonly line: Line;
  /** The link, from its beginning to its end. */
  group: LinkGroup | undefined;
  readonly #host: SingleLinkHost;
  #port: PacketPort | undefined;

  constructor(host: SingleLinkHost) {
    const { machine, options, log, hooks, notifier, observer, whereabouts, waits } = host;
    this.#host = host;
    const quitting = (): boolean => host.quitting();
    this.line = new Line({
      machine,
      options,
      log,
      hooks,
      notifier,
      whereabouts,
      sleep: waits.sleep,
      quitting,
      lineChanged: (text) => observer?.lineChanged(text),
    });
  }

  /** The interface, while there is one. */
  get interface(): string | undefined {
    return this.#port?.name;
  }

  /** A signal that ends it. */
  signal(number: number): void {
    this.line.signal(number);
    this.group?.close("User request", this.#host.machine.clock.now());
  }

  /** Throws Failed. */
  async run(buffers: LineBuffers, memory: InterfaceBuffers): Promise<void> {
    const { line } = this;
    const { log, waits, quitting, openPort, starts } = this.#host;
    try {
      const tty = await line.open();
      if (quitting()) return;
      const port = (this.#port = openPort());
      if (!(await port.begin(tty.speed, waits.outlast))) return;
      log.write("notice", `Connect: ${port.name} <--> ${tty.path}`);
      starts(port);
      const host = { ...this.#host, lineNumber: 0, speed: () => tty.speed };
      const attempt = new Attempt(host, buffers, memory.plain.bytes, tty, port);
      const group = (this.group = new LinkGroup(host, attempt.link, port, memory));
      await this.#carry(group, attempt, port);
      line.dropDtr();
    } finally {
      line.close();
      this.#port?.release();
      this.#port = undefined;
    }
  }

  async #carry(group: LinkGroup, attempt: Attempt, port: PacketPort): Promise<void> {
    try {
      group.start(attempt);
      await group.run();
      const end = await attempt.ended;
      this.#host.ended(group, end);
      this.group = undefined;
      group.network.end();
      port.finish();
      const { autodetectGetty } = this.#host.options.config;
      if (end.visitor === undefined || autodetectGetty === undefined) await this.line.end(end);
      else await this.line.lend(autodetectGetty, end.visitor);
    } finally {
      // A bug above must not leave an address or a route behind.
      group.end();
    }
  }
}
