// Runs a ChatEngine to its end with a simulated clock.

import { textOf } from "../../src/bytes/text.ts";
import { parseArguments } from "../../src/chat/command.ts";
import { ChatEngine, type ChatEvent, type ChatOptions, type WriteByte } from "../../src/chat/engine.ts";
import type { ChatScript } from "../../src/chat/script.ts";

export interface Arrival {
  /** Milliseconds from the start, or the bytes that must have been sent before. */
  at: number | string;
  text: string;
}

export interface Setting {
  options?: Partial<ChatOptions>;
  arrivals?: Arrival[];
  files?: Readonly<Record<string, string>>;
  /** Called before each turn. It may interrupt, or end the line. */
  turn?: (engine: ChatEngine, now: number, sent: string) => void;
  /** Is put between the engine and the line. */
  write?: (byte: number, now: number) => ReturnType<WriteByte>;
}

export interface Outcome {
  code: number;
  sent: string;
  /** When each byte was sent. */
  times: number[];
  events: ChatEvent[];
  log: string[];
  stderr: string;
  reports: string[];
  now: number;
}

const DEFAULTS: ChatOptions = { verbose: true, echo: false, copy: false, timeout: 45 };

/** The result of a script that is given as words, or as chat's command line after its flags. */
export function converse(script: ChatScript | string[], setting: Setting = {}): Outcome {
  const engine = new ChatEngine(Array.isArray(script) ? { words: script } : script, {
    ...DEFAULTS,
    ...setting.options,
  });
  const waiting = [...(setting.arrivals ?? [])];
  const line: number[] = [];
  const sent: number[] = [];
  const times: number[] = [];
  const events: ChatEvent[] = [];
  let now = 0;
  const write: WriteByte = (byte) => {
    const outcome = setting.write?.(byte, now) ?? "sent";
    if (outcome === "sent") {
      sent.push(byte);
      times.push(now);
    }
    return outcome;
  };
  for (let turns = 0; turns < 100_000; turns++) {
    setting.turn?.(engine, now, textOf(Uint8Array.from(sent)));
    engine.handleTimeout(now);
    engine.transmit(write, now);
    for (let event; (event = engine.takeEvent());) {
      events.push(event);
      if (event.type !== "read") continue;
      const text = setting.files?.[event.path];
      engine.provide(text === undefined ? { error: `${event.path} -- open failed: No such file` } : { text }, now);
    }
    if (engine.result !== undefined) return outcome(engine.result);
    for (const first of waiting) {
      if (typeof first.at === "number" ? first.at > now : !textOf(Uint8Array.from(sent)).includes(first.at)) break;
      for (const char of first.text) line.push(char.charCodeAt(0));
      waiting.shift();
    }
    const byte = engine.listening ? line.shift() : undefined;
    if (byte !== undefined) {
      engine.receive(byte, now);
      continue;
    }
    const arrival = typeof waiting[0]?.at === "number" ? waiting[0].at : Infinity;
    const next = Math.min(engine.nextTimeout(), arrival, engine.blocked ? now + 100 : Infinity);
    if (next === Infinity) throw new Error("the engine waits for nothing");
    now = Math.max(now, next);
  }
  throw new Error("the engine does not end");

  function outcome(code: number): Outcome {
    return {
      code,
      sent: textOf(Uint8Array.from(sent)),
      times,
      events,
      log: events.flatMap((event) => (event.type === "log" ? [event.text] : [])),
      stderr: events.map((event) => (event.type === "stderr" ? event.text : "")).join(""),
      reports: events.flatMap((event) => (event.type === "report" ? [event.text] : [])),
      now,
    };
  }
}

/** A whole command line, flags included. */
export function converseAs(argv: string[], setting: Setting = {}): Outcome {
  const command = parseArguments(argv);
  if (!command) throw new Error(`usage: ${argv.join(" ")}`);
  const { verbose, echo, copy, timeout, phone, phone2 } = command;
  return converse(command.words, {
    ...setting,
    options: { verbose, echo, copy, timeout, phone, phone2, ...setting.options },
  });
}
