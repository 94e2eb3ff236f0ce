// User-mode networking: pppd as an ordinary user without capabilities and without a TUN carries the peer's traffic to a web
// server and a name server beyond it. The peer is our pppd with a TUN of its own.

import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { closeMachines, machinesMissing, openMachine, tunMissing } from "../kit/machine.ts";
import { PATIENCE_MS } from "../kit/patience.ts";
import { built, builtFor, Program } from "../kit/program.ts";

setDefaultTimeout(5 * PATIENCE_MS);

const OUTSIDE = "192.0.2.80";
/** What the peer says. The log of the other side has another address. */
const UP = "remote IP address 10.0.0.1";
const NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs", "--bounding-set=-all"];

let programs: Program[] = [];
afterEach(async () => {
  await Promise.all(programs.map((program) => program.stop()));
  programs = [];
  await closeMachines();
});

const why =
  machinesMissing() ??
  tunMissing() ??
  (["setpriv", "curl", "ping"].every((tool) => Bun.which(tool)) ? undefined : "setpriv, curl or ping is not installed");

test.skipIf(why !== undefined)(
  `usernet without rights fetches a page by its name${why === undefined ? "" : ` [skipped: ${why}]`}`,
  async () => {
    const [near, far] = await Promise.all([
      openMachine("near", { files: { "/etc/resolv.conf": `nameserver ${OUTSIDE}\n`, "/etc/ppp/options": "" } }),
      openMachine("far", { files: { "/etc/resolv.conf": "nameserver 10.0.0.1\n" } }),
    ]);
    await near.run("ip", "addr", "add", `${OUTSIDE}/32`, "dev", "lo");
    const outside = new Program([process.execPath, `${import.meta.dir}/../kit/outside.ts`, OUTSIDE], { machine: near });
    programs.push(outside);
    await outside.waitFor("ready");
    const server = near.argv([
      ...NOBODY,
      builtFor(near, "pppd"),
      "notty",
      "usernet",
      "noauth",
      "10.0.0.1:10.0.0.2",
      "noccp",
      "debug",
      "logfd",
      "2",
    ]);
    const client = new Program(
      [
        built("pppd"),
        ...[
          "nodetach",
          "noauth",
          "noipv6",
          "noccp",
          "nodefaultroute",
          "pty",
          server.map((word) => `'${word}'`).join(" "),
        ],
      ],
      { machine: far },
    );
    programs.push(client);
    await client.waitFor(UP);
    expect((await far.run("ip", "route", "add", "default", "dev", "ppp0")).status).toBe(0);
    const page = await far.run("curl", "-sS", "http://outside.test/");
    expect(page.stderr).toBe("");
    expect(page.stdout === "0123456789".repeat(100_000)).toBe(true);
    const ours = await far.run("ping", "-c", "2", "-w", "60", "-i", "0.01", "10.0.0.1");
    expect(ours.stdout).toMatch(/ ([2-9]|\d\d+) received/);
    // A port that nobody listens on, and an address that is never open.
    const refused = await far.run("curl", "-sS", `http://${OUTSIDE}:81/`);
    expect(refused.stderr).toMatch(/refused|Couldn't connect|Could not connect/);
    const denied = await far.run("curl", "-sS", "--max-time", "20", "http://169.254.169.254/");
    expect(denied.status).toBe(7);
    // No interface was made on the side without rights.
    expect(near.interfaces()).toEqual([]);
  },
);
