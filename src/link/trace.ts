// Logs packets as debug lines: which packets, and with which prefix.

import { isFrequentClimb } from "../wire/climb-packet.ts";
import { Code } from "../wire/control.ts";
import { describePacket } from "../describe/packet-text.ts";
import { hidePassword } from "../wire/hidden-password.ts";
import { Protocol } from "../wire/protocols.ts";

/** pppd cuts a line of the log here. */
const LONGEST_LINE = 1023;

export class Trace {
  /**
   * 0: no packets in the log; 1: control packets, without echoes once a network protocol is up and without
   * what is frequent of climb; 2: all.
   */
  level: number;
  readonly #hidePassword: boolean;
  readonly #write: (text: string) => void;

  constructor(hidePassword: boolean, level: number, write: (text: string) => void) {
    this.#hidePassword = hidePassword;
    this.level = level;
    this.#write = write;
  }

  /** `up`: a network protocol is up. Level 1 then leaves out echoes, which would fill the log. */
  packet(how: "sent" | "rcvd", protocol: number, packet: Uint8Array, start: number, end: number, up: boolean): void {
    if (this.level === 0) return;
    const code = packet[start];
    if (this.level === 1 && up && protocol === Protocol.LCP && (code === Code.EchoReq || code === Code.EchoRep)) return;
    if (this.level === 1 && protocol === Protocol.LCP && isFrequentClimb(packet, start, end)) return;
    const whole = new Uint8Array(2 + end - start);
    whole[0] = protocol >>> 8;
    whole[1] = protocol;
    whole.set(packet.subarray(start, end), 2);
    // Also those that describePacket cannot know: in a packet with a wrong length, in one that is rejected, or of EAP.
    if (this.#hidePassword) hidePassword(protocol, whole, 2, whole.length);
    const text = describePacket(whole, 0, whole.length, { hidePassword: this.#hidePassword });
    this.#write(`${how} ${text.slice(0, LONGEST_LINE - "rcvd ".length)}`);
  }
}
