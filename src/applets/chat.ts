// The program chat(8): runs a chat on the process's own descriptors.

import { chat as chatOn, type ChatIo } from "../run/line/inside-chat.ts";
import { LineOutput } from "../os/log/line-output.ts";
import { thisMachine } from "./this-machine.ts";

/** Runs chat with the arguments after its name, on stdin, stdout and stderr or on `io`. Returns the exit code. */
export function chat(argv: readonly string[], io: ChatIo = PROCESS): Promise<number> {
  return chatOn(argv, io);
}

const errors = new LineOutput(2);

const PROCESS: ChatIo = {
  machine: thisMachine,
  input: 0,
  output: 1,
  stderr: (bytes) => errors.write(bytes),
  environment: thisMachine.processes.environment(),
  catchSignals: thisMachine.processes.catchSignals,
};
