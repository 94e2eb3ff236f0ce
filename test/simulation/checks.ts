// What must be true of a simulated computer at each moment, and how a pppd may end.

import type { Computer, Pppd } from "./computer.ts";

/** A session needs no more than this, whatever happens. */
const MOST = { descriptors: 24, timers: 64, work: 256, children: 400 };

/** What is wrong with a running pppd at once. */
export function wrongWith(computer: Computer, pppd: Pppd): string | undefined {
  const { process } = pppd;
  if (pppd.fault !== undefined) return pppd.fault;
  if (process.trouble !== undefined) return `${process.trouble}`;
  if (!pppd.isRunning || process.isStopped) return undefined;
  const { descriptorCount, timerCount, workCount } = process;
  if (descriptorCount > MOST.descriptors) return `${descriptorCount} descriptors are open`;
  if (timerCount > MOST.timers) return `${timerCount} timers are set`;
  if (workCount > MOST.work) return `${workCount} things wait for the runtime's turn`;
  if (computer.processes.running.size > MOST.children) return `${computer.processes.running.size} processes run`;
  return undefined;
}

/** What does not match on its computer, which it may be about to mend. */
export function mismatch(computer: Computer, pppd: Pppd, words: readonly string[]): string | undefined {
  if (!pppd.isRunning || pppd.process.isStopped) return undefined;
  return wrongInterface(computer, words) ?? wrongLock(computer, pppd, words);
}

function wrongInterface({ network, processes }: Computer, words: readonly string[]): string | undefined {
  const { tuns, routes } = network;
  if (tuns.length > 1) return `${tuns.length} interfaces`;
  const [tun] = tuns;
  const hasTaken = routes.every(({ device }) => device.name !== network.ethernet.name);
  if (tun === undefined) return hasTaken ? "no interface, and the default route is not given back" : undefined;
  const { isUp, addresses, addresses6, name } = tun;
  // The link-local one, and with share that of the link's network.
  const most6 = words.includes("share") ? 2 : 1;
  if (addresses.length > 1 || addresses6.length > most6)
    return `${name} has ${addresses.length + addresses6.length} addresses`;
  if (hasTaken && addresses.length === 0) return `${name} has no address, and the default route is not given back`;
  if (words.includes("demand")) return undefined;
  if (isUp && addresses.length + addresses6.length === 0) return `${name} is up without an address`;
  const [publication] = processes.publications.values();
  if (publication === undefined) return undefined;
  const status = JSON.parse(publication.text()) as { up?: number };
  if ((status.up !== undefined) !== isUp) return `${name} is ${isUp ? "up" : "down"}, and the status says otherwise`;
  return undefined;
}

function wrongLock({ files, ports }: Computer, { process }: Pppd, words: readonly string[]): string | undefined {
  if (!words.includes("lock")) return undefined;
  for (const { path, tty } of ports) {
    if (path === undefined || tty === undefined || tty.isHungUp) continue;
    const holder = Number(files.text(`/var/lock/LCK..${path.slice("/dev/".length)}`) ?? 0);
    if (holder !== process.pid)
      return `${path} is open, and its lock is ${holder === 0 ? "not there" : `of ${holder}`}`;
  }
  return undefined;
}

/** The message that goes with an exit code. */
const MESSAGES: Readonly<Record<number, RegExp>> = {
  0: /Connection terminated|LCP terminated by peer/,
  1: /has been removed|Interface configuration failed|Couldn't/,
  5: /Terminating on signal|Hangup \(SIGHUP\)/,
  6: /is locked by pid|Can't create lock file/,
  7: /Failed to open/,
  8: /Connect script failed/,
  10: /timeout sending Config-Requests|LCP terminated by peer|Connection terminated|Peer refused|not authorized/i,
  11: /authentication failed|peer refused to authenticate|not authenticated|Timeout|No auth is possible/i,
  12: /Terminating connection due to lack of activity/,
  13: /Connect time expired/,
  15: /No response to \d+ echo-requests/,
  16: /Modem hangup/,
  17: /looped-back/,
  18: /Initializer script failed/,
  19: /authentication failed|no response|Timeout|auth/i,
  20: /Traffic limit reached/,
};

/** What is wrong with how a pppd ended. */
export function wrongEnding({ exitCode, fault, lines, process }: Pppd): string | undefined {
  if (fault !== undefined || process.trouble !== undefined) return fault ?? process.trouble;
  // It was killed.
  if (exitCode === undefined) return undefined;
  const message = MESSAGES[exitCode];
  if (message === undefined) return `exit code ${exitCode}`;
  return lines.some((line) => message.test(line)) ? undefined : `exit code ${exitCode} without its message`;
}
