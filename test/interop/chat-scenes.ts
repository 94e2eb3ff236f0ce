// The scripts and conversations for the comparison of the two chats.

import type { Scene, Step } from "../kit/far-end.ts";

/**
 * "hangup": the way in which a read fails is a race. "not the count": the number of y before an alarm is not known
 * either.
 */
export type Compared = "all" | "hangup" | "not the count";

export interface NamedScene extends Scene {
  name: string;
  compared?: Compared;
}

/** With a log on stderr, which permits the closest comparison. */
const LOGGED = ["-s", "-v", "-t", "3"];
/** For a scene with an alarm. */
const HASTY = ["-s", "-v", "-t", "1"];
/** For a scene without an alarm, so that a short standstill of the machine makes no difference. */
const PATIENT = ["-s", "-v", "-t", "45"];

const say = (text: string): Step[] => [{ on: "", say: text }];
const answers = (...pairs: [on: string, say: string][]): Step[] => pairs.map(([on, text]) => ({ on, say: text }));
const range = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, at) => String.fromCharCode(from + at)).join("");
const many = (keyword: string, count: number): string[] =>
  Array.from({ length: count }, (_, at) => [keyword, `s${at}.`]).flat();
const digits = "abcdefghij";

function scene(name: string, argv: string[], far: Step[] = [], more: Partial<NamedScene> = {}): NamedScene {
  return { name, argv, far, ...more };
}

/** One word that is sent, as the log shows it and as the far end receives it. */
function sends(word: string, ...flags: string[]): NamedScene {
  return scene(`send ${JSON.stringify(word)}`, [...LOGGED, ...flags, "", word]);
}

/** One word that is expected but never comes, as the log shows it. */
function expects(word: string, ...flags: string[]): NamedScene {
  return scene(`expect ${JSON.stringify(word.slice(0, 60))}`, [...HASTY, ...flags, word, "x"]);
}

const COMMAND_LINE: NamedScene[] = [
  scene("no argument", []),
  scene("unknown flag", ["-x"]),
  scene("unknown flag in a bundle", ["-vx"]),
  scene("flag without its value", ["-t"]),
  scene("-r without its value", ["-vr"]),
  scene("-T without its value", ["-T"]),
  scene("-U without its value", ["-vU"]),
  scene("-f without its value", ["-f"]),
  scene("an empty value", ["-s", "-v", "-t", "", "OK", "x"], [{ on: "", afterMs: 1300, say: "OK" }]),
  scene("a lone dash is a word", [...PATIENT, "-", "X"]),
  scene("-- ends the flags", [...PATIENT, "--", "-t", "X"]),
  scene("flags in a bundle", ["-vst1", "OK", "X"], say("OK")),
  scene("flags after a word are words", [...PATIENT, "OK", "-v"], say("OK")),
  scene("an empty word ends the flags", [...PATIENT, "", "-v"]),
  scene("-t 0 waits for ever", ["-s", "-v", "-t", "0", "OK", "x"], [{ on: "", afterMs: 1300, say: "OK" }]),
  scene("-t abc is -t 0", ["-s", "-v", "-t", "abc", "OK", "x"], [{ on: "", afterMs: 1300, say: "OK" }]),
  scene("-t -5 waits for ever", ["-s", "-v", "-t", "-5", "OK", "x"], [{ on: "", afterMs: 1300, say: "OK" }]),
  scene("-T and -U", [...LOGGED, "-T", "5\\d5", "-U", "^A6", "", "ATDT\\T,\\U"]),
  scene("-v without -s is quiet on stderr", ["-v", "-t", "1", "A", "x"]),
  scene(
    "-s without -v",
    ["-s", "TIMEOUT", "1", "ABORT", "B", "REPORT", "x", "CLR_ABORT", "B", "N"],
    say("hello\r\nwor"),
  ),
  scene("-S -s", ["-S", "-s", "-v", "-t", "1", "A"]),
];

