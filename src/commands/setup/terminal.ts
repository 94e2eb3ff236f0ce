// Questions on the terminal. consola has the choices. Lines are read here: consola does not see typed text under Bun, and
// would show a password.

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
const CONTROL_D = 4;
const BACKSPACES = [8, 127];
const LINE_ENDS = [10, 13];

export const TERMINAL: Asker = {
  async choose(question, choices, initial) {
    const given = await consola.prompt(question, { type: "select", options: [...choices], initial, cancel: "null" });
    if (given === null) throw new Cancelled();
    return given;
  },
  confirm: async (question) => /^y(es)?$/i.test(await readLine(`${question} [y/N]: `, true)),
  text: async (question, usual) => (await readLine(`${question}${usual === "" ? "" : ` [${usual}]`}: `, true)) || usual,
  password: (question) => readLine(`${question} (not shown): `, false),
};

/** A line from the terminal. While it is shown, the terminal itself edits it; otherwise the backspace key does. */
async function readLine(question: string, isShown: boolean): Promise<string> {
  const { stdin, stdout } = process;
  // Before the question, so that no key is shown.
  stdin.setRawMode(!isShown);
  stdin.resume();
  stdout.write(question);
  const line: number[] = [];
  try {
    return await new Promise<string>((resolve, reject) => {
      const end = (finish: () => void): void => {
        stdin.off("data", onData);
        finish();
      };
      const onData = (chunk: Buffer): void => {
        for (const octet of chunk) {
          if (octet === CONTROL_C) return end(() => reject(new Cancelled()));
          if (octet === CONTROL_D || LINE_ENDS.includes(octet)) {
            return end(() => resolve(Buffer.from(line).toString()));
          }
          if (BACKSPACES.includes(octet)) dropCharacter(line);
          else line.push(octet);
        }
      };
      stdin.on("data", onData);
      stdin.once("end", () => end(() => reject(new Cancelled())));
    });
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    if (!isShown) stdout.write("\n");
  }
}

/** A character of UTF-8 ends with its continuation octets. */
function dropCharacter(line: number[]): void {
  while (((line.pop() ?? 0) & 0xc0) === 0x80);
}
