import { describe, expect, test } from "bun:test";
import { cuts } from "../kit/cuts.ts";
import { converse, converseAs, type Arrival } from "../kit/conversation.ts";
import { bytesOf, textOf } from "../../src/bytes/text.ts";
import { ChatEngine } from "../../src/chat/engine.ts";
import { parseScript } from "../../src/chat/script.ts";

const at = (at: number | string, text: string): Arrival => ({ at, text });

describe("expect and send", () => {
  test("the HOWTO's server answers CLIENT", () => {
    const { code, sent, log } = converse(parseScript("TIMEOUT 3600\nCLIENT CLIENTSERVER\\c\n"), {
      arrivals: [at(3_599_000, "CLIENT")],
    });
    expect({ code, sent }).toEqual({ code: 0, sent: "CLIENTSERVER" });
    expect(log).toEqual([
      "timeout set to 3600 seconds",
      "expect (CLIENT)",
      "CLIENT",
      " -- got it\n",
      "send (CLIENTSERVER)",
    ]);
  });

  test("nothing to do", () => {
    expect(converse([])).toMatchObject({ code: 0, sent: "", log: [], now: 0 });
    expect(converse([""])).toMatchObject({ code: 0, log: [] });
    expect(converse(["", "", "", ""])).toMatchObject({ code: 0, sent: "\r\r" });
  });

  test("the last send may be missing", () => {
    expect(converse(["OK"], { arrivals: [at(0, "OK")] })).toMatchObject({ code: 0, sent: "" });
  });

  test("is silent without -v", () => {
    const outcome = converse(["OK", "x"], { options: { verbose: false }, arrivals: [at(0, "a\nOK")] });
    expect(outcome).toMatchObject({ code: 0, log: [] });
    expect(converse(["OK"], { options: { verbose: false } })).toMatchObject({ code: 3, log: ["Failed"] });
  });

  test("matches across every cut of the stream, whatever the pauses", () => {
    const stream = bytesOf("junk\r\nOKlogin\r\nlogin: \r\nLast: Password: $ ");
    for (const pieces of cuts(stream)) {
      const arrivals = pieces.map((piece, index) => at(index * 50, textOf(piece)));
      const outcome = converse(["OK", "\\c", "ogin: ", "me", "word:", "\\qpw"], { arrivals });
      expect(outcome).toMatchObject({ code: 0, sent: "me\rpw\r" });
      expect(outcome.log.filter((line) => !line.startsWith("send") && !line.startsWith("expect"))).toEqual(
        ["junk^M", "OK", "#", "login^M", "login: ", "#", "^M", "Last: Password:", "#"].map((line) =>
          line === "#" ? " -- got it\n" : line,
        ),
      );
    }
  });

  test("is case-sensitive, seven-bit, and overlapping starts are no trap", () => {
    expect(converse(["ok"], { arrivals: [at(0, "OK")] }).code).toBe(3);
    expect(converse(["OK"], { arrivals: [at(0, "\xcf\xcb")] }).code).toBe(0);
    expect(converse(["\\317"], { arrivals: [at(0, "\xcf")] }).code).toBe(3);
    expect(converse(["aab"], { arrivals: [at(0, "aaaab")] }).code).toBe(0);
    expect(converse(["aba-x-c"], { arrivals: [at(0, "ababab")] }).code).toBe(0);
  });

  test("does not read beyond the match", () => {
    const engine = new ChatEngine({ words: ["OK"] }, { verbose: false, echo: false, copy: false, timeout: 1 });
    engine.handleTimeout(0);
    expect(engine.listening).toBe(true);
    engine.receive(0x4f, 0);
    engine.receive(0x4b, 0);
    expect({ listening: engine.listening, result: engine.result }).toEqual({ listening: false, result: 0 });
    engine.receive(0x7e, 0);
    expect(engine.result).toBe(0);
  });

  test("what follows a match is there for the next expect", () => {
    expect(converse(["A", "\\c", "B", "x"], { arrivals: [at(0, "AB")] })).toMatchObject({ code: 0, sent: "x\r" });
    expect(converse(["AB", "\\c", "B", "x"], { arrivals: [at(0, "AB")] }).code).toBe(3);
  });

  test("an expect of 1024 bytes is the longest", () => {
    const longest = "y".repeat(1024);
    expect(converse([longest], { arrivals: [at(0, longest)] }).code).toBe(0);
    expect(converse([`${longest}y-a-b`]).log.slice(1)).toEqual(["expect string is too long", "Failed"]);
    expect(converse([`${longest}y-a-b`]).code).toBe(1);
  });

  test("a thousand words that take no time do not exhaust the stack", () => {
    const words = Array.from({ length: 40_000 }, (_, index) => (index % 2 ? "\\c" : ""));
    expect(converse(words, { options: { verbose: false } })).toMatchObject({ code: 0, now: 0 });
  });
});