const EXPECTING: NamedScene[] = [
  scene("the HOWTO's server", [...LOGGED, "TIMEOUT", "3600", "CLIENT", "CLIENTSERVER\\c"], say("CLIENT")),
  scene("the HOWTO's client", [...LOGGED, "TIMEOUT", "10", "", "CLIENT\\c"]),
  scene(
    "a Windows client in two steps",
    [...LOGGED, "CLIENTSERVER-CLIENT\\c-CLIENTSERVER", "\\c"],
    say("CLIENTSERVER"),
  ),
  scene("lines", [...LOGGED, "OK", "X"], say("hello\r\nworld\n\n\x01\x7f\xe9z OK tail")),
  scene("a half line at the alarm", [...HASTY, "NEVER", "X"], say("hello\r\nwor")),
  scene("every byte received", [...LOGGED, "END", "x"], say(`${range(0, 256)}END`)),
  scene("every control expected", [...HASTY, range(1, 0x5c).replace(/[\^$-]/g, ""), "x"]),
  scene("NUL in what is received", [...LOGGED, "OK", "x"], say("a\0b\nc\0OK")),
  scene("empty words", [...LOGGED, "", "a", "", "b", "OK", "c"], answers(["b\r", "OK"])),
  scene("case counts", [...HASTY, "ok", "x"], say("OK")),
  scene("eight bits received are seven", [...HASTY, "\\303", "x"], say("\xc3")),
  scene("eight bits sent are eight", [...LOGGED, "OK", "\xe9\xff\\303\\c"], say("\xcf\xcb")),
  scene("overlapping starts", [...LOGGED, "aab", "x"], say("aaaab")),
  scene("what is left of a chunk", [...LOGGED, "A", "\\c", "B", "\\c", "C", "x"], say("1A2B3C")),
  scene("an expect of 1024 bytes", [...LOGGED, "y".repeat(1024), "x"], say("y".repeat(1024))),
  scene("an expect of 1025 bytes", [...LOGGED, `${"y".repeat(1025)}-a-b`, "x"]),
  scene(
    "a line of eighty",
    [...LOGGED, "END", "x"],
    say(`${"a".repeat(80)}\n${"b".repeat(79)}\r\n${"c".repeat(81)}\nEND`),
  ),
  scene("a match in the eightieth column", [...LOGGED, "END", "x"], say(`${"a".repeat(77)}END`)),
  scene("a line of controls", [...LOGGED, "END", "x"], say(`${"\x01".repeat(100)}\nEND`)),
  scene("a long line and an alarm", [...HASTY, "END", "x"], say("a".repeat(100))),
  scene("the buffer wraps", [...LOGGED, "OK", "x"], say(`${digits.repeat(150)}OK`)),
  scene("the buffer wraps twice", [...LOGGED, "OK", "x"], say(`${digits.repeat(95)}\r\n${digits.repeat(150)}OK`)),
  scene("the buffer wraps within a match", [...LOGGED, "aEND", "x"], say(`${"a".repeat(1021)}END`)),
  scene("the buffer wraps at a newline", [...LOGGED, "END", "x"], say(`${"\n".repeat(10)}${"a".repeat(1013)}\nb\nEND`)),
  scene(
    "the buffer wraps before a newline",
    [...LOGGED, "END", "x"],
    say(`${"\n".repeat(10)}${"a".repeat(1014)}\nb\nEND`),
  ),
  scene(
    "the buffer wraps within an ABORT and a long expect",
    [...LOGGED, "ABORT", "NO CARRIER", `${"y".repeat(200)}OK`, "x"],
    say(`${"q".repeat(1020)}NO CARRIER`),
  ),
  scene("3000 bytes before the match", [...LOGGED, `${"y".repeat(500)}OK`, "x"], say(`${"y".repeat(3000)}OK`)),
  expects("a\\bb\\nc\\rd\\se\\tf\\\\g\\ch\\Ni\\qj\\"),
  expects("\\T\\U\\x\\$\\1\\12\\101\\0\\134\\d\\p\\K\\c\\301", "-T", "5"),
  expects("^A^@^^^"),
  expects("^"),
  expects("\\^A"),
  expects("\\400\\777a"),
  expects("\\001".repeat(700)),
];

