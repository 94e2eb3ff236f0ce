// poff: which processes it takes for pppd, and which of them it signals. Compared with Debian's poff.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { poff, type PoffHost, type Process } from "../../src/applets/poff.ts";

const ROOT = join(import.meta.dir, "../..");

interface Given {
  readonly pidFiles?: Readonly<Record<string, string>>;
  /** errno of kill(2) by pid */
  readonly refuse?: Readonly<Record<number, number>>;
}

async function run(argv: string[], processes: Process[], { pidFiles = {}, refuse = {} }: Given = {}) {
  const killed: string[] = [];
  let out = "";
  let err = "";
  const host: PoffHost = {
    processes: () => processes,
    pidFile: (name) => pidFiles[name],
    kill: (pid, signal) => {
      if (refuse[pid] !== undefined) return refuse[pid];
      killed.push(`${pid} ${Object.entries(constants.signals).find(([, number]) => number === signal)?.[0]}`);
      return 0;
    },
    say: (text) => void (out += `${text}\n`),
    complain: (text) => void (err += `${text}\n`),
  };
  const status = await poff(argv, host);
  return { status, out, err, killed };
}

function process(pid: number, command: string, file: string | undefined, parent = 1): Process {
  return { pid, parent, file, words: command.split(" ") };
}

const OURS = "/usr/local/sbin/nullmodem";
const REAL = "/usr/sbin/pppd";
const BUN = "/home/ford/nullmodem/node_modules/bun/bin/bun.exe";

const nothing = { status: 0, out: "", err: "" };

describe("takes for pppd", () => {
  test.each([
    ["the real one", "/usr/sbin/pppd call isp", REAL],
    ["the real one, by its name", "pppd call isp", REAL],
    ["the real one, replaced while it runs", "/usr/sbin/pppd call isp", `${REAL} (deleted)`],
    ["the real one, diverted", "/usr/sbin/pppd.distrib call isp", `${REAL}.distrib`],
    ["the real one, as a login shell", "-pppd call isp", REAL],
    ["somebody else's, whose file is a secret", "/usr/sbin/pppd call isp", undefined],
    ["ours by the link", "/usr/local/sbin/pppd call isp", OURS],
    ["ours by the link, after an update", "pppd call isp", `${OURS} (deleted)`],
    ["ours as a login shell", "-pppd call isp", OURS],
    ["ours by the first word", "./nullmodem pppd call isp", OURS],
    ["ours from a stick", "pppd call isp", "/media/stick/nullmodem-x64-baseline"],
    ["ours under pon's name", "pon -q isp debug", OURS],
    ["ours under pon's name, by the first word", "nullmodem pon isp", OURS],
    ["ours from its sources", "bun src/main.ts pppd call isp", BUN],
    ["ours from its sources, with Bun's own options", "bun --smol run /src/main.ts pppd call isp", BUN],
    ["ours from its sources, by pon", "bun src/main.ts pon isp", BUN],
    ["one with options before the name", "pppd /dev/ttyS0 115200 call isp", REAL],
  ])("%s", async (_, command, file) => {
    expect(await run(["isp"], [process(5, command, file)])).toEqual({ ...nothing, killed: ["5 SIGTERM"] });
  });

  test.each([
    ["an editor", "vi pppd", "/usr/bin/vi"],
    ["a program that took the name", "pppd call isp", "/usr/bin/sleep"],
    ["a shell that starts it", "sh -c pppd call isp", "/usr/bin/dash"],
    ["a script of that name", "/bin/sh /usr/local/bin/pppd call isp", "/usr/bin/dash"],
    ["another program of ours", "chat -v -f isp", OURS],
    ["poff itself", "nullmodem poff isp", OURS],
    ["ours, doing something else with it", "nullmodem status pppd call isp", OURS],
    ["another program in Bun", "bun src/server.ts pppd call isp", BUN],
    ["Bun's tests", "bun test test/applets/pppd.test.ts", BUN],
    ["pppdump", "pppdump pppd", "/usr/sbin/pppdump"],
  ])("not %s", async (_, command, file) => {
    expect(await run([], [process(5, command, file)])).toMatchObject({
      status: 1,
      out: "poff: No pppd is running.  None stopped.\n",
      killed: [],
    });
  });

  test("pon without a name is the provider 'provider'", async () => {
    const processes = [process(5, "pon", OURS), process(6, "pon isp", OURS)];
    expect((await run(["provider"], processes)).killed).toEqual(["5 SIGTERM"]);
  });
});

