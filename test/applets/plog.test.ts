// plog: which log it shows. Compared with Debian's plog.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { plog, type PlogHost } from "../../src/applets/plog.ts";
import { type Machine, machinesMissing, openMachine } from "../kit/machine.ts";
import { Program } from "../kit/program.ts";

const ROOT = join(import.meta.dir, "../..");

function line(nth: number, tag: string): string {
  return `Nov 22 18:05:${String(nth).padStart(2, "0")} laptop ${tag}: line ${nth}\n`;
}

const TAGS = ["pppd[812]", "kernel", "chat[813]", "cron[9]", "pppd", "xpppd[1]"];
const SYSLOG = Array.from({ length: 24 }, (_, nth) => line(nth, TAGS[nth % TAGS.length]!)).join("");

let folder = "";
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "nullmodem-plog-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function run(argv: string[], journalctl?: string, isTerminal = false) {
  let out = "";
  let err = "";
  const host: PlogHost = {
    pppLog: join(folder, "ppp.log"),
    systemLogs: [join(folder, "syslog"), join(folder, "messages")],
    journalctl,
    isTerminal,
    print: async (text) => void (out += Buffer.from(text).toString()),
    complain: (text) => void (err += `${text}\n`),
  };
  const status = await plog(argv, host);
  return { status, out, err: err.replaceAll(folder, "/var/log") };
}

describe("the system's log", () => {
  test("our lines of the last ten", async () => {
    writeFileSync(join(folder, "syslog"), SYSLOG);
    expect(await run([])).toEqual({
      status: 0,
      out: line(14, "chat[813]") + line(18, "pppd[812]") + line(20, "chat[813]"),
      err: "",
    });
  });

  test("syslog before messages, messages when there is no syslog, both when ppp.log is empty", async () => {
    writeFileSync(join(folder, "ppp.log"), "");
    writeFileSync(join(folder, "messages"), line(1, "pppd[1]"));
    expect((await run([])).out).toBe(line(1, "pppd[1]"));
    writeFileSync(join(folder, "syslog"), line(2, "pppd[2]"));
    expect((await run([])).out).toBe(line(2, "pppd[2]"));
  });

  test("a terminal gets no control octets, and a pipe gets the octets as they are", async () => {
    const evil = "Nov 22 18:05:01 laptop pppd[1]: peer \x1b]0;owned\x07\x1b[2J\t\xc2\x9b2J \xe9\u{202e}";
    for (const name of ["syslog", "ppp.log"]) {
      writeFileSync(join(folder, name), `${evil}\n`);
      // tail itself writes the lines of ppp.log.
      if (name === "syslog") expect((await run([])).out).toBe(`${evil}\n`);
      expect((await run([], undefined, true)).out).toMatch(/^[\x20-\x7e\t\xa0-\u1fff]+\n$/);
    }
  });

  test("without a line of ours the exit code is 1, as with grep", async () => {
    writeFileSync(join(folder, "syslog"), line(1, "kernel"));
    expect(await run([])).toEqual({ status: 1, out: "", err: "" });
  });

  test("bytes that are no UTF-8 stay as they are", async () => {
    writeFileSync(join(folder, "syslog"), Buffer.from(" pppd[1]: \xe9\xff\n", "latin1"));
    let seen: Uint8Array = new Uint8Array();
    const host = {
      pppLog: "",
      systemLogs: [join(folder, "syslog")],
      journalctl: undefined,
      isTerminal: false,
      complain: () => {},
    };
    await plog([], { ...host, print: async (text) => void (seen = text) });
    expect(Buffer.from(seen).toString("latin1")).toBe(" pppd[1]: \xe9\xff\n");
  });

  test("the reader has closed the pipe", async () => {
    writeFileSync(join(folder, "syslog"), SYSLOG);
    const gone = Object.assign(new Error("EPIPE"), { code: "EPIPE" });
    const host = {
      pppLog: "",
      systemLogs: [join(folder, "syslog")],
      journalctl: undefined,
      isTerminal: false,
      complain: () => {},
    };
    expect(await plog(["-f"], { ...host, print: () => Promise.reject(gone) })).toBe(141);
  });
});

