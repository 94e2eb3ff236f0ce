// The peer's name servers and the programs that manage them on a system. Scripts with the names of these programs
// record their arguments and keep a state as the real ones do.

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { closeMachines, machinesMissing, tunMissing } from "../kit/machine.ts";
import { type End, type Laplink, LinkPool, type Run } from "../kit/end.ts";

/** The time limit includes waiting for a link. */
setDefaultTimeout(300_000);
const skip = machinesMissing() ?? tunMissing();
const pool = new LinkPool("ours", "ours", 2);
afterAll(async () => {
  await pool.close();
  await closeMachines();
});

const RECORDS = "/run/resolvconf/interface";
const TOLD = "/run/told";

const RESOLVCONF = `#!/bin/sh
mkdir -p ${RECORDS}
echo "$*" >>${TOLD}
case $1 in
  -a) tee ${RECORDS}/$2 >>${TOLD} ;;
  -d) rm -f ${RECORDS}/$2 ;;
esac
`;
/** "dns LINK" prints what "dns LINK SERVER..." set. */
const RESOLVECTL = `#!/bin/sh
echo "$*" >>${TOLD}
link=$2; shift 2
[ $# = 0 ] || echo "$*" >/run/systemd/resolve/$link
echo "Link 5 ($link): $(cat /run/systemd/resolve/$link 2>/dev/null)"
`;

const SERVER =
  "pppd /dev/ttyS1 115200 local -detach noauth 10.0.0.1:10.0.0.2 ms-dns 10.0.0.53 ms-dns 10.0.0.54 noccp noipv6";
const CLIENT = "PATH=/run/fake:$PATH pppd /dev/ttyS0 115200 local -detach noauth usepeerdns noccp noipv6";
const UP = /^remote IP address/;

/** A test on a link of its own. It fails if something of it remains. */
function on(name: string, programs: Record<string, string>, play: (link: Laplink) => Promise<void>): void {
  test.concurrent.skipIf(skip !== undefined)(skip === undefined ? name : `${name} [skipped: ${skip}]`, () =>
    pool.use(async (link) => {
      await link.server.install({ options: "" });
      await link.client.install({ options: "", ...programs });
      await link.client.run(
        `rm -rf /run/fake /run/resolvconf /run/systemd ${TOLD}; mkdir /run/fake; mv /etc/ppp/resolv* /run/fake; ` +
          "! [ -e /run/fake/resolvectl ] || mkdir -p /run/systemd/resolve",
      );
      try {
        await play(link);
        expect([await link.server.traces(), await link.client.traces()]).toEqual([[], []]);
      } finally {
        await link.server.reset();
        await link.client.reset();
      }
    }),
  );
}

async function bringUp(link: Laplink, words = ""): Promise<{ server: Run; client: Run }> {
  const server = await link.server.start(SERVER);
  await server.waitFor("Connect: ");
  const client = await link.client.start(`${CLIENT} ${words}`);
  await Promise.all([server.waitFor(UP), client.waitFor(UP)]);
  return { server, client };
}

async function finish(link: Laplink, { server, client }: { server: Run; client: Run }): Promise<void> {
  await link.client.run("kill -TERM $(head -n1 /var/run/ppp0.pid)");
  expect([await client.exit(), await server.exit()]).toEqual([5, 16]);
}

async function told(end: End): Promise<string[]> {
  return (await end.run(`cat ${TOLD} 2>/dev/null; :`)).stdout.split("\n").slice(0, -1);
}

const SAID = "Told resolvconf of the name servers";
const BOTH = ["nameserver 10.0.0.53", "nameserver 10.0.0.54"];

on("resolvconf is told while the link is up", { resolvconf: RESOLVCONF }, async (link) => {
  const runs = await bringUp(link);
  await runs.client.waitFor(SAID);
  expect(await told(link.client)).toEqual(["-a ppp0", ...BOTH]);
  await finish(link, runs);
  expect(await told(link.client)).toEqual(["-a ppp0", ...BOTH, "-d ppp0"]);
});

const HOOK = `#!/bin/sh
sleep 0.3; /bin/mkdir -p ${RECORDS}; echo nameserver 10.0.0.53 >${RECORDS}/ppp0.hook; : >/run/hooked
`;

on("what a hook has told resolvconf is the hook's affair", { resolvconf: RESOLVCONF, "ip-up": HOOK }, async (link) => {
  const runs = await bringUp(link);
  await link.client.run("until [ -e /run/hooked ]; do sleep 0.05; done; rm /run/hooked");
  await finish(link, runs);
  expect(await told(link.client)).toEqual([]);
});

on("with noresolvconf nobody is told", { resolvconf: RESOLVCONF }, async (link) => {
  await finish(link, await bringUp(link, "noresolvconf"));
  expect(await told(link.client)).toEqual([]);
});

on(
  "what a session that was killed told resolvconf, the next one takes back",
  { resolvconf: RESOLVCONF },
  async (link) => {
    const { server, client } = await bringUp(link);
    await client.waitFor(SAID);
    await link.client.run("kill -KILL $(head -n1 /var/run/ppp0.pid)");
    await client.exit();
    await link.server.run("kill -TERM $(head -n1 /var/run/ppp0.pid)");
    await server.exit();
    expect((await link.client.run(`ls ${RECORDS}`)).stdout).toBe("ppp0\n");
    const next = await link.client.start(`${CLIENT} connect 'exit 1'`);
    expect(await next.exit()).toBe(8);
    expect((await link.client.run(`ls ${RECORDS}`)).stdout).toBe("");
    await link.client.run("rm /var/run/ppp0.pid /var/run/nullmodem-ppp0.stats");
  },
);

on("systemd-resolved is told, and forgets with the interface", { resolvectl: RESOLVECTL }, async (link) => {
  const runs = await bringUp(link);
  await runs.client.waitFor("Told systemd-resolved of the name servers");
  await finish(link, runs);
  expect(await told(link.client)).toEqual(["dns ppp0", "dns ppp0 10.0.0.53 10.0.0.54"]);
});

on(
  "systemd-resolved that knows name servers of the link is left alone",
  { resolvectl: RESOLVECTL, resolvconf: RESOLVCONF, "ip-up": "#!/bin/sh\necho 10.0.0.9 >/run/systemd/resolve/ppp0\n" },
  async (link) => {
    const runs = await bringUp(link);
    await link.client.run(`until [ -s ${TOLD} ]; do sleep 0.05; done`);
    await finish(link, runs);
    expect(await told(link.client)).toEqual(["dns ppp0"]);
  },
);
