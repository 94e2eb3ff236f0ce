// The compiled file alone: its names, its exit codes, and that nothing around it changes what it does.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, watch, writeFileSync } from "node:fs";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { closeFd } from "../../src/os/ffi/libc.ts";
import { openPty } from "../../src/os/serial/pty.ts";
import { machinesMissing, tunMissing } from "../kit/machine.ts";
import { built } from "../kit/program.ts";

const root = process.getuid?.() === 0;
const noLine = root ? tunMissing() : "needs root";

let folder = "";
/** The built file, and a copy that is alone in a folder. */
let nullmodem = "";
let alone = "";
beforeAll(() => {
  nullmodem = built();
  folder = mkdtempSync(join(tmpdir(), "nullmodem-executable-"));
  alone = join(folder, "alone/frob");
  mkdirSync(dirname(alone));
  copyFileSync(nullmodem, alone);
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Said {
  status: number | null;
  stdout: string;
  stderr: string;
}

interface Surroundings {
  cwd?: string;
  env?: Record<string, string | undefined>;
}

function run(argv: readonly string[], { cwd, env }: Surroundings = {}): Said {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...argv], {
    stdin: "ignore",
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, NODE_ENV: undefined, ...env },
  });
  return { status: exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

const named = (name: string): string => join(dirname(nullmodem), name);

/** A pppd that opens a line, sets it up and runs a connect script. The script prints `words` on stderr and fails. */
async function openLine(prefix: readonly string[], words: string, surroundings: Surroundings = {}): Promise<Said> {
  const { master, slave } = openPty();
  const argv = [...prefix, slave, "local", "noauth", "nolock", "nodetach", "connect", `${words} >&2; exit 1`];
  const child = Bun.spawn(argv, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...surroundings.env },
    ...(surroundings.cwd === undefined ? {} : { cwd: surroundings.cwd }),
  });
  const [stdout, stderr, status] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  closeFd(master);
  return { status, stdout, stderr };
}

