// CBCP for the side that wants to be called back (Microsoft's Callback Control Protocol; pppd's `callback`).
//
// It follows authentication when LCP agreed on it (option 13, operation 6). The peer offers kinds of callback and we
// choose one. Its Ack tells us to hang up and wait for the call.

import { printable } from "../bytes/text.ts";
import { type CallbackOption, CbcpCode, CbcpOption, parseCallbackOptions, putCallbackResponse } from "../wire/cbcp.ts";
import { parseControl } from "../wire/control.ts";
import { Protocol } from "../wire/protocols.ts";
import type { Lower } from "./dialect.ts";

/** The seconds that we ask for between hanging up and the call. pppd asks for the same. */
const DELAY = 5;
/** The longest number. The option has 255 octets at most, and five of them are other fields. */
const LONGEST_NUMBER = 250;

export interface CbcpOwner {
  /** The peer will call: close the link ("Call me back, please"). No other call follows. */
  callbackAgreed(now: number): void;
  /** There will be no callback, and the link goes on. Called once for each start(). */
  noCallback(now: number): void;
}

export class CbcpClient {
  readonly #number: string;
  readonly #lower: Pick<Lower, "send" | "log">;
  readonly #owner: CbcpOwner;
  #state: "closed" | "waiting" | "answered" | "done" = "closed";
  /** Identifier of our last Response. */
  #id = 0;

  /** `number` is our telephone number, for a peer that lets us name it. */
  constructor(number: string, lower: Pick<Lower, "send" | "log">, owner: CbcpOwner) {
    this.#number = number;
    this.#lower = lower;
    this.#owner = owner;
  }

  /** Authentication is complete. Nothing is sent: the peer sends the first Request. */
  start(): void {
    this.#state = "waiting";
  }

  stop(): void {
    this.#state = "closed";
  }

  /** Handles packet[start, end), which begins with the code. */
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
      // Like pppd, we do not answer. The peer repeats its Request until it gives up.
      this.#lower.log("warn", "The peer offers no way of calling back that we know");
      return;
    }
    this.#id = id;
    this.#lower.send(Protocol.CBCP, (buf, at) => putCallbackResponse(buf, at, id, chosen));
    // The peer repeats its Request when our Response was lost.
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

  /** The exchange is over. `type` is the option that both sides agreed on. */
  #finish(type: number, now: number): void {
    this.#state = "done";
    if (type === CbcpOption.NoCallback) this.#owner.noCallback(now);
    else this.#owner.callbackAgreed(now);
  }
}
