// The stub resolver: which answers it believes, whom it asks next, and what it keeps.

import { expect, test } from "bun:test";
import { DnsType, parseDnsAnswer } from "../../src/wire/dns.ts";
import { type Found, NameLookup } from "../../src/proxy/name-lookup.ts";
import { Rng } from "../kit/rng.ts";

const [FIRST, SECOND] = [Uint8Array.of(192, 0, 2, 1), Uint8Array.of(192, 0, 2, 2)];

class Resolver {
  now = 0;
  readonly sent: { readonly server: Uint8Array; readonly port: number; readonly query: Uint8Array }[] = [];
  readonly found: Found[] = [];
  readonly lookup: NameLookup;

  constructor(families: readonly (4 | 6)[] = [4]) {
    const rng = new Rng(7);
    const send = (server: Uint8Array, port: number, query: Uint8Array): void =>
      void this.sent.push({ server, port, query });
    this.lookup = new NameLookup({ random: () => rng.u32(), send });
    this.lookup.families = families;
    this.lookup.setServers([FIRST, SECOND]);
  }

  ask(name: string): void {
    this.lookup.ask(name, (found) => void this.found.push(found), this.now);
  }

  wait(ms: number): void {
    this.now += ms;
    this.lookup.handleTimeout(this.now);
  }

  /** Answers the query of this number, with changes. */
  answer(
    which: number,
    address: readonly number[],
    change: { from?: Uint8Array; port?: number; id?: number; flags?: number } = {},
  ): boolean {
    const { server, port, query } = this.sent.at(which)!;
    const answer = Uint8Array.from([
      ...query,
      ...(address.length === 0
        ? []
        : [0xc0, 12, 0, address.length === 4 ? 1 : 28, 0, 1, 0, 0, 0, 60, 0, address.length]),
      ...address,
    ]);
    answer[2] = change.flags ?? 0x80;
    answer[7] = address.length === 0 ? 0 : 1;
    answer[0]! ^= change.id ?? 0;
    const from = change.from ?? server;
    return this.lookup.receive(from, port + (change.port ?? 0), answer, 0, answer.length, this.now);
  }
}

test("an answer counts from the server, to the port and with the number of the query only", () => {
  const it = new Resolver();
  it.ask("a.test");
  const address = [198, 51, 100, 1];
  expect(it.answer(0, address, { from: SECOND })).toBe(false);
  expect(it.answer(0, address, { port: 1 })).toBe(false);
  expect(it.answer(0, address, { id: 1 })).toBe(false);
  expect(it.answer(0, [...address, ...address, ...address, ...address])).toBe(true);
  expect(it.found).toEqual([{ addresses: [], outcome: "no-such-name" }]);
  expect(it.answer(0, address)).toBe(false);
});

test("an answer that had no room for an address is none; one with some counts", () => {
  const it = new Resolver();
  it.ask("a.test");
  const truncated = (which: number, address: readonly number[]): boolean => it.answer(which, address, { flags: 0x82 });
  expect(truncated(0, [])).toBe(true);
  expect([it.found.length, it.sent.at(-1)!.server]).toEqual([0, SECOND]);
  expect(truncated(1, [198, 51, 100, 1])).toBe(true);
  expect(it.found[0]!.addresses).toHaveLength(1);
});

test("queries have numbers and ports of their own", () => {
  const it = new Resolver();
  for (let count = 0; count < 50; count++) it.ask(`${count}.test`);
  const keys = it.sent.map(({ port, query }) => `${port} ${query[0]} ${query[1]}`);
  expect(new Set(keys).size).toBe(50);
  expect(it.sent.every(({ port }) => port >= 49152 && port < 65536)).toBe(true);
});

test("servers are asked in turn, and the one that answers is asked first from then on", () => {
  const it = new Resolver();
  it.ask("a.test");
  it.wait(2000);
  expect(it.sent.map(({ server }) => server[3])).toEqual([1, 2]);
  expect(it.answer(0, [198, 51, 100, 1])).toBe(false);
  expect(it.answer(1, [198, 51, 100, 1])).toBe(true);
  it.ask("b.test");
  expect(it.sent.at(-1)!.server).toEqual(SECOND);
});

test("IPv4 and IPv6 are asked for at once; IPv4 addresses come first", () => {
  const it = new Resolver([4, 6]);
  it.ask("a.test");
  expect(it.sent.map(({ query }) => query.at(-3))).toEqual([DnsType.A, DnsType.AAAA]);
  const address6 = [...new Uint8Array(15), 1];
  it.answer(1, address6);
  expect(it.found).toHaveLength(0);
  it.answer(0, []);
  expect(it.found[0]!.addresses.map((address) => address.length)).toEqual([16]);
  it.ask("b.test");
  it.answer(-2, [198, 51, 100, 1]);
  expect(it.found[1]!.addresses.map((address) => address.length)).toEqual([4]);
});

test("other servers have other names", () => {
  const it = new Resolver();
  it.ask("a.test");
  it.answer(0, [198, 51, 100, 1]);
  it.ask("a.test");
  expect([it.found.length, it.sent.length]).toEqual([2, 1]);
  it.lookup.setServers([FIRST, SECOND]);
  it.ask("a.test");
  expect(it.sent).toHaveLength(1);
  it.lookup.setServers([SECOND]);
  it.ask("a.test");
  expect(it.sent).toHaveLength(2);
});

test("names that are kept, and questions, are limited", () => {
  const it = new Resolver();
  for (let count = 0; count < 2000; count++) it.ask(`${count}.test`);
  expect([it.lookup.size, it.found.length]).toEqual([256, 2000 - 256]);
  const { query } = it.sent[0]!;
  query[2] = 0x80;
  expect(parseDnsAnswer(query, 0, query.length)?.name).toBe("0.test");
});
