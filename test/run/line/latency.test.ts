// The latency timer of an adapter by FTDI while a link runs, after it, and after a session that was killed.

import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { thisMachine } from "../../../src/applets/this-machine.ts";
import { quicken } from "../../../src/run/line/latency.ts";
import { undoLeftOver } from "../../../src/run/packets/left-over.ts";

const PORT = "/dev/ttyUSB0";

function scene(latency: number | undefined, isWritable = true) {
  const state = { latency };
  const setLatency = (_: string, milliseconds: number): boolean => {
    if (isWritable) state.latency = milliseconds;
    return isWritable;
  };
  const serial = { ...thisMachine.serial, latencyOf: () => state.latency, setLatency };
  const folder = mkdtempSync(join(tmpdir(), "nullmodem-latency-"));
  const end = (): void => rmSync(folder, { recursive: true });
  return { state, machine: { ...thisMachine, serial }, folder, end };
}

test("it is 1 ms while the port is in use, and what it was afterwards", () => {
  const { state, machine, folder, end } = scene(16);
  const putBack = quicken(machine, folder, PORT);
  expect([state.latency, readdirSync(folder).length]).toEqual([1, 1]);
  putBack!();
  expect([state.latency, readdirSync(folder)]).toEqual([16, []]);
  end();
});

test("other ports have no such timer, a timer of 1 ms stays, and one that cannot be changed leaves no record", () => {
  for (const [latency, isWritable] of [[undefined], [1], [16, false]] as const) {
    const { state, machine, folder, end } = scene(latency, isWritable);
    expect([quicken(machine, folder, PORT), state.latency, readdirSync(folder)]).toEqual([undefined, latency, []]);
    end();
  }
});

test("the timer that a killed session has left is put back, unless the adapter was plugged in again", () => {
  for (const now of [1, 16]) {
    const { state, machine, folder, end } = scene(16);
    const program = `
      import { thisMachine } from ${JSON.stringify(join(import.meta.dir, "../../../src/applets/this-machine.ts"))};
      import { quicken } from ${JSON.stringify(join(import.meta.dir, "../../../src/run/line/latency.ts"))};
      const serial = { ...thisMachine.serial, latencyOf: () => 16, setLatency: () => true };
      quicken({ ...thisMachine, serial }, ${JSON.stringify(folder)}, ${JSON.stringify(PORT)});
      process.kill(process.pid, "SIGKILL");`;
    Bun.spawnSync([process.execPath, "-e", program]);
    expect(readdirSync(folder)).toHaveLength(1);
    state.latency = now;
    const said: string[] = [];
    undoLeftOver(
      machine,
      folder,
      (_, text) => void said.push(text),
      () => {},
    );
    expect([state.latency, readdirSync(folder)]).toEqual([16, []]);
    expect(said).toEqual(
      now === 1 ? ["The latency timer of /dev/ttyUSB0 is 16 ms again, which a killed pppd had changed"] : [],
    );
    end();
  }
});
