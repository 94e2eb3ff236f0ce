// Lines that are no serial port: a program, standard input and output, TCP connections.

import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { check, closeFd, libc, Memory, O } from "../../src/os/ffi/libc.ts";
import { type Machine, openMachine } from "../kit/machine.ts";
import { linkConfig, Side } from "../kit/pair.ts";
import { PATIENCE_MS } from "../kit/patience.ts";
import { Program } from "../kit/program.ts";
import { Rng } from "../kit/rng.ts";
import { Notty, socketPair } from "./notty.ts";
import { missing, pppdPath, titled, traces, until } from "./scene.ts";

setDefaultTimeout(2 * PATIENCE_MS);
const on = (name: string, play: () => Promise<void>): void => test.skipIf(missing !== undefined)(titled(name), play);

const OPTIONS = ["noauth", "nodetach", "noipv6", "noccp", "lcp-restart", "1", "debug"];
const ADDRESSES = "10.0.0.1:10.0.0.2";
const UP = /^remote IP address/;

const machines: Machine[] = [];
const programs: { stop(within?: number): Promise<number> }[] = [];
const folder = mkdtempSync(join(tmpdir(), "nullmodem-lines-"));
afterEach(async () => {
  await Promise.all(programs.splice(0).map((program) => program.stop()));
  await Promise.all(machines.splice(0).map((machine) => machine.close()));
});
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

async function machine(name: string, files: Readonly<Record<string, string>> = {}): Promise<Machine> {
  const made = await openMachine(name, { files });
  machines.push(made);
  return made;
}

function run(where: Machine, ...argv: readonly string[]): Program {
  const program = new Program(argv, { machine: where });
  programs.push(program);
  return program;
}

const pppd = (where: Machine, ...words: readonly string[]): Program => run(where, pppdPath(), ...OPTIONS, ...words);
const said = (program: Program): string[] => program.lines.map(({ text }) => text);

function notty(where: Machine, input: number, output: number, ...words: readonly string[]): Notty {
  const program = new Notty(where, input, output, [...OPTIONS, ...words]);
  programs.push(program);
  return program;
}

const F_SETFL = 4;

function pipe(): [readEnd: number, writeEnd: number] {
  const two = new Memory(8);
  check(libc.pipe2(two.address, O.CLOEXEC), "pipe2");
  return [two.view.getInt32(0, true), two.view.getInt32(4, true)];
}

async function ping(from: Machine, ...words: readonly string[]): Promise<string> {
  const { status, stdout } = await from.run("ping", "-c", "1", "-W", "60", ...words);
  expect(status).toBe(0);
  return stdout;
}

// ── pty ────────────────────────────────────────────────────────────────────────────────────────────────────────────

on("a program is the line to one, its pipes to the other; scripts hear of no device; nothing stays", async () => {
  const probe = '#!/bin/sh\necho "$# $1 [$2] $3 $4 $5 ${DEVICE-none} $SPEED" >/run/saw\n';
  const [near, far] = await Promise.all([machine("near", { "/etc/ppp/ip-up": probe }), machine("far")]);
  const before = [await traces(near), await traces(far)];
  const [out, back] = [join(folder, "out"), join(folder, "back")];
  expect(Bun.spawnSync(["mkfifo", out, back]).exitCode).toBe(0);
  const outer = pppd(near, ADDRESSES, "pty", `cat ${back} & exec cat >${out}`);
  const inner = run(far, "sh", "-c", `exec ${pppdPath()} notty logfd 2 ${OPTIONS.join(" ")} <${out} >${back}`);
  await Promise.all([outer.waitFor(UP), inner.waitFor(UP)]);
  expect(said(outer).filter((line) => line.startsWith("Connect: "))[0]).toMatch(/^Connect: ppp0 <--> \/dev\/pts\/\d+$/);
  expect(said(inner)).toContain("Connect: ppp0 <--> /dev/stdin");
  await ping(near, "10.0.0.2");
  const saw = near.path("/run/saw");
  await until("ip-up", () => existsSync(saw) && readFileSync(saw, "utf8").endsWith("\n"));
  expect(readFileSync(saw, "utf8")).toBe("5 ppp0 [] 38400 10.0.0.1 10.0.0.2 none 38400\n");
  rmSync(saw);
  outer.kill();
  expect([await outer.exit(), await inner.exit()]).toEqual([5, 16]);
  expect(said(inner)).toContain("LCP terminated by peer (User request)");
  expect([await traces(near), await traces(far)]).toEqual(before);
});

