// What each of pppd's exit codes means.

import { Exit } from "../../src/run/exit.ts";

/** The compiler complains about a code without a text. */
const TEXTS: Record<keyof typeof Exit, string> = {
  OK: "The link was up and the peer ended it, or the program went into the background.",
  FATAL: "An error that is none of the following, such as a missing secret or a system call that failed.",
  OPTION: "An option is unknown, wrong, or excludes another one. Nothing was done.",
  NOT_ROOT: "The user lacks the rights that the options need.",
  NO_KERNEL: "No interface can be made. The message says whether `/dev/net/tun` is missing, and what helps.",
  USER_REQUEST: "A signal ended it (SIGINT, SIGTERM or SIGHUP), or `nullmodem ctl`.",
  LOCK: "Another program has locked the port.",
  OPEN: "The port could not be opened.",
  CONNECT: "The `connect` script failed.",
  PTY: "The command of `pty` could not be run, or the connection of `socket` or `socket-listen` could not be made.",
  NEGOTIATION: "No network protocol came up: the peer does not answer, or the two ends do not agree.",
  PEER_AUTH: "The peer did not prove who it is.",
  IDLE: "There was no traffic for as long as `idle` says.",
  CONNECT_TIME: "The time of `maxconnect` is over.",
  CALLBACK: "The peer will call back.",
  PEER_DEAD: "The peer did not answer as many echo requests as `lcp-echo-failure` says.",
  HANGUP: "The modem hung up, or the port is gone.",
  LOOPBACK: "The line is looped back: the program hears itself.",
  INIT: "The `init` script failed.",
  AUTH_TO_PEER: "The peer did not accept our name and password.",
  TRAFFIC_LIMIT: "As many octets went over the link as `maxoctets` says.",
  CALLING_NUMBER: "The peer may not call from its telephone number.",
  FATAL_SIGNAL: "A signal that is none of the above ended it, such as SIGQUIT.",
};

/** A list with an item for each code. */
export function exitCodes(): string {
  return Object.entries(Exit)
    .map(([name, code]) => `- \`${code}\`: ${TEXTS[name as keyof typeof Exit]}`)
    .join("\n");
}
