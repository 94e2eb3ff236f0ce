// The option negotiation automaton (RFC 1661 §4): its table, and the one place that changes a state.

export const State = {
  Initial: 0,
  Starting: 1,
  Closed: 2,
  Stopped: 3,
  Closing: 4,
  Stopping: 5,
  ReqSent: 6,
  AckRcvd: 7,
  AckSent: 8,
  Opened: 9,
} as const;
export type State = (typeof State)[keyof typeof State];

export type AutomatonEvent = keyof typeof ROWS;

export type Action =
  | "tlu" // This-Layer-Up
  | "tld" // This-Layer-Down
  | "tls" // This-Layer-Started
  | "tlf" // This-Layer-Finished
  | "irc" // Initialize-Restart-Count
  | "zrc" // Zero-Restart-Count
  | "scr" // Send-Configure-Request
  | "sca" // Send-Configure-Ack
  | "scn" // Send-Configure-Nak or -Reject
  | "str" // Send-Terminate-Request
  | "sta" // Send-Terminate-Ack
  | "scj" // Send-Code-Reject
  | "ser"; // Send-Echo-Reply

// RFC 1661 §4.1 in its own notation, so that it can be checked against the page; the test does. Marks behind a state:
// r the restart option, p the passive option may stay, x a crossed connection. `-` cannot happen.
// prettier-ignore
export const ROWS = {
  //     Initial  Starting   Closed     Stopped        Closing  Stopping ReqSent      AckRcvd      AckSent      Opened
  "Up": "2        irc,scr/6  -          -              -        -        -            -            -            -",
  "Down": "-      -          0          tls/1          0        1        1            1            1            tld/1",
  "Open": "tls/1  1          irc,scr/6  3r             5r       5r       6            7            8            9r",
  "Close": "0     tlf/0      2          2              4        4        irc,str/4    irc,str/4    irc,str/4    tld,irc,str/4",
  "TO+": "-       -          -          -              str/4    str/5    scr/6        scr/6        scr/8        -",
  "TO-": "-       -          -          -              tlf/2    tlf/3    tlf/3p       tlf/3p       tlf/3p       -",
  "RCR+": "-      -          sta/2      irc,scr,sca/8  4        5        sca/8        sca,tlu/9    sca/8        tld,scr,sca/8",
  "RCR-": "-      -          sta/2      irc,scr,scn/6  4        5        scn/6        scn/7        scn/6        tld,scr,scn/6",
  "RCA": "-       -          sta/2      sta/3          4        5        irc/7        scr/6x       irc,tlu/9    tld,scr/6x",
  "RCN": "-       -          sta/2      sta/3          4        5        irc,scr/6    scr/6x       irc,scr/8    tld,scr/6x",
  "RTR": "-       -          sta/2      sta/3          sta/4    sta/5    sta/6        sta/6        sta/6        tld,zrc,sta/5",
  "RTA": "-       -          2          3              tlf/2    tlf/3    6            6            8            tld,scr/6",
  "RUC": "-       -          scj/2      scj/3          scj/4    scj/5    scj/6        scj/7        scj/8        scj/9",
  "RXJ+": "-      -          2          3              4        5        6            6            8            9",
  "RXJ-": "-      -          tlf/2      tlf/3          tlf/2    tlf/3    tlf/3        tlf/3        tlf/3        tld,irc,str/5",
  "RXR": "-       -          2          3              4        5        6            7            8            ser/9",
} as const;

// pppd departs from the RFC in these cells. We follow pppd, because peers are used to it.
const PPPD: Partial<Record<AutomatonEvent, Partial<Record<State, string>>>> = {
  // When a layer never started, closing it is not reported to the layers above.
  Close: { [State.Starting]: "0" },
};

export interface Cell {
  readonly actions: readonly Action[];
  readonly next: State;
  /** "r", "p" or "x". */
  readonly mark: string;
}

/** Reads one cell of the table. Undefined for an event that cannot happen. */
export function parseCell(text: string): Cell | undefined {
  if (text === "-") return undefined;
  const [, actions, next, mark] = /^(?:([a-z,]+)\/)?(\d)([rpx]?)$/.exec(text)!;
  return { actions: (actions?.split(",") ?? []) as Action[], next: Number(next) as State, mark: mark! };
}

const TABLE = new Map(
  Object.entries(ROWS).map(([event, row]) => [
    event as AutomatonEvent,
    row
      .trim()
      .split(/\s+/)
      .map((text, state) => parseCell(PPPD[event as AutomatonEvent]?.[state as State] ?? text)),
  ]),
);

export interface AutomatonOptions {
  /** Open in Opened or Stopped takes the layer down and up again (CCP on SIGUSR2). */
  restart?: boolean;
  /** After the last unanswered request, wait for the peer without sending. */
  passive?: boolean;
  /** Wait for the peer's request before sending ours. */
  silent?: boolean;
}

export class Automaton {
  /** It does not wait for the peer although it is `silent`. */
  speaksFirst = false;
  readonly #act: (action: Action) => void;
  readonly #options: AutomatonOptions;
  #state: State = State.Initial;

  constructor(act: (action: Action) => void, options: AutomatonOptions = {}) {
    this.#act = act;
    this.#options = options;
  }

  get state(): State {
    return this.#state;
  }

  /**
   * Handles one event. The state changes before the actions run, because an action may cause another event: a layer
   * above may close this one from its This-Layer-Up. If so, the state that the other event set is kept. An impossible
   * event is ignored.
   */
  feed(event: AutomatonEvent): void {
    const cell = TABLE.get(event)![this.#state];
    if (cell === undefined) return;
    const { restart, passive, silent } = this.#options;
    if (silent === true && !this.speaksFirst && cell.next === State.ReqSent && (event === "Up" || event === "Open")) {
      this.#state = State.Stopped;
      return;
    }
    if (cell.mark === "r" && restart === true && this.#state !== State.Closing && this.#state !== State.Stopping) {
      this.feed("Down");
      this.feed("Up");
      return;
    }
    // Open while closing: in pppd the closing goes on to Stopping, and nothing is started again.
    this.#state = cell.next;
    for (const action of cell.actions) {
      if (action === "tlf" && cell.mark === "p" && (passive === true || silent === true)) continue;
      this.#act(action);
      if (this.#state !== cell.next) return;
    }
  }
}