describe("sub-expects", () => {
  test("each timeout sends, then expects again", () => {
    const outcome = converseAs(["-vt1", "a--b-\\c-c-BREAK-d-EOT-e", "x"], { arrivals: [at(4500, "e")] });
    expect(outcome).toMatchObject({ code: 0, sent: "\r\x04x\r" });
    expect(outcome.log.filter((line) => /^(expect|send|alarm)/.test(line))).toEqual([
      "expect (a)",
      "alarm",
      "send (^M)",
      "expect (b)",
      "alarm",
      "send ()",
      "expect (c)",
      "alarm",
      "send (\\K)",
      "expect (d)",
      "alarm",
      "send (^D)",
      "expect (e)",
      "send (x^M)",
    ]);
  });

  test("a match skips the rest of the word", () => {
    expect(converse(["a-x-b", "c"], { arrivals: [at(0, "a")] })).toMatchObject({ code: 0, sent: "c\r" });
  });

  test("after a last sub-send nothing is expected", () => {
    expect(converseAs(["-t1", "a-b", "c"])).toMatchObject({ code: 0, sent: "b\rc\r" });
    expect(converseAs(["-t1", "a-b-", "c"])).toMatchObject({ code: 0, sent: "b\rc\r" });
    expect(converseAs(["-t1", "a--", "c"])).toMatchObject({ code: 0, sent: "\rc\r" });
  });

  test("without one the timeout is the end", () => {
    expect(converseAs(["-t1", "a-", "c"])).toMatchObject({ code: 3, sent: "" });
    expect(converseAs(["-vt1", "a---b", "c"]).log).toContain("got it");
  });

  test("an escaped dash does not split", () => {
    expect(converse(["a\\-b", "c"], { arrivals: [at(0, "a-b")] })).toMatchObject({ code: 0 });
  });

  test("an ABORT string leaves no alternative", () => {
    const outcome = converse(["ABORT", "BUSY", "a-x-b", "c"], { arrivals: [at(0, "BUSY")] });
    expect(outcome).toMatchObject({ code: 4, sent: "" });
  });

  test("keywords are words, not parts", () => {
    expect(converse(["ABORT-x", "y"], { arrivals: [at(0, "ABORT")] })).toMatchObject({ code: 0, sent: "y\r" });
    expect(converse(["", "ABORT", "", "TIMEOUT"])).toMatchObject({ code: 0, sent: "ABORT\rTIMEOUT\r" });
    expect(converse(["", "constructor"])).toMatchObject({ sent: "constructor\r" });
  });
});