const SUB_EXPECTS: NamedScene[] = [
  scene("A-B", [...HASTY, "A-B", "c"]),
  scene("A-B-", [...HASTY, "A-B-", "c"]),
  scene("A-", [...HASTY, "A-", "c"]),
  scene("A--", [...HASTY, "A--", "c"]),
  scene("A---B", [...HASTY, "A---B", "c"]),
  scene("-x-y", [...PATIENT, "--", "-x-y", "c"]),
  scene("--", [...PATIENT, "--", "--", "c"]),
  scene("A\\-B", [...PATIENT, "A\\-B", "c"], say("A-B")),
  scene("A\\\\-B-C", [...HASTY, "A\\\\-B-C", "c"]),
  scene("A-B-C met at first", [...PATIENT, "A-B-C", "c"], say("A")),
  scene("A-B-C met at last", [...HASTY, "A-B-C", "c"], answers(["B\r", "C"])),
  scene("EOT and BREAK between", [...HASTY, "A-EOT-B-BREAK-C", "x"], answers(["\x04", "x"], ["", "C"])),
  scene(
    "a login",
    [...HASTY, "ogin:--ogin:-BREAK-ogin:", "zaphod", "word:", "\\qsecret"],
    answers(["", "lin"], ["\r", "login:"], ["zaphod\r", "password: "]),
  ),
  scene("an ABORT in the second", [...HASTY, "ABORT", "BUSY", "OK-AT-OK", "x"], answers(["AT\r", "BUSY"])),
  scene("an ABORT in the first", [...PATIENT, "ABORT", "BUSY", "OK-AT-OK", "x"], answers(["", "BUSY"])),
  scene("ABORT-x is no keyword", [...PATIENT, "ABORT-x", "y"], say("ABORT")),
];

