// A real init keeps our pppd on a line, as in the HOWTO: `respawn` in an inittab, and clients that come and go.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { check, closeFd, libc, O, openFd } from "../../src/os/ffi/libc.ts";
import { type Cable, openCable } from "../kit/cable.ts";
import { type Machine, openMachine } from "../kit/machine.ts";
import { Program } from "../kit/program.ts";
import { missing, pppdPath, titled, traces, until } from "./scene.ts";

/** A control socket has the number of its process, and init has started another one. */
function withoutPids(traces: readonly string[]): string[] {
  return traces.map((trace) => trace.replace(/nullmodem-\d+\.ctl$/, "nullmodem-PID.ctl"));
}

const HOWTO = join(import.meta.dir, "../../fixtures/howto");

interface Init {
  readonly name: string;
  /** The command for process 1, or the reason why there is none. */
  readonly argv: readonly string[] | string;
  readonly inittab: (pppd: string) => string;
}

function busybox(): Init["argv"] {
  const path = Bun.which("busybox");
  const applets = path === null ? "" : Bun.spawnSync([path, "--list"]).stdout.toString();
  return path !== null && /^init$/m.test(applets)
    ? [path, "init"]
    : "no busybox with init (Debian package busybox-static)";
}

/** Its package would replace the system's init, so it is only downloaded and unpacked. */
function sysvinit(folder: string): Init["argv"] {
  const given = process.env["NULLMODEM_SYSVINIT"];
  if (given !== undefined) return [given];
  const commands = "apt-get download sysvinit-core && dpkg -x sysvinit-core_*.deb .";
  Bun.spawnSync(["sh", "-c", commands], { cwd: folder, stdio: ["ignore", "ignore", "ignore"], timeout: 20_000 });
  const path = join(folder, "sbin/init");
  return existsSync(path) ? [path] : "apt-get cannot download sysvinit-core (set NULLMODEM_SYSVINIT to its init)";
}

const TIOCVHANGUP = 0x5437;

/** Programs that have the terminal open lose it, as when an adapter is pulled out. It can be opened again. */
function hangUp(tty: string): void {
  const fd = openFd(tty, O.RDWR | O.NOCTTY | O.NONBLOCK);
  check(libc.ioctl(fd, TIOCVHANGUP, null), "TIOCVHANGUP", tty);
  closeFd(fd);
}