describe("keywords", () => {
  test("ABORT: the n-th string is exit code n+3", () => {
    const words = ["ABORT", "A1", "ABORT", "A\\s2", "ABORT", "^M"];
    expect(converse([...words, "x"], { arrivals: [at(0, "A1")] }).code).toBe(4);
    expect(converse([...words, "x"], { arrivals: [at(0, "A 2")] }).code).toBe(5);
    const { code, log } = converse([...words, "x"], { arrivals: [at(0, "z\r")] });
    expect(code).toBe(6);
    expect(log).toEqual([
      "abort on (A1)",
      "abort on (A\\s2)",
      "abort on (^M)",
      "expect (x)",
      "z^M",
      " -- failed",
      "Failed (\r)",
    ]);
  });

  test("ABORT: the expect comes first, fifty are the most, the empty one is at once", () => {
    expect(converse(["ABORT", "OK", "OK"], { arrivals: [at(0, "OK")] }).code).toBe(0);
    expect(converse(["ABORT", "", "OK"], { arrivals: [at(0, "z")] }).code).toBe(4);
    const fifty = Array.from({ length: 50 }, (_, index) => ["ABORT", `s${index}.`]).flat();
    expect(converse([...fifty, "x"], { arrivals: [at(0, "s49.")] }).code).toBe(53);
    expect(converse([...fifty, "ABORT", "s50"])).toMatchObject({ code: 2 });
    expect(converse([...fifty, "ABORT", "s50"]).log.at(-1)).toBe("Too many ABORT strings");
  });

  test("ABORT: 49 bytes are the most, once unescaped", () => {
    expect(converse(["ABORT", "\\s".repeat(49)]).code).toBe(0);
    const { code, log } = converse(["ABORT", `a\\s${"y".repeat(48)}`]);
    expect({ code, log }).toEqual({ code: 1, log: [`Illegal or too-long ABORT string ('a\\s${"y".repeat(48)}')`] });
  });

  test("ABORT: does not outlast the expects", () => {
    const outcome = converse(["OK", "x", "ABORT", "OK", "OK", "y"], { arrivals: [at(0, "OK"), at("x", "OK")] });
    expect(outcome.code).toBe(0);
  });

  test("CLR_ABORT removes every equal string and the codes move down", () => {
    const words = ["ABORT", "A", "ABORT", "B", "ABORT", "A", "ABORT", "C", "CLR_ABORT", "A", "CLR_ABORT", "no"];
    const { code, log } = converse([...words, "x"], { arrivals: [at(0, "AC")] });
    expect(code).toBe(5);
    expect(log.filter((line) => line.startsWith("clear"))).toEqual(["clear abort on (A)", "clear abort on (A)"]);
  });

  test("REPORT collects up to a control character, once", () => {
    const { code, reports, log } = converse(["REPORT", "CONN", "REPORT", "spd", "OK"], {
      arrivals: [at(0, "CONN 9600 spd 1\r\nspd 2 CONN\r\nspd 3\nOK")],
    });
    expect({ code, reports }).toEqual({ code: 0, reports: ["CONN 9600 spd 1", "spd 2 CONN"] });
    expect(log.slice(0, 2)).toEqual(["report (CONN)", "report (spd)"]);
  });

  test("REPORT carries on across expects", () => {
    const { reports } = converse(["REPORT", "CONN", "OK", "x", "LATER"], {
      arrivals: [at(0, "CONN 1 OK"), at("x", " rest\nLATER")],
    });
    expect(reports).toEqual(["CONN 1 OK rest"]);
  });

  test("REPORT: the rest of the line has a second for each character after the end", () => {
    const arrivals = [at(0, "CONN 1 OK"), at(900, " a"), at(1700, "b\r\nno")];
    expect(converse(["REPORT", "CONN", "OK"], { arrivals })).toMatchObject({ reports: ["CONN 1 OK ab"], now: 1700 });
    const late = converse(["REPORT", "CONN", "OK"], { arrivals: [at(0, "CONN OK"), at(1500, "x")] });
    expect(late).toMatchObject({ code: 0, reports: ["CONN OK"], now: 1000 });
    const failed = converse(["ABORT", "NO", "REPORT", "CONN", "OK"], { arrivals: [at(0, "CONN NO")] });
    expect(failed).toMatchObject({ code: 4, reports: ["CONN NO"] });
  });

  test("REPORT: when it was matched, and no more than 4095 bytes", () => {
    const { events } = converse(["REPORT", "CONN", "OK"], { arrivals: [at(300, "CONN"), at(700, ` x\nOK`)] });
    expect(events.find((event) => event.type === "report")).toEqual({ type: "report", text: "CONN x", now: 300 });
    const long = converse(["REPORT", "CONN", "OK"], { arrivals: [at(0, `CONN${"z".repeat(6000)}\nOK`)] });
    expect(long.reports[0]?.length).toBe(4095);
  });

  test("REPORT: fifty are the most, 49 bytes are", () => {
    const many = Array.from({ length: 51 }, (_, index) => ["REPORT", `s${index}`]).flat();
    expect(converse(many)).toMatchObject({ code: 2 });
    expect(converse(many).log.at(-1)).toBe("Too many REPORT strings");
    expect(converse(["REPORT", "y".repeat(50)]).log).toEqual([
      `Illegal or too-long REPORT string ('${"y".repeat(50)}')`,
    ]);
  });

  test("CLR_REPORT removes", () => {
    const { reports, log } = converse(["REPORT", "A", "REPORT", "B", "CLR_REPORT", "A", "OK"], {
      arrivals: [at(0, "A1\nB2\nOK")],
    });
    expect(reports).toEqual(["B2"]);
    expect(log).toContain("clear report (A)");
  });

  test("TIMEOUT in seconds, what is no positive number is 45", () => {
    for (const [word, seconds] of [
      ["7", 7],
      ["7x", 7],
      ["\\s8", 8],
      ["0", 45],
      ["-3", 45],
      ["abc", 45],
      ["", 45],
    ] as const) {
      const outcome = converse(["TIMEOUT", word, "x"]);
      expect(outcome).toMatchObject({ code: 3, now: seconds * 1000 });
      expect(outcome.log[0]).toBe(`timeout set to ${seconds} seconds`);
    }
  });

  test("TIMEOUT, ABORT and SAY take -E's variables", () => {
    const variable = (name: string) => ({ T: "9", A: "BUSY LINE" })[name];
    const outcome = converse(["TIMEOUT", "$T", "ABORT", "$A", "SAY", "<$A>\\c", "x"], {
      options: { variable },
      arrivals: [at(0, "BUSY LINE")],
    });
    expect(outcome).toMatchObject({ code: 4, stderr: "<BUSY LINE>" });
    expect(outcome.log[0]).toBe("timeout set to 9 seconds");
  });

  test("ECHO copies to stderr without CR, and ends its line at the end", () => {
    expect(converse(["ECHO", "ON", "OK", "x"], { arrivals: [at(0, "a\r\n\x01OK")] }).stderr).toBe("a\n^AOK\n");
    expect(converse(["OK"], { options: { echo: true }, arrivals: [at(0, "OK")] }).stderr).toBe("OK\n");
    const off = ["OK", "\\c", "ECHO", "on", "NO"];
    expect(converse(off, { options: { echo: true }, arrivals: [at(0, "OK\nNO")] }).stderr).toBe("OK\n");
    expect(converse(["OK"], { options: { echo: true }, arrivals: [at(0, "x")] }).stderr).toBe("x\n");
  });

  test("-V copies to stderr, controls visible, no line end at the end", () => {
    const outcome = converse(["OK"], { options: { copy: true }, arrivals: [at(0, "a\r\n\x01\t\xe9OK")] });
    expect(outcome.stderr).toBe("a\n^A^IiOK");
  });

  test("SAY has a CR unless it ends in \\c, and keeps actions as they are written", () => {
    expect(converse(["SAY", "hi", "SAY", "a\\cb\\c", "SAY", "x\\dy\\pz\\K\\qs\\\\\\n\\c"]).stderr).toBe(
      "hi\racbx\\dy\\pz\\Ks\\\\\n",
    );
    expect(converse(["SAY", "a\\Nb"]).stderr).toBe("a\\");
  });

  test("a keyword without an argument does nothing", () => {
    for (const word of ["ABORT", "CLR_ABORT", "REPORT", "CLR_REPORT", "TIMEOUT", "ECHO", "SAY", "HANGUP"])
      expect(converse([word])).toMatchObject({ code: 0, log: [], stderr: "", sent: "" });
  });
});

