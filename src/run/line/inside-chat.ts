// A chat with its surroundings: its script comes from the arguments or a file, its words go to stderr, syslog and a report
// file. The program chat(8) and `connect 'chat …'` both run it.

import { bytesOf, decoded, encoded, textOf, withoutByteOrderMark } from "../../bytes/text.ts";
import { parseArguments, USAGE, type ChatCommand } from "../../chat/command.ts";
import { ChatEngine } from "../../chat/engine.ts";
import { visibleText } from "../../chat/escapes.ts";
import { parseScript, type ChatScript } from "../../chat/script.ts";
import { closeFd, O, openFd, OsError } from "../../os/ffi/libc.ts";
import { openToRead, readAll } from "../../os/ffi/small-file.ts";
import { Syslog, logTime } from "../../os/log/syslog.ts";
import { ChatLine, openFailed, writeAll, type ToldEvent } from "./chat-line.ts";

/** Where a chat takes place. */
export interface ChatIo {
  /** From the modem and to it: usually the same terminal. Blocking or not makes no difference. */
  readonly input: number;
  readonly output: number;
  stderr(bytes: Uint8Array): void;
  /** For -E. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Told why it failed: what it waited for in vain, which file it could not read, what is wrong with the line. */
  failed?(why: string): void;
  /** Ends the chat as SIGTERM does. */
  readonly signal?: AbortSignal;
  /** SIGHUP, SIGINT and SIGTERM of the process are the chat's. */
  readonly catchSignals?: boolean;
  /** Descriptors whose readiness only has to wake the event loop. */
  readonly wakers?: readonly number[];
}

const EXIT_USAGE = 1;
const EXIT_TTY = 2;

const SIGNALS = ["SIGHUP", "SIGINT", "SIGTERM"] as const;

/** Runs chat with the arguments after its name; the exit code. */
export async function chat(argv: readonly string[], io: ChatIo): Promise<number> {
  const command = parseArguments(argv.map(encoded));
  if (!command) {
    io.stderr(bytesOf(USAGE));
    return EXIT_USAGE;
  }
  const speaker = new Speaker(command, io);
  const line = new ChatLine(io.input, io.output, io.wakers);
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
  const engine = new ChatEngine(readScript(command), {
    verbose: command.verbose,
    echo: command.echo,
    copy: command.copy,
    timeout: command.timeout,
    phone: command.phone,
    phone2: command.phone2,
    variable: command.environment ? (name) => variable(io.environment, name) : undefined,
  });
  const interrupt = (signal: (typeof SIGNALS)[number]) => engine.interrupt(signal, performance.now());
  const terminate = () => interrupt("SIGTERM");
  const handlers = SIGNALS.map((name) => [name, () => interrupt(name)] as const);
  io.signal?.addEventListener("abort", terminate);
  if (io.signal?.aborted) terminate();
  if (io.catchSignals) for (const [name, handler] of handlers) process.on(name, handler);
  try {
    const code = await line.play(engine, (event) => speaker.tell(event));
    speaker.closeReport();
    if (engine.failure !== undefined) io.failed?.(engine.failure);
    return code;
  } finally {
    io.signal?.removeEventListener("abort", terminate);
    if (io.catchSignals) for (const [name, handler] of handlers) process.off(name, handler);
  }
}

/** Where chat's words go. */
class Speaker {
  readonly #command: ChatCommand;
  readonly #stderr: (bytes: Uint8Array) => void;
  readonly #syslog: Syslog | undefined;
  #report: number | undefined;

  constructor(command: ChatCommand, io: ChatIo) {
    this.#command = command;
    this.#stderr = (bytes) => io.stderr(bytes);
    this.#openReports();
    if (command.toSyslog) this.#syslog = new Syslog("chat", "local2", { pid: true });
  }

  tell(event: ToldEvent): void {
    switch (event.type) {
      case "log":
        return this.log(event.level, event.text);
      case "stderr":
        return this.#stderr(bytesOf(event.text));
      case "report": {
        const matchedAt = new Date(Date.now() - (performance.now() - event.now));
        return this.#putReport(`chat:  ${reportTime(matchedAt)} ${event.text}\n`);
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
    if (this.#report !== undefined) closeFd(this.#report);
  }

  /** Opens every report file; the last is the one used, or stderr when it cannot be opened. */
  #openReports(): void {
    for (const { path, announce } of this.#command.reports) {
      if (this.#report !== undefined) closeFd(this.#report);
      this.#report = undefined;
      try {
        this.#report = openFd(decoded(path), O.WRONLY | O.CREAT | O.APPEND, 0o666);
      } catch (error) {
        if (!(error instanceof OsError)) throw error;
        continue;
      }
      if (announce) this.#putReport(`Opening "${path}"...\n`);
    }
  }

  #putReport(line: string): void {
    if (this.#report === undefined) this.#stderr(bytesOf(`${visibleText(line.slice(0, -1))}\n`));
    else writeAll(this.#report, bytesOf(line));
  }
}

function readScript({ file, words }: ChatCommand): ChatScript {
  if (file === undefined) return { words };
  let fd: number;
  try {
    fd = openToRead(decoded(file));
  } catch (error) {
    return { words: [], error: openFailed(file, error) };
  }
  try {
    return parseScript(withoutByteOrderMark(textOf(readAll(fd))));
  } catch {
    return { words: [], error: `${file} -- read error` };
  } finally {
    closeFd(fd);
  }
}

function variable(environment: ChatIo["environment"], name: string): string | undefined {
  const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
  return value === undefined ? undefined : encoded(value);
}

/** "Nov 02 16:18:16": unlike syslog's clock, with a zero before the day. */
function reportTime(date: Date): string {
  return logTime(date).replace("  ", " 0");
}