function openFiles(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`).replace(/\[\d+\]/, ""));
}

const unpacked = mkdtempSync(join(tmpdir(), "nullmodem-init-"));
afterAll(() => rmSync(unpacked, { recursive: true }));

const INITS: readonly Init[] = [
  { name: "busybox init", argv: busybox(), inittab: (pppd) => `::respawn:${pppd} /dev/ttyS1 -detach\n` },
  {
    name: "sysvinit",
    argv: missing === undefined ? sysvinit(unpacked) : missing,
    inittab: (pppd) => `id:2:initdefault:\npd:2345:respawn:${pppd} /dev/ttyS1 -detach\n`,
  },
];

for (const { name, argv, inittab } of INITS) {
  const reason = missing ?? (typeof argv === "string" ? argv : undefined);
  describe.skipIf(reason !== undefined)(titled(name, reason), () => {
    let cable: Cable;
    let server: Machine;
    let client: Machine;
    let init: Program;
    beforeAll(async () => {
      cable = await openCable();
      const files = { "/etc/inittab": inittab(pppdPath()) };
      server = await openMachine("server", { etc: join(HOWTO, "server"), ttys: { ttyS1: cable.a }, files });
      client = await openMachine("client", { etc: join(HOWTO, "client"), ttys: { ttyS0: cable.b } });
      const alone = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];
      init = new Program([...alone, ...(argv as readonly string[])], { machine: server });
    });
    afterAll(async () => {
      init.kill("SIGKILL");
      await init.exit();
      await Promise.all([server.close(), client.close()]);
      await cable.close();
    });

    /** The present pppd, once it runs and is not the one called `not`. */
    const serving = async (not?: number): Promise<number> => {
      let pid: number | undefined;
      await until("init has started a pppd that listens", () => {
        const found = server.processes().filter(({ command }) => command.startsWith(`${pppdPath()} /dev/ttyS1`));
        pid = found.length === 1 ? found[0]!.pid : undefined;
        // Its interface is made when the line is open.
        return pid !== undefined && pid !== not && server.interfaces().length === 1;
      });
      return pid!;
    };

    /** A client connects and reaches the server. */
    const comeUp = async (): Promise<Program> => {
      const pppd = new Program([pppdPath(), "/dev/ttyS0", "-detach"], { machine: client });
      await pppd.waitFor("remote IP address 192.168.0.1");
      const { status, stdout } = await client.run("ping", "-c", "1", "-W", "5", "192.168.0.1");
      expect({ status, stdout }).toMatchObject({ status: 0 });
      return pppd;
    };

    const leave = async (pppd: Program): Promise<void> => {
      pppd.kill();
      expect(await pppd.exit()).toBe(5);
    };

    test("process 1 is init, and its child is pppd", async () => {
      const pid = await serving();
      const parent = Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))![1]);
      expect(/^NSpid:\s.*\b1$/m.test(readFileSync(`/proc/${parent}/status`, "latin1"))).toBe(true);
    });

    test("clients come and go: for each a new pppd", async () => {
      for (let round = 0; round < 3; round++) {
        const pid = await serving();
        await leave(await comeUp());
        await until("the pppd that served is gone", () => !existsSync(`/proc/${pid}`));
        expect(await serving(pid)).not.toBe(pid);
      }
    });

    test("the cable is pulled and the client killed: the next one gets a session all the same", async () => {
      await serving();
      const lost = await comeUp();
      await cable.cut();
      lost.kill("SIGKILL");
      await lost.exit();
      await cable.mend();
      const next = await comeUp();
      expect(next.text).toContain("Remote message: ");
      await leave(next);
    });

    test("the server is killed: init starts another, which clears away the lock", async () => {
      const pid = await serving();
      process.kill(pid, "SIGKILL");
      const next = await serving(pid);
      const lock = readFileSync(server.path("/run/lock/LCK..ttyS1"), "utf8");
      // Its number is the one in its own process namespace.
      const own = /^NSpid:.*\s(\d+)$/m.exec(readFileSync(`/proc/${next}/status`, "latin1"))![1]!;
      expect(lock).toBe(`${own.padStart(10)}\n`);
      await leave(await comeUp());
    });

    test("what the sessions left behind: nothing but the one that waits", async () => {
      await serving();
      expect(server.interfaces()).toEqual(["ppp0"]);
      expect(readdirSync(server.path("/run")).filter((file) => file.startsWith("ppp"))).toEqual(["ppp0.pid"]);
      expect(readdirSync(server.path("/run/lock")).filter((file) => file.startsWith("LCK"))).toEqual(["LCK..ttyS1"]);
      expect(client.interfaces()).toEqual([]);
      expect(readdirSync(client.path("/run")).filter((file) => file.startsWith("ppp"))).toEqual([]);
    });
  });
}

/** What was not open before. Less may be open: a young process still has the sockets on which it exercises its data path. */
function more(before: readonly string[], now: readonly string[]): string[] {
  const left = [...before];
  return now.filter((file) => {
    const at = left.indexOf(file);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

/** The options of the HOWTO's server, but it asks for a link itself, because that is faster here. */
const EAGER = readFileSync(join(HOWTO, "server/options.ttyS1"), "utf8").replace(/^silent$/m, "lcp-restart 1");
const AGAIN = ["persist", "maxfail", "0", "holdoff", "0"];
const PULLS = 20;

// sysvinit pauses an entry for five minutes after ten starts in two. There pppd itself starts again.
for (const { name, argv, inittab, words } of INITS.map((init, nth) => ({ ...init, words: nth === 0 ? [] : AGAIN }))) {
  const reason = missing ?? (process.getuid?.() === 0 ? undefined : "hanging up a line needs root");
  const why = reason ?? (typeof argv === "string" ? argv : undefined);
  const how = words.length === 0 ? "init starts it again" : "it begins anew itself";
  test.skipIf(why !== undefined)(
    titled(
      `${PULLS} times the cable is pulled out and put back, under ${name}: ${how}; the link is there, no more`,
      why,
    ),
    async () => {
      const cable = await openCable();
      const line = inittab(pppdPath()).replace("-detach", ["-detach", ...words].join(" "));
      const files = { "/etc/inittab": line, "/etc/ppp/options.ttyS1": EAGER };
      const server = await openMachine("server", { etc: join(HOWTO, "server"), ttys: { ttyS1: cable.a }, files });
      const client = await openMachine("client", { etc: join(HOWTO, "client"), ttys: { ttyS0: cable.b } });
      const init = new Program(
        ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", ...(argv as readonly string[])],
        { machine: server },
      );
      const pppd = new Program([pppdPath(), "/dev/ttyS0", "-detach", ...AGAIN, "noipv6", "lcp-restart", "1"], {
        machine: client,
      });
      /** Everything on both machines except the numbers of the interfaces. */
      const all = async (): Promise<string[]> => {
        const lines = [...(await traces(server)), ...(await traces(client))];
        return lines.map((text) => text.replace(/^\d+: |valid_lft.*/g, ""));
      };
      const reaches = async (): Promise<void> => {
        const { status, stdout } = await client.run("ping", "-c", "1", "-W", "5", "192.168.0.1");
        expect({ status, stdout }).toMatchObject({ status: 0 });
      };
      try {
        let up = await pppd.waitFor("remote IP address");
        await reaches();
        const serving = (): number =>
          server.processes().find(({ command }) => command.startsWith(`${pppdPath()} /dev/ttyS1`))!.pid;
        const serverFiles = openFiles(serving());
        const before = { traces: await all(), files: openFiles(pppd.pid) };
        for (let pull = 0; pull < PULLS; pull++) {
          for (const tty of [cable.a, cable.b]) hangUp(tty);
          up = await pppd.waitFor("remote IP address", { after: up });
        }
        await reaches();
        expect(withoutPids(await all())).toEqual(withoutPids(before.traces));
        expect(more(before.files, openFiles(pppd.pid))).toEqual([]);
        expect(more(serverFiles, openFiles(serving()))).toEqual([]);
        expect(pppd.lines.filter(({ text }) => text === "Modem hangup")).toHaveLength(PULLS);
        pppd.kill();
        expect(await pppd.exit()).toBe(5);
        expect(client.interfaces()).toEqual([]);
      } finally {
        await pppd.stop();
        init.kill("SIGKILL");
        await init.exit();
        await Promise.all([server.close(), client.close()]);
        await cable.close();
      }
    },
    200_000,
  );
}
