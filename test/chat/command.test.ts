import { describe, expect, test } from "bun:test";
import { leadingNumber, parseArguments, parseChatCommand } from "../../src/chat/command.ts";

describe("parseArguments", () => {
  const words = (...argv: string[]) => parseArguments(argv)?.words;

  test("defaults", () => {
    expect(parseArguments([])).toEqual({
      echo: false,
      environment: false,
      verbose: false,
      copy: false,
      toStderr: false,
      toSyslog: true,
      timeout: 45,
      reports: [],
      file: undefined,
      phone: undefined,
      phone2: undefined,
      words: [],
    });
  });

  test("every flag, values attached or not", () => {
    const argv = ["-eE", "-vVsS", "-t9", "-T", "555", "-U666", "-r", "one", "-rtwo", "a", "-v"];
    expect(parseArguments(argv)).toMatchObject({
      echo: true,
      environment: true,
      verbose: true,
      copy: true,
      toStderr: true,
      toSyslog: false,
      timeout: 9,
      phone: "555",
      phone2: "666",
      reports: [
        { path: "one", announce: true },
        { path: "two", announce: true },
      ],
      words: ["a", "-v"],
    });
    expect(parseArguments(["-vst", "7", "a"])).toMatchObject({ verbose: true, toStderr: true, timeout: 7 });
  });

  test("-v after -r does not announce it", () => {
    expect(parseArguments(["-r", "x", "-v"])?.reports).toEqual([{ path: "x", announce: false }]);
  });

  test("-r without a file is no -r", () => {
    expect(parseArguments(["-vr"])).toMatchObject({ verbose: true, reports: [], words: [] });
  });

  test("the first word, - or -- ends the flags", () => {
    expect(words("a", "-v")).toEqual(["a", "-v"]);
    expect(words("-", "-v")).toEqual(["-", "-v"]);
    expect(words("--", "-v")).toEqual(["-v"]);
    expect(words("", "-v")).toEqual(["", "-v"]);
  });

  test("usage", () => {
    for (const argv of [["-x"], ["-vx"], ["-t"], ["-vT"], ["-U"], ["-f"], ["-f", "file", "word"], ["--help"]])
      expect(parseArguments(argv)).toBeUndefined();
  });

  test("leadingNumber is atoi", () => {
    const rows: [string, number][] = [
      ["12", 12],
      [" \t+7x", 7],
      ["-3", -3],
      ["abc", 0],
      ["", 0],
      ["1e3", 1],
      ["99999999999", 0x7fffffff],
    ];
    for (const [text, number] of rows) expect(leadingNumber(text)).toBe(number);
  });
});

describe("parseChatCommand", () => {
  const OURS: [command: string, argv: string[]][] = [
    ["chat", []],
    ["chat -v -f /etc/ppp/scripts/winclient.chat", ["-v", "-f", "/etc/ppp/scripts/winclient.chat"]],
    ["/usr/sbin/chat -v '' AT OK", ["-v", "", "AT", "OK"]],
    ["/usr/local/bin/chat x", ["x"]],
    ["exec chat -v x", ["-v", "x"]],
    ["  chat\t'' 'CLIENT\\c'  \n", ["", "CLIENT\\c"]],
    [`chat "" "a b" c\\ d\\\\ 'e\\f'`, ["", "a b", "c d\\", "e\\f"]],
    [`chat "\\"\\\\\\$\\\`\\n" a"b"'c'`, ['"\\$`\\n', "abc"]],
    ["chat a#b c=d e~f g:h -T555", ["a#b", "c=d", "e~f", "g:h", "-T555"]],
    ["chat '$HOME|;&' \\$x", ["$HOME|;&", "$x"]],
    ["chat a\\\nb", ["ab"]],
    ['chat "a\\\nb"', ["ab"]],
    ["'chat' x", ["x"]],
    ["chat ogin:--ogin: ppp word: \\qsecret", ["ogin:--ogin:", "ppp", "word:", "qsecret"]],
  ];
  for (const [command, argv] of OURS)
    test(`ours: ${JSON.stringify(command)}`, () => expect(parseChatCommand(command)).toEqual(argv));

  const SHELLS = [
    "",
    "chatter x",
    "/etc/ppp/chat x",
    "./chat x",
    "mychat",
    "sh -c 'chat x'",
    "exec",
    "exec /bin/cat",
    "HOME=/x chat",
    "chat $X",
    'chat "$X"',
    "chat `x`",
    'chat "`x`"',
    "chat x; stty",
    "chat x | tee y",
    "chat x && y",
    "chat x > y",
    "chat x < y",
    "chat a*",
    "chat a?",
    "chat [a]",
    "chat {a,b}",
    "chat (a)",
    "chat # comment",
    "chat ~/x",
    "chat !x",
    "chat x\nchat y",
    "chat 'x",
    'chat "x',
    "chat x\\",
  ];
  for (const command of SHELLS)
    test(`the shell's: ${JSON.stringify(command)}`, () => expect(parseChatCommand(command)).toBeUndefined());

  test("the words are those of the shell", () => {
    for (const [command, argv] of OURS) {
      const printf = command.trim().replace(/^(exec )?\S+/, "printf '%s\\0'");
      const { stdout } = Bun.spawnSync(["/bin/sh", "-c", argv.length === 0 ? "" : printf]);
      expect(stdout.toString().split("\0").slice(0, -1)).toEqual(argv);
    }
  });
});