describe("sending", () => {
  test("a byte every ten milliseconds", () => {
    const { times, sent } = converse(["", "abc"]);
    expect({ times, sent }).toEqual({ times: [10, 20, 30, 40], sent: "abc\r" });
  });

  test("\\d is a second, \\p ten milliseconds, \\K a break in its place", () => {
    const { times, sent, events } = converse(["", "a\\db\\pc\\Kd\\c"]);
    expect({ times, sent }).toEqual({ times: [10, 1020, 1040, 1050], sent: "abcd" });
    expect(events.map((event) => event.type)).toEqual(["log", "break"]);
  });

  test("the log shows the words with their escapes, and \\q none of them", () => {
    const log = (word: string) => converse(["", word]).log[0];
    expect(log("a\\Kb\\dc\\x")).toBe("send (a\\Kb\\dc\\x^M)");
    expect(log("A\\NB")).toBe("send (A\\)");
    expect(log("a\\qb")).toBe("send (??????)");
    expect(log("\xe9")).toBe("send (M-i^M)");
    expect(converse(["", "y".repeat(3000)], { options: { timeout: 0 } }).log[0]?.length).toBe(1023);
  });

  test("NUL and eight-bit bytes go out", () => {
    expect(converse(["", "\\N\\0\\377\xe9\\\\\\c"]).sent).toBe("\0\0\xff\xe9\\");
  });

  test("EOT and BREAK", () => {
    expect(converse(["", "EOT", "", "BREAK", "", "eot", "", "EOT\\c"]).sent).toBe("\x04eot\rEOT");
    expect(converse(["", "BREAK"]).events.filter(({ type }) => type === "break").length).toBe(1);
  });

  test("what is received meanwhile stays on the line", () => {
    const outcome = converse(["", "a\\d\\db", "OK"], { arrivals: [at(0, "OK")] });
    expect(outcome).toMatchObject({ code: 0, now: 2030 });
  });

  test("@file: escapes in it count, one newline at its end does not", () => {
    const files = {
      f: "in\\sfile\n",
      two: "a\nb\\c\n\n",
      eot: "EOT\n",
      empty: "",
      long: "z".repeat(2000),
      nul: "a\0b",
    };
    const sent = (word: string) => converse(["", word], { files, options: { timeout: 0 } }).sent;
    expect(sent("@f")).toBe("in file\r");
    expect(sent("@ \tf")).toBe("in file\r");
    expect(sent("@two")).toBe("a\nbc\n\r");
    expect(sent("@eot")).toBe("\x04");
    expect(sent("@empty")).toBe("\r");
    expect(sent("@long").length).toBe(1024);
    expect(sent("@nul")).toBe("a\r");
    expect(sent("@")).toBe("@\r");
    expect(converseAs(["-t1", "x-@f", "@f"], { files }).sent).toBe("in file\rin file\r");
  });

  test("@file that is missing", () => {
    const { code, events } = converse(["", "@nope"]);
    expect(code).toBe(1);
    expect(events.at(-1)).toEqual({ type: "log", level: "err", text: "nope -- open failed: No such file" });
  });

  test("a full line is waited for, its time is the alarm's", () => {
    let room = 0;
    const waited = converse(["", "ab"], {
      write: (_, now) => (now >= 3000 || room++ < 1 ? "sent" : "full"),
    });
    expect(waited).toMatchObject({ code: 0, sent: "ab\r" });
    const stuck = converseAs(["-vt5", "", "ab"], { write: (byte) => (byte === 0x61 ? "sent" : "full") });
    expect(stuck).toMatchObject({ code: 1, sent: "a", now: 5000 });
    expect(stuck.log).toEqual(["send (ab^M)", "alarm", " -- write timed out", "Failed"]);
  });

  test("a write that fails", () => {
    const outcome = converse(["", "ab"], {
      write: (byte) => (byte === 0x61 ? "sent" : { error: "Input/output error" }),
    });
    expect(outcome).toMatchObject({ code: 1, sent: "a" });
    expect(outcome.log.slice(1)).toEqual([" -- write failed: Input/output error", "Failed"]);
    expect(outcome.events.at(-1)).toMatchObject({ level: "err" });
  });
});

