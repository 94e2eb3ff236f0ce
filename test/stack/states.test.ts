// Every state with every kind of segment (RFC 9293 §3.10.7): the reply and the state after it, a test for each cell.
//
// The two ends have sent 100 octets each, except while the connection is opened. R is the next octet that the stack expects, N
// the next that it sends, U the oldest of its own that is not acknowledged.
//
// Replies: "ack" is the number N with the acknowledgment R, "ack+1" acknowledges one more; "syn" is a SYN with ACK; "rst" has
// the number of the segment's acknowledgment, "rsta" acknowledges the segment; "-" is none.
// States: SYN-SENT, SYN-RECEIVED, ESTABLISHED, FIN-WAIT-1 and -2, CLOSE-WAIT, CLOSING, LAST-ACK, TIME-WAIT; "none" has no connection.

import { expect, test } from "bun:test";
import { playScript } from "../kit/stack-script.ts";

const SYN = "> S 0:0(0) win 8000 <mss 1000>";
const SYN_ACK = "< S. 0:0(0) ack 1 win 65535 <mss 1460>";
const OPENING = [SYN, SYN_ACK];
const OPEN = [
  ...OPENING,
  "> P. 1:101(100) ack 1 win 8000",
  "< . 1:1(0) ack 101 win 65535",
  "gives 100",
  "< P. 1:101(100) ack 101 win 65535",
  "> . 101:101(0) ack 101 win 8000",
];
const OUR_FIN = ["ends", "< FP. 101:101(0) ack 101 win 65535"];
const PEER_FIN = ["> F. 101:101(0) ack 101 win 8000", "< . 101:101(0) ack 102 win 65534"];

interface State {
  readonly script: readonly string[];
  readonly R: number;
  readonly N: number;
  readonly U: number;
}

/** How each state is reached. */
const STATES: Readonly<Record<string, State>> = {
  none: { script: [], R: 1, N: 1, U: 1 },
  // The host's connect is under way. RFC 9293 has no such state: nothing of ours has been sent.
  waits: { script: ["slow", SYN], R: 1, N: 1, U: 1 },
  SS: { script: ["opens", "< S 0:0(0) win 65535 <mss 1460,wscale 3,sackOK>"], R: 1, N: 1, U: 0 },
  SR: { script: OPENING, R: 1, N: 1, U: 0 },
  ES: { script: OPEN, R: 101, N: 101, U: 101 },
  FW1: { script: [...OPEN, ...OUR_FIN], R: 101, N: 102, U: 101 },
  FW2: { script: [...OPEN, ...OUR_FIN, "> . 101:101(0) ack 102 win 8000"], R: 101, N: 102, U: 102 },
  CW: { script: [...OPEN, ...PEER_FIN], R: 102, N: 101, U: 101 },
  CG: {
    script: [...OPEN, ...OUR_FIN, "> F. 101:101(0) ack 101 win 8000", "< . 102:102(0) ack 102 win 65534"],
    R: 102,
    N: 102,
    U: 101,
  },
  LA: { script: [...OPEN, ...PEER_FIN, "ends", "< FP. 101:101(0) ack 102 win 65534"], R: 102, N: 102, U: 101 },
  TW: {
    script: [...OPEN, ...OUR_FIN, "> F. 101:101(0) ack 102 win 8000", "< . 102:102(0) ack 102 win 65534"],
    R: 102,
    N: 102,
    U: 102,
  },
};

const NAMES: Readonly<Record<string, string>> = {
  none: "none",
  waits: "SYN-RECEIVED",
  SS: "SYN-SENT",
  SR: "SYN-RECEIVED",
  ES: "ESTABLISHED",
  FW1: "FIN-WAIT-1",
  FW2: "FIN-WAIT-2",
  CW: "CLOSE-WAIT",
  CG: "CLOSING",
  LA: "LAST-ACK",
  TW: "TIME-WAIT",
};

