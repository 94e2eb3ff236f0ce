// Numbers of the phone book in simulated time: the caller's modem reaches a TCP host, and PPP after that.

import { expect, test } from "bun:test";
import { bytesOf, textOf } from "../../src/bytes/text.ts";
import { Poll } from "../../src/run/machine.ts";
import { errnoOf } from "./errors.ts";
import { Laplink } from "./laplink.ts";
import { Channel } from "./process.ts";

const LINE = ["/dev/ttyUSB0", "115200", "noauth", "nodetach", "local", "noipv6", "noccp"];
const SERVER = [...LINE, "autodetect", "10.0.0.1:10.0.0.2"];

/** Repeats what it gets in capitals, and hangs up at "q". */
class Bbs extends Channel {
  readonly got: string[] = [];
  /** It takes nothing. */
  isStalled = false;
  isClosed = false;
  #says = bytesOf("BBS\r\n");
  #isOver = false;

  events(): number {
    return (this.#says.length > 0 || this.#isOver ? Poll.IN : 0) | (this.isStalled ? 0 : Poll.OUT);
  }

  override read(into: Uint8Array, length: number): number {
    if (this.#says.length === 0) return this.#isOver ? 0 : -errnoOf("EAGAIN");
    const count = Math.min(length, this.#says.length);
    into.set(this.#says.subarray(0, count));
    this.#says = this.#says.slice(count);
    return count;
  }

  override write(bytes: Uint8Array): number {
    if (this.isStalled) return -errnoOf("EAGAIN");
    const text = textOf(bytes);
    this.got.push(text);
    if (text.includes("q")) this.#isOver = true;
    this.#says = Uint8Array.from([...this.#says, ...bytesOf(text.toUpperCase())]);
    this.changed();
    return bytes.length;
  }

  close(): void {
    this.isClosed = true;
  }
}

function callWith(script: string, server: readonly string[], files: Readonly<Record<string, string>> = {}) {
  const link = new Laplink({ seed: 1 });
  const { time, computers } = link;
  const hosts: Bbs[] = [];
  const open = (): Bbs => {
    hosts.push(new Bbs());
    return hosts.at(-1)!;
  };
  computers[0].network.hosts.set("10.9.9.9:23", open);
  for (const [path, text] of Object.entries(files)) computers[0].files.put(path, text);
  const port = computers[0].start([...SERVER, ...server]);
  time.run(1000);
  const client = computers[1].start([...LINE, "noipdefault", "connect", `chat TIMEOUT 9 ABORT ERROR ${script}`]);
  return { link, time, hosts, port, client };
}

function endsWell({ link, time, port, client }: ReturnType<typeof callWith>): void {
  expect(time.runUntil(() => link.isUp, 40_000)).toBe(true);
  client.signal("SIGTERM");
  expect(time.runUntil(() => !port.isRunning && !client.isRunning, 10_000)).toBe(true);
  expect([port.fault, client.fault]).toEqual([undefined, undefined]);
  expect([link.leftOn(0), link.leftOn(1)]).toEqual([[], []]);
}

const PHONE = ["phone", "555-1212=10.9.9.9:23"];
const PPP = "ATDT777 CONNECT";

test("a number reaches its host, +++ and ATO work, the host hangs up, and PPP comes with the next number", () => {
  const script = `'' 'ATDT (555) 1212' CONNECT '\\c' BBS 'hello\\c' HELLO '\\d+++\\d\\c' OK ATO CONNECT 'more\\c' MORE 'q\\c' 'NO CARRIER' ${PPP}`;
  const call = callWith(script, PHONE);
  endsWell(call);
  expect(call.hosts.map(({ got, isClosed }) => [got.join(""), isClosed])).toEqual([["hellomoreq", true]]);
  expect(call.port.lines.filter((line) => /dials|Connected to|call has/.test(line))).toEqual([
    "The caller dials 10.9.9.9:23",
    "Connected to 10.9.9.9:23",
    "The call has ended",
  ]);
});

test("ATH hangs up, and the file of the phone book counts too", () => {
  const file = "# our hosts\n\n5 5 5 1212 = 10.9.9.9:23  # the BBS\nnonsense\nBBS=10.9.9.9:23\n";
  const script = `'' ATDT5551212 CONNECT '\\d+++\\d\\c' OK ATH OK ATDTbbs CONNECT '\\c' BBS '\\d+++\\d\\c' OK ATH0 OK ${PPP}`;
  const call = callWith(script, ["phonebook", "/etc/ppp/phonebook"], { "/etc/ppp/phonebook": file });
  endsWell(call);
  expect(call.hosts.map(({ isClosed }) => isClosed)).toEqual([true, true]);
  expect(call.port.lines).toContain("/etc/ppp/phonebook, line 4: not NUMBER = HOST:PORT");
});

test("a host that refuses is BUSY, or NO CARRIER without X3; the modem goes on", () => {
  const script = `'' ATDT1 BUSY ATX1DT1 'NO CARRIER' ATDT2 'NO CARRIER' ${PPP}`;
  endsWell(callWith(script, ["phone", "1=10.9.9.8:23", "phone", "2=nowhere.example:23"]));
});

test("a host or an address as a number reaches PPP, whatever the phone book has", () => {
  const call = callWith("'' ATDT10.9.9.9:23 CONNECT", PHONE);
  endsWell(call);
  expect(call.hosts).toEqual([]);
  expect(call.port.lines.some((line) => line.startsWith("The caller dials"))).toBe(false);
});

test("a host that takes nothing holds the caller's octets, and a signal ends all of it", () => {
  const call = callWith("'' ATDT5551212 CONNECT '\\c' BBS", PHONE);
  expect(call.time.runUntil(() => call.hosts.length === 1, 20_000)).toBe(true);
  call.hosts[0]!.isStalled = true;
  expect(call.time.runUntil(() => call.client.lines.includes("Serial connection established."), 9000)).toBe(true);
  call.time.run(60_000);
  call.hosts[0]!.isStalled = false;
  call.hosts[0]!.changed();
  call.time.run(5000);
  expect(call.hosts[0]!.got.join("")).toContain("~\xff}#");
  call.port.signal("SIGTERM");
  call.client.signal("SIGTERM");
  expect(call.time.runUntil(() => !call.port.isRunning && !call.client.isRunning, 20_000)).toBe(true);
  expect([call.port.fault, call.hosts[0]!.isClosed, call.link.leftOn(0)]).toEqual([undefined, true, []]);
});