describe("alarm", () => {
  test("is for each expect, and traffic does not put it off", () => {
    const arrivals = Array.from({ length: 20 }, (_, index) => at(index * 300, "x\n"));
    expect(converseAs(["-vt2", "OK"], { arrivals })).toMatchObject({ code: 3, now: 2000 });
    const two = converseAs(["-vt2", "A", "\\c", "B"], { arrivals: [at(1900, "A"), at(3800, "B")] });
    expect(two).toMatchObject({ code: 0, now: 3800 });
  });

  test("-t 0 and less is no alarm", () => {
    for (const seconds of ["0", "abc", "-1"])
      expect(converseAs(["-t", seconds, "OK", "x"], { arrivals: [at(1e9, "OK")] })).toMatchObject({ code: 0 });
  });

  test("the default is 45 seconds", () => {
    expect(converseAs(["OK"])).toMatchObject({ code: 3, now: 45_000 });
  });

  test("logs, and shows no half line", () => {
    const { log } = converseAs(["-vt1", "OK"], { arrivals: [at(0, "hello\r\nwor")] });
    expect(log).toEqual(["expect (OK)", "hello^M", "alarm", "Failed"]);
  });

  test("ends a send at its next byte", () => {
    const outcome = converseAs(["-vt1", "", "y".repeat(300)]);
    expect(outcome).toMatchObject({ code: 1, sent: "y".repeat(100) });
    expect(outcome.log.slice(1)).toEqual(["alarm", " -- write timed out", "Failed"]);
  });

  test("cuts a pause short, rings every second, and only the next byte fails", () => {
    const paused = converseAs(["-vt1", "", "ab\\d\\dc"]);
    expect(paused).toMatchObject({ code: 1, sent: "ab", now: 2000 });
    expect(paused.log.filter((line) => line === "alarm").length).toBe(2);
    expect(converseAs(["-vt1", "", "ab\\d\\d\\c"])).toMatchObject({ code: 0, sent: "ab", now: 2000 });
  });

  test("does not ring on into the next expect", () => {
    const outcome = converseAs(["-vt2", "", "ab\\d\\c", "OK"], { arrivals: [at(2900, "OK")] });
    expect(outcome).toMatchObject({ code: 0, now: 2900 });
  });
});

