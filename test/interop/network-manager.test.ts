// NetworkManager with ours as /usr/sbin/pppd, beside a bus of its own: it brings up PPPoE to Debian's pppoe-server, and a
// modem of a ModemManager that is played.

import { existsSync } from "node:fs";
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { type Cable, openCable } from "../kit/cable.ts";
import { closeMachines, type Machine, machinesMissing, openMachine, type Result, tunMissing } from "../kit/machine.ts";
import { PATIENCE_MS, until } from "../kit/patience.ts";
import { built, Program } from "../kit/program.ts";
import { addStarters, startersMissing } from "../kit/starters.ts";
import { must, wire } from "../kit/wires.ts";
import { PATIENT, PATIENT_WORDS } from "./patient-options.ts";

setDefaultTimeout(4 * PATIENCE_MS);

const missing =
  machinesMissing() ??
  tunMissing() ??
  (Bun.which("dbus-daemon") === null ? "dbus-daemon is not installed" : undefined) ??
  startersMissing("sbin/NetworkManager", "bin/nmcli", "sbin/pppoe", "sbin/pppoe-server");

const ALLOWED = ["method_call", "method_return", "error", "signal"].flatMap((type) =>
  ["send_type", "receive_type"].map((side) => `<allow ${side}="${type}"/>`),
);
const BUS = `<busconfig><type>system</type><listen>unix:path=/run/bus</listen>
<policy context="default"><allow user="*"/><allow own="*"/>${ALLOWED.join("")}</policy></busconfig>\n`;
const CONFIG = `[main]
plugins=keyfile
auth-polkit=false
dns=none
no-auto-default=*
systemd-resolved=false
[logging]
level=INFO
domains=PPP:DEBUG,DEVICE
`;
const SERVER = `${PATIENT}auth\nrequire-chap\nname isp\nnoccp\nms-dns 10.67.15.53\nlcp-echo-interval 5\nlcp-echo-failure 12\n`;

let programs: Program[] = [];
let cable: Cable | undefined;
afterEach(async () => {
  for (const program of programs.reverse()) await program.stop();
  programs = [];
  await closeMachines();
  await cable?.close();
  cable = undefined;
});

/** A machine with a bus and NetworkManager. */
class Scene {
  readonly here: Machine;
  readonly manager: Program;
  readonly #bus = { DBUS_SYSTEM_BUS_ADDRESS: "unix:path=/run/bus" };

  private constructor(here: Machine) {
    this.here = here;
    this.start(here, "dbus-daemon", "--config-file=/etc/bus.conf", "--nofork", "--nopidfile");
    const script = "until [ -S /run/bus ]; do sleep 0.05; done; exec NetworkManager --debug --config=/etc/nm.conf";
    this.manager = this.start(here, "sh", "-c", script);
  }

  static async open(here: Machine): Promise<Scene> {
    // Where it may not write there, NetworkManager does not wait for udev.
    await must(here, "mount -o remount,ro /sys 2>/dev/null || :; mkdir -p /run/NetworkManager");
    return new Scene(here);
  }

