// `share` for IPv6 with real kernels: the laptop makes an address from our Router Advertisement and reaches the outside, which
// knows no way to it. Its name server is one that answers on the server's loopback only.

import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { openCable } from "../kit/cable.ts";
import { Lab, missing } from "../kit/lab.ts";
import { closeMachines, type Machine, machinesMissing, openMachine, tunMissing } from "../kit/machine.ts";
import { PATIENCE_MS, until } from "../kit/patience.ts";
import { built, Program } from "../kit/program.ts";
import { missingPrograms } from "../kit/three-networks.ts";
import { PATIENT_WORDS } from "./patient-options.ts";

setDefaultTimeout(5 * PATIENCE_MS);

const [SERVER_OUTSIDE, OUTSIDE] = ["2001:db8:1::1", "2001:db8:1::2"];

let programs: Program[] = [];
afterEach(async () => {
  await Promise.all(programs.map((program) => program.stop()));
  programs = [];
  await closeMachines();
});

const why = machinesMissing() ?? tunMissing() ?? missingPrograms("ip", "nft", "ping", "getent", "sysctl", "curl");

/** A cable of Ethernet between two machines. Both ends are called eth0. */
async function join(one: Machine, address: string, other: Machine, otherAddress: string): Promise<void> {
  const pid = other.argv([]).find((_, at, words) => words[at - 1] === "--target")!;
  await succeed(one, "ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", pid);
  for (const [machine, own] of [
    [one, address],
    [other, otherAddress],
  ] as const) {
    await succeed(machine, "ip", "link", "set", "eth0", "up");
    await succeed(machine, "ip", "addr", "add", `${own}/64`, "dev", "eth0", "nodad");
  }
}

async function succeed(machine: Machine, ...command: string[]): Promise<string> {
  const { status, stdout, stderr } = await machine.run(...command);
  expect([status, stderr]).toEqual([0, ""]);
  return stdout;
}

/** Waits until a command prints something like this. */
async function found(machine: Machine, pattern: RegExp, ...command: string[]): Promise<string> {
  let match: string | undefined;
  await until(`${command.join(" ")} prints ${pattern}`, async () => {
    [match] = pattern.exec((await machine.run(...command)).stdout) ?? [];
    return match !== undefined;
  });
  return match!;
}

const SETTINGS = ["all.forwarding", "eth0.accept_ra"].map((name) => `net.ipv6.conf.${name}`);

interface Scene {
  readonly near: Machine;
  readonly far: Machine;
  readonly client: Program;
  /** The laptop's own address. */
  readonly own: string;
}

/** A laptop on a cable to a server with an outside. The link is up, and the laptop has an IPv6 address and a route. */
async function sceneOf(word: string): Promise<Scene> {
  const [near, far, outside] = await Promise.all([
    openMachine("near", { files: { "/etc/resolv.conf": "nameserver 127.0.0.1\n" } }),
    openMachine("far", { files: { "/etc/resolv.conf": "nameserver 10.0.0.1\noptions timeout:30 attempts:5\n" } }),
    openMachine("outside"),
  ]);
  await join(near, SERVER_OUTSIDE, outside, OUTSIDE);
  await succeed(near, "ip", "route", "add", "default", "via", OUTSIDE, "dev", "eth0");
  for (const [machine, address] of [
    [near, "127.0.0.1"],
    [outside, OUTSIDE],
  ] as const) {
    const program = new Program([process.execPath, `${import.meta.dir}/../kit/outside.ts`, address], { machine });
    programs.push(program);
    await program.waitFor("ready");
  }
  const words = ["noauth", "noccp", ...PATIENT_WORDS];
  const server = near.argv([built("pppd"), "notty", word, "10.0.0.1:10.0.0.2", "logfile", LOG, ...words]);
  const pty = server.map((part) => `'${part}'`).join(" ");
  const argv = [built("pppd"), "nodetach", "nodefaultroute", "usepeerdns", "pty", pty, ...words];
  const client = new Program(argv, { machine: far });
  programs.push(client);
  await client.waitFor("primary   DNS address 10.0.0.1");
  const own = await found(far, /fd[0-9a-f:]+(?=\/64)/, "ip", "-6", "addr", "show", "dev", "ppp0", "scope", "global");
  await found(far, /^default .*proto ra/m, "ip", "-6", "route", "show", "dev", "ppp0");
  return { near, far, client, own };
}