/** Each kind of segment, with the numbers of its first octet and its acknowledgment. */
const SEGMENTS: Readonly<Record<string, string>> = {
  data: "P. R+0(10) ack N+0",
  "old-data": "P. R-20(10) ack N+0",
  "part-old": "P. R-5(10) ack N+0",
  "gap-data": "P. R+10(10) ack N+0",
  "far-data": "P. R+100000(10) ack N+0",
  urgent: "PU. R+0(10) ack N+0",
  ack: ". R+0(0) ack N+0",
  "old-ack": ". R+0(0) ack U-50",
  "ancient-ack": ". R+0(0) ack U-100000",
  "future-ack": ". R+0(0) ack N+1000",
  "ancient-data": "P. R+0(10) ack U-100000",
  fin: "F. R+0(0) ack N+0",
  "fin-old-ack": "F. R+0(0) ack U+0",
  "fin-again": "F. R-1(0) ack N+0",
  rst: "R R+0(0)",
  "rst-window": "R R+10(0)",
  "rst-far": "R R+100000(0)",
  "rst-old": "R R-1(0)",
  "rst-ack": "R. R+0(0) ack N+0",
  syn: "S R+10(0)",
  "syn-again": "S R-1(0)",
  "syn-far": "S R+100000(0)",
  "syn-ack": "S. R+10(0) ack N+0",
  "no-ack": "P R+0(10)",
  null: "- R+0(0)",
  fins: "F R+0(0)",
};

// Where the cell differs from RFC 9293's text, RFC 5961 or the following is the reason. In LAST-ACK and CLOSING an
// acknowledgment of the FIN counts even if the segment has octets that are not wanted. A SYN in the window ends SYN-RECEIVED.
const ROWS = `
                none      waits       SS         SR        ES         FW1        FW2        CW        CG        LA        TW
  data          rst/none  -/waits     -/SS       ack+10/ES ack+10/ES  ack+10/FW2 ack+10/FW2 -/CW      -/TW      -/none    -/TW
  old-data      rst/none  -/waits     -/SS       ack/SR    ack/ES     ack/FW1    ack/FW2    ack/CW    ack/CG    ack/LA    ack/TW
  part-old      rst/none  -/waits     -/SS       ack+5/ES  ack+5/ES   ack+5/FW2  ack+5/FW2  -/CW      -/TW      -/none    -/TW
  gap-data      rst/none  -/waits     -/SS       ack/ES    ack/ES     ack/FW2    ack/FW2    -/CW      -/TW      -/none    -/TW
  far-data      rst/none  -/waits     -/SS       ack/SR    ack/ES     ack/FW1    ack/FW2    ack/CW    ack/CG    ack/LA    ack/TW
  urgent        rst/none  -/waits     -/SS       ack+10/ES ack+10/ES  ack+10/FW2 ack+10/FW2 -/CW      -/TW      -/none    -/TW
  ack           rst/none  -/waits     -/SS       -/ES      -/ES       -/FW2      -/FW2      -/CW      -/TW      -/none    -/TW
  old-ack       rst/none  -/waits     rst/SS     rst/SR    -/ES       -/FW1      -/FW2      -/CW      -/CG      -/LA      -/TW
  ancient-ack   rst/none  -/waits     rst/SS     rst/SR    ack/ES     ack/FW1    ack/FW2    ack/CW    ack/CG    ack/LA    ack/TW
  future-ack    rst/none  -/waits     rst/SS     rst/SR    ack/ES     ack/FW1    ack/FW2    ack/CW    ack/CG    ack/LA    ack/TW
  ancient-data  rst/none  -/waits     rst/SS     rst/SR    ack/ES     ack/FW1    ack/FW2    ack/CW    ack/CG    ack/LA    ack/TW
  fin           rst/none  -/waits     -/SS       ack+1/CW  ack+1/CW   ack+1/TW   ack+1/TW   -/CW      -/TW      -/none    -/TW
  fin-old-ack   rst/none  -/waits     rst/SS     rst/SR    ack+1/CW   ack+1/CG   ack+1/TW   -/CW      -/CG      -/LA      -/TW
  fin-again     rst/none  -/waits     -/SS       ack/SR    ack/ES     ack/FW1    ack/FW2    ack/CW    ack/CG    ack/LA    ack/TW
  rst           -/none    -/none      -/SS       -/none    -/none     -/none     -/none     -/none    -/none    -/none    -/none
  rst-window    -/none    -/waits     -/SS       ack/SR    ack/ES     ack/FW1    ack/FW2    ack/CW    ack/CG    ack/LA    ack/TW
  rst-far       -/none    -/waits     -/SS       -/SR      -/ES       -/FW1      -/FW2      -/CW      -/CG      -/LA      -/TW
  rst-old       -/none    -/waits     -/SS       -/SR      -/ES       -/FW1      -/FW2      -/CW      -/CG      -/LA      -/TW
  rst-ack       -/none    -/none      -/none     -/none    -/none     -/none     -/none     -/none    -/none    -/none    -/none
  syn           syn/SR    -/waits     syn/SR     -/none    ack/ES     ack/FW1    ack/FW2    ack/CW    ack/CG    ack/LA    syn/SR
  syn-again     syn/SR    -/waits     syn/SR     syn/SR    ack/ES     ack/FW1    ack/FW2    ack/CW    ack/CG    ack/LA    ack/TW
  syn-far       syn/SR    -/waits     syn/SR     ack/SR    ack/ES     ack/FW1    ack/FW2    ack/CW    ack/CG    ack/LA    syn/SR
  syn-ack       rst/none  -/waits     ack/ES     -/none    ack/ES     ack/FW1    ack/FW2    ack/CW    ack/CG    ack/LA    ack/TW
  no-ack        rsta/none -/waits     -/SS       -/SR      -/ES       -/FW1      -/FW2      -/CW      -/CG      -/LA      -/TW
  null          rsta/none -/waits     -/SS       -/SR      -/ES       -/FW1      -/FW2      -/CW      -/CG      -/LA      -/TW
  fins          rsta/none -/waits     -/SS       -/SR      -/ES       -/FW1      -/FW2      -/CW      -/CG      -/LA      -/TW
`;

