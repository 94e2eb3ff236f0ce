// nullmodem doctor on a cable whose ends have the speeds that programs set: with Debian's agetty at the far side, with a
// second doctor there, and ended by Ctrl-C.

import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { type Cable, openCable } from "../kit/cable.ts";
import { closeMachines, type Machine, machinesMissing, openMachine } from "../kit/machine.ts";
import { PATIENCE_MS } from "../kit/patience.ts";
import { built, Program } from "../kit/program.ts";
import type { Finding } from "../../src/run/diagnose/finding.ts";

setDefaultTimeout(4 * PATIENCE_MS);

const AGETTY = "/usr/sbin/agetty";
const here = machinesMissing();
const agettyMissing = here ?? (existsSync(AGETTY) ? undefined : "agetty is not installed (Debian package util-linux)");
const on = (name: string, missing: string | undefined, play: () => Promise<void>): void =>
  test.skipIf(missing !== undefined)(missing === undefined ? name : `${name} [skipped: ${missing}]`, play);

let programs: Program[] = [];
let cable: Cable | undefined;
afterEach(async () => {
  await Promise.all(programs.map((program) => program.stop()));
  programs = [];
  await closeMachines();
  await cable?.close();
  cable = undefined;
});

function run(machine: Machine, ...words: readonly string[]): Program {
  const program = new Program(words, { machine });
  programs.push(program);
  return program;
}

async function openScene(): Promise<{ near: Machine; far: Machine }> {
  cable = await openCable({ baud: "ports" });
  const [near, far] = await Promise.all([
    openMachine("near", { ttys: { ttyS1: cable.a } }),
    openMachine("far", { ttys: { ttyS0: cable.b } }),
  ]);
  return { near, far };
}

interface Report {
  readonly findings: readonly Finding[];
  readonly facts: {
    readonly far?: unknown;
    readonly cable?: { readonly speeds: readonly { readonly state: string }[] };
  };
}

function reportOf(program: Program): Report {
  return JSON.parse(program.lines.map(({ text }) => text).find((text) => text.startsWith("{")) ?? "{}") as Report;
}

async function settingsOf(machine: Machine, path: string): Promise<string> {
  return (await machine.run("sh", "-c", `stty -g <${path}; ls /var/lock`)).stdout;
}

on("with Debian's agetty: its speed and its echo from one end, and its name at the other", agettyMissing, async () => {
  const { near, far } = await openScene();
  run(far, "setsid", AGETTY, "-L", "--noissue", "--nohostname", "--nohints", "9600", "ttyS0", "vt100");
  const found = await settingsOf(near, "/dev/ttyS1");
  const doctor = run(near, built(), "doctor", "/dev/ttyS1", "--json");
  expect(await doctor.exit()).toBe(1);
  const { findings, facts } = reportOf(doctor);
  const about = findings.filter(({ code }) => !["tun", "rights"].includes(code));
  expect([about.map(({ code }) => code), facts.far]).toEqual([["other-speed", "echo"], { kind: "echo", speed: 9600 }]);
  expect(await settingsOf(near, "/dev/ttyS1")).toBe(found);
  const there = run(far, built(), "doctor", "/dev/ttyS0");
  expect(await there.exit()).toBe(1);
  expect(there.lines.map(({ text }) => text).join("\n")).toMatch(
    /\/dev\/ttyS0 is also open in agetty \(pid \d+\)\n +(its line in \/etc\/inittab|systemctl )/,
  );
});

on("two doctors agree on what the cable can do; one that Ctrl-C ends leaves the port as it was", here, async () => {
  const { near, far } = await openScene();
  const found = await settingsOf(near, "/dev/ttyS1");
  const [our, peer] = [
    run(near, built(), "doctor", "/dev/ttyS1", "--far", "--speed", "115200", "--json"),
    run(far, built(), "doctor", "ttyS0", "--far", "--speed", "115200", "--json"),
  ];
  await Promise.all([our.exit(), peer.exit()]);
  for (const program of [our, peer]) {
    const { cable: table } = reportOf(program).facts;
    expect(table!.speeds.map(({ state }) => state)).toEqual(Array.from({ length: 11 }, () => "good"));
  }
  expect(await settingsOf(near, "/dev/ttyS1")).toBe(found);
  const alone = run(near, built(), "doctor", "/dev/ttyS1", "--far");
  // It has the port once the port has the speed at which it waits.
  while ((await near.run("stty", "-F", "/dev/ttyS1", "speed")).stdout.trim() !== "9600") await Bun.sleep(20);
  alone.kill("SIGINT");
  expect(await alone.exit()).toBe(130);
  expect(await settingsOf(near, "/dev/ttyS1")).toBe(found);
});
