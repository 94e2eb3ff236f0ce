// The script of the end that leads a test of a cable: all wires, then all speeds, then the table for the other end.

import { put16, put32 } from "../bytes/be.ts";
import { BLOCK, BlockReader, FULL_RUN } from "./far-block.ts";
import { FarType } from "./far-frame.ts";
import {
  DRIVEN,
  type FarRow,
  type Flow,
  type LinePair,
  NO_FLOW,
  NO_LINES,
  parseFlow,
  rowBody,
  SpeedState,
  wiresBody,
} from "./far-report.ts";
import { FALLBACK_MS, type FarOutcome, type FarTest, flowOf, MOST_BLOCKS, type Script } from "./far-test.ts";

/** The speeds of the table. */
const FAR_SPEEDS = [1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600] as const;
/** Modem lines need so long to arrive, also through a USB adapter. */
const LINES_MS = 100;
/** Blocks are sent for about so long. */
const RUN_MS = 400;
/** Nothing has come for so long after the blocks were due: the rest is lost. */
const QUIET_MS = 400;
/** The other end changes its speed a little later than we know. */
const SLACK_MS = 60;

export function* lead(test: FarTest): Script<FarOutcome> {
  if (!(yield* testWires(test))) return "lost";
  for (const speed of FAR_SPEEDS) {
    const row = yield* testSpeed(test, speed);
    if (row === undefined) return "lost";
    test.rows.push(row);
  }
  if (test.wires !== undefined) yield* test.ask(FarType.Wires, wiresBody(test.wires));
  for (const row of test.rows) yield* test.ask(FarType.Row, rowBody(row));
  yield* test.ask(FarType.End);
  return "done";
}

/** False when the other end is gone. */
function* testWires(test: FarTest): Script<boolean> {
  const { host } = test;
  const read = function* (): Script<LinePair | undefined> {
    yield* test.sleep(LINES_MS);
    const peer = (yield* test.ask(FarType.Look))?.[0];
    return peer === undefined ? undefined : { our: host.look() ?? NO_LINES, peer };
  };
  const weDrive: LinePair[] = [];
  const peerDrives: LinePair[] = [];
  for (const lines of [...DRIVEN, DRIVEN[0]]) {
    host.drive(lines);
    if (weDrive.length === DRIVEN.length) break;
    const pair = yield* read();
    if (pair === undefined) return false;
    weDrive.push(pair);
  }
  for (const lines of [...DRIVEN, DRIVEN[0]]) {
    if ((yield* test.ask(FarType.Drive, Uint8Array.of(lines))) === undefined) return false;
    if (peerDrives.length === DRIVEN.length) break;
    const pair = yield* read();
    if (pair === undefined) return false;
    peerDrives.push(pair);
  }
  const all = [...weDrive, ...peerDrives];
  if (!all.some(({ our, peer }) => our === NO_LINES || peer === NO_LINES)) test.wires = { weDrive, peerDrives };
  return true;
}

/** Undefined when the other end is gone. */
function* testSpeed(test: FarTest, speed: number): Script<FarRow | undefined> {
  const row = (state: SpeedState): FarRow => ({ speed, state, out: NO_FLOW, back: NO_FLOW });
  if (!test.settings.speeds.includes(speed)) return row(SpeedState.RefusedHere);
  let answer = yield* change(test, speed);
  if (answer === "lost") {
    // The reply may have been lost, so that the other end has changed its speed.
    if (!(yield* goBack(test))) return undefined;
    answer = yield* change(test, speed);
  }
  if (answer === "refused") return row(SpeedState.RefusedThere);
  const isThere = answer === "done" && (yield* test.ask(FarType.Ping)) !== undefined;
  if (!isThere) return (yield* goBack(test)) ? row(SpeedState.NoContact) : undefined;
  const count = Math.max(FULL_RUN, Math.min(MOST_BLOCKS, Math.round(RUN_MS / test.timeOf(BLOCK))));
  const out = yield* sendRun(test, count);
  const back = yield* getRun(test, count);
  const isBack = (yield* change(test, test.settings.meetAt)) === "done" || (yield* goBack(test));
  return isBack ? { speed, state: SpeedState.Tested, out, back } : undefined;
}

/** Both ends change their speed. */
function* change(test: FarTest, speed: number): Script<"done" | "refused" | "lost"> {
  if (speed === test.speed) return "done";
  const body = new Uint8Array(4);
  put32(body, 0, speed);
  const answer = yield* test.ask(FarType.Speed, body);
  if (answer === undefined) return "lost";
  if (answer[0] !== 1) return "refused";
  yield* test.settle();
  yield* test.sleep(SLACK_MS);
  test.changeSpeed(speed);
  return "done";
}

/** Waits at the first speed until the other end is back there too. False: it is gone. */
function* goBack(test: FarTest): Script<boolean> {
  test.changeSpeed(test.settings.meetAt);
  return (yield* test.ask(FarType.Ping, undefined, 3 * FALLBACK_MS + 2000)) !== undefined;
}

function* sendRun(test: FarTest, count: number): Script<Flow> {
  const failed = { ...NO_FLOW, sent: count };
  if ((yield* test.ask(FarType.Blocks)) === undefined) return failed;
  test.sendBlocks(test.lastNumber, count);
  yield* test.whileBlocksGo(count);
  const result = yield* test.ask(FarType.Result);
  return { ...failed, ...(result && parseFlow(result)), sent: count };
}

function* getRun(test: FarTest, count: number): Script<Flow> {
  const blocks = new BlockReader(test.nextNumber);
  test.blocks = blocks;
  const body = new Uint8Array(2);
  put16(body, 0, count);
  const took = test.timeOf(count * BLOCK);
  if ((yield* test.ask(FarType.Give, body)) !== undefined) {
    const dueAt = test.now + took;
    const isQuiet = (): boolean => test.now > dueAt && test.now - test.octetAt > QUIET_MS;
    yield { isOver: () => blocks.good >= count || isQuiet(), within: 3 * took + 3000 };
  }
  test.blocks = undefined;
  return { ...NO_FLOW, ...flowOf(blocks), sent: count };
}
