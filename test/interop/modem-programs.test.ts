// The programs that people dial with call a port with autodetect: C-Kermit, minicom's runscript and cu (Debian packages).
// Each reaches a host of the phone book through the modem that the port plays, and hangs up.

import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { type Cable, openCable } from "../kit/cable.ts";
import { closeMachines, machinesMissing, openMachine, tunMissing } from "../kit/machine.ts";
import { PATIENCE_MS } from "../kit/patience.ts";
import { built, Program } from "../kit/program.ts";

setDefaultTimeout(2 * PATIENCE_MS);

const KERMIT = `set quiet on
set modem type hayes-high-speed
set line /dev/ttyS0
if fail exit 1
set carrier-watch off
set flow-control none
set speed 115200
set dial retries 1
set dial hangup off
dial 5551212
if fail exit 2
input 20 Welcome
if fail exit 3
output hello\\13
input 20 got hello
if fail exit 4
hangup
exit 0
`;

const RUNSCRIPT = `verbose on
timeout 60
send "ATZ"
expect {
  "OK" break
  timeout 20 goto bad
}
send "ATDT5551212"
expect {
  "Welcome" break
  timeout 20 goto bad
}
send "hello"
expect {
  "got hello" break
  timeout 20 goto bad
}
exit 0
bad:
exit 1
`;

/** cu runs as the user uucp. */
const CU = `chmod 1777 /var/lock/; chmod 666 /dev/ttyS0; : >/run/cu
{ sleep 1; printf 'ATDT5551212\\r'; until grep -q Welcome /run/cu; do sleep 0.1; done; printf 'hello\\r';
until grep -q 'got hello' /run/cu; do sleep 0.1; done; printf '\\n~.\\n'; } | cu -l /dev/ttyS0 -s 115200 >/run/cu`;

let programs: Program[] = [];
let cable: Cable | undefined;
afterEach(async () => {
  await Promise.all(programs.map((program) => program.stop()));
  programs = [];
  await closeMachines();
  await cable?.close();
  cable = undefined;
});

for (const [name, tool, command] of [
  ["C-Kermit", "kermit", "kermit -y /etc/call"],
  ["minicom's runscript", "runscript", "runscript /etc/call </dev/ttyS0 >/dev/ttyS0"],
  ["cu", "cu", CU],
] as const) {
  const missing = Bun.which(tool) && Bun.which("socat") ? undefined : `${tool} or socat is not installed`;
  const why = machinesMissing() ?? tunMissing() ?? missing;
  test.skipIf(why !== undefined)(`${name} dials a number${why === undefined ? "" : ` [skipped: ${why}]`}`, async () => {
    cable = await openCable({ baud: 115200 });
    const [near, far] = await Promise.all([
      openMachine("near", { ttys: { ttyS1: cable.a } }),
      openMachine("far", { ttys: { ttyS0: cable.b }, files: { "/etc/call": tool === "kermit" ? KERMIT : RUNSCRIPT } }),
    ]);
    const run = (machine: typeof near, ...words: readonly string[]): Program => {
      const program = new Program(words, { machine });
      programs.push(program);
      return program;
    };
    run(near, "socat", "TCP-LISTEN:2323,bind=127.0.0.1", "SYSTEM:echo Welcome; echo got $(head -c 5); cat");
    const options = ["115200", "nodetach", "noauth", "local", "autodetect", "phone", "5551212=127.0.0.1:2323"];
    const port = run(near, built("pppd"), "/dev/ttyS1", ...options, "10.0.0.1:10.0.0.2");
    await port.waitFor("Waiting for a caller on /dev/ttyS1");
    const caller = run(far, "sh", "-c", command);
    await port.waitFor("Connected to 127.0.0.1:2323");
    const status = await caller.exit();
    expect(`${status} ${status === 0 ? "" : caller.text}`).toBe("0 ");
  });
}
