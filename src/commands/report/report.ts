// nullmodem report [LINK]: writes a session as a page of HTML with graphs, for a report of a fault. No secret is in it.

import { readFileSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { defineCommand } from "citty";
import { consola } from "consola";
import { VERSION } from "../../options/version.ts";
import { asOsError, reasonOf } from "../../os/ffi/libc.ts";
import { print } from "../../os/log/print.ts";
import { readRecord } from "../../record/pppdump-file.ts";
import type { SessionRecord } from "../../record/session-record.ts";
import { hasCode, isHostError } from "../../run/machine.ts";
import { durationText, sizeText } from "../../transfer/progress-text.ts";
import { isCalled, type LogHost, loggedSessions, THIS_HOST as LOG_HOST, timeText } from "../session-log.ts";
import { outcomeText, sessionLines } from "../session-log-text.ts";
import { type RecordSession, lastSession } from "./record-session.ts";
import { type Fact, type Report, reportPage } from "./report-page.ts";
import { usageText } from "../usage-text.ts";

const command = defineCommand({
  meta: { name: "nullmodem report", description: "Write a page with graphs of a session, for a report of a fault" },
  args: {
    link: {
      type: "positional",
      description: "the last session of this interface, linkname, port or user; without it, the last of all",
      required: false,
    },
    record: { type: "string", description: "the last session of this file of pppd's record option instead" },
    output: { type: "string", alias: "o", description: "the file to write; -: standard output" },
  },
});

const AFTER = "Exit codes: 0; 1 when there is no such session, or a file cannot be read or written; 2 for wrong words.";

/** Sessions before it that are listed too. */
const LISTED = 20;

export interface ReportHost extends Pick<LogHost, "sessions" | "isUp" | "links"> {
  /** Throws HostError. */
  read(path: string): Uint8Array;
  /** Throws HostError. */
  write(path: string, text: string): void;
  /** The same for a file that is not there, not even as a link. */
  make(path: string, text: string): void;
  print(text: string): void;
  /** "Linux 6.1.0-13-amd64 x64" */
  readonly system: string;
}

const THIS_HOST: ReportHost = {
  sessions: LOG_HOST.sessions,
  isUp: LOG_HOST.isUp,
  links: LOG_HOST.links,
  read: (path) => asOsError(() => readFileSync(path)),
  write: (path, text) => asOsError(() => writeFileSync(path, text)),
  make: (path, text) => asOsError(() => writeFileSync(path, text, { flag: "wx" })),
  print,
  system: `Linux ${release()} ${process.arch}`,
};

/** Runs report with the words after its name. Returns the exit code: 1 when there is no such session, or no page. */
export async function report(argv: readonly string[], host: ReportHost = THIS_HOST): Promise<number> {
  consola.level = 3;
  const words = readWords(argv);
  if (typeof words === "string") {
    const usage = await usageText(command, AFTER);
    if (words === "") host.print(usage);
    else {
      consola.error(words);
      process.stderr.write(usage);
    }
    return words === "" ? 0 : 2;
  }
  try {
    const found = words.record === undefined ? ofHistory(host, words.link) : ofRecord(host, words.record);
    if (typeof found === "string") {
      consola.error(found);
      return 1;
    }
    const page = reportPage(found.report);
    if (words.output === "-") host.print(page);
    else {
      if (words.output !== undefined) host.write(words.output, page);
      const path = words.output ?? makeFile(host, found.name, page);
      consola.info(`${path}: ${found.report.title}`);
    }
    return 0;
  } catch (error) {
    if (!isHostError(error)) throw error;
    const remedy = words.output === undefined && error.code === "EACCES" ? "; --output names another place" : "";
    consola.error(`${error.path ?? "the history"}: ${reasonOf(error)}${remedy}`);
    return 1;
  }
}

report.definition = command;

interface Words {
  readonly link: string | undefined;
  readonly record: string | undefined;
  readonly output: string | undefined;
}

/** What is wrong with them; "": help is asked for. */
function readWords(argv: readonly string[]): Words | string {
  const found = new Map<string, string>();
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!;
    if (word === "--help" || word === "-h") return "";
    const [, long, given] = /^(--record|--output|-o)(?:=(.*))?$/.exec(word) ?? [];
    if (long !== undefined) {
      const value = given ?? argv[++at];
      if (value === undefined || value === "") return `${long} takes the name of a file`;
      found.set(long === "--record" ? "record" : "output", value);
    } else if (word.startsWith("-")) return `there is no option ${JSON.stringify(word)}`;
    else if (found.has("link")) return "report takes one link";
    else found.set("link", word);
  }
  if (found.has("link") && found.has("record")) return "a record file is of one link: leave its name out";
  return { link: found.get("link"), record: found.get("record"), output: found.get("output") };
}