describe("the end of the line", () => {
  test("end of file and errors count as a timeout without the alarm", () => {
    for (const kind of ["eof", "error"] as const) {
      const outcome = converse(["OK-x-NO", "y"], {
        turn: (engine, now) => {
          if (engine.listening) engine.handleEnd(kind, now);
        },
      });
      expect(outcome).toMatchObject({ code: 3, sent: "x\r" });
      expect(outcome.log.filter((line) => line.startsWith("warning")).length).toBe(kind === "eof" ? 2 : 0);
    }
  });

  test("ends the wait for a report line", () => {
    const outcome = converse(["REPORT", "CONN", "OK"], {
      arrivals: [at(0, "CONN OK")],
      turn: (engine, now) => {
        if (now > 0 && engine.listening) engine.handleEnd("error", now);
      },
    });
    expect(outcome).toMatchObject({ code: 0, reports: ["CONN OK"] });
  });
});

describe("signals", () => {
  const interrupted = (words: string[], signal: "SIGHUP" | "SIGINT" | "SIGTERM", when = 100) => {
    let done = false;
    return converse(words, {
      arrivals: [at(0, "CONN 1 "), at(when + 50, "OK")],
      turn: (engine, now) => {
        if (now === 0 || done) return;
        done = true;
        engine.interrupt(signal, now);
      },
    });
  };

  test("end the run with 2, wherever it is", () => {
    for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) {
      for (const words of [["OK"], ["", "abc"], ["", "\\d"]]) {
        const outcome = interrupted(words, signal);
        expect(outcome.code).toBe(2);
        expect(outcome.events.at(-1)).toEqual({ type: "log", level: "err", text: signal });
      }
    }
  });

  test("HANGUP OFF ignores SIGHUP only, HANGUP with anything else does not", () => {
    expect(interrupted(["HANGUP", "OFF", "OK"], "SIGHUP").code).toBe(0);
    expect(interrupted(["HANGUP", "OFF", "OK"], "SIGTERM").code).toBe(2);
    expect(interrupted(["HANGUP", "OFF", "HANGUP", "ON", "OK"], "SIGHUP").code).toBe(2);
    expect(interrupted(["HANGUP", "off", "OK"], "SIGHUP").code).toBe(2);
  });

  test("leave the report line a second, a second signal none", () => {
    const once = interrupted(["REPORT", "CONN", "NEVER"], "SIGTERM");
    expect(once).toMatchObject({ code: 2, reports: ["CONN 1 OK"] });
    const twice = converse(["REPORT", "CONN", "NEVER"], {
      arrivals: [at(0, "CONN 1 "), at(1, "x")],
      turn: (engine, now) => {
        if (now > 0) engine.interrupt("SIGTERM", now);
      },
    });
    expect(twice).toMatchObject({ code: 2, now: 1 });
    expect(twice.reports.length).toBe(1);
  });

  test("after the end nothing happens any more", () => {
    const engine = new ChatEngine({ words: [] }, { verbose: true, echo: true, copy: true, timeout: 1 });
    engine.handleTimeout(0);
    engine.interrupt("SIGTERM", 1);
    engine.handleEnd("error", 2);
    engine.receive(0x41, 3);
    engine.handleTimeout(1e9);
    expect(engine.result).toBe(0);
    expect(engine.nextTimeout()).toBe(Infinity);
  });
});

