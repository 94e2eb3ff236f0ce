// Scripts in the manner of packetdrill: what the peer and the host's sockets do, and the exact replies of the stack.
//
//   = name                     a case begins
//   > S 0:0(0) win 8000        the peer sends a segment; the lines with "<" that follow are all replies to it
//   + ack 1                    the peer sends a segment, and the stack has no turn to answer yet
//   < S. 0:0(0) ack 1 win 65535
//   words                      an act of `ACTS`
//
// Sequence numbers are relative to the initial one of their sender. A case without its replies fails, and so does silence where
// a reply is written.

import { Failure } from "../../src/stack/socket-side.ts";
import { StackPeer } from "./stack-peer.ts";

export interface ScriptCase {
  readonly name: string;
  readonly lines: readonly string[];
}

/** The cases of a file. */
export function casesOf(text: string): ScriptCase[] {
  const cases: { name: string; lines: string[] }[] = [];
  for (const line of text.split("\n").map((one) => one.trim())) {
    if (line.startsWith("= ")) cases.push({ name: line.slice(2), lines: [] });
    else if (line !== "" && !line.startsWith("#")) cases.at(-1)!.lines.push(line);
  }
  return cases;
}

const FAILURES: Readonly<Record<string, Failure>> = {
  refused: Failure.REFUSED,
  reset: Failure.RESET,
  unreachable: Failure.HOST_UNREACHABLE,
};

function check(got: unknown, wanted: unknown, line: string): void {
  if (got !== wanted) throw new Error(`${line}: it is ${String(got)}`);
}

/** What the lines that are no segments do. */
const ACTS: Readonly<Record<string, (peer: StackPeer, word: string, line: string) => void>> = {
  /** Milliseconds pass. */
  wait: (peer, word) => peer.wait(Number(word)),
  /** The host's connects are under way until "connects". */
  slow: (peer) => (peer.sockets.connecting = "later"),
  connects: (peer) => peer.sockets.last.connected(),
  fails: (peer, word) => peer.sockets.last.fail(FAILURES[word]!),
  /** The server sends so many octets. */
  gives: (peer, word) => peer.sockets.last.give(new Uint8Array(Number(word)).fill(0x55)),
  ends: (peer) => peer.sockets.last.finish(),
  /** The socket of each new connection takes so many octets, and no more. */
  rooms: (peer, word) => (peer.sockets.onConnect = (socket) => (socket.room = Number(word))),
  /** The server's socket takes so many octets, and no more. */
  room: (peer, word) => (peer.sockets.last.room = Number(word)),
  reads: (peer, word) => peer.sockets.last.giveRoom(Number(word)),
  /** The host opens a connection to the peer. */
  opens: (peer) => {
    const { id } = peer.sockets.accepted();
    const [far, address] = [Uint8Array.of(192, 0, 2, 80), Uint8Array.of(10, 0, 0, 2)];
    peer.stack.openTo(id, { far, farPort: 80, peer: address, peerPort: 40000 }, peer.now);
  },
  mtu: (peer, word) => peer.stack.setMtu(Number(word)),
  /** The stack may send only so many packets in the turns that follow. */
  turn: (peer, word) => (peer.turn = Number(word)),
  /** The state of the only connection, or "none". */
  state: (peer, word, line) => check([...peer.stack.connections.table][0]?.state ?? "none", word, line),
  /** The last socket is open, shut (half closed), closed or aborted. */
  socket: (peer, word, line) => {
    const { end, isShut } = peer.sockets.last;
    check(end === "open" && isShut ? "shut" : end, word, line);
  },
  /** The server has received the peer's octets up to this number, and no others. */
  received: (peer, word, line) => {
    const octets = peer.sockets.last.received();
    check(octets.length, Number(word), line);
    for (const [at, octet] of octets.entries()) check(octet, (at + 1) & 255, `${line}, octet ${at}`);
  },
};

/** Plays a case. Throws where the stack does something else. */
export function playScript(lines: readonly string[], peer = new StackPeer()): StackPeer {
  for (let at = 0; at < lines.length;) {
    const line = lines[at++]!;
    const wanted: string[] = [];
    if (line.startsWith("+ ")) {
      peer.send(line.slice(2));
      continue;
    }
    if (line.startsWith("> ")) peer.send(line.slice(2));
    else {
      const [act = "", word = ""] = line.split(" ");
      const play = ACTS[act];
      if (play === undefined) throw new Error(`no such act: ${line}`);
      play(peer, word, line);
    }
    while (lines[at]?.startsWith("< ")) wanted.push(lines[at++]!.slice(2));
    const got = peer.takes(peer.turn);
    if (got.join("\n") !== wanted.join("\n"))
      throw new Error(
        `after "${line}" the replies are\n  ${got.join("\n  ")}\nand should be\n  ${wanted.join("\n  ")}`,
      );
  }
  return peer;
}