const ANSWERS: readonly [name: string, args: string[], status: number, says: RegExp][] = [
  ["pppd", ["--version"], 0, /^pppd version \d+\.\d+.*nullmodem \d/],
  ["pppd", ["--help"], 0, /^Usage: pppd \[ options \], where options are:$/m],
  ["pppd", ["frobnicate"], 2, /pppd: unrecognized option 'frobnicate'\n[^]*^Usage: pppd[^]*^pppd show-options /m],
  [
    "pppd",
    ["/dev/null", "noath"],
    2,
    /pppd: unrecognized option 'noath'\n[^]*^Usage: pppd[^]*\nDid you mean noauth\?\n$/m,
  ],
  ["pppd", ["mru"], 2, /pppd: too few parameters for option mru$/m],
  ["pppd", ["mru", "abc"], 2, /pppd: invalid numeric parameter 'abc' for mru option$/m],
  ["pppd", ["file", "/nowhere"], 2, /pppd: Can't open options file \/nowhere: No such file or directory$/m],
  ["chat", ["-x"], 1, /^Usage: chat /],
  ["pppstats", ["-?"], 1, /^Usage: pppstats /m],
  ["pppdump", ["-?"], 1, /^Usage: pppdump /m],
  ["pppdump", ["/nowhere"], 1, /nowhere: No such file or directory/],
  ["chat", ["--help"], 0, /^Usage: chat [^]*^  -t N /m],
  ["pppstats", ["--help"], 0, /^Usage: pppstats [^]*^  -w /m],
  ["pppdump", ["--help"], 0, /^Usage: pppdump [^]*^  --pcapng /m],
  ["pon", ["--help"], 0, /^Usage: pon /],
  ["poff", ["--help"], 0, /^usage: poff /],
  ["plog", ["--help"], 0, /^Usage: plog /],
  ["poff", ["-x"], 1, /./],
];

describe("names", () => {
  for (const [name, args, status, says] of ANSWERS) {
    test(`${name} ${args.join(" ")}: by link, by first word, by a link elsewhere`, () => {
      const elsewhere = join(folder, name);
      rmSync(elsewhere, { force: true });
      symlinkSync(nullmodem, elsewhere);
      for (const argv of [[named(name)], [nullmodem, name], [alone, name], [elsewhere]]) {
        const said = run([...argv, ...args]);
        expect({ argv, status: said.status }).toEqual({ argv, status });
        expect(said.stdout + said.stderr).toMatch(says);
      }
    });
  }

  test("a copy or hard link called pppd is pppd, found in PATH too", () => {
    const bin = join(folder, "bin");
    mkdirSync(bin);
    copyFileSync(nullmodem, join(bin, "pppd"));
    expect(run(["sh", "-c", "pppd --version"], { env: { PATH: `${bin}:${process.env["PATH"]}` } }).stdout).toMatch(
      /^pppd version/,
    );
    // Like pppd, an error message names the program as it was typed.
    const said = run(["sh", "-c", "pppd frobnicate"], { env: { PATH: `${bin}:${process.env["PATH"]}` } });
    expect(said.stderr).toStartWith("pppd: unrecognized option 'frobnicate'\n");
    expect(run([join(bin, "pppd"), "x"]).stderr).toStartWith(`${bin}/pppd: unrecognized option 'x'\n`);
  });

  test("pppd --version: one line on stdout for scripts that look for a number, nothing on stderr", () => {
    const { stdout, stderr } = run([named("pppd"), "--version"]);
    expect(stdout.match(/pppd version [0-9]+\.[0-9]+/)).not.toBeNull();
    expect([stdout.split("\n").length, stderr]).toEqual([2, ""]);
  });

  test("nullmodem explains itself, in plain text where nobody has a terminal, whatever CI and TEST are", () => {
    for (const env of [
      {},
      { CI: "1" },
      { TEST: "1" },
      { NODE_ENV: "test" },
      { CONSOLA_LEVEL: "0" },
      { FORCE_COLOR: "1" },
    ])
      for (const args of [[], ["--help"], ["-h"], ["help"]]) {
        const said = run([nullmodem, ...args], { env });
        expect(said).toMatchObject({ status: 0, stderr: "" });
        for (const word of ["pppd", "chat", "pon", "poff", "plog", "pppstats", "pppdump"])
          expect(said.stdout).toContain(word);
        expect(said.stdout).not.toContain("\x1b");
        expect(said.stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
      }
    expect(run([nullmodem, "--version"]).stdout).toMatch(/^nullmodem \d+\.\d+\.\d+\n$/);
    const unknown = run([nullmodem, "frobnicate"], { env: { CONSOLA_LEVEL: "0" } });
    expect(unknown).toMatchObject({ status: 2, stdout: "" });
    expect(unknown.stderr).toContain('nullmodem has no command "frobnicate"');
    expect(unknown.stderr).not.toContain("Did you mean");
    expect(run([nullmodem, "stauts"]).stderr).toMatch(/no command "stauts"\n+Did you mean status\?\n/);
  });
});

describe("a hostile working directory", () => {
  /** Any code of it that runs leaves a mark. */
  const plant = (): { cwd: string; mark: string } => {
    const cwd = mkdtempSync(join(folder, "hostile-"));
    const mark = join(cwd, "MARK");
    const script = `require("fs").appendFileSync(${JSON.stringify(mark)}, __filename + "\\n");`;
    const toml = 'preload = ["./evil.js"]\n[run]\npreload = ["./evil.js"]\n[test]\npreload = ["./evil.js"]\n';
    const modules = ["citty", "consola", "@serialport/bindings-cpp"].map((name) => `node_modules/${name}`);
    const files: Record<string, string> = {
      "bunfig.toml": toml,
      ".bunfig.toml": toml,
      ".env": "EVIL=1\nBUN_OPTIONS=--preload=./evil.js\n",
      ".env.local": "EVIL=1\n",
      ".env.production": "EVIL=1\n",
      "package.json": JSON.stringify({ main: "evil.js", imports: { "#*": "./evil.js" } }),
      "tsconfig.json": JSON.stringify({ compilerOptions: { paths: { "*": ["./evil.js"] } } }),
    };
    for (const name of ["evil.js", "pppd.ts", "main.ts", "index.ts", "nullmodem.js", "pppd", "chat", "sh", "ip"])
      files[name] = script;
    for (const module of modules) files[`${module}/index.js`] = script;
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(cwd, name)), { recursive: true });
      writeFileSync(join(cwd, name), text, { mode: 0o755 });
    }
    // Libraries to be loaded: one that the system has, and one that it does not have.
    const library = /\/\S*\/libm\.so\.6$/m.exec(readFileSync("/proc/self/maps", "latin1"))![0];
    for (const name of ["libpam.so.0", "libcrypt.so.1", "libcrypt.so.2", "libc.so.6", "libc.musl-x86_64.so.1"])
      copyFileSync(library, join(cwd, name));
    return { cwd, mark };
  };

  test("none of its files is run or read", () => {
    const { cwd, mark } = plant();
    const env = { HOME: cwd, XDG_CONFIG_HOME: cwd };
    for (const [name, args, status, says] of ANSWERS) {
      const said = run([named(name), ...args], { cwd, env });
      expect({ name, status: said.status }).toEqual({ name, status });
      expect(said.stdout + said.stderr).toMatch(says);
    }
    expect(run([nullmodem], { cwd, env }).status).toBe(0);
    expect(readdirSync(cwd)).not.toContain(basename(mark));
  });

  test.skipIf(noLine !== undefined)(
    `nor while a line is opened and a script run${noLine === undefined ? "" : ` [skipped: ${noLine}]`}`,
    async () => {
      const { cwd, mark } = plant();
      const env = { HOME: cwd, XDG_CONFIG_HOME: cwd };
      const said = await openLine([named("pppd")], 'echo "evil=<$EVIL> in $(pwd)"', { cwd, env });
      expect(said).toMatchObject({ status: 8, stdout: `evil=<> in ${cwd}\nConnect script failed\n`, stderr: "" });
      expect(readdirSync(cwd)).not.toContain(basename(mark));
    },
  );

  test("the environment is another matter: BUN_OPTIONS and BUN_BE_BUN do take over (README says so)", () => {
    const { cwd, mark } = plant();
    run([named("pppd"), "--version"], { env: { BUN_OPTIONS: `--preload=${join(cwd, "evil.js")}` } });
    expect(readFileSync(mark, "utf8")).toBe(`${join(cwd, "evil.js")}\n`);
    expect(run([named("pppd"), "--version"], { env: { BUN_BE_BUN: "1" } }).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    // Node's own output does not do that.
    run([named("pppd"), "--version"], { env: { NODE_OPTIONS: `--require ${join(cwd, "evil.js")}` } });
    expect(readFileSync(mark, "utf8")).toBe(`${join(cwd, "evil.js")}\n`);
  });
});

