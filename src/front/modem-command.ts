// Reads the commands on a modem's command line (ITU-T V.250 §5.3, and what modems of the nineties took besides).

export type ModemCommand =
  /** "E1", "&C1", "\\N3". Without a number it means 0. */
  | { readonly type: "basic"; readonly name: string; readonly value: number }
  | { readonly type: "dial"; readonly number: string; readonly staysInCommand: boolean }
  | { readonly type: "set"; readonly register: number; readonly value: number }
  | { readonly type: "ask"; readonly register: number }
  /** "+FCLASS=0", or a word that no modem knows. */
  | { readonly type: "other"; readonly text: string };

const BASIC = /^([A-CE-RT-Z]|[&\\%*\-$:~@][A-Z])(\d*)/;
const REGISTER = /^S(\d+)(?:=(\d*)|(\?))?/;
const DIAL = /^D([^;]*)(;?)/;
/** The commands of V.250, and those of some makes, reach to a semicolon. */
const EXTENDED = /^[+#^][^;]*;?/;

/** The commands behind "AT". */
export function modemCommands(line: string): ModemCommand[] {
  const commands: ModemCommand[] = [];
  for (let rest = line.toUpperCase().replaceAll(" ", ""); rest !== "";) {
    const { command, length } = firstCommand(rest);
    commands.push(command);
    rest = rest.slice(length);
  }
  return commands;
}

function firstCommand(rest: string): { command: ModemCommand; length: number } {
  const [dial, number = "", semicolon] = DIAL.exec(rest) ?? [];
  if (dial !== undefined)
    return { command: { type: "dial", number, staysInCommand: semicolon === ";" }, length: rest.length };
  const [access, digits, value, question] = REGISTER.exec(rest) ?? [];
  if (access !== undefined) {
    const register = Number(digits);
    const command: ModemCommand =
      question === undefined ? { type: "set", register, value: Number(value ?? 0) } : { type: "ask", register };
    return { command, length: access.length };
  }
  const [basic, name = "", parameter] = BASIC.exec(rest) ?? [];
  if (basic !== undefined) return { command: { type: "basic", name, value: Number(parameter) }, length: basic.length };
  const [text = rest] = EXTENDED.exec(rest) ?? [];
  return { command: { type: "other", text }, length: text.length };
}
