// What the history is told of a session: each time that its link was up, and each time that it did not come up.

import { SampleSeries } from "../../record/sample-series.ts";
import type { SessionRecord } from "../../record/session-record.ts";
import type { Config } from "../../options/config.ts";
import { Exit } from "../exit.ts";
import type { Status } from "../live/published-status.ts";
import type { Clock, Machine } from "../machine.ts";
import type { NetworkDown, NetworkObserver } from "../session/network-observer.ts";
import type { OptionsInForce } from "../settings/options-in-force.ts";
import { HistoryFile } from "./history-file.ts";

const SECOND = 1000;
/** The most seconds between two looks at the counters. */
const LONGEST_LOOK = 10;
const DAY = 86_400;
/** What is known is written after so many seconds of a link, and after each further day: the power may fail. */
const MARKS = [0, 60, 600, 3600, 6 * 3600];

export class SessionHistory {
  readonly #machine: Machine;
  readonly #options: OptionsInForce;
  readonly #file: HistoryFile;
  #link: LinkHistory | undefined;
  /** Attempts since a link was up, by the way they ended. */
  readonly #failures = new Map<string, Failures>();

  constructor(machine: Machine, options: OptionsInForce) {
    this.#machine = machine;
    this.#options = options;
    this.#file = new HistoryFile(machine);
  }

  /** A network phase begins. */
  network(status: () => Status): LinkHistory {
    const write = (record: SessionRecord): void => {
      this.#endFailures();
      this.#file.append({ ...record, process: this.#machine.processes.identity(record.pid) });
    };
    return (this.#link = new LinkHistory(this.#machine, this.#options.config, status, write));
  }

  /** An attempt has ended. */
  ended(exit: Exit, hangup: boolean): void {
    const link = this.#link;
    this.#link = undefined;
    if (link?.wasUp === true) link.ended(exit, hangup);
    // A port that waited for a caller until it was told to end has not failed.
    else if (exit !== Exit.USER_REQUEST && exit !== Exit.OK) this.#failed(exit, hangup);
  }

  /** There will be no further attempt. */
  end(): void {
    this.#endFailures();
  }

  #failed(exit: Exit, hangup: boolean): void {
    const { clock, processes } = this.#machine;
    const { linkname } = this.#options.config;
    const device = deviceText(this.#options.config);
    const key = JSON.stringify([exit, hangup, device]);
    const now = Math.round(clock.wall());
    let failures = this.#failures.get(key);
    if (failures === undefined) {
      const at = { began: now, pid: processes.pid, device, seconds: 0 };
      const record = { ...at, linkname, exit, hangup: hangup || undefined, in: 0, out: 0, bad: 0 };
      this.#failures.set(key, (failures = { record, count: 0, written: 0, lastAt: now }));
    }
    failures.count++;
    failures.lastAt = now;
    // A line that fails every ten seconds must not fill the file.
    if (failures.count >= 2 * failures.written) this.#write(failures);
  }

  #endFailures(): void {
    for (const failures of this.#failures.values()) if (failures.written < failures.count) this.#write(failures);
    this.#failures.clear();
  }

  #write(failures: Failures): void {
    const { record, count, lastAt } = failures;
    failures.written = count;
    const seconds = Math.max(0, Math.round((lastAt - record.began) / SECOND));
    this.#file.append({ ...record, seconds, failures: count });
  }
}

/** Attempts that ended in the same way, of which the file knows `written`. */
interface Failures {
  readonly record: SessionRecord;
  count: number;
  written: number;
  /** Milliseconds since 1970. */
  lastAt: number;
}

/** One time that a link is up. */
export class LinkHistory implements NetworkObserver {
  readonly #machine: Machine;
  readonly #config: Config;
  readonly #status: () => Status;
  readonly #write: (record: SessionRecord) => void;
  readonly #series = new SampleSeries();
  readonly #total = { in: 0, out: 0, bad: 0 };
  /** The counters at the last look. They begin again with each link, and those of a bundle with each of its lines. */
  #before: Counts = { in: 0, out: 0, bad: new Map(), echoes: 0, rtt: undefined };
  #began: { readonly at: number; readonly wall: number; readonly device: string } | undefined;
  #nextLookAt = Infinity;
  #marks = 0;
  /** The last status with the addresses of IPv4, or of IPv6 where there are no others. */
  #known: Status | undefined;

  constructor(machine: Machine, config: Config, status: () => Status, write: (record: SessionRecord) => void) {
    this.#machine = machine;
    this.#config = config;
    this.#status = status;
    this.#write = write;
  }

