// A stub resolver: asks the name servers of the far end for the addresses of names (RFC 1035, RFC 5452), and keeps the answers
// for as long as they are valid.

import { type DnsAnswer, DnsCode, dnsName, dnsQuery, DnsType, parseDnsAnswer } from "../wire/dns.ts";
import { Outcome } from "./request.ts";

/** A query is repeated to the next server after so long. */
const PATIENCE_MS = 2000;
const MOST_TRIES = 5;
const MOST_KEPT = 512;
const MOST_QUESTIONS = 256;
const MOST_ADDRESSES = 8;
const LONGEST_MS = 3_600_000;
/** A name that has no address is not asked for again so soon. */
const NONE_MS = 10_000;
const SECOND = 1000;

type Family = 4 | 6;

export interface NameLookupHost {
  /** A random number of 32 bits. */
  random(): number;
  /** Sends a query from a port of ours. */
  send(server: Uint8Array, fromPort: number, query: Uint8Array): void;
}

export interface Found {
  readonly addresses: readonly Uint8Array[];
  /** Why there is none. */
  readonly outcome: Outcome;
}

type Waiter = (found: Found, now: number) => void;

/** What is being asked for: the addresses of one family. */
interface Query {
  readonly type: number;
  id: number;
  port: number;
  answer: Found | undefined;
}

interface Question {
  readonly name: string;
  readonly queries: readonly Query[];
  readonly waiters: Waiter[];
  server: Uint8Array;
  tries: number;
  dueAt: number;
}

interface Kept extends Found {
  readonly until: number;
}

export class NameLookup {
  readonly #host: NameLookupHost;
  #servers: readonly Uint8Array[] = [];
  /** Which server is asked first. */
  #first = 0;
  /** The families whose addresses can be reached. */
  families: readonly Family[] = [4];
  readonly #kept = new Map<string, Kept>();
  readonly #questions = new Map<string, Question>();

  constructor(host: NameLookupHost) {
    this.#host = host;
  }

  /** Another network has other servers, and perhaps other names. */
  setServers(servers: readonly Uint8Array[]): void {
    if (String(servers) === String(this.#servers)) return;
    this.#servers = servers;
    this.#first = 0;
    this.#kept.clear();
  }

  get size(): number {
    return this.#questions.size;
  }

  /** Tells `waiter` of the addresses of a name, at once if they are known. */
  ask(text: string, waiter: Waiter, now: number): void {
    const name = dnsName(text);
    if (name === undefined) {
      waiter({ addresses: [], outcome: Outcome.NO_SUCH_NAME }, now);
      return;
    }
    // Names of the program's own machine (RFC 6761 §6.3). They are nobody else's business.
    if (name === "localhost" || name.endsWith(".localhost")) {
      waiter({ addresses: [], outcome: Outcome.PROHIBITED }, now);
      return;
    }
    const kept = this.#kept.get(name);
    if (kept !== undefined && kept.until > now) {
      waiter(kept, now);
      return;
    }
    const asked = this.#questions.get(name);
    if (asked !== undefined) asked.waiters.push(waiter);
    else if (this.#servers.length === 0 || this.#questions.size >= MOST_QUESTIONS)
      waiter({ addresses: [], outcome: Outcome.NO_NAME_SERVER }, now);
    else this.#begin(name, waiter, now);
  }

  #begin(name: string, waiter: Waiter, now: number): void {
    const queries = this.families.map((family) => {
      const type = family === 4 ? DnsType.A : DnsType.AAAA;
      return { type, id: 0, port: 0, answer: undefined };
    });
    const server = this.#servers[this.#first % this.#servers.length]!;
    const question = { name, queries, waiters: [waiter], server, tries: 0, dueAt: now + PATIENCE_MS };
    this.#questions.set(name, question);
    this.#send(question);
  }

  /** Each query has a number and a port of its own, so that it takes a guess of 30 bits to forge an answer. */
  #send(question: Question): void {
    question.tries++;
    for (const query of question.queries) {
      if (query.answer !== undefined) continue;
      const random = this.#host.random();
      query.id = random & 0xffff;
      query.port = 49152 + ((random >>> 16) & 0x3fff);
      this.#host.send(question.server, query.port, dnsQuery(query.id, question.name, query.type));
    }
  }

  #repeat(question: Question, now: number): void {
    if (question.tries >= MOST_TRIES) {
      for (const query of question.queries) query.answer ??= { addresses: [], outcome: Outcome.NO_NAME_SERVER };
      this.#finish(question, now, 0);
      return;
    }
    const place = this.#servers.indexOf(question.server);
    question.server = this.#servers[(place + 1) % this.#servers.length] ?? question.server;
    // The next name is asked of the server that is tried now.
    this.#first = Math.max(0, this.#servers.indexOf(question.server));
    question.dueAt = now + PATIENCE_MS;
    this.#send(question);
  }