interface Found {
  readonly report: Report;
  /** Of the file, without its ending. */
  readonly name: string;
}

/** Why there is none, in words. */
function ofHistory(host: ReportHost, name: string | undefined): Found | string {
  const sessions = loggedSessions(host).filter(({ record }) => name === undefined || isCalled(record, name));
  // Attempts that failed have nothing to draw. The list of sessions has them.
  const logged = sessions.findLast(({ record }) => record.failures === undefined) ?? sessions.at(-1);
  if (logged === undefined) return `no session${name === undefined ? "" : ` of ${name}`} is in the history`;
  const last = logged.record;
  const link = last.interface ?? "link";
  return {
    name: fileName(link, last.began),
    report: {
      title: `${link} on ${last.device}, ${timeText(last.began)}`,
      facts: [...sessionFacts(last, outcomeText(logged)), ...systemFacts(host)],
      samples: last.samples,
      events: [],
      texts: [["The last sessions", sessionLines(sessions.slice(-LISTED), timeText)]],
    },
  };
}

function sessionFacts(record: SessionRecord, outcome: string): Fact[] {
  const { peer, our, their, speed = 0, mtu, receive, transmit, seconds, bad } = record;
  return [
    ["began", timeText(record.began)],
    ["lasted", durationText(seconds)],
    ["ended", outcome],
    ...(peer === undefined ? [] : [["peer", peer] as const]),
    ...(our === undefined ? [] : [["addresses", `${our} here, ${their ?? "none"} there`] as const]),
    ["line", `${record.device}${speed > 0 ? ` at ${speed}` : ""}`],
    ...(mtu === undefined ? [] : [["MTU", String(mtu)] as const]),
    ["compression", `${receive ?? "none"} in, ${transmit ?? "none"} out`],
    ["octets", `${sizeText(record.in)} in, ${sizeText(record.out)} out`],
    ["bad frames", String(bad)],
  ];
}

function systemFacts({ system }: ReportHost): Fact[] {
  return [
    ["program", `nullmodem ${VERSION}`],
    ["system", system],
  ];
}

/** Why there is none, in words. */
function ofRecord(host: ReportHost, path: string): Found | string {
  const session = lastSession(readRecord(host.read(path)));
  if (session === undefined) return `${path}: no session of pppd's option record is in it`;
  const title = `${path.slice(path.lastIndexOf("/") + 1)}, ${timeText(session.began)}`;
  const facts = [...recordFacts(session), ...systemFacts(host)];
  const { samples, events } = session;
  return { name: fileName("record", session.began), report: { title, facts, samples, events, texts: [] } };
}

function recordFacts({ began, seconds, in: received, out, badFrames }: RecordSession): Fact[] {
  return [
    ["began", timeText(began)],
    ["lasted", durationText(seconds)],
    ["octets of the line", `${sizeText(received)} in, ${sizeText(out)} out`],
    ["bad frames", String(badFrames)],
  ];
}

/** "nullmodem-ppp0-2026-11-30-2105" */
function fileName(link: string, began: number): string {
  const time = timeText(began).replace(" ", "-").replace(":", "");
  return `nullmodem-${link.replace(/[^\w.-]/g, "_")}-${time}`;
}

/** A report that is there already is kept. Returns the path. */
function makeFile({ make }: ReportHost, name: string, page: string): string {
  for (let number = 1; ; number++) {
    const path = `${name}${number === 1 ? "" : `-${number}`}.html`;
    try {
      make(path, page);
      return path;
    } catch (error) {
      if (!hasCode(error, "EEXIST")) throw error;
    }
  }
}
