// The proxy: programs whose requests are damaged and come in pieces, name servers that lie, a link that comes and goes. Whatever
// comes, a new request is granted after it, and hours later nothing is left.

import { bytesOf, fromHex } from "../../src/bytes/text.ts";
import { Failure } from "../../src/stack/socket-side.ts";
import { ProxyWorld } from "../kit/proxy-world.ts";
import { Rng } from "../kit/rng.ts";
import type { FuzzInput, Mutation, Target } from "./target.ts";

const PIECES = 20;
const HOURS_MS = 12 * 3_600_000;
const NAMES = ["a.test", "b.test", "none.test", "silent.test"];
const TO_SERVER = fromHex("0501 00 0501 00 01 c0000250 0050");

/** A request that a sane program might make. */
function saneRequest(rng: Rng): Uint8Array {
  const name = rng.pick(NAMES);
  const body = "x".repeat(rng.below(2000));
  return rng.pick([
    () => TO_SERVER,
    () => Uint8Array.from([5, 1, 0, 5, rng.pick([1, 1, 2, 3]), 0, 3, name.length, ...bytesOf(name), 0, 80]),
    () => fromHex("0501 00 0501 00 04 20010db8000000000000000000000001 0016"),
    () => fromHex("0401 0050 c0000250 626f6200"),
    () => Uint8Array.from([4, 1, 0, 80, 0, 0, 0, 1, 0, ...bytesOf(name), 0]),
    () => bytesOf(`CONNECT ${name}:443 HTTP/1.1\r\nHost: ${name}\r\n\r\n${body}`),
    () => bytesOf(`POST http://${name}/ HTTP/1.1\r\nConnection: close, x\r\nX: y\r\n\r\n${body}`),
  ])();
}

function changed(octets: Uint8Array, mutations: readonly Mutation[]): Uint8Array {
  let all = [...octets];
  for (const { kind, a, b } of mutations) {
    const at = all.length === 0 ? 0 : a % all.length;
    if (kind === "flip" && all.length > 0) all[at]! ^= 1 << (b & 7);
    else if (kind === "cut") all = all.slice(0, at);
    else if (kind === "insert") all.splice(at, 0, ...new Rng(b).bytes(b % 40));
    else if (kind === "long") all.splice(at, 0, ...Array.from({ length: b % 20_000 }, () => 97 + (a % 26)));
  }
  return Uint8Array.from(all);
}

function inPieces(octets: Uint8Array, rng: Rng): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < octets.length;) {
    const count = 1 + rng.below(rng.pick([3, 100, 30_000]));
    pieces.push(octets.slice(at, at + count));
    at += count;
  }
  return pieces;
}

/** What happens meanwhile at both ends. */
function happen(it: ProxyWorld, rng: Rng): void {
  const servers = [...it.servers.open.values()].filter(({ port }) => port !== 53);
  const programs = [...it.programs.open.values()];
  const act = rng.below(8);
  if (act === 0 && it.isUp) it.linkDown();
  else if (act === 1) it.linkUp(rng.chance(0.9) ? undefined : Uint8Array.of(10, 0, 0, 2 + rng.below(9)));
  else if (act === 2) it.servers.connecting = rng.pick(["at-once", "at-once", "later", Failure.REFUSED]);
  else if (act === 3 && servers.length > 0) rng.pick(servers).give(rng.bytes(rng.below(4000)));
  else if (act === 4 && servers.length > 0) rng.pick(servers).finish();
  else if (act === 5 && programs.length > 0) rng.pick(programs).finish();
  else if (act === 6 && programs.length > 0) rng.pick(programs).fail(Failure.RESET);
  else if (programs.length > 0) rng.pick(programs).room = rng.pick([Infinity, 0, 3]);
}

export const PROXY: Target = {
  name: "proxy",
  kinds: ["flip", "flip", "cut", "insert", "long"],
  pieces: PIECES,
  run({ seed, mutations }: FuzzInput) {
    const rng = new Rng(seed);
    const it = new ProxyWorld(seed);
    it.zone.set("a.test", ["192.0.2.80"]).set("b.test", ["192.0.2.1", "127.0.0.1", "192.0.2.2"]).set("none.test", 3);
    it.spoil = (answer) => {
      if (rng.chance(0.5)) return answer;
      const kind = rng.pick(["flip", "cut", "insert"]);
      return changed(answer, [{ piece: 0, kind, a: rng.u32(), b: rng.u32() }]);
    };
    let octets = 0;
    for (let piece = 0; piece < PIECES; piece++) {
      const hits = mutations.filter((one) => one.piece === piece);
      const request = changed(saneRequest(rng), hits);
      octets += request.length;
      const program = it.program();
      for (const part of inPieces(request, rng)) {
        program.give(part);
        if (rng.chance(0.1)) it.run();
      }
      const header = Uint8Array.from([0, 0, 0, 1, 192, 0, 2, 80, 0, 123, ...rng.bytes(rng.below(50))]);
      if (rng.chance(0.2)) it.datagram(String(rng.below(5)), changed(header, hits));
      happen(it, rng);
      it.wait(rng.pick([0, 1, 50, 2500, 12_000]));
    }
    it.servers.connecting = "at-once";
    it.linkUp();
    it.wait(1000);
    const last = it.program(TO_SERVER);
    it.wait(1000);
    if (last.received()[3] !== 0) throw new Error("a new request is not granted");
    for (let waited = 0; waited < HOURS_MS && it.proxy.size > 0; waited += 60_000) {
      for (const socket of [...it.programs.open.values(), ...it.servers.open.values()]) {
        socket.giveRoom(Infinity);
        socket.finish();
      }
      it.wait(60_000);
    }
    if (it.proxy.size > 0 || it.programs.open.size > 0) throw new Error("something is left of programs that have gone");
    if (it.proxy.stack.keptOctets > 0) throw new Error("octets are kept for nobody");
    return octets;
  },
};
