// The whole screen: a title, the list of the links or one of them, and a row for messages and keys.

import { Cells, Look } from "./cells.ts";
import { drawDetail } from "./detail-view.ts";
import { drawList } from "./list-view.ts";
import type { TerminalKind } from "./terminal-kind.ts";
import { keyOf, type WatchState } from "./watch-state.ts";

const KEYS: readonly (readonly [key: string, meaning: string])[] = [
  ["up, down, k, j", "choose a link; Home, End, g, G: the first and the last"],
  ["Enter, Tab", "open the link, and back to the list"],
  ["h", "hang up the link: it asks before that"],
  ["c", "capture the link to a pcapng file, and end that"],
  ["Ctrl-L", "paint the screen again"],
  ["?", "these keys"],
  ["q, Ctrl-C", "end"],
];
const SHORT_KEYS = "arrows choose  Enter opens  h hangs up  c captures  ? keys  q ends";
/** Of so many links, as many as possible are shown. */
const MANY = 12;
const LEAST_LIST = 4;
const LEAST_COLUMNS = 40;
const LEAST_ROWS = 8;

export function drawScreen(
  state: WatchState,
  size: { columns: number; rows: number },
  kind: TerminalKind,
  now: number,
): Cells {
  const { columns, rows } = size;
  const cells = new Cells(columns, rows);
  if (columns < LEAST_COLUMNS || rows < LEAST_ROWS) {
    cells.put(0, 0, "too small: q ends");
    return cells;
  }
  const { links, selected } = state;
  const up = links.filter(({ latest }) => latest.up !== undefined).length;
  cells.fill(0, Look.bar);
  const title = `nullmodem  ${links.length === 0 ? "no link is running" : `${up} of ${links.length} up`}`;
  cells.put(0, 1, title, Look.bar);
  drawFoot(cells, state, now);
  const bottom = rows - 2;
  const detail = selected && {
    history: selected,
    capture: state.captures.get(keyOf(selected.latest)),
    hasBlocks: kind.hasBlocks,
  };
  if (state.view === "keys") drawKeys(cells, bottom);
  else if (state.view === "detail" && detail !== undefined) drawDetail(cells, detail, 2, bottom);
  else if (detail !== undefined) {
    // Below the list is the chosen link, as far as there is room.
    const most = links.length > MANY ? bottom : 2 + 1 + Math.max(LEAST_LIST, Math.floor((bottom - 2) / 3));
    const end = Math.min(bottom, most, 2 + 1 + links.length);
    drawList(cells, { links, selected, hasBlocks: kind.hasBlocks }, 2, end);
    if (end + 1 < bottom) drawDetail(cells, detail, end + 1, bottom);
  }
  return kind.isUnicode ? cells : withoutUnicode(cells);
}

function drawKeys(cells: Cells, bottom: number): void {
  for (const [at, [key, meaning]] of KEYS.entries()) {
    if (2 + at >= bottom) return;
    cells.put(2 + at, 1, key, Look.strong);
    cells.put(2 + at, 18, meaning);
  }
}

function drawFoot(cells: Cells, state: WatchState, now: number): void {
  const row = cells.rows - 1;
  const message = state.message(now);
  if (state.question !== undefined) cells.put(row, 1, state.question, Look.warn, cells.columns - 1);
  else if (message !== "") cells.put(row, 1, message, Look.strong, cells.columns - 1);
  else cells.put(row, 1, SHORT_KEYS, Look.faint, cells.columns - 1);
}

/** A terminal of another encoding would show other characters. */
function withoutUnicode(cells: Cells): Cells {
  for (const [at, char] of cells.chars.entries()) if (char > 0x7e) cells.chars[at] = 0x3f;
  return cells;
}
