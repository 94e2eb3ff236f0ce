// EAP-TLS (RFC 5216; with TLS 1.3, RFC 9190): the client's and the server's method, and the fragmentation of their
// messages. TLS itself is a channel that the caller supplies. It may need time for an answer; meanwhile a method
// returns "pending".

import { put32, put8, putBytes, u32 } from "../bytes/be.ts";
import { EapType } from "../wire/eap.ts";
import type { MppeMaterial } from "./digest.ts";
import type { ClientStep, EapClientMethod, EapServerMethod, MethodHost, ServerStep } from "./eap-methods.ts";
import { quoted } from "./names.ts";

/** One TLS session without a network. */
export interface TlsChannel {
  /** "working": the result of the received bytes is not known yet. "done": both sides have proved their identity. */
  readonly state: "working" | "handshaking" | "done" | "failed";
  /** The reason of a failure, as a line for the log. */
  readonly failure: string;
  /** Takes a whole message from the peer. */
  receive(message: Uint8Array): void;
  /**
   * Takes all data to send, including an alert. Empty: none. After a failure, empty means that the peer reported it.
   */
  take(): Uint8Array;
  /** The master session key of 64 octets, when the state is "done". */
  masterKey(): Uint8Array | undefined;
  /** Releases the session's resources. The session is not used any more. */
  close(): void;
}

const Flag = { Length: 0x80, More: 0x40, Start: 0x20 } as const;
/** The longest message that pppd accepts. */
const LONGEST_MESSAGE = 65536;
/** The octets of a packet besides the fragment: code, identifier, length, type, flags and message length. */
const HEADERS = 10;
const ACK = Uint8Array.of(0);
const PENDING = { kind: "pending" } as const;
const IGNORE = { kind: "ignore" } as const;

/** A message to send (RFC 5216 §2.1.5). Every fragment except the last one is answered with an empty packet. */
export class Outgoing {
  #message: Uint8Array = new Uint8Array(0);
  #at = 0;

  begin(message: Uint8Array): void {
    this.#message = message;
    this.#at = 0;
  }

  get isSent(): boolean {
    return this.#at >= this.#message.length;
  }