test("a script's error comes after its words", () => {
  const { code, sent, events } = converse(parseScript("'' a\n'' 'b"));
  expect({ code, sent }).toEqual({ code: 1, sent: "a\r" });
  expect(events.at(-1)).toEqual({ type: "log", level: "err", text: "unterminated quote (line 2)" });
});

test("a script that fails can tell what it waited for, and nothing that was sent as a secret", () => {
  const failure = (words: string[], hears: string): string | undefined => {
    const engine = new ChatEngine({ words }, { verbose: false, echo: false, copy: false, timeout: 1 });
    let now = 0;
    for (
      ;
      engine.result === undefined && now < 10_000;
      now = Math.max(now + 1, Math.min(engine.nextTimeout(), 10_000))
    ) {
      engine.handleTimeout(now);
      engine.transmit(() => "sent", now);
      if (engine.listening) for (const byte of bytesOf(hears)) engine.receive(byte, now);
      hears = engine.listening ? "" : hears;
    }
    return engine.failure;
  };
  expect(failure(["OK"], "")).toBe('waited for "OK" and heard nothing');
  expect(failure(["OK"], "\r\nATZ\x07\r\nERROR\r\n")).toBe('waited for "OK" and heard "ATZ\\007\\r\\nERROR"');
  expect(failure(["ABORT", "BUSY", "CONNECT"], "..BUSY")).toBe('waited for "CONNECT" and heard "BUSY"');
  expect(failure(["", "\\qgargleBlaster", "$"], "gargleBlaster\r\nno")).toBe('waited for "$" and heard something else');
  expect(failure(["OK"], "OK")).toBeUndefined();
});
