// NetworkManager with ours as /usr/sbin/pppd: it brings up PPPoE to Debian's pppoe-server, beside a bus of its own.

import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { closeMachines, type Machine, machinesMissing, openMachine, type Result, tunMissing } from "../kit/machine.ts";
import { PATIENCE_MS, until } from "../kit/patience.ts";
import { Program } from "../kit/program.ts";
import { addStarters, startersMissing } from "../kit/starters.ts";
import { must, wire } from "../kit/wires.ts";
import { PATIENT } from "./patient-options.ts";

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
afterEach(async () => {
  for (const program of programs.reverse()) await program.stop();
  programs = [];
  await closeMachines();
});

/** NetworkManager in one machine, and an Internet provider in the other. */
class Scene {
  readonly here: Machine;
  readonly isp: Machine;
  readonly manager: Program;
  readonly #bus = { DBUS_SYSTEM_BUS_ADDRESS: "unix:path=/run/bus" };

  private constructor(here: Machine, isp: Machine) {
    this.here = here;
    this.isp = isp;
    const start = (machine: Machine, ...argv: readonly string[]): Program => {
      const program = new Program(argv, { machine, env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", ...this.#bus } });
      programs.push(program);
      return program;
    };
    start(here, "dbus-daemon", "--config-file=/etc/bus.conf", "--nofork", "--nopidfile");
    const addresses = ["-L", "10.67.15.1", "-R", "10.67.15.2"];
    start(isp, "pppoe-server", "-F", "-I", "here", "-S", "fast", "-O", "/etc/ppp/isp", ...addresses);
    this.manager = start(
      here,
      "sh",
      "-c",
      `until [ -S /run/bus ]; do sleep 0.05; done
exec NetworkManager --debug --config=/etc/nm.conf`,
    );
  }

  static async open(): Promise<Scene> {
    const [here, isp] = await Promise.all([
      openMachine("here", { files: { "/etc/nm.conf": CONFIG, "/etc/bus.conf": BUS, "/etc/ppp/options": PATIENT } }),
      openMachine("isp", {
        files: { "/etc/ppp/isp": SERVER, "/etc/ppp/chap-secrets": 'zaphod * "garg leBlaster" *\n' },
      }),
    ]);
    await Promise.all([addStarters(here), addStarters(isp)]);
    await wire(here, isp);
    // Where it may not write there, NetworkManager does not wait for udev.
    await must(here, "mount -o remount,ro /sys 2>/dev/null || :; mkdir -p /run/NetworkManager; ip link set isp up");
    await must(isp, "ip link set here up");
    const scene = new Scene(here, isp);
    await until("NetworkManager has the Ethernet interface", async () =>
      (await scene.nmcli("-t", "device")).stdout.includes("isp:ethernet:disconnected"),
    );
    return scene;
  }

  nmcli(...words: readonly string[]): Promise<Result> {
    return this.here.run("env", `DBUS_SYSTEM_BUS_ADDRESS=${this.#bus.DBUS_SYSTEM_BUS_ADDRESS}`, "nmcli", ...words);
  }

  add(...words: readonly string[]): Promise<Result> {
    const pppoe = ["ifname", "dsl0", "pppoe.parent", "isp", "service", "fast", "username", "zaphod"];
    return this.nmcli("connection", "add", "type", "pppoe", "con-name", "dsl", ...pppoe, "autoconnect", "no", ...words);
  }

  get isRunningPppd(): boolean {
    return this.here.processes().some(({ command }) => command.includes("pppd"));
  }
}

const named = (name: string): string => `${name}${missing === undefined ? "" : ` [skipped: ${missing}]`}`;

test.skipIf(missing !== undefined)(named("a PPPoE connection comes up, carries packets, and goes down"), async () => {
  const scene = await Scene.open();
  const { here, manager, isp } = scene;
  expect((await scene.add("password", "garg leBlaster")).status).toBe(0);
  const up = await scene.nmcli("connection", "up", "dsl");
  expect([up.stderr, up.status]).toEqual(["", 0]);
  const shown = (field: string): Promise<string> =>
    scene.nmcli("-g", field, "connection", "show", "dsl").then(({ stdout }) => stdout.trim());
  expect(await shown("IP4.ADDRESS")).toBe("10.67.15.2/32");
  expect(await shown("IP4.GATEWAY")).toBe("10.67.15.1");
  expect(await shown("IP4.DNS")).toMatch(/^10\.67\.15\.53/);
  expect((await scene.nmcli("-t", "device")).stdout).toContain("dsl0:ppp:connected:dsl\n");
  // NetworkManager has renamed the interface, and ours has noticed.
  expect(here.interfaces().sort()).toEqual(["dsl0", "isp"]);
  expect(manager.text).toContain("nm-ppp-plugin: interface name changed from 'ppp0' to 'dsl0'");
  expect((await here.run("ping", "-c", "3", "-w", "60", "10.67.15.1")).status).toBe(0);
  expect((await here.run("ip", "route", "show", "default")).stdout).toContain("dev dsl0 proto static");
  expect((await scene.nmcli("connection", "down", "dsl")).status).toBe(0);
  await until("pppd and its interface are gone", () => !scene.isRunningPppd && here.interfaces().length === 1);
  expect(manager.text).toContain("nm-ppp-plugin: status 0 / phase 'dead'");
  await until("the provider's end is gone", () => isp.interfaces().length === 1);
  expect(manager.text).not.toContain("Blaster");
});

test.skipIf(missing !== undefined)(
  named("NetworkManager asks its agent for the password, and says that a wrong one is wrong"),
  async () => {
    const scene = await Scene.open();
    const { here, manager } = scene;
    // The password is not saved: whoever brings the connection up is asked.
    expect((await scene.add("pppoe.password-flags", "2")).status).toBe(0);
    const up = async (password: string): Promise<Result> => {
      const answers = ["username:zaphod", "service:fast", `password:${password}`].map((each) => `'pppoe.${each}'`);
      await must(here, `printf '%s\\n' ${answers.join(" ")} >/run/passwords`);
      return await scene.nmcli("connection", "up", "dsl", "passwd-file", "/run/passwords");
    };
    expect((await up("wrong")).status).not.toBe(0);
    await manager.waitFor(/pppd pid \d+ exited with error 19: Authentication error/);
    await until("the first pppd is gone", () => !scene.isRunningPppd);
    expect(await up("garg leBlaster")).toMatchObject({ status: 0, stderr: "" });
    expect(here.interfaces().sort()).toEqual(["dsl0", "isp"]);
    expect(manager.text).not.toMatch(/Blaster|wrong/);
  },
);
