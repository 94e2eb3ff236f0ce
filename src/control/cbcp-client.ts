// CBCP as the side that wants to be called back (Microsoft's Callback Control Protocol; pppd's `callback`).
//
// It follows authentication when LCP agreed on it (option 13, operation 6). The peer offers ways, we take the one we
// like best, and its Ack is the sign to hang up and wait for the telephone.

import { printable } from "../bytes/text.ts";
import { type CallbackOption, CbcpCode, CbcpOption, parseCallbackOptions, putCallbackResponse } from "../wire/cbcp.ts";
import { parseControl } from "../wire/control.ts";
import { Protocol } from "../wire/protocols.ts";
import type { Lower } from "./dialect.ts";

/** Seconds we want to be left between hanging up and the call; what pppd says. */
const DELAY = 5;
/** The option's length is one octet, and five of it are not the number's. */
const LONGEST_NUMBER = 250;

export interface CbcpOwner {
  /** The peer will call: close the link ("Call me back, please"). Nothing more comes. */
  callbackAgreed(now: number): void;
  /** There will be no call back: the link goes on. Once for each start(). */
  noCallback(now: number): void;
}

export class CbcpClient {
  readonly #number: string;
  readonly #lower: Pick<Lower, "send" | "log">;
  readonly #owner: CbcpOwner;
  #state: "closed" | "waiting" | "answered" | "done" = "closed";
  /** Identifier of our last Response. */
  #id = 0;

  /** `number`: where we can be called, if the peer lets us say so. */
  constructor(number: string, lower: Pick<Lower, "send" | "log">, owner: CbcpOwner) {
    this.#number = number;
    this.#lower = lower;
    this.#owner = owner;
  }

  /** Both sides have proved who they are. Nothing is sent: the peer begins. */
  start(): void {
    this.#state = "waiting";
  }

  stop(): void {
    this.#state = "closed";
  }

  /** Takes in packet[start, end), which begins with the code. */
  receive(packet: Uint8Array, start: number, end: number, now: number): void {
    const control = parseControl(packet, start, end);
    if (control === undefined || this.#state === "closed") return;
    const { code, id, dataStart, dataEnd } = control;
    const options = parseCallbackOptions(packet, dataStart, dataEnd);
    if (code === CbcpCode.Request) {
      if (options === undefined) this.#lower.log("debug", "cbcp_recvreq: malformed packet");
      else this.#request(id, options, now);
    } else if (code === CbcpCode.Ack) {
      if (options?.[0] === undefined) this.#lower.log("debug", "cbcp_recvack: malformed packet");
      else this.#ack(id, options[0], now);
    }
  }

  #request(id: number, options: readonly CallbackOption[], now: number): void {
    for (const { type, number } of options) {
      if (type === CbcpOption.NoCallback) this.#lower.log("debug", "no callback allowed");
      if (type === CbcpOption.UserSpecified) this.#lower.log("debug", "user callback allowed");
      if (type === CbcpOption.AdminSpecified) this.#lower.log("debug", "user admin defined allowed");
      if (number !== "") this.#lower.log("debug", `address: ${printable(number)}`);
    }
    const chosen = this.#choose(options);
    if (chosen === undefined) {
      // pppd says nothing either; the peer asks again, and gives up.
      this.#lower.log("warn", "The peer offers no way of calling back that we know");
      return;
    }
    this.#id = id;
    this.#lower.send(Protocol.CBCP, (buf, at) => putCallbackResponse(buf, at, id, chosen));
    // A Request may come again, when our Response was lost.
    if (this.#state === "done") return;
    this.#state = "answered";
    if (chosen.type === CbcpOption.NoCallback) this.#finish(chosen.type, now);
  }

  #choose(options: readonly CallbackOption[]): CallbackOption | undefined {
    const offers = (type: number): boolean => options.some((option) => option.type === type);
    if (offers(CbcpOption.UserSpecified)) {
      if (this.#number.length > LONGEST_NUMBER)
        this.#lower.log("warn", `callback number truncated to ${LONGEST_NUMBER} characters`);
      return { type: CbcpOption.UserSpecified, delay: DELAY, number: this.#number.slice(0, LONGEST_NUMBER) };
    }
    if (offers(CbcpOption.AdminSpecified)) return { type: CbcpOption.AdminSpecified, delay: DELAY, number: "" };
    return offers(CbcpOption.NoCallback) ? { type: CbcpOption.NoCallback, delay: 0, number: "" } : undefined;
  }

  #ack(id: number, { type, number }: CallbackOption, now: number): void {
    if (this.#state !== "answered") return;
    if (id !== this.#id) this.#lower.log("debug", `id doesn't match: expected ${this.#id} recv ${id}`);
    if (number !== "") this.#lower.log("debug", `peer will call: ${printable(number)}`);
    this.#finish(type, now);
  }

  /** Ours was the last word, or the peer's was. */
  #finish(type: number, now: number): void {
    this.#state = "done";
    if (type === CbcpOption.NoCallback) this.#owner.noCallback(now);
    else this.#owner.callbackAgreed(now);
  }
}