describe("a pppd of two processes is one", () => {
  test("the real one and its charshunt: the parent", async () => {
    const processes = [process(5, "pppd notty", REAL), process(6, "pppd notty", REAL, 5)];
    expect((await run([], processes)).killed).toEqual(["5 SIGTERM"]);
  });

  test("ours waiting with updetach: the child, which has the link", async () => {
    const processes = [process(5, "pon isp", OURS), process(6, "pppd call isp", OURS, 5)];
    expect((await run(["-c"], processes)).killed).toEqual(["6 SIGUSR2"]);
    expect((await run(["isp"], processes)).killed).toEqual(["6 SIGTERM"]);
  });

  test("but not one inside the other", async () => {
    const processes = [process(5, "pppd call outer", REAL), process(6, "pppd call inner", REAL, 5)];
    expect((await run(["-a"], processes)).killed).toEqual(["5 SIGTERM", "6 SIGTERM"]);
    expect((await run(["inner"], processes)).killed).toEqual(["6 SIGTERM"]);
  });
});

describe("signals", () => {
  const one = [process(5, "pppd call isp", REAL)];
  const three = [...one, process(6, "pppd call work", OURS), process(7, "pppd ttyS0 linkname cable", REAL)];

  test.each([
    ["", "SIGTERM", "stopped"],
    ["-r", "SIGHUP", "signalled"],
    ["-d", "SIGUSR1", "signalled"],
    ["-c", "SIGUSR2", "signalled"],
    ["-a", "SIGTERM", "stopped"],
  ])("poff %s", async (flag, signal, done) => {
    const argv = flag === "" ? [] : [flag];
    expect(await run(argv, one)).toEqual({ ...nothing, killed: [`5 ${signal}`] });
    expect(await run(argv, [])).toMatchObject({
      status: 1,
      out: `poff: No pppd is running.  None ${done}.\n`,
    });
    if (flag === "-a") return;
    expect(await run([...argv, "work"], three)).toEqual({ ...nothing, killed: [`6 ${signal}`] });
    expect(await run([...argv, "home"], three)).toEqual({
      status: 1,
      out: `poff: I could not find a pppd process for provider 'home'. None ${done}.\n`,
      err: "",
      killed: [],
    });
    expect(await run(argv, three)).toEqual({
      status: 1,
      out: `poff: More than one pppd running and no -a option and \nno arguments supplied. Nothing ${done}.\n`,
      err: "",
      killed: [],
    });
  });

  test("all, whatever the provider", async () => {
    const killed = ["5 SIGTERM", "6 SIGTERM", "7 SIGTERM"];
    expect(await run(["-a"], three)).toEqual({ ...nothing, killed });
    expect(await run(["-a", "work"], three)).toEqual({ ...nothing, killed });
  });

  test("a name is compared as a whole", async () => {
    expect((await run(["is"], three)).status).toBe(1);
    expect((await run([""], three)).status).toBe(1);
    expect((await run(["pppd"], three)).status).toBe(1);
  });

  test("every pppd of that name", async () => {
    const twice = [...one, process(8, "pppd ttyS3 call isp", OURS)];
    expect((await run(["isp"], twice)).killed).toEqual(["5 SIGTERM", "8 SIGTERM"]);
  });

  test("by linkname or interface, if the pid file is right", async () => {
    const pidFiles = { "ppp-cable.pid": "7\nppp2\n", "ppp0.pid": "5\n", "ppp9.pid": "4711\n", "ppp-isp.pid": "6\n" };
    expect((await run(["cable"], three, { pidFiles })).killed).toEqual(["7 SIGTERM"]);
    expect((await run(["ppp0"], three, { pidFiles })).killed).toEqual(["5 SIGTERM"]);
    expect((await run(["ppp9"], three, { pidFiles })).status).toBe(1);
    // The name of the call comes first.
    expect((await run(["isp"], three, { pidFiles })).killed).toEqual(["5 SIGTERM"]);
  });

  test("may not", async () => {
    expect(await run(["-r"], one, { refuse: { 5: constants.errno.EPERM } })).toEqual({
      status: 1,
      out: "poff: kill failed.  None signalled.\n",
      err: "poff: cannot signal pppd (pid 5): Operation not permitted\n",
      killed: [],
    });
    expect(await run(["-a"], three, { refuse: { 5: constants.errno.EPERM } })).toEqual({
      status: 1,
      out: "",
      err: "poff: cannot signal pppd (pid 5): Operation not permitted\n",
      killed: ["6 SIGTERM", "7 SIGTERM"],
    });
  });

  test("a process that has ended meanwhile is no failure", async () => {
    expect(await run([], one, { refuse: { 5: constants.errno.ESRCH } })).toEqual({ ...nothing, killed: [] });
  });
});

describe("words about itself", () => {
  test("-h, --help, -v", async () => {
    const help = await run(["-h"], []);
    expect(help).toMatchObject({ status: 0, err: "" });
    expect(help.out).toStartWith("usage: poff [option] [provider]\noptions:\n  -r  ");
    expect(await run(["--help"], [])).toEqual(help);
    expect(await run(["-v"], [])).toMatchObject({ status: 0, out: "poff: 1.8 (nullmodem)\n" });
  });
});

