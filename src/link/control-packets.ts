// The control packets of a link: each one received goes to the protocol that it is of, each one sent is logged and framed.

import type { Level } from "../control/dialect.ts";
import { HEADROOM } from "../frame/header.ts";
import { Protocol, protocolName } from "../wire/protocols.ts";
import type { Admission } from "./admission.ts";
import type { Phase } from "./events.ts";
import type { Framing } from "./framing.ts";
import type { LinkControl } from "./link-control.ts";
import type { Networks } from "./networks.ts";
import type { Trace } from "./trace.ts";

/** In the order of pppd's phase numbers, which a log line prints. Only pppd has the phases without a name. */
const PHASES = ["dead", "", "", "", "establish", "authenticate", "callback", "network", "", "terminate"];

export interface ControlPacketsHost {
  readonly framing: Framing;
  readonly trace: Trace;
  readonly control: LinkControl;
  readonly admission: Admission;
  readonly networks: Networks;
  phase(): Phase;
  log(level: Level, text: string): void;
}

export class ControlPackets {
  readonly #host: ControlPacketsHost;

  constructor(host: ControlPacketsHost) {
    this.#host = host;
  }

  send(protocol: number, write: (buf: Uint8Array, at: number) => number, now: number): void {
    const { framing, trace, networks } = this.#host;
    framing.compose(write);
    trace.packet("sent", protocol, framing.control, HEADROOM, framing.controlEnd, networks.up);
    framing.sendControl(protocol, now);
  }

  receive(protocol: number, frame: Uint8Array, start: number, end: number, now: number): void {
    const { trace, control, admission, networks, log } = this.#host;
    trace.packet("rcvd", protocol, frame, start, end, networks.up);
    control.heard?.packet(protocol, start < end ? frame[start] : undefined);
    if (protocol === Protocol.LCP) {
      control.receive(frame, start, end, now);
      return;
    }
    if (!control.opened) {
      log("debug", "Discarded non-LCP packet when LCP not open");
      return;
    }
    if (protocol === Protocol.LQR && control.receiveReport(frame, start, end, now)) return;
    if (admission.receive(protocol, frame, start, end, now)) return;
    if (this.#host.phase() === "authenticate" && networks.speaks(protocol)) admission.authentication.heardNetwork(now);
    if (this.#host.phase() !== "network") {
      log("debug", `discarding proto 0x${protocol.toString(16)} in phase ${PHASES.indexOf(this.#host.phase())}`);
      return;
    }
    if (!networks.receiveControl(protocol, frame, start, end, now)) this.reject(protocol, frame, start, end);
  }

  reject(protocol: number, frame: Uint8Array, start: number, end: number): void {
    const { trace, control, log } = this.#host;
    if (trace.level > 0) {
      const name = protocolName(protocol);
      const hex = `0x${protocol.toString(16)}`;
      log("warn", `Unsupported protocol ${name === undefined ? hex : `'${name}' (${hex})`} received`);
    }
    control.rejectProtocol(protocol, frame, start, end);
  }
}
