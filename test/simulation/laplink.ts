// Two simulated computers and the cables between them.

import { Rng } from "../kit/rng.ts";
import { Computer } from "./computer.ts";
import { Cable, LATENCY_MS } from "./serial-line.ts";
import { Time } from "./time.ts";
import { Traffic } from "./traffic.ts";

export interface LaplinkSettings {
  readonly seed: number;
  readonly cables?: number;
  /** With the wires for DTR and CD. */
  readonly isFull?: boolean;
  readonly latencyMs?: number;
}

export class Laplink {
  readonly time = new Time();
  readonly rng: Rng;
  readonly cables: readonly Cable[];
  readonly computers: readonly [Computer, Computer];
  /** From the first computer, and from the second. */
  readonly traffic: readonly [Traffic, Traffic];
  /** What the computers' networks were before. */
  readonly #untouched: readonly string[][];

  constructor({ seed, cables = 1, isFull = true, latencyMs = 0 }: LaplinkSettings) {
    const rng = (this.rng = new Rng(seed));
    const { time } = this;
    const [a, b] = (this.computers = [new Computer("a", time, rng), new Computer("b", time, rng)]);
    this.cables = Array.from({ length: cables }, (_, at) => {
      const cable = new Cable(time, rng, isFull);
      cable.latencyMs = latencyMs;
      a.plug(cable.ends[0], `/dev/ttyUSB${at}`);
      b.plug(cable.ends[1], `/dev/ttyUSB${at}`);
      return cable;
    });
    this.traffic = [new Traffic(a, b, rng), new Traffic(b, a, rng)];
    this.#untouched = this.computers.map(({ network }) => network.state);
  }

  /** True when both have an interface that is up with an address. */
  get isUp(): boolean {
    return this.computers.every(({ network }) => network.tuns.some((tun) => tun.isUp && tun.addresses.length > 0));
  }

  /** What sessions that have ended have left on a computer. */
  leftOn(side: 0 | 1): string[] {
    const { network, files, processes, ports, killed } = this.computers[side];
    const before = this.#untouched[side]!;
    const { state } = network;
    return [
      ...state.filter((line) => !before.includes(line)),
      ...before.filter((line) => !state.includes(line)).map((line) => `no ${line}`),
      // Locks and pid files of a session that was killed stay until one of the same name is made.
      ...[...files.files.keys()].filter(
        (path) => /^\/var\/(run|lock)\//.test(path) && !killed.has(Number.parseInt(files.text(path) ?? "", 10)),
      ),
      ...[...processes.running].map((pid) => `process ${pid}`),
      ...[...processes.shares.keys()].map((name) => `share ${name}`),
      ...[...processes.publications.keys()],
      ...ports.flatMap(({ tty, path }) => (tty === undefined ? [] : [`open ${path}`])),
      ...ports.flatMap(({ latencyMs, path }) => (latencyMs === LATENCY_MS ? [] : [`latency of ${path}`])),
    ];
  }

  /** Both logs. */
  get transcript(): string {
    return this.computers
      .flatMap(({ transcript }) => transcript)
      .map((line, order) => ({ line, order, at: Number.parseFloat(line) }))
      .sort((one, other) => one.at - other.at || one.order - other.order)
      .map(({ line }) => line)
      .join("\n");
  }
}