  /**
   * The flags and the next fragment, at most `most` octets. Like pppd, sends a message of one fragment without a
   * length.
   */
  next(most: number): Uint8Array {
    const fragment = this.#message.subarray(this.#at, this.#at + Math.max(1, most));
    const isFirst = this.#at === 0;
    this.#at += fragment.length;
    const more = this.isSent ? 0 : Flag.More;
    if (!isFirst || more === 0) return Uint8Array.of(more, ...fragment);
    const data = new Uint8Array(5 + fragment.length);
    putBytes(data, put32(data, put8(data, 0, Flag.Length | more), this.#message.length), fragment);
    return data;
  }
}

/** A message being received. */
export class Incoming {
  #parts: Uint8Array[] = [];
  #length = 0;
  /** The length that the peer announced; below 0 when it announced none. */
  #promised = -1;
  /** Tells what is wrong with the last fragment, if it is broken. */
  complaint = "";

  clear(): void {
    this.#parts = [];
    this.#length = 0;
    this.#promised = -1;
  }

  /**
   * Takes flags and a fragment. Returns "more" when the next one must be requested, or the message after the last one.
   */
  take(data: Uint8Array): Uint8Array | "more" | "broken" {
    const flags = data[0] ?? 0;
    const hasLength = (flags & Flag.Length) !== 0;
    if (hasLength && data.length < 5) return this.#broken("received malformed data");
    const fragment = data.subarray(hasLength ? 5 : 1);
    if (hasLength) {
      const promised = u32(data, 1);
      if (promised > LONGEST_MESSAGE) return this.#broken(`TLS message length > ${LONGEST_MESSAGE}`);
      // Some peers announce the length in every fragment. Then it must not change.
      if (this.#parts.length > 0 && this.#promised !== promised)
        return this.#broken("non-first LI packet? that's odd...");
      this.#promised = promised;
    }
    const length = this.#length + fragment.length;
    if (length > (this.#promised < 0 ? LONGEST_MESSAGE : this.#promised))
      return this.#broken("received data > TLS message length");
    const isLast = (flags & Flag.More) === 0;
    // An empty fragment would make no progress.
    if (!isLast && fragment.length === 0) return this.#broken("received no or invalid data");
    if (isLast && this.#promised >= 0 && length !== this.#promised)
      return this.#broken("received data != TLS message length");
    this.#parts.push(fragment);
    this.#length = length;
    if (!isLast) return "more";
    const message = joined(this.#parts, length);
    this.clear();
    return message;
  }

  #broken(complaint: string): "broken" {
    this.complaint = `EAP-TLS: ${complaint}`;
    this.clear();
    return "broken";
  }
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  parts.reduce((at, part) => putBytes(whole, at, part), 0);
  return whole;
}

function material(masterKey: Uint8Array | undefined, isServer: boolean): MppeMaterial | undefined {
  return masterKey && { version: "tls", masterKey, isServer };
}

// ── client ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Opens a session with a server. Undefined when we have no certificate to use, which is logged. */
export type OpenTlsClient = () => TlsChannel | undefined;

/**
 * In every version of TLS, the server sends last and the client's answer is empty. Only then may a Success follow. With
 * TLS 1.3 the server's last message is RFC 9190's single zero octet, or a session ticket from pppd 2.4.9.
 */
export class TlsClient implements EapClientMethod {
  readonly type = EapType.Tls;
  readonly #host: MethodHost;
  readonly #open: OpenTlsClient;
  readonly #incoming = new Incoming();
  readonly #outgoing = new Outgoing();
  #channel: TlsChannel | undefined;

  constructor(host: MethodHost, open: OpenTlsClient) {
    this.#host = host;
    this.#open = open;
  }

  take(_id: number, data: Uint8Array): ClientStep {
    const { log } = this.#host;
    if (data.length === 0) {
      const what = this.#channel === undefined ? "received EAP-TLS Listen" : "discarding EAP-TLS Receive";
      log("error", `EAP: ${what} packet with no data`);
      return IGNORE;
    }
    if ((data[0]! & Flag.Start) !== 0) return this.#start();
    if (this.#channel === undefined) return this.#nak();
    if (!this.#outgoing.isSent) return this.#fragment();
    const message = this.#incoming.take(data);
    if (message === "more") return { kind: "answer", data: ACK, stands: "unfinished" };
    if (message === "broken") {
      log("warn", this.#incoming.complaint);
      return { kind: "answer", data: ACK, stands: "refused" };
    }
    this.#channel.receive(message);
    return this.resume();
  }

  close(): void {
    this.#channel?.close();
    this.#channel = undefined;
  }

  #start(): ClientStep {
    this.close();
    this.#incoming.clear();
    this.#outgoing.begin(new Uint8Array(0));
    this.#channel = this.#open();
    return this.#channel === undefined ? this.#nak() : this.resume();
  }

  #nak(): ClientStep {
    return { kind: "nak", hasSecret: this.#host.secret(this.#host.config.remotename) !== undefined };
  }

  #fragment(): ClientStep {
    const data = this.#outgoing.next(this.#host.packetRoom - HEADERS);
    const isFailed = this.#outgoing.isSent && this.#channel?.state === "failed";
    return { kind: "answer", data, stands: isFailed ? "refused" : "unfinished" };
  }

  resume(): ClientStep {
    const channel = this.#channel;
    if (channel === undefined || channel.state === "working") return PENDING;
    if (channel.state === "failed") this.#host.log("error", channel.failure);
    const message = channel.take();
    if (message.length > 0) {
      this.#outgoing.begin(message);
      return this.#fragment();
    }
    if (channel.state === "failed") return { kind: "answer", data: ACK, stands: "failed" };
    if (channel.state === "handshaking") return { kind: "answer", data: ACK, stands: "unfinished" };
    const masterKey = channel.masterKey();
    const mppe = material(masterKey, false);
    if (masterKey !== undefined && !this.#host.config.answers.give([masterKey])) return IGNORE;
    this.#host.log("debug", "EAP-TLS generating MPPE keys");
    return { kind: "answer", data: ACK, stands: "finished", ...(mppe && { mppe }) };
  }
}

// ── server ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Opens a session with the client of that name. Undefined when it cannot be authenticated, which is logged. */
export type OpenTlsServer = (client: string) => TlsChannel | undefined;

const BROKEN = { kind: "refuse", isBroken: true } as const;
const REFUSED = { kind: "refuse", isBroken: false } as const;

export class TlsServer implements EapServerMethod {
  readonly type = EapType.Tls;
  readonly #host: MethodHost;
  readonly #open: OpenTlsServer;
  readonly #incoming = new Incoming();
  readonly #outgoing = new Outgoing();
  #channel: TlsChannel | undefined;

  constructor(host: MethodHost, open: OpenTlsServer) {
    this.#host = host;
    this.#open = open;
  }

  get state(): string {
    if (this.#channel === undefined) return "TlsStart";
    return this.#channel.state === "done" ? "TlsRecvClient" : "TlsRecv";
  }

  close(): void {
    this.#channel?.close();
    this.#channel = undefined;
  }

  begin(): Uint8Array {
    this.close();
    this.#incoming.clear();
    this.#outgoing.begin(new Uint8Array(0));
    return Uint8Array.of(Flag.Start);
  }

  take(data: Uint8Array): ServerStep {
    const { log, identity = "" } = this.#host;
    if (data.length === 0) {
      log("warn", "Bogus EAP-TLS packet received from client");
      return IGNORE;
    }
    this.#channel ??= this.#open(identity);
    if (this.#channel === undefined) return REFUSED;
    if (!this.#outgoing.isSent) return this.#fragment(data);
    if (this.#channel.state === "failed") return REFUSED;
    if (this.#channel.state === "done") return this.#conclude(data);
    const message = this.#incoming.take(data);
    if (message === "more") return { kind: "ask", data: ACK };
    if (message === "broken") {
      log("warn", this.#incoming.complaint);
      return BROKEN;
    }
    this.#channel.receive(message);
    return this.resume();
  }

  #fragment(ack: Uint8Array): ServerStep {
    if (ack.length > 1) this.#host.log("debug", "EAP-TLS ACK with extra data");
    return { kind: "ask", data: this.#outgoing.next(this.#host.packetRoom - HEADERS) };
  }

  resume(): ServerStep {
    const channel = this.#channel;
    if (channel === undefined || channel.state === "working") return PENDING;
    if (channel.state === "failed") this.#host.log("error", channel.failure);
    const message = channel.take();
    if (message.length === 0) {
      // TLS is done without a message that the client could confirm, or the client sent half a message. Neither is
      // valid.
      return channel.state === "failed" ? REFUSED : BROKEN;
    }
    this.#outgoing.begin(message);
    return this.#fragment(ACK);
  }

  /** Handles the client's last answer, which is empty when it accepts us. */
  #conclude(data: Uint8Array): ServerStep {
    const { config, log, identity = "" } = this.#host;
    if (data.length > 1 || data[0] !== 0) {
      log("warn", "Server authentication failed");
      return REFUSED;
    }
    const masterKey = this.#channel?.masterKey();
    // An attacker may have relayed our own client's session to us.
    if (masterKey === undefined || config.answers.areOurs([masterKey])) {
      log("warn", `EAP: peer ${quoted(identity)} sent our own response back`);
      return REFUSED;
    }
    log("debug", "EAP-TLS generating MPPE keys");
    const mppe = material(masterKey, true);
    return { kind: "accept", name: identity, ...(mppe && { mppe }) };
  }
}
