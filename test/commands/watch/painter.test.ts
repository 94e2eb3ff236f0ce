// The painter: a terminal shows what was wanted, for few octets, and for no more than allowed.

import { describe, expect, test } from "bun:test";
import { Cells, Look } from "../../../src/commands/watch/cells.ts";
import { Painter } from "../../../src/commands/watch/painter.ts";
import { terminalKind } from "../../../src/commands/watch/terminal-kind.ts";
import { Rng } from "../../kit/rng.ts";
import { SmallTerminal } from "../../kit/small-terminal.ts";

const XTERM = terminalKind({ TERM: "xterm-256color", LANG: "C.UTF-8" }, true);
const VT100 = terminalKind({ TERM: "vt100" }, true);
const octetsOf = (text: string): number => Buffer.byteLength(text);

/** What a fresh terminal shows when it is painted at once. */
function painted(wanted: Cells): string[] {
  const terminal = new SmallTerminal(wanted.columns, wanted.rows);
  terminal.take(new Painter(XTERM).paint(wanted, Infinity));
  return terminal.looks;
}

function copyOf(cells: Cells): Cells {
  const copy = new Cells(cells.columns, cells.rows);
  copy.chars.set(cells.chars);
  copy.looks.set(cells.looks);
  return copy;
}

describe.each([
  ["xterm", XTERM],
  ["vt100", VT100],
] as const)("%s", (_, kind) => {
  test("after any changes, with any limit, it shows what was wanted in the end", () => {
    const rng = new Rng(20261130);
    const terminal = new SmallTerminal(30, 6);
    const painter = new Painter(kind);
    const cells = new Cells(30, 6);
    for (let round = 0; round < 400; round++) {
      for (let changes = rng.below(6); changes > 0; changes--) {
        const [row, column] = [rng.below(6), rng.below(30)];
        const look = rng.below(7) as Look;
        const chars = rng.below(4) === 0 ? " ".repeat(30) : "abc█ ▃xyz".slice(rng.below(9));
        cells.put(row, column, chars, chars.trim() === "" ? Look.plain : look);
        if (rng.below(3) === 0) cells.chars.copyWithin(row * 30, row * 30 + 1, row * 30 + 29);
      }
      const most = 20 + rng.below(120);
      const text = painter.paint(copyOf(cells), most);
      expect(octetsOf(text)).toBeLessThanOrEqual(most);
      terminal.take(text);
      if (rng.below(40) === 0) painter.forget();
    }
    for (let calls = 0; calls === 0 || !painter.isDone; calls++) {
      expect(calls).toBeLessThan(200);
      terminal.take(painter.paint(cells, 40));
    }
    expect(terminal.strange).toEqual([]);
    expect(painter.paint(cells, 1000)).toBe("");
    const plain = (looks: readonly string[]): string[] => looks.map((look) => look.replace(/<[^>]*>/g, ""));
    expect(plain(terminal.looks)).toEqual(plain(painted(cells)));
    if (kind === XTERM) expect(terminal.looks).toEqual(painted(cells));
  });
});

test("only changed cells are written, and a shift of a graph is one sequence", () => {
  const painter = new Painter(XTERM);
  const cells = new Cells(80, 24);
  cells.put(3, 2, "received  10.7 kB/s");
  cells.put(3, 40, "▁▂▃▄▅▆▇█▁▂▃▄▅▆▇█▁▂▃▄▅▆▇█▁▂▃▄▅▆▇█▁▂▃▄▅▆▇", Look.good);
  painter.paint(copyOf(cells), Infinity);
  const number = copyOf(cells);
  number.put(3, 15, "8");
  expect(painter.paint(number, Infinity)).toBe("\x1b[m\x1b[4;16H8");
  const moved = copyOf(number);
  moved.put(3, 40, "▂▃▄▅▆▇█▁▂▃▄▅▆▇█▁▂▃▄▅▆▇█▁▂▃▄▅▆▇█▁▂▃▄▅▆▇█", Look.good);
  const text = painter.paint(moved, Infinity);
  expect(text).toContain("\x1b[P");
  expect(octetsOf(text)).toBeLessThan(40);
  const emptied = copyOf(moved);
  emptied.put(3, 10, " ".repeat(70));
  expect(painter.paint(emptied, Infinity)).toContain("\x1b[K");
});

test("with little room, each row has its turn", () => {
  const painter = new Painter(XTERM);
  const terminal = new SmallTerminal(20, 5);
  terminal.take(painter.paint(new Cells(20, 5), 1000));
  // Two rows change all the time, and take all the room there is.
  const seen = new Set<number>();
  for (let round = 0; round < 40; round++) {
    const cells = new Cells(20, 5);
    for (const row of [0, 1, 4]) cells.put(row, 0, String.fromCharCode(97 + (round % 26)).repeat(18));
    terminal.take(painter.paint(cells, 30));
    for (const [row, line] of terminal.text.entries()) if (line !== "") seen.add(row);
  }
  expect([...seen].sort()).toEqual([0, 1, 4]);
});

test("colours are left out where there are none, and the difference stays where it can", () => {
  const cells = new Cells(10, 1);
  cells.put(0, 0, "a", Look.good);
  cells.put(0, 1, "b", Look.bad);
  const plain = new Painter(terminalKind({ TERM: "xterm", NO_COLOR: "1" }, true)).paint(cells, Infinity);
  expect(plain).not.toMatch(/\x1b\[[0-9;]*3[0-9]/);
  expect(plain).toContain("\x1b[0;1mb");
  expect(new Painter(XTERM).paint(cells, Infinity)).toContain("\x1b[0;32ma");
});
