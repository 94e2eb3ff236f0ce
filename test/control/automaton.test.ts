import { expect, test } from "bun:test";
import { Automaton, type AutomatonEvent, parseCell, ROWS, State } from "../../src/control/automaton.ts";

const page = (await Bun.file("fixtures/rfc/1661-4.1.tsv").text())
  .trimEnd()
  .split("\n")
  .slice(1)
  .map((line) => line.split("\t"));

test("the table is RFC 1661 §4.1, cell for cell", () => {
  expect(page).toHaveLength(16);
  for (const [event, ...cells] of page)
    expect([event, ...ROWS[event as AutomatonEvent].trim().split(/\s+/)]).toEqual([event!, ...cells]);
});

/** Brings an automaton into a state by events alone. */
const PATHS: Record<State, AutomatonEvent[]> = {
  [State.Initial]: [],
  [State.Starting]: ["Open"],
  [State.Closed]: ["Up"],
  [State.Stopped]: ["Up", "Open", "TO-"],
  [State.Closing]: ["Up", "Open", "Close"],
  [State.Stopping]: ["Up", "Open", "RCR+", "RCA", "RTR"],
  [State.ReqSent]: ["Up", "Open"],
  [State.AckRcvd]: ["Up", "Open", "RCA"],
  [State.AckSent]: ["Up", "Open", "RCR+"],
  [State.Opened]: ["Up", "Open", "RCR+", "RCA"],
};

test("all 160 cells act and lead where the page says, but for pppd's own way with Starting+Close", () => {
  let cells = 0;
  for (const [event, ...row] of page)
    for (const [state, text] of row.entries()) {
      const actions: string[] = [];
      const automaton = new Automaton((action) => actions.push(action));
      for (const step of PATHS[state as State]) automaton.feed(step);
      expect(automaton.state).toBe(state as State);
      actions.length = 0;
      automaton.feed(event as AutomatonEvent);
      const cell = parseCell(text);
      const own = event === "Close" && state === State.Starting;
      expect(actions).toEqual(own ? [] : [...(cell?.actions ?? [])]);
      expect(automaton.state).toBe(cell?.next ?? (state as State));
      cells++;
    }
  expect(cells).toBe(160);
});

test("silent waits in Stopped, passive stays there without finishing, restart goes down and up", () => {
  const said: string[] = [];
  const silent = new Automaton((action) => said.push(action), { silent: true });
  silent.feed("Open");
  silent.feed("Up");
  expect([silent.state, ...said]).toEqual([State.Stopped, "tls"]);
  said.length = 0;
  const passive = new Automaton((action) => said.push(action), { passive: true });
  for (const event of ["Up", "Open", "TO-"] as const) passive.feed(event);
  expect([passive.state, ...said]).toEqual([State.Stopped, "irc", "scr"]);
  said.length = 0;
  const restart = new Automaton((action) => said.push(action), { restart: true });
  for (const event of ["Up", "Open", "RCR+", "RCA"] as const) restart.feed(event);
  said.length = 0;
  restart.feed("Open");
  expect([restart.state, ...said]).toEqual([State.ReqSent, "tld", "irc", "scr"]);
});
