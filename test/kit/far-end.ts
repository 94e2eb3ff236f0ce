// Runs a process whose line is a pty, with a scripted far end on the other side, and records everything that can be
// seen of it.

import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bytesOf, textOf } from "../../src/bytes/text.ts";
import { closeFd, libc, Memory, O, openFd } from "../../src/os/ffi/libc.ts";
import { openPty } from "../../src/os/serial/pty.ts";
import { PATIENCE_MS } from "./patience.ts";
import { readTermios, writeTermios, type Termios } from "../../src/os/serial/termios.ts";

/** The action of the far end once it has received `on` after the step before. "" means at once. */
export interface Step {
  on: string;
  afterMs?: number;
  say?: string;
  signal?: NodeJS.Signals;
  /** Hangs up. */
  close?: true;
  /** Records the line's settings before the other actions of the step. */
  look?: true;
}

export interface Scene {
  argv: string[];
  far?: Step[];
  env?: Readonly<Record<string, string>>;
  /** Content of a file whose path replaces %FILE% in argv. %REPORT% is replaced by the path of a file to be written. */
  file?: string;
  /** The settings of the line before the start: raw by default. */
  cooked?: true;
}

export interface Seen {
  /** What the far end received. */
  sent: string;
  /** Null when a signal ended it. */
  code: number | null;
  stderr: string;
  report: string | undefined;
  before: Termios;
  during: Termios[];
  /** Undefined when the far end hung up. */
  after: Termios | undefined;
  ms: number;
}

const TURN_MS = 2;

export async function play(program: readonly string[], scene: Scene): Promise<Seen> {
  const folder = mkdtempSync(join(tmpdir(), "far-end-"));
  const [file, report] = [join(folder, "file"), join(folder, "report")];
  if (scene.file !== undefined) writeFileSync(file, bytesOf(scene.file));
  const line = new Line(scene.cooked ?? false);
  const child = Bun.spawn(
    [...program, ...scene.argv.map((word) => word.replaceAll("%FILE%", file).replaceAll("%REPORT%", report))],
    {
      stdio: [line.slave, line.slave, "pipe"],
      env: { PATH: process.env["PATH"], HOME: process.env["HOME"], TZ: "UTC", ...scene.env },
    },
  );
  line.handOver();
  const startedAt = performance.now();
  let over = false;
  const exited = child.exited.then(() => (over = true));
  const stuck = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  const turn = async () => {
    await Promise.race([Bun.sleep(TURN_MS), exited]);
    line.listen();
  };

  const during: Termios[] = [];
  let heard = 0;
  for (const step of scene.far ?? []) {
    while (!over && line.heard.indexOf(step.on, heard) < 0) await turn();
    heard = line.heard.indexOf(step.on, heard) + step.on.length;
    if (step.afterMs !== undefined) await Promise.race([Bun.sleep(step.afterMs), exited]);
    if (over) break;
    if (step.look) during.push(readTermios(line.held));
    if (step.say !== undefined) writeSync(line.master, bytesOf(step.say));
    if (step.signal) child.kill(step.signal);
    if (step.close) line.close();
  }
  while (!over) await turn();
  clearTimeout(stuck);
  line.listen();
  const seen: Seen = {
    sent: line.heard,
    code: child.exitCode,
    stderr: textOf(new Uint8Array(await new Response(child.stderr).arrayBuffer())).replaceAll(folder, "TMP"),
    report: written(report)?.replaceAll(folder, "TMP"),
    before: line.before,
    during,
    after: line.open ? readTermios(line.held) : undefined,
    ms: performance.now() - startedAt,
  };
  line.close();
  rmSync(folder, { recursive: true });
  return seen;
}

class Line {
  readonly master: number;
  /** The program's descriptor. Closed after handOver. */
  readonly slave: number;
  /** Our own descriptor of the slave. Without it the pty would hang up between two programs. */
  readonly held: number;
  readonly before: Termios;
  heard = "";
  open = true;
  readonly #memory = new Memory(4096);

  constructor(cooked: boolean) {
    const { master, slave } = openPty();
    this.master = master;
    this.held = openFd(slave, O.RDWR | O.NOCTTY);
    const settings = readTermios(this.held);
    if (!cooked) writeTermios(this.held, { ...settings, iflag: 0, oflag: 0, lflag: 0 }, "now");
    this.before = readTermios(this.held);
    this.slave = openSync(slave, O.RDWR | O.NOCTTY);
  }

  handOver(): void {
    closeSync(this.slave);
  }

  listen(): void {
    for (let count = 1; this.open && count > 0;) {
      count = libc.read(this.master, this.#memory.address, 4096);
      if (count > 0) this.heard += textOf(this.#memory.bytes, 0, count);
    }
  }

  close(): void {
    if (!this.open) return;
    this.listen();
    this.open = false;
    closeFd(this.held);
    closeFd(this.master);
  }
}

function written(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return undefined;
  }
}