  get #clock(): Clock {
    return this.#machine.clock;
  }

  get wasUp(): boolean {
    return this.#began !== undefined;
  }

  up(): void {
    const now = this.#clock.now();
    const status = this.#status();
    const hadIpv4 = this.#known?.ipv4 !== undefined;
    this.#known = status;
    if (this.#began === undefined) {
      const device = status.lines.map((line) => line.device).join(" ") || deviceText(this.#config);
      this.#began = { at: now, wall: Math.round(this.#clock.wall()), device };
    } else if (!hadIpv4 && status.ipv4 !== undefined) this.#write(this.#record({}));
    // While no network protocol is up, what comes is not the link's.
    if (this.#nextLookAt === Infinity) this.#before = countsOf(status);
    this.#nextLookAt = now;
  }

  down({ isLast }: NetworkDown): void {
    if (this.#nextLookAt === Infinity) return;
    this.#look(this.#clock.now());
    if (isLast) this.#nextLookAt = Infinity;
  }

  /** To be called now and then. */
  lookAfter(now: number): void {
    if (now >= this.#nextLookAt) this.#look(now);
  }

  ended(exit: Exit, hangup: boolean): void {
    if (this.#nextLookAt !== Infinity) this.#look(this.#clock.now());
    this.#write(this.#record({ exit, hangup: hangup || undefined }));
    this.#nextLookAt = Infinity;
  }

  #look(now: number): void {
    const began = this.#began;
    if (began === undefined) return;
    const status = this.#status();
    this.#know(status);
    const counts = countsOf(status);
    const happened = {
      in: since(this.#before.in, counts.in),
      out: since(this.#before.out, counts.out),
      bad: sum([...counts.bad].map(([line, bad]) => since(this.#before.bad.get(line) ?? 0, bad))),
      rtt: counts.echoes === this.#before.echoes ? undefined : counts.rtt,
    };
    this.#before = counts;
    this.#total.in += happened.in;
    this.#total.out += happened.out;
    this.#total.bad += happened.bad;
    const seconds = (now - began.at) / SECOND;
    this.#series.add(seconds, happened);
    this.#nextLookAt = now + Math.min(this.#series.every, LONGEST_LOOK) * SECOND;
    const marked = this.#marks;
    while (seconds >= markAt(this.#marks)) this.#marks++;
    if (this.#marks > marked) this.#write(this.#record({}));
  }

  /** While a link ends, one protocol goes down after the other, and compression too. */
  #know(status: Status): void {
    const known = this.#known;
    if (status.ipv4 === undefined && (status.ipv6 === undefined || known?.ipv4 !== undefined)) return;
    const { receive, transmit } = status.compression;
    const isCompressed = receive !== undefined || transmit !== undefined;
    this.#known = isCompressed ? status : { ...status, compression: known?.compression ?? status.compression };
  }

  #record(end: Pick<SessionRecord, "exit" | "hangup">): SessionRecord {
    const { at, wall, device } = this.#began!;
    const known = this.#known!;
    const [line] = known.lines;
    const address = known.ipv4 ?? known.ipv6;
    return {
      began: wall,
      pid: this.#machine.processes.pid,
      device,
      seconds: Math.round((this.#clock.now() - at) / SECOND),
      ...end,
      interface: known.interface,
      linkname: known.linkname,
      peer: known.peer === "" ? undefined : known.peer,
      our: address?.our,
      their: address?.peer,
      speed: line?.speed,
      mtu: known.mtu,
      receive: known.compression.receive,
      transmit: known.compression.transmit,
      ...this.#total,
      samples: this.#series.samples(),
    };
  }
}

function markAt(mark: number): number {
  return MARKS[mark] ?? DAY * (mark - MARKS.length + 1);
}

interface Counts {
  readonly in: number;
  readonly out: number;
  /** Of each line. */
  readonly bad: ReadonlyMap<string, number>;
  /** Echoes that were answered, and the milliseconds of the slowest of the last ones. */
  readonly echoes: number;
  readonly rtt: number | undefined;
}

function countsOf({ counters, lines }: Status): Counts {
  const trips = lines.flatMap(({ roundTrip }) => roundTrip ?? []);
  return {
    in: counters.received.bytes,
    out: counters.sent.bytes,
    bad: new Map(lines.map((line) => [line.device, line.badFcs + line.runts + line.overlong + line.aborted])),
    echoes: sum(trips.map(({ answered }) => answered)),
    rtt: trips.length === 0 ? undefined : Math.max(...trips.map(({ last }) => last)),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** The growth of a counter that may have begun again. */
function since(before: number, now: number): number {
  return now >= before ? now - before : now;
}

/** What the line is called before it is open. A program's command may have a password in it. */
function deviceText({ device, socket, socketListen, pty, notty }: Config): string {
  if (pty !== undefined) return "pty";
  return socket ?? socketListen ?? device ?? (notty ? "standard input" : "no device");
}