describe("hard surroundings", () => {
  test("no environment at all", () => {
    const empty = Object.fromEntries(Object.keys(process.env).map((name) => [name, undefined]));
    expect(run([named("pppd"), "--version"], { env: empty })).toMatchObject({ status: 0, stderr: "" });
    expect(run([nullmodem], { env: empty })).toMatchObject({ status: 0, stderr: "" });
  });

  test("standard descriptors closed or full", () => {
    const pppd = named("pppd");
    expect(run(["sh", "-c", `exec ${pppd} --version <&- 2>&-`]).stdout).toStartWith("pppd version ");
    expect(run(["sh", "-c", `exec ${pppd} --version <&- >&- 2>&-`]).status).toBe(0);
    expect(run(["sh", "-c", `exec ${pppd} frobnicate <&- >&- 2>&-`]).status).toBe(2);
    expect(run(["sh", "-c", `exec ${pppd} frobnicate 2>/dev/full`]).status).toBe(2);
    expect(run(["sh", "-c", `exec ${nullmodem} </dev/null >/dev/full`]).status).toBe(0);
  });

  test("a reader who has gone, one who is slow, and a file", () => {
    const pppd = named("pppd");
    expect(run(["sh", "-c", `${pppd} show-options 2>&1 | head -n 1`])).toMatchObject({ status: 0, stderr: "" });
    // More than a pipe holds. The reader starts only when the writer must have filled the pipe.
    const record = join(folder, "long.rec");
    const data = Buffer.alloc(0xffff, 0x41);
    const item = Buffer.concat([Buffer.of(2, 0xff, 0xff), data]);
    writeFileSync(record, Buffer.concat(Array.from({ length: 8 }, () => item)));
    const slow = run(["sh", "-c", `${named("pppdump")} ${record} | { dd bs=1 count=1 2>/dev/null; sleep 0.3; cat; }`]);
    expect(slow.stdout.length).toBeGreaterThan(8 * data.length);
    expect(slow.stdout === run([named("pppdump"), record]).stdout).toBe(true);
    // A file gets all of it, after its present content.
    const file = join(folder, "long.txt");
    run([
      "sh",
      "-c",
      `echo first >${file}; ${named("pppdump")} ${record} >>${file}; ${named("pppd")} --version >>${file}`,
    ]);
    expect(readFileSync(file, "utf8") === `first\n${slow.stdout}${run([pppd, "--version"]).stdout}`).toBe(true);
  });

  test("arguments that are no UTF-8", () => {
    const said = run(["sh", "-c", `${named("pppd")} "$(printf '\\377\\376')"`]);
    expect(said.status).toBe(2);
    expect(said.stderr).toMatch(/pppd: unrecognized option '..?'\n/);
  });

  const title = (name: string): string => (noLine === undefined ? name : `${name} [skipped: ${noLine}]`);
  const onLine = test.skipIf(noLine !== undefined);

  onLine(title("opens a line with 0, 1 and 2 closed, and takes none of them for it"), async () => {
    const report = join(folder, "fds");
    const script = `{ ls -l /proc/$PPID/fd >${report}; }`;
    const said = await openLine(["sh", "-c", `exec "$0" "$@" <&- >&- 2>&-`, named("pppd")], script);
    expect(said).toMatchObject({ status: 8, stdout: "", stderr: "" });
    for (const fd of [0, 1, 2]) expect(readFileSync(report, "utf8")).toMatch(new RegExp(` ${fd} -> /dev/null`));
  });

  onLine(
    title("opens a line without HOME, with a TMPDIR that is missing, not writable, or full of traps"),
    async () => {
      for (const TMPDIR of [undefined, "/nonexistent", "/proc", "/dev/full"]) {
        const said = await openLine([alone, "pppd"], "echo here", { cwd: "/", env: { HOME: undefined, TMPDIR } });
        expect({ TMPDIR, ...said }).toEqual({ TMPDIR, status: 8, stdout: "here\nConnect script failed\n", stderr: "" });
      }
    },
  );

  const noMounts = machinesMissing();
  const reason = noLine ?? noMounts;
  test.skipIf(reason !== undefined)(
    `opens a line on a file system that is read-only as a whole${reason === undefined ? "" : ` [skipped: ${reason}]`}`,
    async () => {
      const readOnly = 'mount -o remount,ro,bind / && ! touch /tmp/x 2>/dev/null && exec "$0" "$@"';
      const said = await openLine(["unshare", "-m", "sh", "-c", readOnly, alone, "pppd"], "echo here", { cwd: "/" });
      expect(said).toEqual({ status: 8, stdout: "here\nConnect script failed\n", stderr: "" });
    },
  );

  onLine(title("loads the serial addon without a file in TMPDIR that somebody could swap"), async () => {
    const TMPDIR = mkdtempSync(join(folder, "tmp-"));
    const seen: string[] = [];
    const watcher = watch(TMPDIR, (_, name) => void seen.push(String(name)));
    try {
      const script = "{ grep -o 'memfd:nullmodem[a-z-]*' /proc/$PPID/maps | sort -u; echo >$TMPDIR/last; }";
      const said = await openLine([alone, "pppd"], script, { env: { TMPDIR } });
      expect(said).toMatchObject({ status: 8, stdout: "memfd:nullmodem-serial\nConnect script failed\n" });
      // When this line is there, all earlier ones are known.
      while (!seen.includes("last")) await Bun.sleep(1);
      expect([...new Set(seen)]).toEqual(["last"]);
    } finally {
      watcher.close();
    }
  });
});
