// What two doctors at the ends of a cable have found wrong with it.

import {
  DRIVEN,
  FarLine,
  type FarRow,
  type LinePair,
  lostIn,
  SpeedState,
  type WireReadings,
} from "../../front/far-report.ts";
import type { FarOutcome } from "../../front/far-test.ts";
import type { ModemLines } from "../host/serial.ts";
import type { Finding } from "./finding.ts";
import { joinedLines, joinedTrouble } from "./modem-line-trouble.ts";
import { lostOctetsTrouble } from "./octet-trouble.ts";

/** One wire of the cable. */
export interface WireResult {
  readonly from: string;
  readonly to: string;
  readonly works: boolean;
}

const { CTS, DSR, CD, RI } = FarLine;
/** The places of "only RTS" and "only DTR" in DRIVEN. */
const DTR_DOWN = 1;
const RTS_DOWN = 2;

const OUTCOMES: Readonly<Record<Exclude<FarOutcome, "done">, Finding>> = {
  absent: {
    code: "far-absent",
    text: "No other doctor answered",
    remedy: "run nullmodem doctor --far on both machines at the same time; without --far it examines this end alone",
    severity: "error",
  },
  echo: {
    code: "echo",
    text: "What is sent comes back: a loopback plug or a program that echoes is at the other end",
    remedy: "run nullmodem doctor --far there",
    severity: "error",
  },
  lost: {
    code: "far-lost",
    text: "The other doctor was there and no longer answers",
    remedy: "run nullmodem doctor --far on both machines again; if it happens again, a wire is loose",
    severity: "error",
  },
};

export function farTrouble(outcome: FarOutcome, wires: WireReadings | undefined, rows: readonly FarRow[]): Finding[] {
  if (outcome !== "done") return [OUTCOMES[outcome]];
  const hasFlowControl =
    wires !== undefined && wireResults(wires).every(({ to, works }) => works || !to.startsWith("CTS"));
  return [...wireTrouble(wires), ...rowTrouble(rows, hasFlowControl)];
}

/** What each wire does, by the readings. */
export function wireResults({ weDrive, peerDrives }: WireReadings): WireResult[] {
  const results = (pairs: readonly LinePair[], see: "our" | "peer", from: string, to: string): WireResult[] => {
    const follows = (line: number, down: number): boolean =>
      (pairs[0]![see] & line) !== 0 && (pairs[down]![see] & line) === 0;
    return [
      { from: `RTS ${from}`, to: `CTS ${to}`, works: follows(CTS, RTS_DOWN) },
      { from: `DTR ${from}`, to: `DSR ${to}`, works: follows(DSR, DTR_DOWN) },
      { from: `DTR ${from}`, to: `DCD ${to}`, works: follows(CD, DTR_DOWN) },
    ];
  };
  return [...results(weDrive, "peer", "here", "there"), ...results(peerDrives, "our", "there", "here")];
}

function wireTrouble(wires: WireReadings | undefined): Finding[] {
  if (wires === undefined || wires.weDrive.length < DRIVEN.length) return [];
  const missing = wireResults(wires).filter(({ works }) => !works);
  if (missing.length === 0) return [];
  const [up, dtrDown, rtsDown] = wires.weDrive.map(({ our }) => linesOf(our));
  const joined = joinedLines({ up: up!, dtrDown: dtrDown!, rtsDown: rtsDown! });
  const list = missing.map(({ from, to }) => `${from} to ${to}`).join(", ");
  const options = [
    ...(missing.some(({ from }) => from.startsWith("RTS")) ? ["nocrtscts"] : []),
    ...(missing.some(({ to }) => to.startsWith("DCD")) ? ["local"] : []),
  ];
  const remedy = options.length === 0 ? "pppd does not need it" : `give pppd at both ends ${options.join(" and ")}`;
  const finding: Finding = {
    code: "wire-missing",
    text: `These wires are missing: ${list}`,
    remedy,
    severity: options.length === 0 ? "info" : "warning",
  };
  return joined.length > 0 ? [joinedTrouble(joined), finding] : [finding];
}

function linesOf(bits: number): ModemLines {
  const has = (line: number): boolean => (bits & line) !== 0;
  return { dtr: true, rts: true, cts: has(CTS), dsr: has(DSR), cd: has(CD), ri: has(RI) };
}

/** True when everything arrived, both ways. */
export function isGood({ state, out, back }: FarRow): boolean {
  return state === SpeedState.Tested && out.good === out.sent && back.good === back.sent;
}

function rowTrouble(rows: readonly FarRow[], hasFlowControl: boolean): Finding[] {
  const tried = rows.filter(({ state }) => state === SpeedState.Tested || state === SpeedState.NoContact);
  const bad = tried.filter((row) => !isGood(row));
  if (bad.length === 0) return [];
  const eaten = lostOctetsTrouble(lostEverywhere(tried));
  if (eaten.length > 0) return eaten;
  const good = tried.filter(isGood).map(({ speed }) => speed);
  const speeds = bad.map(({ speed }) => speed).join(", ");
  if (good.length === 0)
    return [
      {
        code: "all-speeds-bad",
        text: "Octets are lost at every speed",
        remedy: "use another cable or port; a USB adapter may be broken, or the ground wire is missing",
        severity: "error",
      },
    ];
  return [
    {
      code: "speeds-bad",
      text: `Octets are lost at ${speeds} bit/s`,
      remedy: `give pppd at both ends ${Math.max(...good)}${hasFlowControl ? ", or try crtscts" : ""}`,
      severity: "warning",
    },
  ];
}

/** The octets that never came, at any speed, in one of the directions. */
function lostEverywhere(rows: readonly FarRow[]): number[] {
  const tested = rows.filter(({ state }) => state === SpeedState.Tested);
  const inWay = (way: "out" | "back"): number[] => {
    const [first = [], ...others] = tested.map((row) => lostIn(row[way]));
    return first.filter((octet) => others.every((lost) => lost.includes(octet)));
  };
  return [...new Set([...inWay("out"), ...inWay("back")])].sort((a, b) => a - b);
}
