// Runs one chat for chat(8) and for `connect 'chat …'`. The script comes from the arguments or a file. Messages go to
// stderr, to syslog and to a report file.

import { bytesOf, decoded, encoded, textOf, withoutByteOrderMark } from "../../bytes/text.ts";
import { parseArguments, USAGE, type ChatCommand } from "../../chat/command.ts";
import { ChatEngine } from "../../chat/engine.ts";
import { parseScript, type ChatScript } from "../../chat/script.ts";
import type { Processes } from "../host/processes.ts";
import type { SyslogWriter } from "../host/syslog.ts";
import { isHostError } from "../machine.ts";
import { ChatLine, type ChatMachine, openFailed, type ToldEvent } from "./chat-line.ts";

/** The descriptors and the environment of a chat. */
export interface ChatIo {
  readonly machine: ChatMachine;
  /** Reads from the modem and writes to it. Both are usually the same terminal, blocking or not. */
  readonly input: number;
  readonly output: number;
  stderr(bytes: Uint8Array): void;
  /** The variables for option -E. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /**
   * Called with the reason of a failure: a string that did not come, a file that cannot be read, or an error of the
   * line.
   */
  failed?(why: string): void;
  /** Ends the chat as SIGTERM does. */
  readonly signal?: AbortSignal;
  /** Delivers SIGHUP, SIGINT and SIGTERM of this process. Undefined when the signals are not for the chat. */
  readonly catchSignals?: Processes["catchSignals"];
  /** A readable descriptor of these only wakes the event loop. */
  readonly wakers?: readonly number[];
}

const EXIT_USAGE = 1;
const EXIT_TTY = 2;

const SIGNALS = ["SIGHUP", "SIGINT", "SIGTERM"] as const;

/** Runs chat with the arguments after its name and returns the exit code. */
export async function chat(argv: readonly string[], io: ChatIo): Promise<number> {
  const command = parseArguments(argv.map(encoded));
  if (!command) {
    io.stderr(bytesOf(USAGE));
    return EXIT_USAGE;
  }
  const speaker = new Speaker(command, io);
  const line = new ChatLine(io.machine, io.input, io.output, io.wakers);
  try {
    const refusal = line.prepare();
    const code = refusal === undefined ? await play(command, io, line, speaker) : EXIT_TTY;
    const failure = refusal ?? line.restore();
    if (failure === undefined) return code;
    speaker.log("err", failure);
    io.failed?.(`failed: ${failure}`);
    return EXIT_TTY;
  } finally {
    line.restore();
    speaker.close();
  }
}

async function play(command: ChatCommand, io: ChatIo, line: ChatLine, speaker: Speaker): Promise<number> {
  const engine = new ChatEngine(readScript(command, io.machine), {
    verbose: command.verbose,
    echo: command.echo,
    copy: command.copy,
    timeout: command.timeout,
    phone: command.phone,
    phone2: command.phone2,
    variable: command.environment ? (name) => variable(io.environment, name) : undefined,
  });
  const interrupt = (signal: (typeof SIGNALS)[number]) => engine.interrupt(signal, io.machine.clock.now());
  const terminate = () => interrupt("SIGTERM");
  io.signal?.addEventListener("abort", terminate);
  if (io.signal?.aborted) terminate();
  const giveBack = io.catchSignals?.(SIGNALS, (name) => interrupt(name));
  try {
    const code = await line.play(engine, (event) => speaker.tell(event));
    speaker.closeReport();
    if (engine.failure !== undefined) io.failed?.(engine.failure);
    return code;
  } finally {
    io.signal?.removeEventListener("abort", terminate);
    giveBack?.();
  }
}

/** Writes the messages of a chat. */
class Speaker {
  readonly #machine: ChatMachine;
  readonly #command: ChatCommand;
  readonly #stderr: (bytes: Uint8Array) => void;
  readonly #syslog: SyslogWriter | undefined;
  #report: number | undefined;

  constructor(command: ChatCommand, io: ChatIo) {
    this.#machine = io.machine;
    this.#command = command;
    this.#stderr = (bytes) => io.stderr(bytes);
    this.#openReports();
    if (command.toSyslog) this.#syslog = io.machine.syslog.writer("chat");
  }

  tell(event: ToldEvent): void {
    switch (event.type) {
      case "log":
        return this.log(event.level, event.text);
      case "stderr":
        return this.#stderr(bytesOf(event.text));
      case "report": {
        const { clock } = this.#machine;
        const matchedAt = clock.text(clock.wall() - (clock.now() - event.now));
        // Unlike the time in syslog, this one has a leading zero in the day.
        return this.#putReport(`chat:  ${matchedAt.replace("  ", " 0")} ${event.text}\n`);
      }
      default:
        event satisfies never;
    }
  }

  log(level: "err" | "warning" | "info", text: string): void {
    if (this.#command.toStderr) this.#stderr(bytesOf(`${text}\n`));
    if (level !== "info" || this.#command.verbose) this.#syslog?.write(level, decoded(text));
  }

  closeReport(): void {
    const last = this.#command.reports.at(-1);
    if (this.#command.verbose && last) this.#putReport(`Closing "${last.path}".\n`);
  }

  close(): void {
    if (this.#report !== undefined) this.#machine.descriptors.close(this.#report);
  }

  /** Opens every report file. The last one is used, or stderr when it cannot be opened. */
  #openReports(): void {
    for (const { path, announce } of this.#command.reports) {
      if (this.#report !== undefined) this.#machine.descriptors.close(this.#report);
      this.#report = undefined;
      try {
        this.#report = this.#machine.files.openForCaller(decoded(path), "append", 0o666);
      } catch (error) {
        if (!isHostError(error)) throw error;
        continue;
      }
      if (announce) this.#putReport(`Opening "${path}"...\n`);
    }
  }

  /**
   * Writes to the report file. A control character ends a report, so the peer cannot send escape sequences to a
   * terminal.
   */
  #putReport(line: string): void {
    if (this.#report === undefined) this.#stderr(bytesOf(line));
    else this.#machine.descriptors.writeAll(this.#report, bytesOf(line));
  }
}

function readScript({ file, words }: ChatCommand, { descriptors, files }: ChatMachine): ChatScript {
  if (file === undefined) return { words };
  let fd: number;
  try {
    fd = files.openForCaller(decoded(file), "read");
  } catch (error) {
    return { words: [], error: openFailed(file, error) };
  }
  try {
    return parseScript(withoutByteOrderMark(textOf(files.readAll(fd))));
  } catch {
    return { words: [], error: `${file} -- read error` };
  } finally {
    descriptors.close(fd);
  }
}

function variable(environment: ChatIo["environment"], name: string): string | undefined {
  const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
  return value === undefined ? undefined : encoded(value);
}