  start(machine: Machine, ...argv: readonly string[]): Program {
    const program = new Program(argv, { machine, env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", ...this.#bus } });
    programs.push(program);
    return program;
  }

  nmcli(...words: readonly string[]): Promise<Result> {
    return this.here.run("env", `DBUS_SYSTEM_BUS_ADDRESS=${this.#bus.DBUS_SYSTEM_BUS_ADDRESS}`, "nmcli", ...words);
  }

  /** Resolves when NetworkManager has this device. */
  hasDevice(line: string): Promise<void> {
    return until(`NetworkManager has ${line}`, async () => (await this.nmcli("-t", "device")).stdout.includes(line));
  }

  async shown(field: string): Promise<string> {
    return (await this.nmcli("-g", field, "connection", "show", "isp")).stdout.trim();
  }

  add(...words: readonly string[]): Promise<Result> {
    return this.nmcli("connection", "add", "con-name", "isp", "autoconnect", "no", ...words);
  }

  get isRunningPppd(): boolean {
    return this.here.processes().some(({ command }) => command.includes("pppd"));
  }
}

const HERE = { "/etc/nm.conf": CONFIG, "/etc/bus.conf": BUS, "/etc/ppp/options": PATIENT };
const SECRETS = 'zaphod * "garg leBlaster" *\n';

/** A machine with NetworkManager, and an Internet provider on its Ethernet. */
async function openDsl(): Promise<{ scene: Scene; isp: Machine }> {
  const [here, isp] = await Promise.all([
    openMachine("here", { files: HERE }),
    openMachine("isp", { files: { "/etc/ppp/isp": SERVER, "/etc/ppp/chap-secrets": SECRETS } }),
  ]);
  await Promise.all([addStarters(here), addStarters(isp)]);
  await wire(here, isp);
  await must(here, "ip link set isp up");
  await must(isp, "ip link set here up");
  const scene = await Scene.open(here);
  const addresses = ["-L", "10.67.15.1", "-R", "10.67.15.2"];
  scene.start(isp, "pppoe-server", "-F", "-I", "here", "-S", "fast", "-O", "/etc/ppp/isp", ...addresses);
  await scene.hasDevice("isp:ethernet:disconnected");
  return { scene, isp };
}

const DSL = ["type", "pppoe", "ifname", "dsl0", "pppoe.parent", "isp", "service", "fast", "username", "zaphod"];

const named = (name: string): string => `${name}${missing === undefined ? "" : ` [skipped: ${missing}]`}`;

test.skipIf(missing !== undefined)(named("a PPPoE connection comes up, carries packets, and goes down"), async () => {
  const { scene, isp } = await openDsl();
  const { here, manager } = scene;
  expect((await scene.add(...DSL, "password", "garg leBlaster")).status).toBe(0);
  const up = await scene.nmcli("connection", "up", "isp");
  expect([up.stderr, up.status]).toEqual(["", 0]);
  expect(await scene.shown("IP4.ADDRESS")).toBe("10.67.15.2/32");
  expect(await scene.shown("IP4.GATEWAY")).toBe("10.67.15.1");
  expect(await scene.shown("IP4.DNS")).toMatch(/^10\.67\.15\.53/);
  expect((await scene.nmcli("-t", "device")).stdout).toContain("dsl0:ppp:connected:isp\n");
  // NetworkManager has renamed the interface, and ours has noticed.
  expect(here.interfaces().sort()).toEqual(["dsl0", "isp"]);
  await manager.waitFor("nm-ppp-plugin: interface name changed from 'ppp0' to 'dsl0'");
  expect((await here.run("ping", "-c", "3", "-w", "60", "10.67.15.1")).status).toBe(0);
  expect((await here.run("ip", "route", "show", "default")).stdout).toContain("dev dsl0 proto static");
  expect((await scene.nmcli("connection", "down", "isp")).status).toBe(0);
  await until("pppd and its interface are gone", () => !scene.isRunningPppd && here.interfaces().length === 1);
  await manager.waitFor("nm-ppp-plugin: status 0 / phase 'dead'");
  await until("the provider's end is gone", () => isp.interfaces().length === 1);
  expect(manager.text).not.toContain("Blaster");
});

test.skipIf(missing !== undefined)(
  named("NetworkManager asks its agent for the password, and says that a wrong one is wrong"),
  async () => {
    const { scene } = await openDsl();
    const { here, manager } = scene;
    // The password is not saved: whoever brings the connection up is asked.
    expect((await scene.add(...DSL, "pppoe.password-flags", "2")).status).toBe(0);
    const up = async (password: string): Promise<Result> => {
      const answers = ["username:zaphod", "service:fast", `password:${password}`].map((each) => `'pppoe.${each}'`);
      await must(here, `printf '%s\\n' ${answers.join(" ")} >/run/passwords`);
      return await scene.nmcli("connection", "up", "isp", "passwd-file", "/run/passwords");
    };
    expect((await up("wrong")).status).not.toBe(0);
    await manager.waitFor(/pppd pid \d+ exited with error 19: Authentication error/);
    await until("the first pppd is gone", () => !scene.isRunningPppd);
    expect(await up("garg leBlaster")).toMatchObject({ status: 0, stderr: "" });
    expect(here.interfaces().sort()).toEqual(["dsl0", "isp"]);
    expect(manager.text).not.toMatch(/Blaster|wrong/);
  },
);

const PYTHON = "/usr/bin/python3";
const MODEM = join(import.meta.dir, "../../fixtures/network-manager/modem.py");
const hasPython = Bun.spawnSync(["sh", "-c", `${PYTHON} -c 'import dbus, gi' 2>/dev/null`]).exitCode === 0;
const why = missing ?? (hasPython ? undefined : "python3-dbus or python3-gi is not installed");

test.skipIf(why !== undefined)(
  `a modem's serial port, which ModemManager has dialled on${why === undefined ? "" : ` [skipped: ${why}]`}`,
  async () => {
    cable = await openCable({ baud: 115200 });
    const [here, isp] = await Promise.all([
      openMachine("here", { ttys: { ttyS0: cable.a }, files: HERE }),
      openMachine("isp", { ttys: { ttyS1: cable.b }, files: { "/etc/ppp/chap-secrets": SECRETS } }),
    ]);
    await addStarters(here);
    const scene = await Scene.open(here);
    const { manager } = scene;
    const words = [
      "/dev/ttyS1",
      "115200",
      "local",
      "nodetach",
      "silent",
      "auth",
      "require-chap",
      "name",
      "isp",
      "noccp",
    ];
    const port = scene.start(isp, built("pppd"), ...words, ...PATIENT_WORDS, "10.67.15.1:10.67.15.2");
    await until("there is a bus", () => existsSync(here.path("/run/bus")));
    const modem = scene.start(here, PYTHON, MODEM, "ttyS0");
    await scene.hasDevice("ttyS0:cdma:disconnected");
    const account = ["cdma.number", "#777", "cdma.username", "zaphod", "cdma.password", "garg leBlaster"];
    expect((await scene.add("type", "cdma", "ifname", "ttyS0", ...account)).status).toBe(0);
    expect(await scene.nmcli("connection", "up", "isp")).toMatchObject({ status: 0, stderr: "" });
    expect(await scene.shown("IP4.ADDRESS")).toBe("10.67.15.2/32");
    expect(here.interfaces()).toEqual(["ppp0"]);
    expect((await here.run("ping", "-c", "2", "-w", "60", "10.67.15.1")).status).toBe(0);
    expect((await scene.nmcli("connection", "down", "isp")).status).toBe(0);
    await modem.waitFor("disconnect");
    await port.waitFor("LCP terminated by peer");
    await until("pppd and its interface are gone", () => !scene.isRunningPppd && here.interfaces().length === 0);
    expect(manager.text).not.toContain("Blaster");
  },
);
