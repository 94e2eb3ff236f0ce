// Requests on the control socket, damaged and in any pieces, from a program that reads little or leaves. Every line gets one
// answer in its turn, nothing is thrown, and little is kept.

import { ControlError, type ControlledLink, type Steered } from "../../src/run/control/controlled-link.ts";
import { ControlServer } from "../../src/run/control/control-server.ts";
import { VERBS } from "../../src/run/control/control-verbs.ts";
import type { Verb } from "../../src/run/control/verb.ts";
import { PacketLog } from "../../src/run/live/packet-log.ts";
import { Rng } from "../kit/rng.ts";
import type { FuzzInput, Target } from "./target.ts";

const PIECES = 12;
const LINKS = ["ppp0", "office", "ttyS0", "/dev/ttyS0", "", "../x", "ppp0\u0000"];
const WORDS = ["on", "off", "lcp", "ipcp", "9600", "-1", "1e99", "__proto__", "\n", "x".repeat(300)];
const MOST_KEPT = 256 * 1024;
/** More lines than a program may send at once could be refused, which depends on the pieces. */
const MOST_LINES = 16;

const LATER: Verb = { name: "later", words: "", about: "", run: ({ reply }) => reply.answer({}) };

function linkOf(rng: Rng): ControlledLink {
  const act = (): void => {
    if (rng.chance(0.2)) throw new ControlError("Not now");
  };
  const steered: Steered = { hangup: act, redial: act, renegotiate: act, limitRate: act };
  const packetLog = new PacketLog();
  return {
    ...steered,
    interface: "ppp0",
    linkname: "office",
    captured: { packetLog, clock: { now: () => 5, wall: () => 5 }, hidePassword: true },
    lines: [{ ...steered, device: "/dev/ttyS0", place: "ttyS0", state: "network" }],
    awaitState: (_, done) => {
      done(rng.chance(0.8));
      return () => {};
    },
    quit: act,
    debug: act,
    asked: (verb) => {
      if (verb.includes("\n")) throw new Error("the log gets more than one line");
    },
  };
}

function requestOf(rng: Rng): Uint8Array {
  // A stream would end the requests.
  const names = [...VERBS.map(({ name }) => name).filter((name) => name !== "capture"), "links", "later", "wrong"];
  const words = Array.from({ length: rng.below(3) }, () => rng.pick(WORDS));
  const request = { verb: rng.pick(names), link: rng.pick(LINKS), words };
  return new TextEncoder().encode(`${JSON.stringify(request)}${rng.chance(0.2) ? "\r\n" : "\n"}`);
}

function streamOf(rng: Rng, { mutations }: FuzzInput): Uint8Array {
  const pieces: number[] = [];
  for (let piece = 0; piece < PIECES; piece++) {
    let octets = requestOf(rng);
    for (const { kind, a, b } of mutations.filter((one) => one.piece === piece)) {
      const at = a % (octets.length + 1);
      if (kind === "flip" && at < octets.length) octets[at]! ^= 1 << (b & 7);
      else if (kind === "cut") octets = octets.slice(0, at);
      else if (kind === "noise") octets = Uint8Array.from([...octets, ...new Rng(b).bytes(a % (b & 1 ? 300 : 5000))]);
    }
    for (const octet of octets) pieces.push(octet);
  }
  return Uint8Array.from(pieces);
}

/** What a program is told. `room`: how much of each write the kernel takes. */
function answersTo(seed: number, stream: Uint8Array, cut: (left: number) => number, room: () => number): string {
  let said = "";
  let isClosed = false;
  const link = linkOf(new Rng(seed));
  const host = {
    pid: 1,
    owner: "uid 0",
    namespace: () => "net:[1]",
    realPath: (path: string) => path,
    portPath: (path: string) => path,
    links: () => [link],
  };
  const connection = new ControlServer(host, [...VERBS, LATER]).connect({
    user: "uid 0",
    write: (bytes) => {
      if (isClosed) throw new Error("a write after the end");
      const taken = Math.min(bytes.length, room());
      said += new TextDecoder("latin1").decode(bytes.subarray(0, taken));
      return taken;
    },
    close: () => (isClosed = true),
  });
  for (let at = 0; at < stream.length;) {
    const end = at + cut(stream.length - at);
    connection.received(stream.subarray(at, end));
    at = end;
  }
  connection.finished();
  for (let left = MOST_KEPT; !isClosed && left > 0; left--) connection.drained();
  if (!isClosed) throw new Error("the connection stays open");
  return said;
}

export const CONTROL: Target = {
  name: "control",
  kinds: ["flip", "cut", "noise"],
  pieces: PIECES,
  run(input: FuzzInput) {
    const rng = new Rng(input.seed);
    const stream = streamOf(rng, input);
    const whole = answersTo(
      input.seed,
      stream,
      (left) => left,
      () => Infinity,
    );
    for (const line of whole.split("\n").slice(0, -1)) {
      const answer = JSON.parse(line) as { readonly ok: unknown; readonly error?: unknown };
      if (answer.ok !== true && typeof answer.error !== "string") throw new Error(`no answer: ${line}`);
    }
    const lines = stream.reduce((sum, octet) => sum + Number(octet === 0x0a), 0);
    if (lines > MOST_LINES) return stream.length;
    const again = answersTo(
      input.seed,
      stream,
      (left) => 1 + rng.below(Math.min(left, 600)),
      () => 1 + rng.below(200),
    );
    if (whole !== again) throw new Error("the pieces make a difference");
    return stream.length;
  },
};