const KEYWORDS: NamedScene[] = [
  scene("ABORT with escapes", [...LOGGED, "ABORT", "A\\sB", "ABORT", "^M", "OK", "x"], say("A B")),
  scene("ABORT of a control", [...LOGGED, "ABORT", "^M", "OK", "x"], say("z\r")),
  scene("ABORT of nothing", [...LOGGED, "ABORT", "", "OK", "x"], say("z")),
  scene("ABORT that is the expect", [...LOGGED, "ABORT", "BUSY", "BUSY", "x"], say("BUSY")),
  scene("ABORT of 49 bytes", [...LOGGED, "ABORT", "x".repeat(49), "OK", "x"], say("OK")),
  scene("ABORT of 50 bytes", [...LOGGED, "ABORT", `${"x\\s".repeat(20)}${"y".repeat(10)}`, "OK", "x"], say("OK")),
  scene("fifty ABORTs", ["-s", "-t", "3", ...many("ABORT", 50), "OK", "x"], say("s49.")),
  scene("fifty-one ABORTs", ["-s", "-t", "3", ...many("ABORT", 51), "OK", "x"]),
  scene(
    "CLR_ABORT",
    [...LOGGED, ..."ABORT A ABORT B ABORT A ABORT C CLR_ABORT A CLR_ABORT nope OK x".split(" ")],
    say("C"),
  ),
  scene("REPORT", [...LOGGED, "REPORT", "CONN", "REPORT", "spd", "OK", "x"], say("CONN 1 spd 2\r\nspd 3 CONN\r\nOK")),
  scene("REPORT of nothing", [...LOGGED, "REPORT", "", "OK", "x"], say("zOK\r")),
  scene("REPORT that is the expect", [...LOGGED, "REPORT", "OK", "OK", "x"], say("zOK")),
  scene("REPORT of a control", [...PATIENT, "REPORT", "\\r", "OK", "x"], say("ab\rcd\r\nOK\n")),
  scene(
    "REPORT of the newline that ends another",
    [...PATIENT, "REPORT", "AB", "REPORT", "\\n", "OK"],
    say("AB\ncd\r\nOK\n"),
  ),
  scene("REPORT within another", [...PATIENT, "REPORT", "AB", "REPORT", "CD", "OK", "x"], say("AB12CD\ncd\r\nOK\n")),
  scene(
    "REPORT set again",
    [...PATIENT, "REPORT", "AB", "OK", "x", "REPORT", "AB", "OK", "y"],
    answers(["", "AB1\nOK"], ["x\r", "AB2\nOK"]),
  ),
  scene(
    "REPORT across expects",
    [...PATIENT, "REPORT", "AB", "OK", "x", "LATER", "y"],
    answers(["", "AB1 OK"], ["x\r", " rest\nLATER"]),
  ),
  scene("REPORT at an alarm", [...HASTY, "REPORT", "AB", "OK", "x"], say("AB1 ")),
  scene(
    "REPORT completed after an ABORT",
    [...PATIENT, "ABORT", "NO", "REPORT", "CONN", "OK", "x"],
    [
      { on: "", say: "CONN NO" },
      { on: "", afterMs: 300, say: " more\n" },
    ],
  ),
  scene("REPORT of 50 bytes", [...LOGGED, "REPORT", `${"x\\s".repeat(20)}${"y".repeat(10)}`, "OK", "x"]),
  scene("fifty-one REPORTs", ["-s", "-t", "3", ...many("REPORT", 51), "OK", "x"]),
  scene(
    "CLR_REPORT",
    [...LOGGED, ..."REPORT A REPORT B CLR_REPORT A CLR_REPORT no OK x".split(" ")],
    say("A1\nB2\nOK"),
  ),
  scene("-r after -v", [...LOGGED, "-r", "%REPORT%", "REPORT", "CONN", "OK", "x"], say("CONN 9600\r\nOK")),
  scene("-r before -v", ["-r", "%REPORT%", "-v", "-t", "3", "REPORT", "CONN", "OK", "x"], say("CONN 9600 OK")),
  scene("-r without -v", ["-r", "%REPORT%", "-t", "3", "REPORT", "CONN", "OK", "x"], say("CONN 9600 OK")),
  scene(
    "-r twice",
    ["-v", "-r", "%REPORT%", "-r", "%REPORT%", "-t", "3", "REPORT", "CONN", "OK"],
    say("CONN 9600\nOK"),
  ),
  scene(
    "-r of a file that cannot be",
    ["-v", "-r", "/nonexistent/x", "-t", "3", "REPORT", "CONN", "OK"],
    say("CONN\nOK"),
  ),
  scene(
    "-r and a line that ends after the script",
    ["-v", "-r", "%REPORT%", "-t", "3", "REPORT", "CONN", "OK", "x"],
    answers(["", "CONN 9600 OK"], ["x\r", " more\r"]),
  ),
  scene("TIMEOUT", [
    ...LOGGED,
    ..."TIMEOUT 0 TIMEOUT -3 TIMEOUT 7x TIMEOUT abc".split(" "),
    "TIMEOUT",
    " 8",
    "TIMEOUT",
    "",
  ]),
  scene("TIMEOUT ends an expect", ["-s", "-v", "TIMEOUT", "1", "OK", "x"]),
  scene("SAY", ["SAY", "hi", "SAY", "a\\cb\\c", "SAY", "x\\dy\\pz\\K\\N!\\qs", "SAY", "\\\\^A\\301\\n\\c"]),
  scene(
    "ECHO ON, ECHO on",
    ["-t", "3", "ECHO", "ON", "OK", "a", "ECHO", "on", "NO", "b"],
    answers(["", "xOK"], ["a\r", "yNO"]),
  ),
  scene("-e", ["-e", "-t", "3", "OK", "X"], say("hello\r\nworld\n\n\x01\x7f\xe9z OK tail")),
  scene("-V", ["-V", "-t", "3", "OK", "X"], say("hello\r\nworld\n\n\x01\x7f\xe9z OK tail")),
  scene("-e of every byte", ["-e", "-t", "3", "END"], say(`${range(0, 128)}END`)),
  scene("-V of every byte", ["-V", "-t", "3", "END"], say(`${range(0, 128)}END`)),
  scene("-e -V -v", ["-eVvs", "-t", "3", "OK", "X"], say("hello\r\nworld\n\n\x01\x7f\xe9z OK tail")),
  scene("keywords in SEND position", [...PATIENT, "", "ABORT", "TIMEOUT", "3", "", "TIMEOUT"]),
  ...["ABORT", "CLR_ABORT", "REPORT", "CLR_REPORT", "TIMEOUT", "ECHO", "SAY", "HANGUP"].map((word) =>
    scene(`${word} at the end`, [...LOGGED, word]),
  ),
];

