// Why a port cannot be opened, when another program has it for itself alone.

import { expect, test } from "bun:test";
import { thisMachine } from "../../../src/applets/this-machine.ts";
import { linesOf } from "../../../src/run/diagnose/finding.ts";
import { portTrouble } from "../../../src/run/diagnose/port-trouble.ts";
import type { Opener } from "../../../src/run/host/serial.ts";
import { SimulatedError } from "../../simulation/errors.ts";

const PORT = "/dev/ttyUSB0";
const MINICOM = { pid: 7, name: "minicom" };

test.each<readonly [readonly Opener[], boolean, readonly string[]]>([
  [[MINICOM], false, [`${PORT} is also open in minicom (pid 7)`]],
  [[MINICOM], true, [`${PORT} is also open in minicom (pid 7)`]],
  // The program of another user cannot be found, and root finds all.
  [[], false, [`Another program has ${PORT} open, and you may not see which; fuser -v ${PORT}, run as root, names it`]],
  [[], true, []],
])("a busy port that %j have open, as root: %p", (openers, isRoot, lines) => {
  const { files, serial, users } = thisMachine;
  const machine = {
    files,
    serial: { ...serial, openersOf: () => [...openers] },
    users: { ...users, isRoot: () => isRoot },
  };
  expect(portTrouble(machine, PORT, new SimulatedError("open", PORT, "EBUSY")).flatMap(linesOf)).toEqual([...lines]);
});