describe("the journal", () => {
  /** A journalctl that prints its arguments as a log line. */
  const journal = (): string => {
    const path = join(folder, "journalctl");
    writeFileSync(path, '#!/bin/sh\necho "-- Boot 1 --"\necho "Nov 22 laptop pppd[1]: $*"\n', { mode: 0o755 });
    return path;
  };

  test.each([
    [[], "--lines=10"],
    [["-n", "3"], "--lines=3"],
    [["-n3"], "--lines=3"],
    [["-3"], "--lines=3"],
    [["-n", "-3"], "--lines=3"],
    [["--lines=3"], "--lines=3"],
    [["--lines", "3"], "--lines=3"],
    [["-f"], "--lines=10 --follow"],
    [["-F", "-q", "-n", "0"], "--lines=0 --follow"],
    [["--follow=name"], "--lines=10 --follow"],
  ])("plog %j is journalctl %s", async (argv, words) => {
    expect(await run(argv, journal())).toEqual({
      status: 0,
      out: `Nov 22 laptop pppd[1]: --quiet --no-pager -t pppd -t chat ${words}\n`,
      err: "",
    });
  });

  test.each([
    [["-c", "5"], "-c"],
    [["+5"], "+5"],
    [["-n", "+5"], "+5"],
    [["-n"], "-n"],
    [["--help"], "--help"],
  ])("plog %j means nothing to it", async (argv, word) => {
    expect(await run(argv, journal())).toEqual({
      status: 1,
      out: "",
      err: `plog: the journal cannot be shown with '${word}': give -n LINES or -f\n`,
    });
  });

  test("neither log nor journal", async () => {
    expect(await run([])).toEqual({
      status: 1,
      out: "",
      err: "plog: there is no /var/log/ppp.log, /var/log/syslog, /var/log/messages and no journal\n",
    });
  });
});

describe("following", () => {
  const follow = (log: string): Program => {
    const host = `{ pppLog: "${folder}/ppp.log", systemLogs: ["${folder}/syslog"], journalctl: undefined,
      isTerminal: false,
      print: async (text) => void (await Bun.write(Bun.stdout, text)), complain: console.error }`;
    const main = `import { plog } from "${ROOT}/src/applets/plog.ts"; process.exit(await plog(["-f"], ${host}))`;
    writeFileSync(join(folder, log), line(1, "pppd[5]"));
    return new Program([process.execPath, "-e", main]);
  };

  test.each(["ppp.log", "syslog"])("%s, until a signal", async (log) => {
    const program = follow(log);
    try {
      const first = await program.waitFor("pppd[5]: line 1");
      const tail = children(program.pid);
      expect(tail).toHaveLength(1);
      appendFileSync(join(folder, log), line(2, "chat[6]"));
      await program.waitFor("chat[6]: line 2", { after: first });
      program.kill("SIGTERM");
      expect(await program.exit()).toBe(143);
      expect(existsSync(`/proc/${tail[0]}`)).toBe(false);
    } finally {
      await program.stop();
    }
  });
});

function children(parent: number): string[] {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/status`, "utf8").includes(`\nPPid:\t${parent}\n`);
    } catch {
      return false; // gone meanwhile
    }
  });
}

const why = existsSync("/usr/bin/plog") ? machinesMissing() : "Debian's plog is not here";

describe.skipIf(why !== undefined)(`beside Debian's${why === undefined ? "" : ` [skipped: ${why}]`}`, () => {
  const logs = {
    "ppp.log": { "/var/log/ppp.log": SYSLOG, "/var/log/syslog": line(1, "pppd[5]") },
    "an empty ppp.log": { "/var/log/ppp.log": "", "/var/log/syslog": SYSLOG },
    syslog: { "/var/log/syslog": SYSLOG },
  };
  const CALLS = [
    [],
    ["-n", "3"],
    ["-3"],
    ["-n", "100"],
    ["-n", "0"],
    ["-c", "70"],
    ["-n", "+3"],
    ["-v"],
    ["-x"],
    ["-n"],
  ];

  describe.each(Object.entries(logs))("with %s", (_, files) => {
    let machine: Machine;
    beforeAll(async () => void (machine = await openMachine("plog", { files })));
    afterAll(() => machine.close());

    test.each(CALLS.map((argv) => [argv]))("plog %j", async (argv) => {
      const debian = await machine.run("/usr/bin/plog", ...argv);
      if (argv.length === 0) expect(debian.stdout).toContain(line(20, "chat[813]"));

      const ours = await machine.run(process.execPath, join(ROOT, "src/main.ts"), "plog", ...argv);
      expect(ours).toEqual(debian);
    });
  });
});
