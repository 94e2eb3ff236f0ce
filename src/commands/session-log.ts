// nullmodem log [LINK…]: the sessions that this machine had, with their users, octets and ends.

import { defineCommand } from "citty";
import { consola } from "consola";
import { readSessions } from "../applets/read-history.ts";
import { readAllStatus } from "../applets/read-status.ts";
import { thisMachine } from "../applets/this-machine.ts";
import { inertJson } from "../bytes/text.ts";
import { print } from "../os/log/print.ts";
import type { SessionRecord } from "../record/session-record.ts";
import type { Status } from "../run/live/published-status.ts";
import { isHostError, reasonOf } from "../run/machine.ts";
import { type LoggedSession, outcomeText, portText, sessionLines, userLines } from "./session-log-text.ts";
import { usageText } from "./usage-text.ts";

const command = defineCommand({
  meta: { name: "nullmodem log", description: "Show the sessions that this machine had, the latest last" },
  args: {
    link: {
      type: "positional",
      description: "only those of this interface, linkname, port or user, or of these",
      required: false,
    },
    number: { type: "string", alias: "n", description: "so many of the latest (default 50; 0: all)" },
    users: { type: "boolean", description: "a line for each user, with the sums of all its sessions" },
    json: { type: "boolean", description: "for programs: an array with an object a session" },
  },
});

const AFTER = "Exit codes: 0; 1 when there is nothing to show, or the history cannot be read; 2 for wrong words.";

const MOST_SHOWN = 50;

/** The services of the machine that log uses. Tests supply their own. */
export interface LogHost {
  /** In the order in which they began. */
  sessions(): SessionRecord[];
  /** Its end is not written, and the process that would write it runs. */
  isUp(record: SessionRecord): boolean;
  /** What the running links publish. */
  links(): Status[];
  print(text: string): void;
}

export const THIS_HOST: LogHost = {
  sessions: () => readSessions(thisMachine),
  isUp,
  links: () => readAllStatus(),
  print,
};

/** Its end is not written, and the process that would write it runs. */
function isUp({ exit, pid, process: identity }: SessionRecord): boolean {
  return exit === undefined && identity !== undefined && thisMachine.processes.identity(pid) === identity;
}

/** The sessions, each with whether it is up. A process has one link at a time on a device. */
export function loggedSessions(host: Pick<LogHost, "sessions" | "isUp" | "links">): LoggedSession[] {
  const latest = new Map<string, SessionRecord>();
  const sessions = host.sessions();
  const keyOf = ({ pid, process: identity, device }: SessionRecord): string => JSON.stringify([pid, identity, device]);
  for (const record of sessions) latest.set(keyOf(record), record);
  const up = sessions.filter((record) => latest.get(keyOf(record)) === record && host.isUp(record));
  const links = up.length === 0 ? [] : host.links();
  return sessions.map((record) => {
    const isUp = up.includes(record);
    const link = links.find(({ pid, interface: name }) => pid === record.pid && name === record.interface);
    return { record: isUp && link !== undefined ? withPresent(record, link) : record, isUp };
  });
}

/** What is in the file of a link that is up was written a while ago. */
function withPresent(record: SessionRecord, { up, counters, ipv4, ipv6, peer, compression }: Status): SessionRecord {
  if (up === undefined) return record;
  const address = ipv4 ?? ipv6;
  return {
    ...record,
    seconds: Math.max(record.seconds, up),
    in: Math.max(record.in, counters.received.bytes),
    out: Math.max(record.out, counters.sent.bytes),
    our: address?.our ?? record.our,
    their: address?.peer ?? record.their,
    peer: peer === undefined || peer === "" ? record.peer : peer,
    receive: compression.receive ?? record.receive,
    transmit: compression.transmit ?? record.transmit,
  };
}

/** Runs log with the words after its name. Returns the exit code: 1 when there is nothing to show. */
export async function log(argv: readonly string[], host: LogHost = THIS_HOST): Promise<number> {
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
  let sessions: LoggedSession[];
  try {
    sessions = loggedSessions(host);
  } catch (error) {
    if (!isHostError(error)) throw error;
    consola.error(`${error.path ?? "the history"} cannot be read: ${reasonOf(error)}`);
    return 1;
  }
  const { names, most, isJson, isByUser } = words;
  const asked = sessions.filter(({ record }) => names.length === 0 || names.some((name) => isCalled(record, name)));
  const shown = most === 0 ? asked : asked.slice(-most);
  if (isJson) host.print(`${inertJson(JSON.stringify(shown.map(jsonOf)))}\n`);
  else if (shown.length === 0)
    consola.info(names.length === 0 ? "No session is in the history" : `No session of ${names.join(" or ")}`);
  else host.print(isByUser ? userLines(asked, timeText) : sessionLines(shown, timeText));
  return shown.length === 0 ? 1 : 0;
}

log.definition = command;

interface Words {
  readonly names: readonly string[];
  readonly most: number;
  readonly isJson: boolean;
  readonly isByUser: boolean;
}

/** What is wrong with them; "": help is asked for. */
function readWords(argv: readonly string[]): Words | string {
  const names: string[] = [];
  let most = MOST_SHOWN;
  let isJson = false;
  let isByUser = false;
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!;
    const [, given] = /^(?:-n|--number)=?(.*)$/.exec(word) ?? [];
    if (word === "--help" || word === "-h") return "";
    if (word === "--json") isJson = true;
    else if (word === "--users") isByUser = true;
    else if (given !== undefined) {
      const number = given === "" ? (argv[++at] ?? "") : given;
      if (!/^\d{1,9}$/.test(number)) return `--number takes a number, not ${JSON.stringify(number)}`;
      most = Number(number);
    } else if (word.startsWith("-")) return `there is no option ${JSON.stringify(word)}`;
    else names.push(word);
  }
  return { names, most, isJson, isByUser };
}

/** A name is an interface, a linkname, a port with or without its folder, or a user. */
export function isCalled({ interface: ifname, linkname, device, peer }: SessionRecord, name: string): boolean {
  const devices = device.split(" ").flatMap((one) => [one, portText(one)]);
  return [ifname, linkname, peer, device, ...devices].includes(name);
}

function jsonOf(session: LoggedSession): object {
  const { samples: _, ...facts } = session.record;
  return { ...facts, up: session.isUp, end: outcomeText(session) };
}

/** "2026-11-30 21:05" in local time. */
export function timeText(milliseconds: number): string {
  const date = new Date(milliseconds);
  const two = (number: number): string => String(number).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}
