// nullmodem doctor PORT [--far] [--speed N] [--json]: examines a serial port, its cable and the far side.

import { defineCommand } from "citty";
import { consola } from "consola";
import { basename } from "node:path";
import { thisMachine } from "../applets/this-machine.ts";
import { inert, inertJson } from "../bytes/text.ts";
import { print } from "../os/log/print.ts";
import { ExaminedTty, Interrupted } from "../os/serial/examined-tty.ts";
import { portsHere, serialPorts } from "../os/serial/ports.ts";
import type { FarTest } from "../front/far-test.ts";
import { farTrouble } from "../run/diagnose/far-trouble.ts";
import type { Finding } from "../run/diagnose/finding.ts";
import { portTrouble } from "../run/diagnose/port-trouble.ts";
import { uartTrouble } from "../run/diagnose/uart-trouble.ts";
import { Examination, type Facts } from "../run/doctor/examination.ts";
import { examineFar } from "../run/doctor/far-examination.ts";
import { portUseTrouble, tunAndRightsTrouble } from "../run/doctor/host-trouble.ts";
import { isLockError } from "../run/host/serial.ts";
import { isHostError } from "../run/machine.ts";
import { codesText } from "./doctor-codes.ts";
import { farFacts, farText } from "./far-text.ts";
import { drawingFor, type PortFacts, portText } from "./doctor-text.ts";
import { usageText } from "./usage-text.ts";

const command = defineCommand({
  meta: { name: "nullmodem doctor", description: "Examine a serial port, its cable and the far side" },
  args: {
    port: { type: "positional", description: "the serial line (/dev/ttyS0)", required: true },
    far: { type: "boolean", description: "measure the cable with a second doctor" },
    speed: { type: "string", description: "of the link (115200), or to meet at (9600)" },
    json: { type: "boolean", description: "for programs: findings and facts" },
  },
});

const AFTER = `With --far, run the same command on both machines: each wire is driven at one
end and read at the other, and each speed is tried both ways, without flow
control.

No program may use the port meanwhile. It is left as it was found. The exit code
is 0 when nothing is wrong, 1 when there is a warning or an error, 2 for wrong
words, and 130 when a signal ended it.
`;

const FASTEST = 4_000_000;
const SIGNAL_EXIT = 130;

interface Words {
  readonly port: string;
  readonly speed: number;
  readonly json: boolean;
  readonly far: boolean;
}

/** Runs doctor with the words after its name. Returns the exit code. */
export async function doctor(argv: readonly string[]): Promise<number> {
  consola.level = 3;
  const usage = await usageText(command, AFTER);
  if (argv.includes("--help") || argv.includes("-h")) {
    print(`${usage}\n${codesText()}`);
    return 0;
  }
  const words = wordsOf(argv);
  if (typeof words === "string") {
    consola.error(words);
    process.stderr.write(usage);
    return 2;
  }
  try {
    return await examine(words);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    return SIGNAL_EXIT;
  }
}
doctor.definition = command;

/** Returns a text when a word is wrong. */
export function wordsOf(argv: readonly string[]): Words | string {
  const ports: string[] = [];
  let speed: number | undefined;
  let json = false;
  let far = false;
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!;
    const [flag, value = flag === "--speed" ? argv[++at] : undefined] = word.split("=", 2);
    if (word === "--json") json = true;
    else if (word === "--far") far = true;
    else if (flag === "--speed") {
      speed = Number(value);
      if (!/^\d+$/.test(value ?? "") || speed === 0 || speed > FASTEST) return `--speed: not a speed: ${value ?? ""}`;
    } else if (word.startsWith("-")) return `there is no option ${JSON.stringify(word)}`;
    else ports.push(word);
  }
  const [port = ""] = ports;
  if (ports.length !== 1) return ports.length === 0 ? `which port? ${portsHere()}` : "one port at a time";
  return { port: port.startsWith("/") ? port : `/dev/${port}`, speed: speed ?? (far ? 9600 : 115200), json, far };
}