const LOG = "/run/server.log";
const skipped = why === undefined ? "" : ` [skipped: ${why}]`;

/** The name server is on the server's loopback, and the page beyond it. */
async function expectInternet({ far, own }: Scene): Promise<void> {
  expect(await succeed(far, "getent", "ahostsv4", "outside.test")).toContain("127.0.0.1");
  const network = own.split(":").slice(0, 4).join(":");
  expect(await succeed(far, "ping", "-6", "-c", "1", "-w", "60", `${network}::1`)).toContain(" 0% packet loss");
  const page = await succeed(far, "curl", "-sS", `http://[${OUTSIDE}]/`);
  expect(page === "0123456789".repeat(100_000)).toBe(true);
}

test.skipIf(why !== undefined)(
  `a laptop makes an IPv6 address and reaches the outside by NAT66${skipped}`,
  async () => {
    const scene = await sceneOf("share");
    const { near, client } = scene;
    await expectInternet(scene);
    expect(await succeed(near, "sysctl", "-n", ...SETTINGS)).toBe("1\n2\n");
    await client.stop();
    await until("the server has ended", () => !near.processes().some(({ command }) => command.includes("notty")));
    const left = await succeed(near, "nft", "list", "ruleset");
    const settings = await succeed(near, "sysctl", "-n", ...SETTINGS);
    // The log is shown when something is left.
    expect([left, settings, await succeed(near, "cat", LOG)]).toEqual(["", "0\n1\n", expect.any(String)]);
  },
);

test.skipIf(why !== undefined)(`the same with sockets, and no interface at the server${skipped}`, async () => {
  const scene = await sceneOf("usernet");
  await expectInternet(scene);
  expect(scene.near.interfaces()).toEqual(["eth0"]);
});

const noLab = why ?? missing();

test.skipIf(noLab !== undefined)(
  `Debian's pppd and its kernel take the network, and reach the outside${noLab === undefined ? "" : ` [skipped: ${noLab}]`}`,
  async () => {
    const cable = await openCable();
    const [near, outside] = await Promise.all([
      openMachine("near", { ttys: { ttyS1: cable.b } }),
      openMachine("outside"),
    ]);
    await join(near, SERVER_OUTSIDE, outside, OUTSIDE);
    await succeed(near, "ip", "route", "add", "default", "via", OUTSIDE, "dev", "eth0");
    const words = ["noauth", "nodetach", "local", "noccp", "silent", "share", ...PATIENT_WORDS];
    programs.push(new Program([built("pppd"), "/dev/ttyS1", ...words, "10.0.0.1:10.0.0.2"], { machine: near }));
    const guest = await Lab.run({ attach: cable.a });
    try {
      await guest.start(`pppd /dev/ttyS1 nodetach noauth local noccp +ipv6 ${PATIENT_WORDS.join(" ")}`);
      const prints = (pattern: RegExp, command: string): Promise<void> =>
        until(`${command} prints ${pattern}`, async () => pattern.test((await guest.exec(command)).stdout));
      await prints(/inet6 fd[0-9a-f:]+\/64/, "ip -6 addr show dev ppp0");
      await prints(/^default via fe80:/m, "ip -6 route");
      expect((await guest.exec(`ping -6 -c 1 -w 60 ${OUTSIDE}`, 2 * PATIENCE_MS)).stdout).toContain(" 0% packet loss");
    } finally {
      await guest.stop();
      await cable.close();
    }
  },
);
