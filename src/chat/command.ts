// chat's command line: its getopt grammar, and connect commands that only run chat and need no shell.

export interface ReportFile {
  readonly path: string;
  /** -v came before -r, so opening the report file is logged. */
  readonly announce: boolean;
}

export interface ChatCommand {
  /** -e */
  echo: boolean;
  /** -E: substitute $NAME. */
  environment: boolean;
  /** -v */
  verbose: boolean;
  /** -V: copy what is received to stderr. */
  copy: boolean;
  /** -s: log to stderr. */
  toStderr: boolean;
  /** Off with -S. */
  toSyslog: boolean;
  /** -t in seconds; 0 is no timeout at all. */
  timeout: number;
  /** Each -r. All the files are opened; the last one is used. */
  reports: ReportFile[];
  /** -f */
  file: string | undefined;
  /** -T and -U */
  phone: string | undefined;
  phone2: string | undefined;
  words: string[];
}

export const DEFAULT_TIMEOUT = 45;

export const USAGE =
  "Usage: chat [-e] [-E] [-v] [-V] [-t timeout] [-r report-file]\n" +
  "     [-T phone-number] [-U phone-number2] {-f chat-file | chat-script}\n";

/** The arguments after the program's name; undefined means usage. */
export function parseArguments(argv: readonly string[]): ChatCommand | undefined {
  const command: ChatCommand = {
    echo: false,
    environment: false,
    verbose: false,
    copy: false,
    toStderr: false,
    toSyslog: true,
    timeout: DEFAULT_TIMEOUT,
    reports: [],
    file: undefined,
    phone: undefined,
    phone2: undefined,
    words: [],
  };
  let next = 0;
  for (; next < argv.length; next++) {
    const flags = argv[next] ?? "";
    if (!flags.startsWith("-") || flags === "-") break;
    if (flags === "--") {
      next++;
      break;
    }
    for (let at = 1; at < flags.length; at++) {
      const flag = flags.charAt(at);
      if (setSwitch(command, flag)) continue;
      if (!"ftrTU".includes(flag)) return undefined;
      const attached = flags.slice(at + 1);
      const value = attached === "" ? argv[++next] : attached;
      if (value === undefined) {
        // -r is the only flag whose value may be missing.
        if (flag === "r") break;
        return undefined;
      }
      setValue(command, flag, value);
      break;
    }
  }
  command.words = argv.slice(next);
  return command.file !== undefined && command.words.length > 0 ? undefined : command;
}

function setSwitch(command: ChatCommand, flag: string): boolean {
  switch (flag) {
    case "e":
      command.echo = true;
      return true;
    case "E":
      command.environment = true;
      return true;
    case "v":
      command.verbose = true;
      return true;
    case "V":
      command.copy = true;
      return true;
    case "s":
      command.toStderr = true;
      return true;
    case "S":
      command.toSyslog = false;
      return true;
    default:
      return false;
  }
}

function setValue(command: ChatCommand, flag: string, value: string): void {
  switch (flag) {
    case "f":
      command.file = value;
      break;
    case "t":
      command.timeout = leadingNumber(value);
      break;
    case "r":
      command.reports.push({ path: value, announce: command.verbose });
      break;
    case "T":
      command.phone = value;
      break;
    case "U":
      command.phone2 = value;
      break;
  }
}

/** atoi(3): the number at the beginning of a text; 0 without one. */
export function leadingNumber(text: string): number {
  const number = Number(/^[ \t-\r]*([+-]?\d+)/.exec(text)?.[1] ?? 0);
  return Math.max(-0x80000000, Math.min(number, 0x7fffffff));
}

/** Characters that need a shell when they are outside quotes. `#` and `~` count only at the start of a word. */
const SHELL_ONLY = new Set("$`;|&<>*?()[]{}\n!");

/**
 * The arguments of a connect or disconnect command that only runs `chat`: by that name or as /…/bin/chat or
 * /…/sbin/chat, with or without `exec` before it. Undefined when /bin/sh must run the command, because it runs another
 * program or uses more of the shell than blanks and quotes.
 */
export function parseChatCommand(command: string): string[] | undefined {
  const words = shellWords(command.trim());
  if (words?.[0] === "exec") words.shift();
  const program = words?.shift();
  return program !== undefined && /^(.*\/s?bin\/)?chat$/.test(program) ? words : undefined;
}

function shellWords(command: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < command.length; at++) {
    const char = command.charAt(at);
    if (char === " " || char === "\t") {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (char === "'") {
      const end = command.indexOf("'", at + 1);
      if (end < 0) return undefined;
      word = (word ?? "") + command.slice(at + 1, end);
      at = end;
    } else if (char === '"') {
      word ??= "";
      for (at++; command.charAt(at) !== '"'; at++) {
        const inner = command.charAt(at);
        if (inner === "" || inner === "$" || inner === "`") return undefined;
        const escaped = inner === "\\" ? command.charAt(at + 1) : "";
        if (escaped === "\n") at++;
        else if (escaped !== "" && '$`"\\'.includes(escaped)) word += command.charAt(++at);
        else word += inner;
      }
    } else if (char === "\\") {
      const escaped = command.charAt(++at);
      if (escaped === "") return undefined;
      if (escaped !== "\n") word = (word ?? "") + escaped;
    } else if (SHELL_ONLY.has(char) || (word === undefined && (char === "#" || char === "~"))) {
      return undefined;
    } else {
      word = (word ?? "") + char;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}