const SENDING: NamedScene[] = [
  sends("a\\bb\\nc\\rd\\se\\tf\\\\g\\ch\\Ni\\qj\\c"),
  sends("\\T\\U\\x\\$\\1\\12\\101\\0\\134\\400\\c"),
  sends("\\1\\12\\101\\1011\\8^A^a^[^?"),
  sends("\\200\\201\\211\\212\\237\\240\\241\\376\\377\\177\\011\\013\\014\\033\\c"),
  sends("\\400\\777\\c"),
  sends("\\0\\000"),
  sends("a\\"),
  sends("a\\c "),
  sends("a\\Kb\\pc"),
  sends("a\\dc"),
  sends("a\\N\\Nb"),
  sends("a^"),
  sends("^^^"),
  sends("^@^`^ x"),
  sends("\\^A"),
  sends("\\q"),
  sends("$HOME\\$HOME"),
  sends("A\\UB\\TC", "-T", "5", "-U", ""),
  scene("EOT, BREAK, eot, @", [...LOGGED, "", "EOT", "", "BREAK", "", "eot", "", "EOT\\c", "", "@"]),
  scene("a long word", [...LOGGED, "", `${"^A".repeat(10)}${"y".repeat(120)}\\c`]),
  scene("a long word hidden", ["-s", "-v", "", `${"^A".repeat(100)}\\q`]),
  scene("an alarm in a pause", [...HASTY, "", "ab\\d\\dc"]),
  scene("an alarm in a pause at the end", [...HASTY, "", "ab\\d\\d\\c"]),
  scene("an alarm among bytes", [...HASTY, "", `a${"y".repeat(300)}`], [], { compared: "not the count" }),
  scene("an alarm among bytes, hushed", ["-t", "1", "", `a${"y".repeat(300)}`], [], { compared: "not the count" }),
];

const FILES: NamedScene[] = [
  { text: "# c\n'' 'a b' # OK\n \"q'\\\"\" x'y'\n", far: answers(["a b\r", "#"], ["OK\r", "q'\""]) },
  { text: "'' a\nOK b\n'' 'unterminated\n'' z", far: answers(["a\r", "OK"]) },
  { text: "\"ab\"cd ''x\n", far: say("ab") },
  { text: "ABORT BUSY TIMEOUT\n2 ''\nX\\c OK\n\tY", far: answers(["X", "OK"]) },
  { text: "'' X\r\n'' \\c\r\n", far: [] },
  { text: "'' 'a\\'b\\\\' '' \"c\\\n", far: [] },
  { text: "", far: [] },
  { text: "#", far: [] },
  { text: "'' a\0b\n'' c\n", far: [] },
  { text: "TIMEOUT 3600\nCLIENT CLIENTSERVER\\c\n", far: say("CLIENT") },
  { text: `''${" ".repeat(1019)}ab cd\n'' 'x\n`, far: [] },
  { text: `#${"x".repeat(1022)}'' y\n'' z\n`, far: [] },
].map(({ text, far }) =>
  scene(`file ${JSON.stringify(text.slice(0, 70))}`, [...LOGGED, "-f", "%FILE%"], far, { file: text }),
);

