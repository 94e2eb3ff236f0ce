// The output of the real pppd, case by case (fixtures/transcripts), for tests that repeat a case and compare.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Side } from "./end.ts";

const FOLDER = join(import.meta.dir, "../../fixtures/transcripts");

export interface Part {
  /** Files of /etc/ppp. */
  readonly files: Readonly<Record<string, string>>;
  readonly command: string;
  /** Lines. */
  readonly output: readonly string[];
  readonly status: number;
  /** Lines "facility.level pppd[PID]: text", if they were recorded. */
  readonly syslog: readonly string[] | undefined;
}

/** A side without a command is left out. */
export type Transcript = Readonly<Partial<Record<Side, Part>>>;

export function readTranscript(name: string): Transcript {
  const [, ...sections] = readFileSync(join(FOLDER, `${name}.txt`), "latin1").split("\n===== ");
  const parts: Partial<Record<Side, Part>> = {};
  for (const side of ["server", "client"] as const) {
    const section = (title: string): string | undefined =>
      sections.find((text) => text.startsWith(`${side}: ${title}`));
    const body = (title: string): string => {
      const text = section(title) ?? "\n";
      return text.slice(text.indexOf("\n") + 1);
    };
    const status = /exit status (\d+)/.exec(section("exit status") ?? "")?.[1];
    if (status === undefined) continue;
    const output = body("output").trimEnd().split("\n");
    parts[side] = {
      files: files(body("files")),
      command: body("command").trim(),
      output: output.join("") === "" ? [] : output,
      status: Number(status),
      syslog: section("syslog") === undefined ? undefined : body("syslog").trimEnd().split("\n"),
    };
  }
  return parts;
}

/** Writes the form that {@link readTranscript} reads. */
export function writeTranscript(name: string, transcript: Transcript): void {
  let text = `# ${name}\n`;
  const section = (title: string, body: string): void => void (text += `\n===== ${title}\n${body}`);
  for (const [side, part] of Object.entries(transcript)) {
    const listed = Object.entries(part.files).map(([file, content]) => `--- ${file}\n${content.trimEnd()}\n`);
    const lines = (of: readonly string[]): string => of.map((line) => `${line}\n`).join("");
    section(`${side}: files under /etc/ppp`, listed.join(""));
    section(`${side}: command`, `${part.command}\n`);
    section(`${side}: output`, lines(part.output));
    section(`${side}: exit status ${part.status}`, "");
    if (part.syslog !== undefined) section(`${side}: syslog`, lines(part.syslog));
  }
  writeFileSync(join(FOLDER, `${name}.txt`), text, "latin1");
}

/** "--- name" and the text below it. */
function files(text: string): Record<string, string> {
  const [, ...pieces] = `\n${text}`.split(/^--- /m);
  return Object.fromEntries(
    pieces.map((piece) => {
      const end = piece.indexOf("\n");
      return [piece.slice(0, end), piece.slice(end + 1)];
    }),
  );
}
