// The time on a line before PPP begins, with the option join: the caller finds the speed and the kind of the other end, the
// log says what it sees, and the link gets the line.

import { Caller, type Hopeless, type Sight } from "../../front/caller.ts";
import { decoded } from "../../bytes/text.ts";
import type { Link } from "../../link/link.ts";
import type { Config } from "../../options/config.ts";
import { type Finding, report } from "../diagnose/finding.ts";
import { Exit } from "../exit.ts";
import type { Device } from "../host/serial.ts";
import type { Log } from "../log.ts";
import type { LinePort } from "../loop/line-port.ts";
import type { Loop } from "../loop/loop.ts";
import type { Machine } from "../machine.ts";
import type { Peers } from "../peers/peers.ts";
import { Tuner } from "./tuner.ts";

/** When nothing has been heard for so long, the log says so. */
const SILENT_MS = 15_000;
const NUMBER = "777";

const HOPELESS = {
  refused: {
    exit: Exit.AUTH_TO_PEER,
    text: "The login prompt of the other end refuses our name and password",
    remedy: "correct user NAME and its line in pap-secrets (nullmodem join: --user and --password-file)",
  },
  "no account": {
    exit: Exit.AUTH_TO_PEER,
    text: "The other end has a login prompt, and there is no name and password for it",
    remedy: "give user NAME, and its line in pap-secrets (nullmodem join: --user and --password-file)",
  },
  "no speed": { exit: Exit.FATAL, text: "The port takes none of the speeds", remedy: "give the one that it takes" },
} as const satisfies Record<Hopeless, Omit<Finding, "code" | "severity"> & { readonly exit: Exit }>;

export interface JoiningHost {
  readonly machine: Machine;
  readonly config: Config;
  readonly peers: Peers;
  readonly log: Log;
  readonly tty: Device;
  readonly link: Link;
  readonly port: LinePort;
  readonly loop: Loop;
  /** The link is about to begin at the present speed of the line. */
  fit(): void;
  /** PPP will not begin, however often it is tried. */
  givesUp(exit: Exit): void;
}

export class Joining {
  readonly #host: JoiningHost;
  readonly #caller: Caller;
  /** Undefined when the device has no speed. */
  readonly #tuner: Tuner | undefined;
  readonly #user: string | undefined;
  readonly #number: string;
  #silentAt: number;
  #isOver = false;

  constructor(host: JoiningHost, now: number) {
    const { machine, config, peers, log, tty, port, loop } = host;
    this.#host = host;
    this.#tuner = Tuner.of(machine, tty, port, config.speed);
    const isFixed = config.speed > 0 && config.given["tty speed"]?.source === "command line";
    const speeds = isFixed || this.#tuner === undefined ? [tty.speed] : this.#tuner.speeds;
    const account = peers.account();
    this.#user = account?.user;
    this.#number = config.joinNumber ?? NUMBER;
    this.#silentAt = now + SILENT_MS;
    const settings = { user: this.#user, password: account?.password, number: this.#number };
    this.#caller = new Caller({ ...settings, speeds, magic: machine.random.u32() }, port.buffers.output);
    log.write("info", `Looking for the other end of ${tty.path} at ${speeds.slice(0, 8).join(", ")}`);
    loop.handOver(port, this.#caller, now);
  }

  /** PPP has not begun. */
  get isWaiting(): boolean {
    return this.#caller.decision === undefined;
  }

  /** PPP is behind a modem. */
  get isDialled(): boolean {
    return this.#caller.decision === "modem";
  }

  /** Nothing here needs a turn of the runtime. */
  readonly turnMs = Infinity;

  /** When {@link settle} is to be called. */
  get nextLookAt(): number {
    return Math.min(this.#silentAt, this.#tuner?.nextLookAt ?? Infinity);
  }

  settle(now: number): void {
    const { port } = this.#host;
    if (this.#isOver || port.stage !== this.#caller) return;
    for (let sight; (sight = this.#caller.takeSight()) !== undefined;) this.#tell(sight);
    const { failure, decision, wants } = this.#caller;
    if (failure !== undefined) return this.#giveUp(failure);
    if (decision !== undefined) return this.#begin(now);
    if (this.#silentAt <= now) this.#tellSilence();
    if (this.#tuner !== undefined) this.#tuner.tune(this.#caller, now);
    else if (wants !== undefined) this.#caller.tuned(now);
  }

  /** PPP has ended, or it will not begin. */
  ends(): void {
    this.#isOver = true;
    this.#silentAt = Infinity;
  }

  #begin(now: number): void {
    const { link, port, loop, fit } = this.#host;
    this.#silentAt = Infinity;
    this.#tuner?.found();
    this.#caller.flush();
    fit();
    link.open(now);
    loop.handOver(port, link, now);
  }

  #giveUp(failure: Hopeless): void {
    const { exit, ...finding } = HOPELESS[failure];
    report(this.#host.log, [{ ...finding, code: `join-${failure.replace(" ", "-")}`, severity: "error" }]);
    this.#host.givesUp(exit);
  }

  #tellSilence(): void {
    this.#silentAt = Infinity;
    const { log, tty } = this.#host;
    const remedy = "is the other end on, and is it a null-modem cable? nullmodem doctor examines it. Still trying";
    report(log, [{ code: "join-silence", text: `Heard nothing on ${tty.path} yet`, remedy, severity: "info" }]);
  }

  #tell(sight: Sight): void {
    this.#silentAt = Infinity;
    this.#host.log.write("info", this.#textOf(sight));
  }

  #textOf(sight: Sight): string {
    const { speed } = sight;
    switch (sight.what) {
      case "damage":
        return `Heard another speed than ${speed}; looking for it`;
      case "echo":
        return `Heard our own words at ${speed}: a modem, a login prompt, or a loopback plug`;
      case "text":
        return `Heard text at ${speed}`;
      case "ppp":
        return `Heard PPP at ${speed}`;
      case "windows":
        return `Heard Windows at ${speed}: it answers CLIENT with CLIENTSERVER`;
      case "user sent":
        return `Heard a login prompt at ${speed}; the user is ${decoded(this.#user ?? "")}`;
      case "password sent":
        return "The password is sent";
      case "login":
        return "The login is done; PPP begins";
      case "dialling":
        return `Heard a modem at ${speed}; dialling ${this.#number}`;
      case "no connection":
        return `The modem says ${sight.words}`;
      case "modem":
        return "The modem is connected; PPP begins";
      default:
        return sight satisfies never;
    }
  }
}
