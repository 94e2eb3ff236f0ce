// A pppd whose line is its standard input and output, and a pair of sockets that joins two of them.

import { dlopen } from "bun:ffi";
import { check, closeFd, Memory, O } from "../../src/os/ffi/libc.ts";
import type { Machine } from "../kit/machine.ts";
import { pppdPath, until } from "./scene.ts";

const unix = dlopen("libc.so.6", { socketpair: { args: ["i32", "i32", "i32", "ptr"], returns: "i32" } }).symbols;
const AF_UNIX = 1;
const SOCK_STREAM = 1;

export function socketPair(): [number, number] {
  const two = new Memory(8);
  check(unix.socketpair(AF_UNIX, SOCK_STREAM | O.CLOEXEC, 0, two.address), "socketpair");
  return [two.view.getInt32(0, true), two.view.getInt32(4, true)];
}

/** Starts a pppd on these descriptors and closes them here. */
export class Notty {
  log = "";
  readonly #child: Bun.Subprocess<number, number, "pipe">;

  constructor(where: Machine, input: number, output: number, words: readonly string[]) {
    const argv = where.argv([pppdPath(), "notty", "logfd", "2", ...words]);
    this.#child = Bun.spawn(argv, { stdio: [input, output, "pipe"] });
    for (const fd of new Set([input, output])) closeFd(fd);
    void this.#read();
  }

  async #read(): Promise<void> {
    for await (const chunk of this.#child.stderr.pipeThrough(new TextDecoderStream())) this.log += chunk;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  says(what: string): Promise<void> {
    return until(`${what} in\n${this.log}`, () => this.log.includes(what));
  }

  exit(): Promise<number> {
    return this.#child.exited;
  }

  async stop(): Promise<number> {
    this.#child.kill("SIGKILL");
    return this.#child.exited;
  }
}
