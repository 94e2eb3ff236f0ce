// `nullmodem serve` on a simulated computer.

import type { SignalName } from "../../src/run/host/processes.ts";
import type { LogLevel } from "../../src/run/log.ts";
import { SILENT_NOTIFIER } from "../../src/run/notifier.ts";
import { PortServer } from "../../src/run/serve/port-server.ts";
import { readServeWords } from "../../src/run/serve/serve-words.ts";
import { type Computer, NUMBERS, RUN_DIRECTORY } from "./computer.ts";
import { ControlProgram } from "./control-program.ts";
import { Process } from "./process.ts";

export class Served {
  /** Undefined while it runs. */
  exitCode: number | undefined;
  /** What it threw, and what else must not happen. */
  fault: string | undefined;
  /** The lines for the terminal, and the log. */
  readonly events: string[] = [];
  readonly lines: string[] = [];
  /** What the service manager was told last. */
  state = "";
  readonly process: Process;
  readonly #server: PortServer;

  constructor(computer: Computer, ...words: readonly string[]) {
    this.process = new Process(computer.processes.nextPid(), computer.time, () => computer.wallOffset);
    computer.processes.running.add(this.process.pid);
    const note = (level: LogLevel, text: string): void => {
      if (level === "debug") return;
      this.lines.push(text);
      computer.note(text);
    };
    const log = { debug: true, fd: undefined, write: note, note, pass: () => {} };
    const machine = computer.machineOf(this.process);
    this.#server = new PortServer(
      {
        machine,
        openLog: () => ({ log, close: () => {} }),
        notifier: { ...SILENT_NOTIFIER, status: (text) => void (this.state = text) },
        etc: "/etc/ppp",
        user: "root",
        uid: 0,
        runDirectory: RUN_DIRECTORY,
        optionHost: () => computer.optionHost(),
        print: (line) => void this.events.push(line),
        onUp: () => {},
        configured: () => {},
      },
      readServeWords(words, machine.files.isCharacterDevice),
    );
    void this.#server.run().then(
      (code) => this.#end(computer, code),
      (error: unknown) => {
        this.fault = error instanceof Error ? (error.stack ?? String(error)) : String(error);
        this.#end(computer, 1);
      },
    );
  }

  get isRunning(): boolean {
    return this.process.isAlive;
  }

  /** The events of a port. */
  of(port: string): string[] {
    return this.events.flatMap((line) => (line.startsWith(`${port}: `) ? [line.slice(port.length + 2)] : []));
  }

  signal(name: SignalName): void {
    this.process.post(() => this.#server.onSignal({ type: "signal", name, number: NUMBERS[name] }), "signal");
  }

  /** A program that controls it. */
  controller(): ControlProgram {
    return new ControlProgram(this.process, () => this.#server.links);
  }

  #end(computer: Computer, code: number): void {
    const { descriptorCount, trouble } = this.process;
    if (descriptorCount > 0) this.fault ??= `ended with ${descriptorCount} open descriptors`;
    this.fault ??= trouble;
    this.exitCode = code;
    this.process.kill();
    computer.processes.running.delete(this.process.pid);
  }
}
