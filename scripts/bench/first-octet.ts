// A start of the program up to its first octet on the line, a pseudo terminal, and what it has cost until then.

import { readdirSync, readFileSync } from "node:fs";
import { closeFd, libc, Memory, POLLIN } from "../../src/os/ffi/libc.ts";
import { openPty } from "../../src/os/serial/pty.ts";

const PATIENCE_MS = 60_000;
const OPTIONS = ["115200", "nodetach", "noauth", "local", "10.98.0.1:10.98.0.2"];

export interface FirstOctet {
  readonly ms: number;
  /** CPU milliseconds of all its threads. */
  readonly cpu: number;
  readonly pageFaults: number;
}

/**
 * Starts pppd and waits for the first octet. `within` changes the command, so that it runs elsewhere. Ends the program
 * and waits for its end.
 */
export async function firstOctet(
  pppd: string,
  within: (...words: string[]) => string[] = (...words) => words,
): Promise<FirstOctet> {
  const { master, slave } = openPty();
  const poll = new Memory(8);
  poll.view.setInt32(0, master, true);
  poll.view.setInt16(4, POLLIN, true);
  const startedAt = performance.now();
  const child = Bun.spawn(within(pppd, slave, ...OPTIONS), { stdio: ["ignore", "ignore", "ignore"] });
  try {
    if (libc.poll(poll.address, 1, PATIENCE_MS) < 1) throw new Error(`${pppd} sends nothing`);
    return { ms: performance.now() - startedAt, cpu: cpuOf(child.pid), pageFaults: pageFaultsOf(child.pid) };
  } finally {
    child.kill("SIGTERM");
    closeFd(master);
    await child.exited;
  }
}

function cpuOf(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
    const [nanoseconds] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
    return sum + Number(nanoseconds) / 1e6;
  }, 0);
}

function pageFaultsOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ")[7]);
}
