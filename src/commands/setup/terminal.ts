// Questions on the terminal, by consola; the question for a password by us, because consola would show it.

import { consola } from "consola";

export interface Choice {
  readonly value: string;
  readonly label: string;
}

/** Ends setup: the user pressed Ctrl-C. */
export class Cancelled extends Error {}

/** The questions that setup asks. Tests answer them. */
export interface Asker {
  choose(question: string, choices: readonly Choice[], first: string): Promise<string>;
  text(question: string, usual: string): Promise<string>;
  password(question: string): Promise<string>;
  confirm(question: string): Promise<boolean>;
}

const CONTROL_C = 3;
const END = 4;
const BACKSPACES = [8, 127];
const LINE_ENDS = [10, 13];

export const TERMINAL: Asker = {
  choose: async (question, choices, initial) =>
    asked(consola.prompt(question, { type: "select", options: [...choices], initial, cancel: "null" })),
  text: async (question, usual) =>
    asked(consola.prompt(question, { type: "text", default: usual, placeholder: usual, cancel: "null" })),
  confirm: async (question) => asked(consola.prompt(question, { type: "confirm", initial: false, cancel: "null" })),
  password: readHidden,
};

async function asked<T>(answer: Promise<T | null>): Promise<T> {
  const given = await answer;
  if (given === null) throw new Cancelled();
  return given;
}

/** A character of UTF-8 ends with its continuation octets. */
function dropCharacter(line: number[]): void {
  while (((line.pop() ?? 0) & 0xc0) === 0x80);
}

/** A line from the terminal, which is not shown. */
async function readHidden(question: string): Promise<string> {
  const { stdin, stdout } = process;
  // Before the question, so that no key is shown.
  stdin.setRawMode(true);
  stdin.resume();
  stdout.write(`${question} (not shown) `);
  const line: number[] = [];
  try {
    return await new Promise<string>((resolve, reject) => {
      const onData = (chunk: Buffer): void => {
        for (const octet of chunk) {
          if (octet === CONTROL_C) return void (stdin.off("data", onData), reject(new Cancelled()));
          if (octet === END || LINE_ENDS.includes(octet)) {
            return void (stdin.off("data", onData), resolve(Buffer.from(line).toString()));
          }
          if (BACKSPACES.includes(octet)) dropCharacter(line);
          else line.push(octet);
        }
      };
      stdin.on("data", onData);
    });
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stdout.write("\n");
  }
}
