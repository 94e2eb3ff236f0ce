// The findings about a cable from a test with another doctor: each from a cable in which exactly this fault is.

import { expect, test } from "bun:test";
import { farFacts, farText } from "../../../src/commands/far-text.ts";
import { FarLine } from "../../../src/front/far-report.ts";
import type { FarTest } from "../../../src/front/far-test.ts";
import { linesOf } from "../../../src/run/diagnose/finding.ts";
import { farTrouble } from "../../../src/run/diagnose/far-trouble.ts";
import { FULL_WIRING, type PairOptions, runPair, SPEEDS } from "../../front/far-pair.ts";

const { CTS, DSR, CD, RTS, DTR } = FarLine;
/** Fewer speeds take less time. */
const FEW = SPEEDS.slice(3, 9);

function troubleOf(options: PairOptions): { codes: string[]; lines: string[]; test: FarTest } {
  const { our } = runPair({ speeds: [FEW, FEW], ...options });
  const findings = farTrouble(our.outcome!, our.wires, our.rows);
  return { codes: findings.map(({ code }) => code), lines: findings.flatMap(linesOf), test: our };
}

test.each<readonly [string, PairOptions, readonly string[]]>([
  ["a good cable", {}, []],
  ["no modem lines", { wiring: undefined }, []],
  ["DCD is not connected", { wiring: (peer) => FULL_WIRING(peer) & ~CD }, ["wire-missing"]],
  ["three wires", { wiring: () => 0 }, ["wire-missing"]],
  [
    "lines that the plugs connect",
    { wiring: (_peer, own) => ((own & RTS) === 0 ? 0 : CTS) | ((own & DTR) === 0 ? 0 : DSR | CD) },
    ["lines-joined", "wire-missing"],
  ],
  ["fast speeds lose octets", { dropsAt: (speed) => (speed > 57600 ? 0.01 : 0) }, ["speeds-bad"]],
  ["all speeds lose octets", { dropsAt: () => 0.004, seed: 3 }, ["all-speeds-bad"]],
  ["XON and XOFF are eaten", { octet: (octet) => (octet === 0x11 || octet === 0x13 ? undefined : octet) }, ["xonxoff"]],
  ["seven bits", { octet: (octet) => octet & 0x7f }, ["seven-bits"]],
  ["no other doctor", { startsAt: Infinity }, ["far-absent"]],
  ["the other doctor goes", { stopsAt: 5000 }, ["far-lost"]],
])("%s", (_, options, codes) => {
  expect(troubleOf(options).codes).toEqual([...codes]);
});

test("the wires are named with what pppd needs instead", () => {
  expect(troubleOf({ wiring: () => 0 }).lines).toEqual([
    "These wires are missing: RTS here to CTS there, DTR here to DSR there, DTR here to DCD there, RTS there to CTS here, " +
      "DTR there to DSR here, DTR there to DCD here; give pppd at both ends nocrtscts and local",
  ]);
  expect(troubleOf({ dropsAt: (speed) => (speed > 57600 ? 0.01 : 0) }).lines).toEqual([
    "Octets are lost at 115200, 230400 bit/s; give pppd at both ends 57600, or try crtscts",
  ]);
  expect(troubleOf({ wiring: undefined, dropsAt: (speed) => (speed > 57600 ? 0.01 : 0) }).lines).toEqual([
    "Octets are lost at 115200, 230400 bit/s; give pppd at both ends 57600",
  ]);
});

test("the table, for people and for programs", () => {
  const { test: far } = troubleOf({
    wiring: (peer) => FULL_WIRING(peer) & ~CD,
    dropsAt: (speed) => (speed === 57600 ? 1 : 0),
  });
  const text = farText(far);
  expect(text).toContain(
    "  RTS here -> CTS there    yes\n  DTR here -> DSR there    yes\n  DTR here -> DCD there    no\n",
  );
  expect(text).toMatch(/^ {5}1200 {2}the port here cannot do it$/m);
  expect(text).toMatch(/^ {3}115200 {2}good, 11\d\d\d octets\/s +good, 11\d\d\d octets\/s$/m);
  expect(text).toMatch(/^ {4}57600 {2}nothing arrives$/m);
  for (const line of text.split("\n")) expect(line.length).toBeLessThan(80);
  const { wires, speeds } = farFacts(far);
  expect(wires).toContainEqual({ from: "DTR here", to: "DCD there", works: false });
  expect(speeds.find(({ speed }) => speed === 115200)).toMatchObject({ state: "good", out: { octetsNeverSeen: [] } });
});
