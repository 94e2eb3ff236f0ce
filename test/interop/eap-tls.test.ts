// EAP-TLS with the real pppds in both roles, in both versions of TLS, and the keys that it produces for MPPE.

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { Authority, certsMissing } from "../kit/certs.ts";
import { type Kind, type Laplink, laplinkMissing, LinkPool, REALS, type Run } from "../kit/end.ts";
import { closeMachines } from "../kit/machine.ts";
import { PATIENT } from "./patient-options.ts";

/** The time limit includes waiting for a link. */
setDefaultTimeout(200_000);

const pools = new Map<string, LinkPool>();
let made: Record<string, string> | undefined;
afterAll(async () => {
  await Promise.all([...pools.values()].map((pool) => pool.close()));
  await closeMachines();
});

/** The files of both sides in /etc/ppp. The keys are RSA's, so that messages are long enough for fragments. */
function files(): Record<string, string> {
  if (made !== undefined) return made;
  const authority = new Authority();
  const stranger = new Authority("Magrathea");
  authority.issue("zaphod", "/CN=zaphod", { key: "rsa:2048", extensions: "extendedKeyUsage=clientAuth" });
  authority.issue("srv", "/CN=srv", { key: "rsa:2048", extensions: "extendedKeyUsage=serverAuth" });
  stranger.issue("zaphod", "/CN=zaphod", { key: "rsa:2048" });
  const line = (cert: string, expected: string): string =>
    `zaphod srv ${cert} ${expected} /etc/ppp/ca.pem /etc/ppp/NAME.key *\n`;
  made = {
    options: `${PATIENT}lock\nlocal\nnodetach\ndebug\nnoipv6\n`,
    "ca.pem": authority.text("ca.pem"),
    "eaptls-server": line("-", "/etc/ppp/srv.pem").replace("NAME", "srv"),
    "eaptls-client": line("/etc/ppp/zaphod.pem", "-").replace("NAME", "zaphod"),
    ...Object.fromEntries(
      ["zaphod.pem", "zaphod.key", "srv.pem", "srv.key"].map((name) => [name, authority.text(name)]),
    ),
    "stranger.pem": stranger.text("zaphod.pem"),
    "stranger.key": stranger.text("zaphod.key"),
  };
  authority.remove();
  stranger.remove();
  return made;
}

function on(name: string, play: (link: Laplink, server: Kind) => Promise<void>): void {
  for (const real of REALS) {
    between(name, "ours", real, play);
    between(name, real, "ours", play);
  }
}

function between(name: string, server: Kind, client: Kind, play: (link: Laplink, server: Kind) => Promise<void>): void {
  const skip = laplinkMissing(server, client) ?? certsMissing();
  const whole = `${name}: ${server} serves ${client}`;
  test.concurrent.skipIf(skip !== undefined)(skip === undefined ? whole : `${whole} [skipped: ${skip}]`, () => {
    const pairing = `${server} ${client}`;
    const pool = pools.get(pairing) ?? new LinkPool(server, client, 1);
    pools.set(pairing, pool);
    return pool.use(async (link) => {
      await link.server.install(files());
      await link.client.install(files());
      await play(link, server);
      expect([await link.server.traces(), await link.client.traces()]).toEqual([[], []]);
    });
  });
}

const SERVER = "pppd /dev/ttyS1 115200 name srv auth require-eap 10.0.0.1:10.0.0.2";
const CLIENT = "pppd /dev/ttyS0 115200 noauth name zaphod";

async function start(link: Laplink, server: string, client: string): Promise<{ server: Run; client: Run }> {
  const first = await link.server.start(`${SERVER} ${server}`);
  await first.waitFor("Connect: ");
  return { server: first, client: await link.client.start(`${CLIENT} ${client}`) };
}

for (const version of ["1.2", "1.3"])
  on(`TLS ${version} proves each to the other, and packets go under its keys`, async (link) => {
    const options = `max-tls-version ${version} require-mppe-128 nodeflate nobsdcomp`;
    const { server, client } = await start(link, options, `${options} remotename srv need-peer-eap`);
    for (const run of [server, client]) {
      await run.waitFor(/^MPPE 128-bit stateless compression enabled/);
      await run.waitFor(/^remote IP address/);
    }
    expect((await link.client.run("ping -c 2 -w 5 10.0.0.1")).status).toBe(0);
    await link.client.run("kill -TERM $(head -n1 /var/run/ppp0.pid)");
    expect([await client.exit(), await server.exit()]).toEqual([5, 16]);
    expect([...server.lines, ...client.lines].join("\n")).not.toContain("PRIVATE KEY");
  });

on("with an MRU of 296 it goes in many fragments", async (link) => {
  const { server, client } = await start(link, "mru 296 mtu 296", "mru 296 mtu 296 remotename srv");
  for (const run of [server, client]) await run.waitFor(/^remote IP address/);
  expect(client.lines.filter((line) => /TLS -M/.test(line)).length).toBeGreaterThan(4);
  await link.client.run("kill -TERM $(head -n1 /var/run/ppp0.pid)");
  expect([await client.exit(), await server.exit()]).toEqual([5, 16]);
});

/** Both sides end the link at once, so the real one may report a hangup of the peer. */
async function bothEnd({ server, client }: { server: Run; client: Run }, ours: "server" | "client"): Promise<void> {
  const [first, second] = [await server.exit(), await client.exit()];
  expect([11, ...(ours === "server" ? [] : [16])]).toContain(first);
  expect([19, ...(ours === "client" ? [] : [16])]).toContain(second);
}

on("a client with somebody else's certificate is turned out", async (link, server) => {
  const stranger = "ca /etc/ppp/ca.pem cert /etc/ppp/stranger.pem key /etc/ppp/stranger.key";
  const runs = await start(link, "", `remotename srv ${stranger}`);
  await runs.client.waitFor(/^EAP: peer reports authentication failure/);
  await bothEnd(runs, server === "ours" ? "server" : "client");
});

on("a server that is not the one expected is left", async (link, server) => {
  const lines = files()["eaptls-client"]!.replace(" srv ", " marvin ");
  await link.client.install({ ...files(), "eaptls-client": lines });
  // 2.5.2 compares the names only on request, and has the two names in the wrong places.
  const isOther = link.client.kind === "2.5.2";
  const runs = await start(link, "", `remotename marvin${isOther ? " tls-verify-method name" : ""}`);
  const names = isOther ? "CN (marvin) != srv" : "CN (srv) != peer_name (marvin)";
  await runs.client.waitFor(`Certificate verification error: ${names}`);
  await bothEnd(runs, server === "ours" ? "server" : "client");
});
