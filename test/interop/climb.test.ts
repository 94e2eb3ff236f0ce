// `climb` between two of our executables on a cable whose ports have real speeds: the line gets faster under a transfer.

import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { type Cable, openCable } from "../kit/cable.ts";
import { Lab, missing } from "../kit/lab.ts";
import { closeMachines, type Machine, machinesMissing, openMachine, tunMissing } from "../kit/machine.ts";
import { PATIENCE_MS } from "../kit/patience.ts";
import { built, Program } from "../kit/program.ts";
import { receive, send } from "../kit/transfer.ts";
import { PATIENT_WORDS } from "./patient-options.ts";

setDefaultTimeout(3 * PATIENCE_MS);

const OPTIONS = ["115200", "nodetach", "noauth", "local", "noipv6", "climb", ...PATIENT_WORDS];
const PORT = 5000;
const OCTETS = 150_000;
const here = machinesMissing() ?? tunMissing();
const labMissing = here ?? missing();

let programs: Program[] = [];
let lab: Lab | undefined;
let cable: Cable | undefined;
afterEach(async () => {
  await Promise.all(programs.map((program) => program.stop()));
  programs = [];
  await lab?.stop();
  lab = undefined;
  await closeMachines();
  await cable?.close();
  cable = undefined;
});

function pppd(machine: Machine, ...words: readonly string[]): Program {
  const program = new Program([built("pppd"), ...words, ...OPTIONS], { machine });
  programs.push(program);
  return program;
}

const skipped = (name: string, why: string | undefined): string =>
  why === undefined ? name : `${name} [skipped: ${why}]`;

test.skipIf(here !== undefined)(
  skipped("the line gets as fast as the cable is clean, and a transfer goes on", here),
  async () => {
    cable = await openCable({ baud: "ports", "clean-to": 921600 });
    const [near, far] = await Promise.all([
      openMachine("near", { ttys: { ttyS0: cable.a } }),
      openMachine("far", { ttys: { ttyS1: cable.b } }),
    ]);
    const ends = [pppd(near, "/dev/ttyS0", "10.9.0.1:10.9.0.2"), pppd(far, "/dev/ttyS1", "noipdefault")];
    await Promise.all(ends.map((end) => end.waitFor("remote IP address")));
    // A transfer goes on while the line is tried: at first it has 11 kB a second.
    const receiving = far.run("sh", "-c", `cd /run; ${receive(PORT, "got")}; sha256sum <got`);
    const text = `head -c ${OCTETS} /dev/urandom >/run/sent; sha256sum </run/sent; ${send("10.9.0.2", PORT, "/run/sent")}`;
    const sending = near.run("sh", "-c", text);
    await Promise.all(ends.map((end) => end.waitFor("The line has 921600 bits per second")));
    const [{ stdout: sent }, { stdout: got }] = await Promise.all([sending, receiving]);
    expect(got).toBe(sent);
    for (const { lines } of ends) expect(lines.filter(({ text }) => /Connection terminated/.test(text))).toEqual([]);
  },
);

test.skipIf(labMissing !== undefined)(
  skipped("the real pppd rejects one packet, and the link stays as it is", labMissing),
  async () => {
    cable = await openCable({ baud: 115200 });
    const near = await openMachine("near", { ttys: { ttyS0: cable.a } });
    lab = await Lab.run({ attach: cable.b });
    await lab.start("pppd /dev/ttyS1 115200 nodetach noauth local debug 10.9.0.1:10.9.0.2");
    await lab.waitFor("Connect:");
    const ours = pppd(near, "/dev/ttyS0", "noipdefault", "debug");
    await ours.waitFor("remote IP address");
    await ours.waitFor("The other end cannot change the speed of the line");
    await lab.waitFor(/sent \[LCP CodeRej/);
    const { stdout } = await near.run("ping", "-c", "3", "-i", "0.2", "-W", "60", "10.9.0.1");
    expect(stdout).toContain("3 received");
    expect(ours.lines.filter(({ text }) => /sent \[LCP Climb/.test(text))).toHaveLength(1);
    expect(ours.lines.filter(({ text }) => /Code-Reject|Connection terminated/.test(text))).toEqual([]);
  },
);
