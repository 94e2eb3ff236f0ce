import { afterEach, expect, test } from "bun:test";
import { constants } from "node:os";
import { readFileSync } from "node:fs";
import { type SignalEvent, Signals } from "../../../src/os/process/signals.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

let signals: Signals | undefined;
let heard: SignalEvent[] = [];
afterEach(() => signals?.close());

function listen(): void {
  heard = [];
  signals = new Signals((event) => heard.push(event));
}

/** Sends signals to this process and waits until they are handled. */
async function send(...names: NodeJS.Signals[]): Promise<void> {
  for (const name of names) {
    process.kill(process.pid, name);
    await turn();
    await turn();
  }
}

function bitsOf(field: string): bigint {
  return BigInt(`0x${new RegExp(`^${field}:\\s*(\\w+)`, "m").exec(readFileSync("/proc/self/status", "utf8"))![1]}`);
}

test("signals are handled in the order in which they came, in the turn of the event loop", async () => {
  listen();
  process.kill(process.pid, "SIGUSR1");
  expect(heard).toEqual([]);
  await send("SIGHUP", "SIGUSR1", "SIGTERM");
  expect(heard).toEqual([
    { type: "signal", name: "SIGUSR1", number: 10 },
    { type: "signal", name: "SIGHUP", number: 1 },
    { type: "signal", name: "SIGUSR1", number: 10 },
    { type: "signal", name: "SIGTERM", number: 15 },
  ]);
});

test.each(["SIGINT", "SIGUSR2"] as const)("%s", async (name) => {
  listen();
  await send(name);
  expect(heard).toEqual([{ type: "signal", name, number: constants.signals[name] }]);
});

test.each(["SIGQUIT", "SIGALRM", "SIGVTALRM", "SIGPROF", "SIGXCPU", "SIGIO"] as const)("%s is fatal", async (name) => {
  listen();
  await send(name);
  expect(heard).toEqual([{ type: "fatal", number: constants.signals[name] }]);
});

test("SIGPIPE stays ignored, faults stay Bun's", () => {
  const pipe = 1n << BigInt(constants.signals.SIGPIPE - 1);
  const fault = 1n << BigInt(constants.signals.SIGSEGV - 1);
  const caught = bitsOf("SigCgt");
  listen();
  expect(bitsOf("SigIgn") & pipe).toBe(pipe);
  expect(bitsOf("SigCgt") & fault).toBe(caught & fault);
});

test("close gives the signals back", async () => {
  listen();
  const term = 1n << BigInt(constants.signals.SIGALRM - 1);
  expect(bitsOf("SigCgt") & term).toBe(term);
  signals?.close();
  expect(bitsOf("SigCgt") & term).toBe(0n);
});