on("a program has a terminal, and its complaints are in the log; its end is a hang-up", async () => {
  const near = await machine("near");
  const program = pppd(near, "pty", 'test -t 0 && test -t 1 && echo "two terminals" >&2; exit 3');
  expect(await program.exit()).toBe(16);
  expect(said(program)).toContain("two terminals");
  expect(said(program)).toContain("Modem hangup");
  expect(program.text).toMatch(/^Script test -t 0 .* finished \(pid \d+\), status = 0x3$/m);
});

on("a program that hears nothing is ended by what ended us, with all that it has started", async () => {
  const near = await machine("near");
  const before = await traces(near);
  const program = pppd(near, "silent", "pty", "sleep 1000; :");
  await program.waitFor("Connect: ");
  await until("sleep", () => near.processes().some(({ command }) => command === "sleep 1000"));
  const began = performance.now();
  program.kill();
  expect(await program.exit()).toBe(5);
  expect(performance.now() - began).toBeLessThan(3000);
  expect(await traces(near)).toEqual(before);
});

on("with persist a program that cannot live is started again, a second apart and no oftener than maxfail", async () => {
  const program = pppd(await machine("near"), "pty", "exit 1", "persist", "maxfail", "2");
  expect(await program.exit()).toBe(16);
  const starts = program.lines.filter(({ text }) => text.startsWith("Connect: "));
  expect(starts.length).toBe(2);
  expect(starts[1]!.at - starts[0]!.at).toBeGreaterThan(900);
});

// ── notty ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A PPP peer at the other ends of the two pipes of a notty. */
class PipePeer {
  readonly side = new Side(linkConfig(), new Rng(1));
  /** True while it reads octets from its pipe. */
  reading = true;
  readonly #input: number;
  readonly #output: number;
  readonly #memory = new Memory(65536);
  readonly #timer: Timer;
  #pending: Uint8Array = new Uint8Array(0);

  constructor(input: number, output: number) {
    this.#input = input;
    this.#output = output;
    for (const fd of [input, output]) libc.fcntl(fd, F_SETFL, O.NONBLOCK);
    this.side.link.open(performance.now());
    this.#timer = setInterval(() => this.#turn(), 2);
    programs.push(this);
  }

