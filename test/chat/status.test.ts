// Compares the engine with chat 2.4.9 on a serial line.

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArguments, USAGE } from "../../src/chat/command.ts";
import { converse, type Outcome } from "../kit/conversation.ts";

interface Recorded {
  argv: string[];
  far: string;
  code: number;
  sent: string;
  stderr: string[];
  syslog: string[];
  report?: string[];
}

const recorded: Recorded[] = JSON.parse(readFileSync(join(import.meta.dir, "../../fixtures/chat/status.json"), "utf8"));

for (const { argv, far, code, sent, stderr, syslog } of recorded) {
  test(`chat ${argv.join(" ")} <- ${JSON.stringify(far)}`, () => {
    const command = parseArguments(argv);
    if (!command) {
      expect({ code, stderr: `${stderr.join("\n")}\n` }).toEqual({ code: 1, stderr: USAGE });
      return;
    }
    const { file, words, toSyslog, toStderr, environment, ...options } = command;
    const script =
      file === undefined ? { words } : { words, error: `${file} -- open failed: No such file or directory` };
    const variable = environment ? (name: string) => ({ HOME: "/root" })[name] : undefined;
    const outcome = converse(script, { options: { ...options, variable }, arrivals: [{ at: 400, text: far }] });
    expect({ code: outcome.code, sent: outcome.sent }).toEqual({ code, sent });
    if (toSyslog) expect(logged(outcome)).toEqual(syslog);
    if (!toStderr && !options.reports.length)
      expect(shown(outcome)).toEqual(stderr.map((line) => line.replace(DATE, "")));
  });
}

const DATE = /(?<=^chat: {2})\w{3} \d\d \d\d:\d\d:\d\d /;

/** The lab read syslog's file, which has no empty lines and no newline inside a message. */
function logged(outcome: Outcome): string[] {
  return outcome.events.flatMap((event) =>
    event.type === "log" ? [`${event.level} ${event.text.replace("\n", "")}`] : [],
  );
}

function shown(outcome: Outcome): string[] {
  const lines = outcome.events.flatMap((event) =>
    event.type === "stderr" ? [event.text] : event.type === "report" ? [`chat:  ${event.text}\n`] : [],
  );
  const text = lines.join("");
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}
