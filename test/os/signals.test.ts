import { afterEach, expect, test } from "bun:test";
import { constants } from "node:os";
import { readFileSync } from "node:fs";
import { Signals } from "../../src/os/signals.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

let signals: Signals | undefined;
afterEach(() => signals?.close());

/** Sends signals to ourselves and waits until they are noted. */
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

test("signals are taken in the order they came, each once", async () => {
  signals = new Signals();
  expect(signals.take()).toBeUndefined();
  await send("SIGUSR1", "SIGHUP", "SIGUSR1", "SIGTERM");
  expect(signals.take()).toEqual({ type: "signal", name: "SIGUSR1", number: 10 });
  expect(signals.take()).toEqual({ type: "signal", name: "SIGHUP", number: 1 });
  await send("SIGUSR1");
  expect(signals.take()).toEqual({ type: "signal", name: "SIGTERM", number: 15 });
  expect(signals.take()).toEqual({ type: "signal", name: "SIGUSR1", number: 10 });
  expect(signals.take()).toBeUndefined();
});

test.each(["SIGINT", "SIGUSR2"] as const)("%s", async (name) => {
  signals = new Signals();
  await send(name);
  expect(signals.take()).toEqual({ type: "signal", name, number: constants.signals[name] });
});

test.each(["SIGQUIT", "SIGALRM", "SIGVTALRM", "SIGPROF", "SIGXCPU", "SIGIO"] as const)("%s is fatal", async (name) => {
  signals = new Signals();
  await send(name);
  expect(signals.take()).toEqual({ type: "fatal", number: constants.signals[name] });
});

test("SIGPIPE stays ignored, faults stay Bun's", () => {
  const pipe = 1n << BigInt(constants.signals.SIGPIPE - 1);
  const fault = 1n << BigInt(constants.signals.SIGSEGV - 1);
  const caught = bitsOf("SigCgt");
  signals = new Signals();
  expect(bitsOf("SigIgn") & pipe).toBe(pipe);
  expect(bitsOf("SigCgt") & fault).toBe(caught & fault);
});

test("close gives the signals back", async () => {
  signals = new Signals();
  const term = 1n << BigInt(constants.signals.SIGALRM - 1);
  expect(bitsOf("SigCgt") & term).toBe(term);
  signals.close();
  expect(bitsOf("SigCgt") & term).toBe(0n);
});
