// Why a link has ended, or has not come up, in words.

import { Exit } from "./exit.ts";

const REASONS: Readonly<Record<number, string>> = {
  // It was up, and has begun a second negotiation.
  [Exit.OK]: "the two ends did not agree again, or the other end does not answer any more",
  [Exit.FATAL]: "the interface was removed",
  [Exit.USER_REQUEST]: "on request",
  [Exit.LOCK]: "another program has the port",
  [Exit.OPEN]: "the port could not be opened",
  [Exit.CONNECT]: "the connect script failed",
  [Exit.PTY]: "the program of pty could not be started",
  [Exit.NEGOTIATION]: "the two ends did not agree, or the other end did not answer",
  [Exit.PEER_AUTH]: "the other end did not prove who it is",
  [Exit.AUTH_TO_PEER]: "the other end did not accept our name and password",
  [Exit.IDLE]: "nothing was sent for the time that idle says",
  [Exit.CONNECT_TIME]: "the time that maxconnect says is over",
  [Exit.CALLBACK]: "the other end calls back",
  [Exit.TRAFFIC_LIMIT]: "as many octets were sent as maxoctets says",
  [Exit.PEER_DEAD]: "nothing comes from the other end any more: it is off, or the cable is out",
  [Exit.HANGUP]: "the other end has ended it",
  [Exit.LOOPBACK]: "the line is looped back",
  [Exit.INIT]: "the init script failed",
};

/** `exit` is a code of pppd, also one that this version does not know. `isHangup`: the line is gone. */
export function endText(exit: number, isHangup: boolean): string {
  return isHangup ? "the line has hung up" : (REASONS[exit] ?? `exit code ${exit}`);
}
