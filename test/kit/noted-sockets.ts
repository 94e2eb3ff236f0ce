// Sockets for the relay of name queries: what is sent is noted, and an answer lies ready.

import { toHex } from "../../src/bytes/text.ts";

const EAGAIN = 11;

/** Sockets of which each datagram is noted. */
export class NotedSockets {
  readonly sent: string[] = [];
  readonly fd = 9;
  answer: Uint8Array | undefined;
  isEnded = false;
  #told: number[] = [];

  openDatagrams(address: Uint8Array, port: number): number {
    this.sent.push(`${address.join(address.length === 4 ? "." : " ")} ${port}`);
    return 20;
  }

  connect(address: Uint8Array, port: number): number {
    this.sent.push(`TCP ${address.join(".")} ${port}`);
    return 21;
  }

  send(_: number, from: Uint8Array, start: number, end: number): number {
    this.sent.push(toHex(from, start, end));
    this.#told = [20];
    return end - start;
  }

  read(_: number, into: Uint8Array, at: number): number {
    const { answer } = this;
    this.answer = undefined;
    if (answer === undefined) return -EAGAIN;
    into.set(answer, at);
    return answer.length;
  }

  collect(told: (socket: number, readable: boolean, writable: boolean) => void): number {
    for (const socket of this.#told) told(socket, true, true);
    return this.#told.splice(0).length;
  }

  connectResult = (): number => 0;
  room = (): number => 10_000;
  takeIcmp = (): undefined => undefined;
  close(): void {}
  abort(): void {}
  end(): void {
    this.isEnded = true;
  }
}
