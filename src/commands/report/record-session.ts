// The last session of a record file: its rates, bad frames and echoes over time, and the control packets without secrets.

import { describePacket } from "../../describe/packet-text.ts";
import { addressEnd, protocolAt, protocolEnd } from "../../frame/header.ts";
import { packetLength } from "../../record/capture.ts";
import type { RecordItem } from "../../record/pppdump-file.ts";
import { type Samples, SampleSeries } from "../../record/sample-series.ts";
import { Unframer } from "../../record/unframer.ts";
import { Code, parseControl } from "../../wire/control.ts";
import { Protocol } from "../../wire/protocols.ts";
import type { ReportEvent } from "./report-page.ts";

/** Of more events, those in the middle are left out. */
const MOST_EVENTS = 400;

/** Control protocols in whose packets nothing is secret, except what {@link isQuoting} names. */
const OPEN = [Protocol.LCP, Protocol.IPCP, Protocol.IPV6CP, Protocol.CCP, Protocol.CCP_LINK];
const UNTIL_ID = /^(\[\S+ \S+ id=0x[0-9a-f]+)[^]*$/;

export interface RecordSession {
  /** Milliseconds since 1970. */
  readonly began: number;
  readonly seconds: number;
  readonly samples: Samples;
  readonly events: readonly ReportEvent[];
  /** Octets of the line. */
  readonly in: number;
  readonly out: number;
  readonly badFrames: number;
}

interface Side {
  readonly name: "sent" | "rcvd";
  readonly frames: Unframer;
}

/** Undefined: there is no session in the file. */
export function lastSession(items: Iterable<RecordItem>): RecordSession | undefined {
  let session: SessionReader | undefined;
  for (const item of items) {
    // A session begins with its time.
    if (item.type === "start") session = new SessionReader(item.time * 1000);
    else session?.take(item);
  }
  return session?.result();
}

class SessionReader {
  readonly #began: number;
  readonly #series = new SampleSeries();
  readonly #events: ReportEvent[] = [];
  #leftOut = 0;
  readonly #sent: Side = { name: "sent", frames: new Unframer() };
  readonly #received: Side = { name: "rcvd", frames: new Unframer() };
  readonly #total = { in: 0, out: 0, badFrames: 0 };
  /** When each of our echo requests was sent, by its identifier. */
  readonly #echoes = new Map<number, number>();
  #tenths = 0;

  constructor(began: number) {
    this.#began = began;
  }

  take(item: RecordItem): void {
    if (item.type === "time") this.#tenths += item.tenths;
    else if (item.type === "sent") this.#octets(this.#sent, item.data);
    else if (item.type === "received") this.#octets(this.#received, item.data);
  }

  result(): RecordSession {
    const events = this.#events;
    if (this.#leftOut > 0)
      events.splice(MOST_EVENTS / 2, 0, {
        seconds: events[MOST_EVENTS / 2]!.seconds,
        text: `… ${this.#leftOut} packets …`,
      });
    const { in: received, out, badFrames } = this.#total;
    const samples = this.#series.samples();
    return { began: this.#began, seconds: this.#seconds, samples, events, in: received, out, badFrames };
  }

  get #seconds(): number {
    return this.#tenths / 10;
  }

  #octets(side: Side, data: Uint8Array): void {
    const isSent = side.name === "sent";
    let bad = 0;
    let rtt: number | undefined;
    side.frames.push(data, (octets, aborted) => {
      const length = aborted ? 0 : packetLength(octets);
      if (length > 0) rtt = this.#packet(side, octets.subarray(0, length)) ?? rtt;
      else if (!isSent) bad++;
    });
    if (isSent) this.#total.out += data.length;
    else this.#total.in += data.length;
    this.#total.badFrames += bad;
    this.#series.add(this.#seconds, { in: isSent ? 0 : data.length, out: isSent ? data.length : 0, bad, rtt });
  }

  /** Returns the round trip of an echo that this answers, in milliseconds. */
  #packet(side: Side, packet: Uint8Array): number | undefined {
    const start = addressEnd(packet, 0, packet.length);
    const at = protocolEnd(packet, start, packet.length);
    const protocol = protocolAt(packet, start, at);
    if (protocol < 0x8000) return undefined;
    const control = parseControl(packet, at, packet.length);
    if (protocol === Protocol.LCP && (control?.code === Code.EchoReq || control?.code === Code.EchoRep))
      return this.#echo(side, control.code, control.id);
    const text = `${side.name} ${describedWithoutSecrets(protocol, packet.subarray(at))}`;
    this.#events.push({ seconds: this.#seconds, text });
    if (this.#events.length > MOST_EVENTS) {
      this.#events.splice(MOST_EVENTS / 2, 1);
      this.#leftOut++;
    }
    return undefined;
  }

  #echo({ name }: Side, code: number, id: number): number | undefined {
    if (name === "sent" && code === Code.EchoReq) this.#echoes.set(id, this.#tenths);
    if (name === "sent" || code !== Code.EchoRep) return undefined;
    const sentAt = this.#echoes.get(id);
    this.#echoes.delete(id);
    return sentAt === undefined ? undefined : (this.#tenths - sentAt) * 100;
  }
}

/** `information` is what follows the protocol. */
function describedWithoutSecrets(protocol: number, information: Uint8Array): string {
  const packet = new Uint8Array(2 + information.length);
  packet.set([protocol >> 8, protocol & 0xff]);
  packet.set(information, 2);
  const text = describePacket(packet, 0, packet.length, { hidePassword: true });
  if (OPEN.some((open) => open === protocol) && !isQuoting(protocol, information[0])) return text;
  const [, beginning] = UNTIL_ID.exec(text) ?? [];
  return beginning === undefined ? `[proto=0x${protocol.toString(16)} …]` : `${beginning} …]`;
}

/** A refusal repeats a packet of any protocol, which may have had a password in it. */
function isQuoting(protocol: number, code: number | undefined): boolean {
  return protocol === Protocol.LCP ? code === Code.CodeRej || code === Code.ProtRej : code === Code.CodeRej;
}
