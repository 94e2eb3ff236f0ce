// `share` by the kernel, in whole programs: the sharing pppd is killed, and `nullmodem cleanup` takes back what it has left.

import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { closeMachines, machinesMissing, openMachine, tunMissing } from "../kit/machine.ts";
import { PATIENCE_MS, until } from "../kit/patience.ts";
import { built, Program } from "../kit/program.ts";
import { missingPrograms } from "../kit/three-networks.ts";
import { PATIENT } from "./patient-options.ts";

setDefaultTimeout(5 * PATIENCE_MS);

let programs: Program[] = [];
afterEach(async () => {
  await Promise.all(programs.map((program) => program.stop()));
  programs = [];
  await closeMachines();
});

const why = machinesMissing() ?? tunMissing() ?? missingPrograms("nft");

test.skipIf(why !== undefined)(
  `cleanup takes back what a killed pppd has shared${why === undefined ? "" : ` [skipped: ${why}]`}`,
  async () => {
    const options = { files: { "/etc/ppp/options": PATIENT } };
    const [near, far] = await Promise.all([openMachine("near", options), openMachine("far", options)]);
    // An administrator has hardened it, and the kernel forgets that when forwarding goes off.
    const redirects = "/proc/sys/net/ipv4/conf/all/accept_redirects";
    await near.run("sh", "-c", `echo 0 > ${redirects}`);
    const words = ["notty", "noauth", "share", "noipv6", "10.0.0.1:10.0.0.2", "logfile", "/var/log/near"];
    const server = near.argv([built("pppd"), ...words]).map((word) => `'${word}'`);
    const client = new Program(
      [built("pppd"), "nodetach", "noauth", "noipv6", "nodefaultroute", "pty", server.join(" ")],
      { machine: far },
    );
    programs.push(client);
    await client.waitFor("remote IP address 10.0.0.1");
    const tables = async (): Promise<string> => (await near.run("nft", "list", "tables")).stdout;
    const forwarding = async (): Promise<string> =>
      (await near.run("cat", "/proc/sys/net/ipv4/ip_forward")).stdout.trim();
    await until("the rules are there", async () => (await tables()).includes("table ip nullmodem-"));
    expect(await forwarding()).toBe("1");

    const pppd = near.processes().find(({ command }) => command.includes("notty"))!;
    process.kill(pppd.pid, "SIGKILL");
    await until("it is gone", () => !near.interfaces().includes("ppp0"));
    expect([await tables(), await forwarding()]).toEqual([expect.stringContaining("nullmodem-"), "1"]);
    const cleanup = await near.run(built("nullmodem"), "cleanup");
    expect([cleanup.status, await tables(), await forwarding()]).toEqual([0, "", "0"]);
    expect((await near.run("cat", redirects)).stdout).toBe("0\n");
    expect(cleanup.stdout).toContain("Removed /var/run/ppp0.pid of a killed pppd\n");
    expect(cleanup.stderr + cleanup.stdout).toMatch(/Removed .* nullmodem-\d+ of a killed pppd/);
  },
);
