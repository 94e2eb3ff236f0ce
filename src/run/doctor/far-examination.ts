// Examines a cable together with another doctor at its far side.

import { lead } from "../../front/far-leader.ts";
import { FarLine } from "../../front/far-report.ts";
import { type FarHost, FarTest } from "../../front/far-test.ts";
import type { ModemLines } from "../host/serial.ts";
import { ableSpeeds } from "./able-speeds.ts";
import type { ExaminedPort } from "./examined-port.ts";

/** How long to wait for the other doctor: the user has to go to the other machine. */
const PATIENCE_MS = 300_000;
/** The last reply must leave the port before it is closed. */
const DRAIN_MS = 1000;

const { DTR, RTS, CTS, DSR, CD, RI } = FarLine;

/** Runs the test to its end. `meetAt` is the speed at which the two find each other. */
export async function examineFar(
  port: ExaminedPort,
  meetAt: number,
  random: () => number,
  patienceMs = PATIENCE_MS,
): Promise<FarTest> {
  const speeds = ableSpeeds(port);
  let rest = new Uint8Array(0);
  const host: FarHost = {
    random,
    look: () => bitsOf(port.modemLines()),
    drive: (lines) => port.drive({ dtr: (lines & DTR) !== 0, rts: (lines & RTS) !== 0 }),
    setSpeed: (speed) => void port.setSpeed(speed),
    unsent: () => rest.length + port.unsent(),
  };
  const test = new FarTest(host, { meetAt, speeds, patienceMs }, lead, port.now());
  const write = (): void => {
    for (let taken = 1; taken > 0;) {
      if (rest.length === 0) rest = Uint8Array.from(test.takeOutput());
      taken = rest.length === 0 ? 0 : port.write(rest);
      rest = rest.slice(taken);
    }
  };
  while (test.outcome === undefined) {
    write();
    await port.wait(Math.max(0, test.nextTimeout() - port.now()));
    const octets = port.read();
    test.receive(octets, 0, octets.length, port.now());
  }
  for (const until = port.now() + DRAIN_MS; !test.isSent && port.now() < until;) {
    write();
    await port.wait(5);
    port.read();
  }
  return test;
}

function bitsOf(lines: ModemLines | undefined): number | undefined {
  if (lines === undefined) return undefined;
  const { cts, dsr, cd, ri } = lines;
  return (cts ? CTS : 0) | (dsr ? DSR : 0) | (cd ? CD : 0) | (ri ? RI : 0);
}
