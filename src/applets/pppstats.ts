// pppstats(8): prints the counters of a PPP interface, once or every few seconds.

import { constants } from "node:os";
import { findInterface, IFF } from "../os/net/netif.ts";
import { hasCode, OsError, reasonOf } from "../os/ffi/libc.ts";
import { print } from "../os/log/print.ts";
import { type Counters, NO_TRAFFIC } from "../link/counters.ts";
import { readStatus } from "./read-status.ts";
import { Report, type ReportOptions } from "./pppstats-report.ts";

/** The services of the machine that pppstats uses. Tests supply their own. */
export interface PppstatsHost {
  /** Throws OsError, ENODEV when there is no such interface. */
  counters(ifname: string): Counters;
  /** Rejects when the text cannot be written. */
  print(text: string): Promise<void>;
  complain(text: string): void;
  /** Resolves this many seconds after it last resolved, or after the start. */
  tick(seconds: number): Promise<void>;
}

const USAGE = "Usage: pppstats [-a|-d] [-v|-r|-z] [-c count] [-w wait] [interface]";
const DEFAULT_INTERFACE = "ppp0";
const DEFAULT_INTERVAL = 5;
/** The exit code a shell reports for SIGPIPE, when the reader of our output is gone. */
const EXIT_PIPE = 128 + constants.signals.SIGPIPE;

/** Runs pppstats with the arguments after its name. Returns the exit code. */
export async function pppstats(argv: readonly string[], host: PppstatsHost = thisHost()): Promise<number> {
  const command = parseArguments(argv);
  if (typeof command === "string") {
    host.complain(command === "" ? USAGE : `pppstats: ${command}\n${USAGE}`);
    return 1;
  }
  const { ifname, rows, options } = command;
  const report = new Report(options);
  for (let row = 0; row < rows; row++) {
    if (row > 0) await host.tick(options.interval);
    let counters: Counters;
    try {
      counters = host.counters(ifname);
    } catch (error) {
      if (!(error instanceof OsError)) throw error;
      const nonexistent = row === 0 && error.code === "ENODEV";
      host.complain(
        nonexistent
          ? `pppstats: nonexistent interface '${ifname}' specified`
          : `pppstats: couldn't get PPP statistics: ${reasonOf(error)}`,
      );
      return 1;
    }
    try {
      await host.print(report.row(counters));
    } catch (error) {
      if (hasCode(error, "EPIPE")) return EXIT_PIPE;
      host.complain(`pppstats: write error: ${reasonOf(error)}`);
      return 1;
    }
  }
  return 0;
}

interface Command {
  readonly ifname: string;
  /** How many rows to print. Infinity: until a signal. */
  readonly rows: number;
  readonly options: ReportOptions;
}

/** The command, or an error message like getopt(3)'s; "" when getopt prints none. */
function parseArguments(argv: readonly string[]): Command | string {
  const flags = new Set<string>();
  const numbers = new Map<string, number>();
  const names: string[] = [];
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index]!;
    if (word === "--") {
      names.push(...argv.slice(index + 1));
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      names.push(word);
      continue;
    }
    for (let at = 1; at < word.length; at++) {
      const flag = word[at]!;
      if ("advrz".includes(flag)) {
        flags.add(flag);
        continue;
      }
      if (flag !== "c" && flag !== "w") return `invalid option -- '${flag}'`;
      // The number is the rest of the word, or the next word.
      const number = word.slice(at + 1) || argv[++index];
      if (number === undefined) return `option requires an argument -- '${flag}'`;
      const value = parseInt(number, 10);
      if (!(value > 0)) return "";
      numbers.set(flag, value);
      break;
    }
  }
  if (names.length > 1) return "";
  const [count, wait] = [numbers.get("c"), numbers.get("w")];
  return {
    ifname: names[0] ?? DEFAULT_INTERFACE,
    rows: count ?? (wait === undefined ? 1 : Infinity),
    options: {
      absolute: flags.has("a"),
      rate: flags.has("d"),
      vanJacobson: flags.has("v"),
      ratio: flags.has("r"),
      compression: flags.has("z"),
      interval: wait ?? DEFAULT_INTERVAL,
    },
  };
}

/** The longest timer. A timer of more milliseconds fires at once. */
const TIMER_MAX = 2 ** 31 - 1;

function thisHost(): PppstatsHost {
  let last = performance.now();
  return {
    counters: interfaceCounters,
    print: async (text) => print(text),
    complain: (text) => console.error(text),
    tick: async (seconds) => {
      last = Math.max(last + seconds * 1000, performance.now());
      for (let left; (left = last - performance.now()) > 0;) await Bun.sleep(Math.min(left, TIMER_MAX));
    },
  };
}

/** The counters of our own pppd; otherwise those of the interface, without VJ and compression. */
function interfaceCounters(ifname: string): Counters {
  const found = findInterface(ifname);
  if (found === undefined) throw new OsError("pppstats", ifname, constants.errno.ENODEV);
  if ((found.flags & IFF.POINTOPOINT) === 0) throw new OsError("pppstats", ifname, constants.errno.EOPNOTSUPP);
  const ours = readStatus(ifname);
  if (ours !== undefined) return ours.counters;
  const { rxBytes, rxPackets, txBytes, txPackets } = found.counters;
  return {
    received: { ...NO_TRAFFIC, bytes: rxBytes, packets: rxPackets },
    sent: { ...NO_TRAFFIC, bytes: txBytes, packets: txPackets },
  };
}
