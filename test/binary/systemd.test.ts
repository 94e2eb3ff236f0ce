// A real systemd keeps our pppd on a line with the unit that `nullmodem service systemd` prints. It is not process 1
// (systemd --user), and runs in a machine of the test and its own control group.

import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { serviceText } from "../../src/commands/service-texts.ts";
import type { Program } from "../kit/program.ts";
import { missing, pppdPath, Scene, titled, until } from "./scene.ts";

setDefaultTimeout(30_000);
const SYSTEMD = "/lib/systemd/systemd";
const CGROUPS = "/sys/fs/cgroup";
const reason =
  missing ??
  (process.getuid?.() !== 0
    ? "needs root for control groups"
    : !existsSync(SYSTEMD) || Bun.which("systemctl") === null
      ? "no systemd here (Debian package systemd)"
      : !existsSync(`${CGROUPS}/systemd`)
        ? "no control groups of version 1 for it"
        : undefined);
const on = (name: string, play: () => Promise<void>): void =>
  test.skipIf(reason !== undefined)(titled(name, reason), play);

const GROUP = `nullmodem-test-${process.pid}`;
const TARGETS = ["basic", "default", "shutdown", "sockets", "timers", "paths", "sysinit"];
const OPTIONS = ["/dev/ttyS1", "115200", "local", "lock", "noauth", "10.0.0.1:10.0.0.2", "lcp-restart", "1"];
const UP = "up: 10.0.0.1 <-> 10.0.0.2";
const WAITING = "waiting for the peer";

/** Runs a command in its own control group, with the control groups that the machine's /sys does not have. */
const IN_GROUP = `set -e
mount -t tmpfs none ${CGROUPS}; mkdir ${CGROUPS}/systemd ${CGROUPS}/unified
mount -t cgroup -o none,name=systemd cgroup ${CGROUPS}/systemd
! mount -t cgroup2 cgroup2 ${CGROUPS}/unified || groups=${CGROUPS}/unified
for group in ${CGROUPS}/systemd $groups; do mkdir -p $group/${GROUP}; echo $$ >$group/${GROUP}/cgroup.procs; done
exec "$@"`;
const inGroup = (...command: readonly string[]): string[] => ["unshare", "-m", "sh", "-c", IN_GROUP, "sh", ...command];

interface State {
  readonly ActiveState: string;
  readonly StatusText: string;
  readonly MainPID: string;
  readonly NRestarts: string;
  readonly Result: string;
}

class Service {
  readonly scene: Scene;
  readonly #systemd: Program;

  constructor(scene: Scene, systemd: Program) {
    this.scene = scene;
    this.#systemd = systemd;
  }

  /** `change` changes the text of the unit. */
  static async open(change: (unit: string) => string): Promise<Service> {
    const place = { pppd: pppdPath(), busyboxInit: false, cronFolder: true };
    const unit = serviceText("systemd", { device: undefined, options: ["call", "cable"] }, place);
    const files: Record<string, string> = { "/etc/units/cable.service": change(unit) };
    for (const target of TARGETS) files[`/etc/units/${target}.target`] = "[Unit]\n";
    files["/etc/ppp/peers/cable"] = `${OPTIONS.join("\n")}\n`;
    const scene = await Scene.open(files);
    // It asks whether systemd booted the system.
    for (const folder of ["/run/user/0", "/run/systemd/system"])
      mkdirSync(scene.machine.path(folder), { recursive: true });
    const env = { XDG_RUNTIME_DIR: "/run/user/0", SYSTEMD_UNIT_PATH: "/etc/units" };
    const service = new Service(scene, scene.run(inGroup(SYSTEMD, "--user", "--log-target=console"), { env }));
    opened = service;
    await until("systemd listens", () => existsSync(scene.machine.path("/run/user/0/systemd/private")));
    await scene.remember();
    return service;
  }

  async ctl(...words: string[]): Promise<string> {
    const command = ["env", "XDG_RUNTIME_DIR=/run/user/0", "systemctl", "--user", ...words];
    const { status, stdout, stderr } = await this.scene.machine.run(...command);
    expect({ words, status, stderr }).toEqual({ words, status: 0, stderr: "" });
    return stdout;
  }

