// A real init keeps our pppd on a line, as the HOWTO has it: `respawn` in an inittab, clients that come and go.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Cable, openCable } from "../kit/cable.ts";
import { type Machine, openMachine } from "../kit/machine.ts";
import { Program } from "../kit/program.ts";
import { missing, pppdPath, titled, until } from "./scene.ts";

const HOWTO = join(import.meta.dir, "../../fixtures/howto");

interface Init {
  readonly name: string;
  /** The command that is to be process 1, or why there is none. */
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

/** Its package would replace the system's own init: only fetched and unpacked. */
function sysvinit(folder: string): Init["argv"] {
  const given = process.env["NULLMODEM_SYSVINIT"];
  if (given !== undefined) return [given];
  const commands = "apt-get download sysvinit-core && dpkg -x sysvinit-core_*.deb .";
  Bun.spawnSync(["sh", "-c", commands], { cwd: folder, stdio: ["ignore", "ignore", "ignore"], timeout: 20_000 });
  const path = join(folder, "sbin/init");
  return existsSync(path) ? [path] : "apt-get cannot download sysvinit-core (set NULLMODEM_SYSVINIT to its init)";
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

    /** The pppd that serves now: once it is there, and not the one that `not` was. */
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

    /** A client comes, and can reach the server. */
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
      // It is numbered as its own process name space has it.
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
