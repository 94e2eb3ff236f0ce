// Encryption with pppd 2.5.2, which has two faults: it asks for 40 bits although 128 are offered, and derives other
// keys from MS-CHAP version 1. The tests show the effects and our messages.

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { type Laplink, laplinkMissing, LinkPool, type Run } from "../kit/end.ts";
import { closeMachines } from "../kit/machine.ts";
import { PATIENT } from "./patient-options.ts";

/** The time limit includes waiting for a link. */
setDefaultTimeout(120_000);
const skip = laplinkMissing("2.5.2", "ours");
const pool = new LinkPool("2.5.2", "ours", 1);
afterAll(async () => {
  await pool.close();
  await closeMachines();
});

const FILES = {
  options: `${PATIENT}lock\nlocal\nnodetach\ndebug\nnoipv6\nnovj\nnodeflate\nnobsdcomp\n`,
  "chap-secrets": "zaphod srv gargleBlaster *\n",
};

/** The link comes up, `then` runs, and the client's user ends the link. */
async function session(authentication: string, mppe: string, then: (link: Laplink, client: Run) => Promise<void>) {
  await pool.use(async (link) => {
    for (const end of [link.server, link.client]) await end.install(FILES);
    const server = await link.server.start(
      `pppd /dev/ttyS1 115200 name srv auth ${authentication} ${mppe} 10.0.0.1:10.0.0.2`,
    );
    await server.waitFor("Connect: ");
    const client = await link.client.start(`pppd /dev/ttyS0 115200 name zaphod remotename srv noauth ${mppe}`);
    for (const run of [server, client]) await run.waitFor(/^remote IP address/);
    await then(link, client);
    await link.client.run("kill -TERM $(head -n1 /var/run/ppp0.pid)");
    expect([await client.exit(), await server.exit()]).toEqual([5, 16]);
  });
}

function on(name: string, act: () => Promise<void>): void {
  test.skipIf(skip !== undefined)(skip === undefined ? name : `${name} [skipped: ${skip}]`, act);
}

const ping = (link: Laplink, options: string) => link.client.run(`ping ${options} 10.0.0.1`);

on("require-mppe ends in 40 bits, with a word on it, and require-mppe-128 in 128", async () => {
  const weak = "MPPE with 40 bits only, for the peer wants no more; require-mppe-128 insists on 128";
  await session("require-mschap-v2", "require-mppe", async (link, client) => {
    await client.waitFor("MPPE 40-bit stateless compression enabled");
    await client.waitFor(weak);
    expect((await ping(link, "-c 2 -w 10")).status).toBe(0);
  });
  await session("require-mschap-v2", "require-mppe-128", async (link, client) => {
    await client.waitFor("MPPE 128-bit stateless compression enabled");
    expect((await ping(link, "-c 2 -w 10")).status).toBe(0);
    expect(client.lines).not.toContain(weak);
  });
});

on("with MS-CHAP's first version no packet passes, which is said with its remedy", () =>
  session("require-mschap", "require-mppe-128", async (link, client) => {
    await client.waitFor("MPPE 128-bit stateless compression enabled");
    expect((await ping(link, "-c 6 -i 0.2 -w 3")).stdout).toMatch(/ 0 (packets )?received/);
    await client.waitFor(
      "No encrypted packet can be read: the two ends have different keys; a pppd 2.5 has wrong ones after MS-CHAP, and MS-CHAPv2 helps",
    );
  }),
);