  /** A datagram from a server to one of our ports. False: it is no answer to a query. */
  receive(server: Uint8Array, port: number, bytes: Uint8Array, start: number, end: number, now: number): boolean {
    const answer = parseDnsAnswer(bytes, start, end);
    const question = answer && this.#questions.get(answer.name);
    const query = question?.queries.find(
      (one) => one.type === answer?.type && one.id === answer.id && one.port === port && one.answer === undefined,
    );
    if (answer === undefined || question === undefined || query === undefined || !isSame(server, question.server))
      return false;
    // A server may have had no room for an address.
    const isEmpty = answer.isTruncated && answer.addresses.length === 0;
    const isFinal = (answer.code === DnsCode.OK && !isEmpty) || answer.code === DnsCode.NO_SUCH_NAME;
    if (!isFinal) this.#repeat(question, now);
    else {
      const addresses = answer.addresses.slice(0, MOST_ADDRESSES);
      query.answer = { addresses, outcome: addresses.length > 0 ? Outcome.GRANTED : Outcome.NO_SUCH_NAME };
      this.#settle(question, answer, now);
    }
    return true;
  }

  /** A query from this port has not reached the server. */
  failed(server: Uint8Array, port: number, now: number): void {
    for (const question of [...this.#questions.values()])
      if (
        isSame(server, question.server) &&
        question.queries.some((query) => query.port === port && query.answer === undefined)
      )
        this.#repeat(question, now);
  }

  /** The first family with an address decides: the others are not waited for. */
  #settle(question: Question, { ttl }: DnsAnswer, now: number): void {
    for (const { answer } of question.queries) {
      if (answer === undefined) return;
      if (answer.addresses.length === 0) continue;
      this.#finish(question, now, Math.min(ttl * SECOND, LONGEST_MS));
      return;
    }
    this.#finish(question, now, NONE_MS);
  }

  /** `validMs`: for how long the answer is kept. */
  #finish({ name, queries, waiters }: Question, now: number, validMs: number): void {
    this.#questions.delete(name);
    const addresses = queries.flatMap(({ answer }) => answer?.addresses ?? []);
    const outcome = addresses.length > 0 ? Outcome.GRANTED : (queries[0]?.answer?.outcome ?? Outcome.NO_NAME_SERVER);
    const found = { addresses, outcome };
    if (validMs > 0) this.#keep(name, { ...found, until: now + validMs });
    for (const waiter of waiters) waiter(found, now);
  }

  #keep(name: string, kept: Kept): void {
    this.#kept.delete(name);
    if (this.#kept.size >= MOST_KEPT)
      for (const [oldest] of this.#kept) {
        this.#kept.delete(oldest);
        break;
      }
    this.#kept.set(name, kept);
  }

  nextTimeout(): number {
    let at = Infinity;
    for (const { dueAt } of this.#questions.values()) at = Math.min(at, dueAt);
    return at;
  }

  handleTimeout(now: number): void {
    for (const question of [...this.#questions.values()]) if (question.dueAt <= now) this.#repeat(question, now);
  }
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((octet, at) => octet === other[at]);
}
