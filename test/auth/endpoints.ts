// Two ends of a link that authenticate each other, over a wire that can lose and change packets, with a clock that
// jumps.

import { Answers } from "../../src/auth/answers.ts";
import { ChapClient } from "../../src/auth/chap-client.ts";
import type { ChapConfig } from "../../src/auth/chap-config.ts";
import { ChapServer } from "../../src/auth/chap-server.ts";
import type { AuthLower, MppeMaterial } from "../../src/auth/digest.ts";
import { EapClient } from "../../src/auth/eap-client.ts";
import { EapServer } from "../../src/auth/eap-server.ts";
import type { EapConfig } from "../../src/auth/eap-config.ts";
import { parseChap } from "../../src/wire/chap.ts";
import { describePacket } from "../../src/describe/packet-text.ts";
import { parseEap } from "../../src/wire/eap.ts";
import { Protocol } from "../../src/wire/protocols.ts";
import { Rng } from "../kit/rng.ts";

/** The last result of an end, as client and as server. */
export interface Outcome {
  readonly role: "client" | "server";
  readonly accepted: boolean;
  readonly name?: string | undefined;
  readonly mppe?: MppeMaterial | undefined;
}

export interface EndOptions {
  /** Our secrets by the server's name, and those of peers by their names. */
  readonly ours?: Readonly<Record<string, string>>;
  readonly peers?: Readonly<Record<string, string>>;
  readonly chap?: Partial<ChapConfig>;
  readonly eap?: Partial<EapConfig>;
}

const TIMERS = ["chapClient", "chapServer", "eapClient", "eapServer"] as const;
type Timer = (typeof TIMERS)[number];

export class End {
  readonly outcomes: Outcome[] = [];
  /** The log with packets. */
  readonly lines: string[] = [];
  /** Lines with their level, without packets. */
  readonly said: string[] = [];
  /** Packets to take: protocol and packet. */
  readonly sent: { protocol: number; packet: Uint8Array }[] = [];
  readonly chapClient: ChapClient;
  readonly chapServer: ChapServer;
  readonly eapClient: EapClient;
  readonly eapServer: EapServer;
  readonly deadlines = new Map<Timer, number>();

  constructor(seed: number, { ours = {}, peers = {}, chap = {}, eap = {} }: EndOptions = {}) {
    const rng = new Rng(seed);
    const shared = {
      remotename: "",
      remotenameGiven: false,
      stripDomain: false,
      msLanman: false,
      random32: () => rng.u32(),
      answers: new Answers(),
      restartMs: 3000,
      intervalMs: 0,
    };
    const chapConfig: ChapConfig = { ...shared, maxChallenge: 10, timeoutMs: 60000, ...chap };
    const eapConfig: EapConfig = {
      ...shared,
      maxRequests: 10,
      timeoutMs: 20000,
      maxReceived: 20,
      packetRoom: () => 1500,
      ...eap,
    };
    const clientDone = (accepted: boolean, mppe: MppeMaterial | undefined): void => {
      this.outcomes.push({ role: "client", accepted, mppe });
    };
    const serverDone = (accepted: boolean, name: string | undefined, mppe: MppeMaterial | undefined): void => {
      this.outcomes.push({ role: "server", accepted, name, mppe });
    };
    this.chapClient = new ChapClient(chapConfig, this.#lower("chapClient"), {
      chapSecret: (server) => ours[server],
      chapDone: clientDone,
    });
    this.chapServer = new ChapServer(chapConfig, this.#lower("chapServer"), {
      chapPeerSecret: (name) => peers[name],
      chapPeerDone: serverDone,
    });
    this.eapClient = new EapClient(eapConfig, this.#lower("eapClient"), {
      eapSecret: (server) => ours[server],
      eapDone: clientDone,
    });
    this.eapServer = new EapServer(eapConfig, this.#lower("eapServer"), {
      eapPeerSecret: (name) => peers[name],
      eapPeerDone: serverDone,
    });
  }

  #lower(timer: Timer): AuthLower {
    return {
      send: (protocol, write) => {
        const buf = new Uint8Array(2048);
        const packet = buf.slice(2, write(buf, 2));
        this.#trace("sent", protocol, packet);
        this.sent.push({ protocol, packet });
      },
      log: (level, text) => {
        this.lines.push(text);
        this.said.push(`${level}: ${text}`);
      },
      wakeAt: (at) => this.deadlines.set(timer, at),
    };
  }

  #trace(direction: string, protocol: number, packet: Uint8Array): void {
    const whole = Uint8Array.of(protocol >>> 8, protocol & 0xff, ...packet);
    this.lines.push(`${direction} ${describePacket(whole, 0, whole.length, { hidePassword: true })}`);
  }

  take(protocol: number, packet: Uint8Array, now: number): void {
    this.#trace("rcvd", protocol, packet);
    if (protocol === Protocol.CHAP) {
      const chap = parseChap(packet, 0, packet.length);
      if (chap === undefined) return;
      this.chapClient.receive(chap, now);
      this.chapServer.receive(chap, now);
    } else {
      const eap = parseEap(packet, 0, packet.length);
      if (eap === undefined) return;
      this.eapClient.receive(eap, now);
      this.eapServer.receive(eap, now);
    }
  }

  get wakeAt(): number {
    return Math.min(...TIMERS.map((timer) => this.deadlines.get(timer) ?? Infinity));
  }

  handleTimeout(now: number): void {
    for (const timer of TIMERS) {
      if ((this.deadlines.get(timer) ?? Infinity) > now) continue;
      this.deadlines.set(timer, Infinity);
      this[timer].timeout(now);
    }
  }

  outcome(role: Outcome["role"]): boolean | undefined {
    return this.outcomes.findLast((outcome) => outcome.role === role)?.accepted;
  }
}

/** Undefined when the wire loses it. */
export type Passing = (packet: Uint8Array, from: End, protocol: number) => Uint8Array | undefined;

export class Wire {
  readonly a: End;
  readonly b: End;
  now = 0;
  passing: Passing = (packet) => packet;

  constructor(a: End, b: End) {
    this.a = a;
    this.b = b;
  }

  /** Runs until nothing is under way and nothing more is due before `until`. */
  run(until = this.now): void {
    for (let steps = 0; ; steps++) {
      if (steps > 10000) throw new Error("the two ends never come to an end");
      if (this.#carry(this.a, this.b) || this.#carry(this.b, this.a)) continue;
      const next = Math.min(this.a.wakeAt, this.b.wakeAt);
      if (next > until) break;
      this.now = Math.max(this.now, next);
      this.a.handleTimeout(this.now);
      this.b.handleTimeout(this.now);
    }
    this.now = Math.max(this.now, until);
  }

  #carry(from: End, to: End): boolean {
    const next = from.sent.shift();
    if (next === undefined) return false;
    const passed = this.passing(next.packet, from, next.protocol);
    if (passed !== undefined) to.take(next.protocol, passed, this.now);
    return true;
  }
}

/** The lines without random parts: identifiers, and longer hex texts. */
export function plain(lines: readonly string[]): string[] {
  return lines.map((line) =>
    line
      .replace(/id=0x ?[0-9a-f]+/, "id")
      .replace(/[0-9a-f]{16,}/g, "…")
      .replace(/Value( [0-9a-f]{2})+/, "Value …")
      .replace(/S=[0-9A-F]{40}/, "S=…"),
  );
}