/**
 * A pppd without a line: the shell under another name. `call` is a script that records the signal. It is ready when its
 * child is called sleep. Until then the child is called pppd too, and poff would count it.
 */
const FAKE = `
trap 'echo "$2 HUP" >>signals' HUP
trap 'echo "$2 USR1" >>signals' USR1
trap 'echo "$2 USR2" >>signals' USR2
trap 'echo "$2 TERM" >>signals; kill $!; exit' TERM
set -- call "$1"
sleep 60 &
until read -r name </proc/$!/comm && [ "$name" = sleep ]; do :; done
echo "$2" >>ready
while :; do wait $!; sleep 60 & done
`;

/** Starts the false pppds, runs poff and waits for the signals, in namespaces without any other pppd. */
const SCENE = `
export PATH="$PWD:$PATH"
: >ready; : >signals
for name in $1; do pppd call $name & done
for name in $1; do until grep -qx $name ready; do sleep 0.01; done; done
shift; wanted=$1; shift
"$@" >said 2>&1; status=$?
n=0
until [ "$(wc -l <signals)" -ge $wanted ] || [ $n -ge 6000 ]; do n=$((n + 1)); sleep 0.01; done
cat said; sort signals; echo "status $status"
`;

const namespaces = ["--pid", "--fork", "--mount-proc", "--kill-child"];
const noNamespace =
  Bun.which("unshare") === null || Bun.spawnSync(["unshare", ...namespaces, "true"]).exitCode !== 0
    ? "needs root, and unshare to make a process namespace"
    : undefined;
const noDebian = existsSync("/usr/bin/poff") && Bun.which("pidof") !== null ? undefined : "Debian's poff is not here";
const why = noNamespace ?? noDebian;

describe.skipIf(why !== undefined)(`beside Debian's${why === undefined ? "" : ` [skipped: ${why}]`}`, () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "nullmodem-poff-"));
    copyFileSync("/bin/sh", join(folder, "pppd"));
    writeFileSync(join(folder, "call"), FAKE);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** The output, the signals in order and the status, without the program's own path. */
  function scene(providers: string, signals: number, poffCommand: string[]): string {
    const { stdout, stderr } = Bun.spawnSync(
      ["unshare", ...namespaces, "sh", "-c", SCENE, "scene", providers, `${signals}`, ...poffCommand],
      { cwd: folder, stdio: ["ignore", "pipe", "pipe"] },
    );
    expect(stderr.toString()).toBe("");
    return stdout.toString().replaceAll("/usr/bin/poff", "poff");
  }

  const ours = [globalThis.process.execPath, join(ROOT, "src/main.ts"), "poff"];

  test("a pppd that runs from its sources", () => {
    const tell = 'process.on("SIGTERM", () => { appendFileSync("signals", "isp TERM\\n"); process.exit(); });';
    writeFileSync(
      join(folder, "main.ts"),
      `import { appendFileSync } from "node:fs"; ${tell} appendFileSync("ready", "isp\\n"); setInterval(() => {}, 60000);`,
    );
    rmSync(join(folder, "pppd"));
    writeFileSync(join(folder, "pppd"), `#!/bin/sh\nexec ${globalThis.process.execPath} main.ts pppd "$@"`, {
      mode: 0o755,
    });
    expect(scene("isp", 1, [...ours, "isp"])).toBe("isp TERM\nstatus 0\n");
  });

  test.each([
    ["isp", 1, []],
    ["isp", 1, ["-r"]],
    ["isp", 1, ["-d"]],
    ["isp", 1, ["-c"]],
    ["isp work", 0, []],
    ["isp work", 0, ["-r"]],
    ["isp work", 2, ["-a"]],
    ["isp work", 2, ["-a", "work"]],
    ["isp work isp2", 1, ["work"]],
    ["isp work isp2", 1, ["isp"]],
    ["isp work", 1, ["-d", "work"]],
    ["isp work", 0, ["home"]],
    ["isp", 0, ["-r", "home"]],
    ["isp", 0, ["-rd"]],
    ["isp", 0, ["-r", "-x"]],
    ["isp", 0, ["-x"]],
    ["", 0, []],
    ["", 0, ["-a"]],
    ["", 0, ["-r", "isp"]],
  ] as const)("pppds for '%s': %d signals from poff %j", (providers, signals, argv) => {
    const debian = scene(providers, signals, ["/usr/bin/poff", ...argv]);
    expect(debian).toContain("status ");
    expect(scene(providers, signals, [...ours, ...argv])).toBe(debian);
    if (signals > 0) expect(readFileSync(join(folder, "signals"), "utf8").split("\n")).toHaveLength(signals + 1);
  });
});