async function examine(words: Words): Promise<number> {
  const { port, json, far } = words;
  if (!json)
    consola.start(
      far
        ? `Waiting for the other doctor (nullmodem doctor --far on the other machine); then it takes about 30 s`
        : `Examining ${port}, which takes up to 15 s`,
    );
  const findings = tunAndRightsTrouble(thisMachine);
  const opened = await withPort(port, findings, (tty) => examineTty(tty, words, findings));
  const facts = { ...factsOf(port), uart: opened?.uart };
  const worst = findings.some(({ severity }) => severity !== "info") ? 1 : 0;
  if (json) {
    const cable = opened?.cable && farFacts(opened.cable);
    print(`${inertJson(JSON.stringify({ findings, facts: { ...facts, ...opened?.facts, cable } }))}\n`);
    return worst;
  }
  if (opened !== undefined || facts.driver !== undefined) print(portText(facts, opened?.facts));
  if (opened?.cable?.outcome === "done") print(farText(opened.cable));
  for (const finding of findings) tell(finding);
  print(drawingFor(findings));
  if (findings.length === 0) consola.success("Nothing is wrong");
  return worst;
}

interface Opened {
  readonly uart: ExaminedTty["uart"];
  readonly facts?: Facts;
  readonly cable?: FarTest;
}

async function examineTty(tty: ExaminedTty, { speed, far }: Words, findings: Finding[]): Promise<Opened> {
  const { uart } = tty;
  findings.push(...uartTrouble(tty.path, uart));
  if (far) {
    const cable = await examineFar(tty, speed, thisMachine.random.u32);
    findings.push(...farTrouble(cable.outcome!, cable.wires, cable.rows));
    return { uart, cable };
  }
  const examination = new Examination(tty, speed, thisMachine.random.u32);
  const facts = await examination.run();
  findings.push(...examination.findings);
  return { uart, facts };
}

/** Calls `use` with the port, unless it cannot be opened or another program reads it. The port is as it was afterwards. */
async function withPort<T>(
  path: string,
  findings: Finding[],
  use: (tty: ExaminedTty) => Promise<T>,
): Promise<T | undefined> {
  let isEnded = false;
  const release = thisMachine.processes.catchSignals(["SIGINT", "SIGTERM", "SIGHUP"], () => void (isEnded = true));
  let lock: { unlock(): void } | undefined;
  let tty: ExaminedTty | undefined;
  try {
    const real = realPath(path);
    lock = real.startsWith("/dev/pts/") ? undefined : thisMachine.serial.lock(real);
    findings.push(...portUseTrouble(thisMachine, real));
    // What another program reads is lost to us, and what we send is an input of its own.
    if (findings.some(({ code }) => code === "port-shared")) return undefined;
    tty = new ExaminedTty(path, () => isEnded);
    return await use(tty);
  } catch (error) {
    if (!isLockError(error) && !isHostError(error)) throw error;
    findings.push({ code: "port", text: openErrorText(path, error), severity: "error" });
    findings.push(...portTrouble(thisMachine, path, error));
    return undefined;
  } finally {
    tty?.close();
    lock?.unlock();
    release();
  }
}

function openErrorText(path: string, error: Error): string {
  if (!isHostError(error)) return error.message;
  return error.call === "poll" ? `${path} is gone` : `${path} cannot be opened: ${error.reason}`;
}

function realPath(path: string): string {
  try {
    return thisMachine.files.realPath(path);
  } catch {
    return path;
  }
}

function factsOf(port: string): Omit<PortFacts, "uart"> {
  const real = realPath(port);
  const known = serialPorts().find(({ path }) => path === real);
  const adapter = thisMachine.serial.adapterOf(basename(real), "/sys")?.model;
  const latencyMs = thisMachine.serial.latencyOf(real);
  return { port, driver: known?.driver, description: known?.description, adapter, latencyMs };
}

function tell({ severity, text, remedy }: Finding): void {
  const lines =
    remedy === undefined
      ? [text]
      : [
          text,
          ...remedy
            .trim()
            .split("\n")
            .map((line) => `  ${line}`),
        ];
  const words = lines.map(inert).join("\n");
  if (severity === "error") consola.error(words);
  else if (severity === "warning") consola.warn(words);
  else consola.info(words);
}