  async state(): Promise<State> {
    const names = ["ActiveState", "StatusText", "MainPID", "NRestarts", "Result"];
    const lines = (await this.ctl("show", "cable", "-p", names.join(","))).trim().split("\n");
    const said = new Map(lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
    const [ActiveState = "", StatusText = "", MainPID = "", NRestarts = "", Result = ""] = names.map((name) =>
      said.get(name),
    );
    return { ActiveState, StatusText, MainPID, NRestarts, Result };
  }

  /** Waits until the state is reached, then returns all of it. */
  async becomes(wanted: Partial<State>): Promise<State> {
    let state = await this.state();
    await until(`${JSON.stringify(wanted)} of the service`, async () => {
      state = await this.state();
      return Object.entries(wanted).every(([name, value]) => state[name as keyof State] === value);
    });
    return state;
  }

  async close(): Promise<void> {
    this.#systemd.kill("SIGKILL");
    await this.scene.close();
    for (const hierarchy of ["systemd", "unified"]) removeGroups(join(CGROUPS, hierarchy, GROUP));
  }
}

function removeGroups(path: string): void {
  if (!existsSync(path)) return;
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory()) removeGroups(join(path, entry.name));
  rmdirSync(path);
}

let opened: Service | undefined;
afterEach(async () => {
  await opened?.close();
  opened = undefined;
});

on("started when the line is open, its status what it does, again after each end, stopped in good order", async () => {
  const service = await Service.open((unit) => unit);
  const { far } = service.scene;
  await service.ctl("start", "cable");
  const first = await service.becomes({ ActiveState: "active", StatusText: WAITING });
  const peer = far.answer();
  await service.becomes({ StatusText: UP, NRestarts: "0" });
  peer.link.close("Enough", performance.now());
  const second = await service.becomes({ ActiveState: "active", NRestarts: "1", StatusText: WAITING });
  expect(second.MainPID).not.toBe(first.MainPID);
  far.answer();
  await service.becomes({ StatusText: UP });
  await service.ctl("stop", "cable");
  expect(await service.state()).toMatchObject({ ActiveState: "inactive", Result: "success" });
  expect(await service.scene.leftBehind()).toEqual([]);
});

const JOURNALD = "/lib/systemd/systemd-journald";

on("the journal has each line once, with its priority, and as of pppd", async () => {
  const service = await Service.open((unit) => unit.replace(" nodetach", " nodetach debug"));
  const { machine, far } = service.scene;
  const journald = service.scene.run(inGroup(JOURNALD));
  await until("journald listens", () => existsSync(machine.path("/run/systemd/journal/stdout")));
  far.answer();
  await service.ctl("start", "cable");
  await service.becomes({ StatusText: UP });
  await service.ctl("stop", "cable");
  journald.kill();
  await journald.exit();
  const { stdout } = await machine.run("journalctl", "-D", "/run/log/journal", "-o", "json", "-t", "pppd");
  const entries = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, string>);
  const said = entries.map(({ PRIORITY, SYSLOG_FACILITY, MESSAGE }) => `${SYSLOG_FACILITY}.${PRIORITY} ${MESSAGE}`);
  for (const line of ["18.5 Connect: ppp0 <--> /dev/ttyS1", "18.6 Terminating on signal 15", "18.6 Exit."])
    expect(said.filter((text) => text === line)).toEqual([line]);
  expect(said).toContainEqual(expect.stringMatching(/^18\.7 sent \[LCP ConfReq /));
});

on("one that hangs is killed and started again; the lock it left is no obstacle", async () => {
  const service = await Service.open((unit) =>
    unit
      .replace(/^WatchdogSec=.*$/m, "WatchdogSec=1\nLimitCORE=0")
      .replace("StandardOutput=journal", "StandardOutput=null"),
  );
  service.scene.far.answer();
  await service.ctl("start", "cable");
  const hung = await service.becomes({ StatusText: UP });
  process.kill(Number(hung.MainPID), "SIGSTOP");
  service.scene.far.answer();
  const next = await service.becomes({ NRestarts: "1", StatusText: UP });
  expect(next.MainPID).not.toBe(hung.MainPID);
  await service.ctl("stop", "cable");
});

on("one that would go into the background stays", async () => {
  const service = await Service.open((unit) => unit.replace(/^(ExecStart=.*) nodetach$/m, "$1"));
  service.scene.far.answer();
  await service.ctl("start", "cable");
  const { MainPID } = await service.becomes({ StatusText: UP, ActiveState: "active", NRestarts: "0" });
  expect(readFileSync(service.scene.machine.path("/run/ppp0.pid"), "utf8")).toBe(`${MainPID}\n`);
  await service.ctl("stop", "cable");
  expect(await service.state()).toMatchObject({ ActiveState: "inactive", Result: "success" });
  expect(await service.scene.leftBehind()).toEqual([]);
});
