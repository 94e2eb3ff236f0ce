// Gives a port to a program such as agetty or login, whose terminal it is until the program ends.

import type { Config } from "../../options/config.ts";
import type { Hooks } from "../scripts/hooks.ts";
import type { Lock, Tty } from "../host/serial.ts";
import type { Log } from "../log.ts";
import { type Machine, reasonOf } from "../machine.ts";
import { commandEnvironment } from "./line-script.ts";

const SIGHUP = 1;
const SIGKILL = 9;
/** A shell ends at a hang-up. What does not is ended after this long. */
const PATIENCE_MS = 2000;

export interface LendingHost {
  readonly machine: Machine;
  readonly config: Config;
  readonly log: Log;
  readonly hooks: Hooks;
  readonly tty: Tty;
  readonly lock: Lock | undefined;
  /** Called once when the program has started, with a function that ends it early. */
  readonly started: (end: () => void) => void;
}

/** Returns when the program has ended. `name` is what the caller has typed; "": nothing. */
export async function lendPort(command: string, name: string, host: LendingHost): Promise<void> {
  const { machine, config, log, hooks, tty, lock, started } = host;
  const { processes, clock } = machine;
  // The settings are those for a terminal, before the program opens the port.
  tty.makeTerminal();
  tty.setExclusive(false);
  const place = { DEVICE: tty.path, SPEED: String(tty.speed), NAME: name };
  try {
    const child = processes.runOnTerminal(command, tty.path, { ...commandEnvironment(machine, config), ...place });
    lock?.pass(child.pid);
    log.write("notice", `Gave ${tty.path} to ${command} (pid ${child.pid})`);
    started(() => {
      child.kill(SIGHUP);
      const cancel = clock.after(PATIENCE_MS, () => child.kill(SIGKILL), false);
      void child.ended.then(cancel);
    });
    await hooks.watch(child, command);
    log.write("notice", `Took ${tty.path} back`);
  } catch (error) {
    log.write("error", `Can't execute ${command}: ${reasonOf(error)}`);
  } finally {
    lock?.pass(processes.pid);
  }
}