const OTHER_FILES: NamedScene[] = [
  scene("file that is missing", [...LOGGED, "-f", "/nonexistent/script"]),
  ...["in\\sfile\n", "EOT\n", "BREAK", "a\nb\\c\n", "", "\n", "a\0b"].map((text) =>
    scene(`@file ${JSON.stringify(text)}`, [...LOGGED, "", "@%FILE%"], [], { file: text }),
  ),
  scene("@ file", [...LOGGED, "", "@ \t%FILE%"], [], { file: "x" }),
  scene("@file that is missing", [...LOGGED, "", "@/nonexistent/file", "", "x"]),
  scene("@file in a sub-send", [...HASTY, "a-@%FILE%-b", "x"], answers(["word\r", "b"]), { file: "word" }),
];

const ENVIRONMENT: NamedScene[] = [
  scene("-E", [...LOGGED, "-E", "", "$A$B_1-$NO.\\$A$"], [], { env: { A: "x\\dy^A\\", B_1: "long value here" } }),
  scene("without -E", [...LOGGED, "", "$A$B_1-$NO.\\$A$"], [], { env: { A: "x\\dy", B_1: "long value here" } }),
  scene("-E of a long value", [...LOGGED, "-E", "$A", "$LONG\\c"], say("O\\sK O K"), {
    env: { A: "O\\sK", LONG: "z".repeat(100) },
  }),
  scene("-E in TIMEOUT, ABORT, SAY", [...LOGGED, ..."-E TIMEOUT $T ABORT $AB SAY $AB\\c OK x".split(" ")], say("A B"), {
    env: { AB: "A B", T: "9" },
  }),
];

const LINE: NamedScene[] = [
  scene("hang-up while expecting", [...LOGGED, "", "a", "OK-b-OK", "x"], [{ on: "a\r", afterMs: 100, close: true }], {
    compared: "hangup",
  }),
  scene("hang-up while pausing", [...LOGGED, "", "ab\\d\\dcd", "OK", "x"], [{ on: "ab", close: true }], {
    compared: "hangup",
  }),
  scene("hang-up with nothing more to do", [...LOGGED, "", "ab\\d\\d\\d\\c"], [{ on: "ab", close: true }], {
    compared: "hangup",
  }),
  ...(["SIGTERM", "SIGINT", "SIGHUP"] as const).flatMap((signal) => [
    scene(`${signal} while expecting`, [...LOGGED, "", "a", "OK", "x"], [{ on: "a\r", afterMs: 100, signal }]),
    scene(`${signal} while pausing`, ["-s", "-t", "3", "", "abc\\d\\dd", "OK"], [{ on: "abc", afterMs: 100, signal }]),
  ]),
  scene(
    "HANGUP OFF",
    [...LOGGED, "HANGUP", "OFF", "", "a", "OK", "x"],
    [
      { on: "a\r", afterMs: 100, signal: "SIGHUP" },
      { on: "", afterMs: 100, say: "OK" },
    ],
  ),
  scene(
    "HANGUP OFF, HANGUP ON",
    [...LOGGED, ..."HANGUP OFF HANGUP ON".split(" "), "", "a", "OK", "x"],
    [{ on: "a\r", afterMs: 100, signal: "SIGHUP" }],
  ),
  scene("the settings of a raw line", ["-t", "3", "", "a", "OK"], [{ on: "a\r", look: true, say: "OK" }]),
  scene("the settings of a cooked line", ["-t", "3", "", "a", "OK"], [{ on: "a\r", look: true, say: "OK" }], {
    cooked: true,
  }),
  scene("the settings after a timeout", ["-t", "1", "", "a", "OK"], [{ on: "a\r", look: true }], { cooked: true }),
];

export const SCENES: readonly NamedScene[] = [
  ...COMMAND_LINE,
  ...EXPECTING,
  ...SUB_EXPECTS,
  ...KEYWORDS,
  ...SENDING,
  ...FILES,
  ...OTHER_FILES,
  ...ENVIRONMENT,
  ...LINE,
];