const wrapped = (number: number): number => number >>> 0;

/** The segment as the script wants it. */
function segmentText(name: string, { R, N, U }: State): { text: string; from: number; ack: number; size: number } {
  const [, flags, first, length, base, ack] =
    /^(\S+) R([+-]\d+)\((\d+)\)(?: ack ([NU])([+-]\d+))?$/.exec(SEGMENTS[name]!) ?? [];
  const from = wrapped(R + Number(first));
  const size = Number(length);
  const acknowledged = base === undefined ? -1 : wrapped((base === "N" ? N : U) + Number(ack));
  const answers = acknowledged < 0 ? "" : ` ack ${acknowledged}`;
  return {
    text: `${flags} ${from}:${wrapped(from + size)}(${size})${answers} win 8000`,
    from,
    ack: acknowledged,
    size,
  };
}

/** A reply without its window and options: "ack 101 102". */
function replyOf(text: string): string {
  const [flags, numbers = "", , ack = ""] = text.split(" ");
  return `${flags} ${numbers.split(":")[0]} ${text.includes(" ack ") ? ack : ""}`.trim();
}

function wantedReply(
  reply: string,
  { R, N }: State,
  segment: { from: number; ack: number; size: number },
  name: string,
): string[] {
  const [kind, more = "0"] = reply.split("+");
  if (kind === "-") return [];
  if (kind === "ack") return [`. ${N} ${name === "syn-ack-first" ? segment.from + 1 : R + Number(more)}`];
  if (kind === "syn") return [`S. 0 ${wrapped(segment.from + 1)}`];
  if (kind === "rst") return [`R ${segment.ack}`];
  const flags = SEGMENTS[name]!.split(" ")[0]!;
  return [`R. 16 ${wrapped(segment.from + segment.size + (flags.includes("F") ? 1 : 0))}`];
}

const [heads = "", ...lines] = ROWS.trim().split("\n");
const columns = heads.trim().split(/\s+/);
for (const line of lines) {
  const [name = "", ...cells] = line.trim().split(/\s+/);
  test(`${name}: ${SEGMENTS[name]}`, () => {
    expect(cells.length).toBe(columns.length);
    for (const [at, cell] of cells.entries()) {
      const column = columns[at]!;
      const state = STATES[column]!;
      const peer = playScript(state.script);
      const segment = segmentText(name, state);
      peer.send(segment.text);
      const [reply = "", after = ""] = cell.split("/");
      const wanted = wantedReply(reply, state, segment, column === "SS" && name === "syn-ack" ? "syn-ack-first" : name);
      const got = peer.takes().map(replyOf);
      const now = [...peer.stack.connections.table].map((flow) => flow.state)[0] ?? "none";
      expect(`${column}: ${got.join(", ")} ${now}`).toBe(`${column}: ${wanted.join(", ")} ${NAMES[after]}`);
      // Nothing more comes by itself.
      expect(peer.takes()).toEqual([]);
      if (now === "none") expect(peer.sockets.open.size).toBe(0);
    }
  });
}