  #turn(): void {
    const { link } = this.side;
    const now = performance.now();
    const { bytes, address } = this.#memory;
    for (let count = 1; this.reading && count > 0;) {
      count = libc.read(this.#input, address, bytes.length);
      if (count > 0) this.side.take(bytes.slice(0, count), now);
    }
    if (link.nextTimeout() <= now) link.handleTimeout(now);
    this.side.collect();
    if (this.#pending.length === 0) this.#pending = this.side.drain(now);
    bytes.set(this.#pending);
    const put = libc.write(this.#output, address, this.#pending.length);
    if (put > 0) this.#pending = this.#pending.slice(put);
  }

  async stop(): Promise<number> {
    clearInterval(this.#timer);
    for (const fd of [this.#input, this.#output]) closeFd(fd);
    return 0;
  }
}

on("standard output that nobody reads for a second holds packets up, and spoils none", async () => {
  const near = await machine("near");
  const [ourInput, toUs] = pipe();
  const [fromUs, ourOutput] = pipe();
  const peer = new PipePeer(fromUs, toUs);
  const program = notty(near, ourInput, ourOutput, ADDRESSES, "lcp-echo-interval", "1");
  await program.says("remote IP address");
  await until("the peer is up", () => peer.side.has("ipv4-up"));
  const { stats } = peer.side.link.deframer;
  peer.reading = false;
  // More than the pipe takes: 64 KB, and as much as pppd can keep.
  await near.run("ping", "-q", "-c", "300", "-i", "0.002", "-W", "1", "-s", "1400", "10.0.0.2");
  peer.reading = true;
  await until("a later packet is there", async () => {
    await near.run("ping", "-q", "-c", "1", "-W", "0.1", "-s", "77", "10.0.0.2");
    return peer.side.packets.some(({ length }) => length === 20 + 8 + 77);
  });
  expect(peer.side.packets.filter(({ length }) => length === 20 + 8 + 1400).length).toBeGreaterThan(40);
  expect(stats).toMatchObject({ badFcs: 0, runts: 0, aborted: 0, overlong: 0 });
  program.kill("SIGTERM");
  expect(await program.exit()).toBe(5);
});

on("standard input and output may be a socket; scripts play on it; it is given back as it was", async () => {
  const [near, far] = await Promise.all([machine("near"), machine("far")]);
  const [a, b] = socketPair();
  const kept = libc.fcntl(b, 1030, 0); // F_DUPFD_CLOEXEC
  const caller = notty(near, a, a, ADDRESSES, "connect", "chat '' PING PONG", "welcome", "echo hello >&2");
  const called = notty(far, b, b, "connect", "chat PING PONG", "disconnect", "test ! -t 0 && echo bye >&2");
  await Promise.all([caller.says("remote IP address"), called.says("remote IP address")]);
  expect(caller.log).toContain("hello\n");
  await ping(near, "10.0.0.2");
  called.kill("SIGTERM");
  expect(await called.exit()).toBe(5);
  expect(await caller.exit()).toBe(16);
  expect(called.log).toMatch(/^bye\n(Script .*\n)?Serial link disconnected\.$/m);
  expect(libc.fcntl(kept, 3, 0) & O.NONBLOCK).toBe(0); // F_GETFL
  closeFd(kept);
});

on("datarate holds both ways", async () => {
  const [near, far] = await Promise.all([machine("near"), machine("far")]);
  const [a, b] = socketPair();
  const slow = notty(near, a, a, ADDRESSES, "datarate", "4000");
  const free = notty(far, b, b);
  await Promise.all([slow.says("remote IP address"), free.says("remote IP address")]);
  const answer = await ping(near, "-s", "1400", "10.0.0.2");
  // 1428 octets and their frame in each direction, the first 400 of them at once.
  const ms = Number(/time=([\d.]+)/.exec(answer)?.[1]);
  expect(ms).toBeGreaterThan(450);
  expect(ms).toBeLessThan(2000);
});

on("a reader that goes is a hang-up, though nothing was to be written; and the log is not on the line", async () => {
  const near = await machine("near");
  const [input, keptInput] = pipe();
  const [keptOutput, output] = pipe();
  const program = notty(near, input, output, "silent");
  await program.says("Connect: ");
  closeFd(keptOutput);
  expect(await program.exit()).toBe(16);
  closeFd(keptInput);
  const first = pipe();
  const second = pipe();
  const speaker = notty(near, first[0], second[1], "dump");
  await speaker.says("Connect: ");
  const heard = new Memory(4);
  expect(libc.read(second[0], heard.address, 4)).toBe(4);
  expect([...heard.bytes]).toEqual([0x7e, 0xff, 0x7d, 0x23]);
  closeFd(first[1]);
  expect(await speaker.exit()).toBe(16);
  expect(speaker.log).toContain("Modem hangup\n");
  closeFd(second[0]);
});

// ── TCP ────────────────────────────────────────────────────────────────────────────────────────────────────────────

on("one calls, one is called, and again after a caller has vanished; nobody else is let in meanwhile", async () => {
  const near = await machine("near");
  const strangers = ["auth", "allow-ip", "10.0.0.2"];
  const server = pppd(near, "socket-listen", "5000", ADDRESSES, "persist", "maxfail", "0", ...strangers);
  let waits = await server.waitFor("Waiting for a call on 5000");
  const call = (to: string): Program => pppd(near, "socket", to);
  const first = call("localhost:5000");
  await Promise.all([first.waitFor(UP), server.waitFor(UP)]);
  expect(server.text).toMatch(
    /^Call from 127\.0\.0\.1:(\d+)\nUsing interface ppp\d\nConnect: ppp\d <--> 127\.0\.0\.1:\1$/m,
  );
  expect(said(first)).toContainEqual(expect.stringMatching(/^Connect: ppp\d <--> localhost:5000$/));
  const refused = call("127.0.0.1:5000");
  expect(await refused.exit()).toBe(9);
  expect(said(refused)).toEqual(["Can't connect to 127.0.0.1:5000: Connection refused"]);
  first.kill("SIGKILL");
  await server.waitFor("Modem hangup");
  waits = await server.waitFor("Waiting for a call on 5000", { after: waits });
  const second = call(existsSync("/proc/net/if_inet6") ? "[::1]:5000" : "127.0.0.1:5000");
  await Promise.all([second.waitFor(UP), server.waitFor(UP, { after: waits })]);
  second.kill();
  expect(await second.exit()).toBe(5);
  await server.waitFor("Waiting for a call on 5000", { after: waits });
  server.kill();
  expect(await server.exit()).toBe(5);
});

on("what cannot be connected to: the real one's words, and its exit code 9", async () => {
  const near = await machine("near");
  const cases: readonly [option: string, where: string, says: string][] = [
    ["socket", "localhost:1", "Can't connect to localhost:1: Connection refused"],
    ["socket", "no.such.invalid:1", "no.such.invalid: unknown host in socket option"],
    ["socket", "localhost", "Can't parse host:port for socket destination"],
    ["socket-listen", "10.9.8.7:1", "Can't listen on 10.9.8.7:1: Cannot assign requested address"],
  ];
  for (const [option, where, says] of cases) {
    const program = pppd(near, option, where, "auth", "allow-ip", "10.0.0.2");
    expect([await program.exit(), ...said(program)]).toEqual([9, says]);
  }
});
