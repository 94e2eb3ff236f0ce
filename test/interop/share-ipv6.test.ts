// `share` for IPv6 with real kernels: the laptop makes an address from our Router Advertisement and reaches the outside, which
// knows no way to it. Its name server is one that answers on the server's loopback only.

import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { closeMachines, type Machine, machinesMissing, openMachine, tunMissing } from "../kit/machine.ts";
import { PATIENCE_MS, until } from "../kit/patience.ts";
import { built, Program } from "../kit/program.ts";
import { missingPrograms } from "../kit/three-networks.ts";
import { PATIENT } from "./patient-options.ts";

setDefaultTimeout(3 * PATIENCE_MS);

const [SERVER_OUTSIDE, OUTSIDE] = ["2001:db8:1::1", "2001:db8:1::2"];

let programs: Program[] = [];
afterEach(async () => {
  await Promise.all(programs.map((program) => program.stop()));
  programs = [];
  await closeMachines();
});

const why = machinesMissing() ?? tunMissing() ?? missingPrograms("ip", "nft", "ping", "getent", "sysctl");

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

test.skipIf(why !== undefined)(
  `a laptop gets an IPv6 address and reaches the outside by NAT66${why === undefined ? "" : ` [skipped: ${why}]`}`,
  async () => {
    const [near, far, outside] = await Promise.all([
      openMachine("near", { files: { "/etc/resolv.conf": "nameserver 127.0.0.1\n" } }),
      openMachine("far", { files: { "/etc/resolv.conf": "nameserver 10.0.0.1\n" } }),
      openMachine("outside"),
    ]);
    await join(near, SERVER_OUTSIDE, outside, OUTSIDE);
    await succeed(near, "ip", "route", "add", "default", "via", OUTSIDE, "dev", "eth0");
    const before = await succeed(near, "sysctl", ...SETTINGS);
    const resolver = new Program([process.execPath, `${import.meta.dir}/../kit/outside.ts`, "127.0.0.1"], {
      machine: near,
    });
    programs.push(resolver);
    await resolver.waitFor("ready");
    const words = ["noauth", "noccp", ...PATIENT.trim().split(/\s/)];
    const server = near.argv([
      built("pppd"),
      "notty",
      "share",
      "10.0.0.1:10.0.0.2",
      "logfile",
      "/run/server.log",
      ...words,
    ]);
    const pty = server.map((word) => `'${word}'`).join(" ");
    const client = new Program([built("pppd"), "nodetach", "nodefaultroute", "usepeerdns", "pty", pty, ...words], {
      machine: far,
    });
    programs.push(client);
    await client.waitFor("primary   DNS address 10.0.0.1");

    // The first packet of a query comes to the relay, which asks the loopback.
    expect(await succeed(far, "getent", "ahostsv4", "outside.test")).toContain("127.0.0.1");
    const own = await found(far, /fd[0-9a-f:]+(?=\/64)/, "ip", "-6", "addr", "show", "dev", "ppp0", "scope", "global");
    await found(far, /^default .*proto ra/m, "ip", "-6", "route", "show", "dev", "ppp0");
    const network = own.split(":").slice(0, 3).join(":");
    expect(await succeed(far, "ping", "-6", "-c", "1", "-w", "30", `${network}::1`)).toContain(" 0% packet loss");
    expect(await succeed(far, "ping", "-6", "-c", "1", "-w", "30", OUTSIDE)).toContain(" 0% packet loss");
    expect(await succeed(near, "sysctl", "-n", ...SETTINGS)).toBe("1\n2\n");

    await client.stop();
    await found(near, /^$/, "nft", "list", "ruleset");
    await found(near, new RegExp(`^${before}$`), "sysctl", ...SETTINGS);
  },
);
