// The actions of pppd around a link, with ours on both sides: scripts, background, limits, persist, routes, name
// servers, records. Nothing of it may remain after the link.

import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closeMachines, machinesMissing, tunMissing } from "../kit/machine.ts";
import { type End, filesIn, type Laplink, LinkPool, OurEnd, type Run, type Side, SIDES } from "../kit/end.ts";
import { PATIENT } from "./patient-options.ts";

/** The time limit includes waiting for a link. */
setDefaultTimeout(300_000);
const skip = machinesMissing() ?? tunMissing();
const pool = new LinkPool("ours", "ours", 3);
afterAll(async () => {
  await pool.close();
  await closeMachines();
});

/** A test on a link of its own. It fails if something of it remains. */
function on(name: string, play: (link: Laplink) => Promise<void>): void {
  test.concurrent.skipIf(skip !== undefined)(skip === undefined ? name : `${name} [skipped: ${skip}]`, () =>
    pool.use(async (link) => {
      await link.server.install(PLAIN);
      await link.client.install(PLAIN);
      await play(link);
      expect([await link.server.traces(), await link.client.traces()]).toEqual([[], []]);
    }),
  );
}

const PLAIN = { options: `lock\nnoauth\n${PATIENT}` };
const SERVER = "pppd /dev/ttyS1 115200 local -detach 10.0.0.1:10.0.0.2 noccp noipv6";
const CLIENT = "pppd /dev/ttyS0 115200 local -detach noccp noipv6";
const UP = /^remote IP address/;

interface Runs {
  server: Run;
  client: Run;
}

/** Starts both sides, the server first. Resolves when the link is up. */
async function bringUp(link: Laplink, server: string = SERVER, client: string = CLIENT): Promise<Runs> {
  const runs = await startBoth(link, server, client);
  await Promise.all([runs.server.waitFor(UP), runs.client.waitFor(UP)]);
  return runs;
}

async function startBoth(link: Laplink, server: string = SERVER, client: string = CLIENT): Promise<Runs> {
  const first = await link.server.start(server);
  await first.waitFor("Connect: ");
  return { server: first, client: await link.client.start(client) };
}

async function signal(end: End, name: string, ifname = "ppp0"): Promise<void> {
  expect((await end.run(`kill -${name} $(head -n1 /var/run/${ifname}.pid)`)).status).toBe(0);
}

/** Ends the link from the client's side and returns both exit codes. */
async function finish(link: Laplink, { server, client }: Runs): Promise<void> {
  await signal(link.client, "TERM");
  expect([await client.exit(), await server.exit()]).toEqual([5, 16]);
}

async function says(end: End, command: string): Promise<string> {
  return (await end.run(command)).stdout;
}

/** Waits until a shell command on that side succeeds. */
async function until(end: End, command: string): Promise<void> {
  const { status } = await end.run(`for try in $(seq 200); do ${command} && exit 0; sleep 0.05; done; exit 1`);
  if (status !== 0) throw new Error(`it never came to this: ${command}`);
}

// ── scripts ────────────────────────────────────────────────────────────────────────────────────────────────────────

const PROBE = `#!/bin/sh
{ echo "$*"; env | grep -vE '^(PWD|SHLVL|_)=' | sort; } >/run/saw.tmp.$$
mv /run/saw.tmp.$$ /run/saw-$(basename $0)
`;
const HOOKS = ["auth-up", "auth-down", "ip-pre-up", "ip-up", "ip-down", "net-init", "net-pre-up", "net-down"];
HOOKS.push("ipv6-up", "ipv6-down");
const PROBES = Object.fromEntries(HOOKS.map((name) => [name, PROBE]));

type Saw = { args: string; env: Record<string, string> };

function sawIn(end: End): Record<string, Saw> {
  const run = (end as OurEnd).machine.path("/run");
  const names = readdirSync(run).filter((name) => name.startsWith("saw-"));
  return Object.fromEntries(
    names.map((name) => {
      const [args = "", ...lines] = readFileSync(join(run, name), "utf8").trimEnd().split("\n");
      rmSync(join(run, name));
      const env = lines.map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]);
      return [name.slice("saw-".length), { args, env: Object.fromEntries(env) }];
    }),
  );
}

on("scripts get the arguments and the environment of the real pppd", async (link) => {
  for (const side of ["server", "client"] as const)
    await link[side].install({ ...filesIn(SIDES[side].etc), ...PROBES });
  const runs = await bringUp(
    link,
    "pppd /dev/ttyS1 -detach ipparam hello ms-dns 192.168.0.53 lcp-restart 1 ipv6 ::1,::2",
    "pppd /dev/ttyS0 -detach usepeerdns linkname lap",
  );
  const pids = [await says(link.server, "head -n1 /run/ppp0.pid"), await says(link.client, "head -n1 /run/ppp0.pid")];
  for (const end of [link.server, link.client]) await until(end, "[ -e /run/saw-ip-up ]");
  await finish(link, runs);

  // PATH is left out: the one in the lab's transcript is busybox's.
  const common = {
    IFNAME: "ppp0",
    ORIG_UID: "0",
    PPPLOGNAME: "root",
    SPEED: "115200",
    UNIT: "0",
  };
  const counts = {
    CONNECT_TIME: expect.stringMatching(/^\d+$/),
    BYTES_SENT: expect.stringMatching(/^\d+$/),
    BYTES_RCVD: expect.stringMatching(/^\d+$/),
  };
  const server = { ...common, DEVICE: "/dev/ttyS1", PPPD_PID: pids[0]!.trim() };
  const known = { ...server, PEERNAME: "zaphod" };
  const [ll1, ll2] = ["fe80::0000:0000:0000:0001", "fe80::0000:0000:0000:0002"];
  const serverLl = { ...known, LLLOCAL: ll1, LLREMOTE: ll2 };
  const serverIp = { ...known, IPLOCAL: "192.168.0.1", IPREMOTE: "192.168.1.1" };
  const serverUp = { ...serverIp, ...serverLl };
  const net = "ppp0 /dev/ttyS1 115200 hello";
  const ip = "ppp0 /dev/ttyS1 115200 192.168.0.1 192.168.1.1 hello";
  // 2.5 gives ipparam to auth-up and auth-down too, 2.4.9 does not.
  const auth = "ppp0 zaphod root /dev/ttyS1 115200 hello";
  const serverSaw = sawIn(link.server);
  expect(serverSaw["auth-down"]!.env).toMatchObject(known);
  delete serverSaw["auth-down"];
  expect(serverSaw).toEqual({
    "net-init": { args: net, env: server },
    "auth-up": { args: auth, env: known },
    "net-pre-up": { args: net, env: known },
    // IPCP and IPv6CP come up in either order, and only the second one's script knows the values of the first.
    "ip-pre-up": { args: ip, env: expect.objectContaining(serverIp) },
    "ip-up": { args: ip, env: expect.objectContaining(serverIp) },
    "ip-down": { args: ip, env: { ...serverUp, ...counts } },
    "ipv6-up": { args: `ppp0 /dev/ttyS1 115200 ${ll1} ${ll2} hello`, env: expect.objectContaining(serverLl) },
    "ipv6-down": { args: `ppp0 /dev/ttyS1 115200 ${ll1} ${ll2} hello`, env: { ...serverUp, ...counts } },
    "net-down": { args: net, env: { ...serverUp, ...counts } },
  });

  const client = { ...common, DEVICE: "/dev/ttyS0", LINKNAME: "lap", PPPD_PID: pids[1]!.trim() };
  const clientUp4 = {
    ...client,
    IPLOCAL: "192.168.1.1",
    IPREMOTE: "192.168.0.1",
    DNS1: "192.168.0.53",
    DNS2: "192.168.0.53",
    USEPEERDNS: "1",
  };
  const clientUp = { ...clientUp4, LLLOCAL: ll2, LLREMOTE: ll1 };
  const clientIp = "ppp0 /dev/ttyS0 115200 192.168.1.1 192.168.0.1";
  expect(sawIn(link.client)).toEqual({
    "net-init": { args: "ppp0 /dev/ttyS0 115200", env: client },
    "net-pre-up": { args: "ppp0 /dev/ttyS0 115200", env: client },
    "ip-pre-up": { args: clientIp, env: expect.objectContaining(clientUp4) },
    "ip-up": { args: clientIp, env: expect.objectContaining(clientUp4) },
    "ip-down": { args: clientIp, env: { ...clientUp, ...counts } },
    "ipv6-up": {
      args: `ppp0 /dev/ttyS0 115200 ${ll2} ${ll1}`,
      env: expect.objectContaining({ ...client, LLLOCAL: ll2, LLREMOTE: ll1 }),
    },
    "ipv6-down": { args: `ppp0 /dev/ttyS0 115200 ${ll2} ${ll1}`, env: { ...clientUp, ...counts } },
    "net-down": { args: "ppp0 /dev/ttyS0 115200", env: { ...clientUp, ...counts } },
  });
});

on("ip-down waits for a slow ip-up, and pppd waits for both", async (link) => {
  const slow = "#!/bin/sh\nsleep 0.7; echo up >>/run/order\n";
  await link.client.install({
    ...PLAIN,
    "ip-up": slow,
    "ip-down": "#!/bin/sh\necho down $1 ${IFNAME-without IFNAME} >>/run/order\n",
  });
  const runs = await bringUp(link);
  await finish(link, runs);
  // A script of the real pppd that starts this late has the same: the link is gone, and its name is no longer in the
  // environment.
  expect(await says(link.client, "cat /run/order; rm /run/order")).toBe("up\ndown ppp0 without IFNAME\n");
});

on("a script others may write to is not run, and that is said", async (link) => {
  await link.client.install({ ...PLAIN, "ip-up": "#!/bin/sh\necho up >/run/ran\n" });
  await link.client.run("chmod 777 /etc/ppp/ip-up");
  const runs = await bringUp(link);
  await finish(link, runs);
  expect(await says(link.client, "ls /run/ran 2>/dev/null")).toBe("");
  expect(runs.client.lines.some((line) => line.startsWith("Can't execute /etc/ppp/ip-up"))).toBe(true);
});

// ── the background ─────────────────────────────────────────────────────────────────────────────────────────────────

const BACKGROUND = CLIENT.replace(" -detach", "");

on("updetach: the parent leaves when the link is up; linkname has its file", async (link) => {
  const { server, client } = await startBoth(link, SERVER, `${BACKGROUND} updetach linkname lap debug`);
  expect(await client.exit()).toBe(0);
  expect(client.lines.slice(-3)).toEqual([
    "local  IP address 10.0.0.2",
    "remote IP address 10.0.0.1",
    "updetach is set. Now detaching.",
  ]);
  const pid = (await says(link.client, "head -n1 /run/ppp0.pid")).trim();
  expect(await says(link.client, "cat /run/ppp-lap.pid")).toBe(`${pid}\nppp0\n`);
  expect((await says(link.client, "cat /var/lock/LCK..ttyS0")).trim()).toBe(pid);
  // It has its own session, no terminal, no directory in use, and the name that was typed.
  const [parent, session, command] = (await says(link.client, `ps -o ppid=,sid=,comm= -p ${pid}`)).trim().split(/ +/);
  expect([Number(parent) < 100 || parent === "1", session, command]).toEqual([true, pid, "pppd"]);
  expect(
    await says(link.client, `readlink /proc/${pid}/cwd /proc/${pid}/fd/0 /proc/${pid}/fd/1 /proc/${pid}/fd/2`),
  ).toBe("/\n/dev/null\n/dev/null\n/dev/null\n");
  await signal(link.client, "TERM", "ppp-lap");
  expect(await server.exit()).toBe(16);
  await until(link.client, `! kill -0 ${pid} 2>/dev/null`);
});

on("by default the parent leaves at once and says nothing; logfile has it all", async (link) => {
  const { server, client } = await startBoth(link, SERVER, `${BACKGROUND} logfile /run/log.test`);
  expect([await client.exit(), client.lines]).toEqual([0, []]);
  await server.waitFor(UP);
  await until(link.client, "grep -q remote /run/log.test");
  const pid = (await says(link.client, "head -n1 /run/ppp0.pid")).trim();
  await signal(link.client, "TERM");
  expect(await server.exit()).toBe(16);
  await until(link.client, `! kill -0 ${pid} 2>/dev/null`);
  const log = (await says(link.client, "cat /run/log.test; rm /run/log.test")).replace(
    /\d+(\.\d)? (minutes|bytes)/g,
    "N $2",
  );
  expect(log.split("\n")).toEqual([
    "Using interface ppp0",
    "Connect: ppp0 <--> /dev/ttyS0",
    "local  IP address 10.0.0.2",
    "remote IP address 10.0.0.1",
    "Terminating on signal 15",
    "Connect time N minutes.",
    "Sent N bytes, received N bytes.",
    "Connection terminated.",
    "",
  ]);
});

on("descriptors that options name are those of the background too", async (link) => {
  await link.server.install({ ...PLAIN, "pap-secrets": "zaphod * secret *\n" });
  const words = "user zaphod plugin passwordfd.so passwordfd 7 logfd 8";
  const started = `printf secret | ${BACKGROUND} ${words} 7<&0 8>/run/log.test </dev/null`;
  const { server, client } = await startBoth(link, `${SERVER.replace("noauth", "")} auth require-pap`, started);
  expect(await client.exit()).toBe(0);
  await server.waitFor(UP);
  await until(link.client, "grep -q '^remote IP address' /run/log.test");
  await signal(link.client, "TERM");
  expect(await server.exit()).toBe(16);
  await until(link.client, "grep -q '^Connection terminated' /run/log.test");
  expect(await says(link.client, "cat /run/log.test; rm /run/log.test")).toContain("PAP authentication succeeded\n");
});

on("a VRF that is none ends it before there is an interface", async (link) => {
  for (const [vrf, problem] of [
    ["nowhere", "Requested vrf nowhere does not exist"],
    ["lo", "Couldn't get the routing table id of vrf lo"],
  ] as const) {
    const run = await link.client.start(`${CLIENT} vrf ${vrf}`);
    expect(await run.exit()).toBe(1);
    expect(run.lines).toEqual([problem]);
  }
});

on("logfile in the foreground: the terminal stays quiet", async (link) => {
  const runs = await startBoth(link, SERVER, `${CLIENT} logfile /run/log.test`);
  await runs.server.waitFor(UP);
  await until(link.client, "grep -q remote /run/log.test");
  await finish(link, runs);
  expect(runs.client.lines).toEqual([]);
  expect(await says(link.client, "wc -l </run/log.test; rm /run/log.test")).toBe("8\n");
});

describe("updetach: the exit code of a failure is the parent's", () => {
  const failures: [name: string, options: string, status: number, message: string][] = [
    ["a connect script", "connect 'exit 1'", 8, "Connect script failed"],
    ["an init script", "init 'exit 1'", 18, "Initializer script failed"],
    ["nobody there", "lcp-max-configure 1", 16, "LCP: timeout sending Config-Requests"],
  ];
  for (const [name, options, status, message] of failures)
    on(name, async (link) => {
      const run = await link.client.start(`${BACKGROUND} updetach ${options}`);
      expect(await run.exit()).toBe(status);
      expect(run.lines).toContain(message);
    });

  on("a lock that is held", async (link) => {
    const run = await link.client.start(
      `printf '%10d\\n' $$ >/var/lock/LCK..ttyS0; ${BACKGROUND} updetach; status=$?; rm /var/lock/LCK..ttyS0; exit $status`,
    );
    expect(await run.exit()).toBe(6);
    expect(run.lines.join("\n")).toMatch(/^Device ttyS0 is locked by pid (\d+)\nProcess \1 is sh$/);
  });

  on("a wrong password", async (link) => {
    await link.server.install({ ...filesIn(SIDES.server.etc) });
    await link.client.install({ ...filesIn(SIDES.client.etc), "pap-secrets": "zaphod * wrong\n" });
    const server = await link.server.start("pppd /dev/ttyS1 -detach");
    await server.waitFor("Connect: ");
    const client = await link.client.start("pppd /dev/ttyS0 updetach");
    expect([await client.exit(), await server.exit()]).toEqual([19, 11]);
    expect(client.lines).toContain("PAP authentication failed");
  });
});

// ── login ──────────────────────────────────────────────────────────────────────────────────────────────────────────

on("login: an account that has expired is refused", async (link) => {
  for (const side of ["server", "client"] as const) await link[side].install(filesIn(SIDES[side].etc));
  const shadow = (link.server as OurEnd).machine.path("/etc/shadow");
  const before = readFileSync(shadow, "utf8");
  // The eighth field: days since 1970.
  writeFileSync(shadow, before.replace(/^(zaphod:[^:]*:\d*:\d*:\d*:\d*:\d*:):$/m, "$111200:"));
  expect(readFileSync(shadow, "utf8")).not.toBe(before);
  const runs = await startBoth(link, "pppd /dev/ttyS1 -detach", "pppd /dev/ttyS0 -detach");
  expect([await runs.server.exit(), await runs.client.exit()]).toEqual([11, 19]);
  expect(runs.server.lines).toContain("PAP peer authentication failed for zaphod");
  expect([...runs.server.lines, ...runs.client.lines].join("\n")).not.toContain("gargleBlaster");
  writeFileSync(shadow, before);
});

on("the password is in no output: not of debug, not of dump, not in ps", async (link) => {
  await link.server.install({ options: "lock\nauth\n", "pap-secrets": "zaphod * gargleBlaster *\n" });
  const runs = await bringUp(
    link,
    `${SERVER} +pap debug kdebug 7 dump lcp-restart 1`,
    `${CLIENT} noauth user zaphod password gargleBlaster debug dump`,
  );
  await finish(link, runs);
  const said = [...runs.server.lines, ...runs.client.lines].join("\n");
  expect(said).toContain("password=<hidden>");
  expect(said).not.toContain("gargleBlaster");
});

// ── limits ─────────────────────────────────────────────────────────────────────────────────────────────────────────

on("idle: traffic keeps the link up, silence ends it", async (link) => {
  const runs = await bringUp(link, SERVER, `${CLIENT} idle 1`);
  expect((await link.client.run("ping -c 8 -i 0.25 10.0.0.1")).stdout).toMatch(/ 8 (packets )?received/);
  expect(runs.client.lines).not.toContain("Terminating connection due to lack of activity.");
  expect([await runs.client.exit(), await runs.server.exit()]).toEqual([12, 16]);
  expect(runs.client.lines).toContain("Terminating connection due to lack of activity.");
});

on("maxoctets: the sum of both directions, looked at each mo-timeout", async (link) => {
  const runs = await bringUp(link, SERVER, `${CLIENT} maxoctets 500 mo-timeout 1`);
  await link.client.run("ping -c 4 -i 0.2 10.0.0.1");
  expect([await runs.client.exit(), await runs.server.exit()]).toEqual([20, 16]);
  expect(runs.client.lines.join("\n")).toMatch(/Traffic limit reached\. Limit: 500 Used: 672/);
  expect(runs.server.lines).toContain("LCP terminated by peer (Traffic limit)");
});

// ── again and again ────────────────────────────────────────────────────────────────────────────────────────────────

on("persist: the server takes one client after the other, SIGTERM ends it", async (link) => {
  const server = await link.server.start(`${SERVER} persist holdoff 1`);
  for (const nth of [0, 1]) {
    await server.waitFor("Connect: ", nth);
    const client = await link.client.start(CLIENT);
    await Promise.all([server.waitFor(UP, nth), client.waitFor(UP)]);
    await signal(link.client, "TERM");
    expect(await client.exit()).toBe(5);
    await server.waitFor("Modem hangup", nth);
  }
  await server.waitFor("Connect: ", 2);
  await signal(link.server, "TERM");
  // It has started to negotiate, and the peer does not answer its Terminate-Requests.
  expect(await server.exit()).toBe(16);
});

on("persist: SIGHUP starts the link anew at once", async (link) => {
  const server = await link.server.start(`${SERVER} persist holdoff 1`);
  await server.waitFor("Connect: ");
  const client = await link.client.start(`${CLIENT} persist holdoff 30`);
  await Promise.all([server.waitFor(UP), client.waitFor(UP)]);
  await signal(link.client, "HUP");
  await client.waitFor("Hangup (SIGHUP)");
  await Promise.all([server.waitFor(UP, 1), client.waitFor(UP, 1)]);
  await signal(link.client, "TERM");
  expect(await client.exit()).toBe(5);
  // Its pid file is there again when it calls the next peer, which does not answer its Terminate-Requests.
  await server.waitFor("Connect: ", 2);
  await signal(link.server, "INT");
  expect(await server.exit()).toBe(16);
});

on("persist: maxfail attempts in a row, and SIGTERM ends a holdoff", async (link) => {
  const failing = `${CLIENT} persist lcp-max-configure 1 holdoff`;
  const first = await link.client.start(`${failing} 0 maxfail 2`);
  expect(await first.exit()).toBe(16);
  expect(first.lines.filter((line) => line === "LCP: timeout sending Config-Requests")).toHaveLength(2);
  const second = await link.client.start(`${failing} 30 linkname lap connect 'exit 1'`);
  await second.waitFor("Connect script failed");
  await signal(link.client, "TERM", "ppp-lap");
  expect(await second.exit()).toBe(5);
});

on("passive goes on listening after its requests; silent asks nothing", async (link) => {
  for (const option of ["passive lcp-max-configure 1", "silent"]) {
    const server = await link.server.start(`${SERVER} ${option} debug`);
    await server.waitFor(option === "silent" ? "Connect: " : "timeout sending Config-Requests");
    const client = await link.client.start(CLIENT);
    await Promise.all([server.waitFor(UP), client.waitFor(UP)]);
    const packets = server.lines.filter((line) => /^(sent|rcvd) \[/.test(line));
    expect(packets[0]!.slice(0, 18)).toBe(option === "silent" ? "rcvd [LCP ConfReq " : "sent [LCP ConfReq ");
    await finish(link, { server, client });
  }
});

// ── the network ────────────────────────────────────────────────────────────────────────────────────────────────────

/** A neighbouring network on a simulated Ethernet, whose router is the default one. It is removed at the end. */
async function withEthernet(end: End, address: string, router: string, play: () => Promise<void>): Promise<void> {
  const made = await end.run(
    `ip tuntap add dev eth9 mode tap && ip addr add ${address} dev eth9 && ip link set eth9 up && ip route add default via ${router}`,
  );
  expect(made.stderr).toBe("");
  try {
    await play();
  } finally {
    await end.run("ip tuntap del dev eth9 mode tap");
  }
}

const routes = (end: End): Promise<string> => says(end, "ip route | grep -v 'src ' | sed 's/ linkdown//; s/ *$//'");

on(
  "defaultroute: set with the link, gone with it; usepeerdns writes resolv.conf, noresolvconf does not",
  async (link) => {
    const server = `${SERVER} ms-dns 10.0.0.53 ms-dns 10.0.0.54`;
    const runs = await bringUp(link, server, `${CLIENT} defaultroute usepeerdns`);
    expect(await routes(link.client)).toBe("default dev ppp0 scope link\n");
    expect(await says(link.client, "cat /etc/ppp/resolv.conf; rm /etc/ppp/resolv.conf")).toBe(
      "nameserver 10.0.0.53\nnameserver 10.0.0.54\n",
    );
    expect(runs.client.lines.slice(-2)).toEqual(["primary   DNS address 10.0.0.53", "secondary DNS address 10.0.0.54"]);
    await finish(link, runs);
    expect(await routes(link.client)).toBe("");
    const again = await bringUp(link, server, `${CLIENT} usepeerdns noresolvconf`);
    await again.client.waitFor("secondary DNS");
    expect((await link.client.run("cat /etc/ppp/resolv.conf")).status).not.toBe(0);
    await finish(link, again);
  },
);

on("defaultroute: one that is there stays, unless it is to be replaced, and then comes back", async (link) => {
  await withEthernet(link.client, "10.9.9.1/24", "10.9.9.2", async () => {
    const before = await routes(link.client);
    expect(before).toBe("default via 10.9.9.2 dev eth9\n");
    const runs = await bringUp(link, SERVER, `${CLIENT} defaultroute`);
    expect(runs.client.lines).toContain("not replacing default route to eth9 [10.9.9.2]");
    expect(await routes(link.client)).toBe(before);
    await finish(link, runs);
    const again = await bringUp(link, SERVER, `${CLIENT} defaultroute replacedefaultroute`);
    expect(await routes(link.client)).toBe("default dev ppp0 scope link\n");
    await finish(link, again);
    expect(await routes(link.client)).toBe(before);
  });
});

on("proxyarp: an entry on the Ethernet that has the peer's network, or a word that there is none", async (link) => {
  await withEthernet(link.server, "10.0.0.200/24", "10.0.0.250", async () => {
    const runs = await bringUp(link, `${SERVER} proxyarp`);
    expect(runs.server.lines).toContain("found interface eth9 for proxy arp");
    expect(await says(link.server, "ip neigh show proxy | sed 's/ *$//'")).toBe("10.0.0.2 dev eth9 proxy\n");
    await finish(link, runs);
    expect(await says(link.server, "ip neigh show proxy")).toBe("");
  });
  const runs = await bringUp(link, `${SERVER} proxyarp`);
  expect(runs.server.lines).toContain("Cannot determine ethernet address for proxy ARP");
  await finish(link, runs);
});

on("unit and ifname name the interface, MRU and mtu set its MTU", async (link) => {
  const runs = await bringUp(link, `${SERVER} unit 7 mtu 600`, `${CLIENT} ifname laplink mru 576`);
  expect(runs.server.lines.slice(0, 2)).toEqual(["Using interface ppp7", "Connect: ppp7 <--> /dev/ttyS1"]);
  expect(runs.client.lines.slice(0, 2)).toEqual(["Using interface laplink", "Connect: laplink <--> /dev/ttyS0"]);
  const flags = "<POINTOPOINT,MULTICAST,NOARP,UP,LOWER_UP> mtu 576 qdisc";
  expect(await says(link.server, "ip link show ppp7")).toContain(flags);
  expect(await says(link.client, "ip link show laplink")).toContain(flags);
  expect(await says(link.client, "ip -o -4 addr show laplink")).toContain("inet 10.0.0.2 peer 10.0.0.1/32");
  await signal(link.client, "TERM", "laplink");
  expect([await runs.client.exit(), await runs.server.exit()]).toEqual([5, 16]);
});

// ── looking on ─────────────────────────────────────────────────────────────────────────────────────────────────────

on("SIGUSR1 switches the packets in the log on and off", async (link) => {
  const runs = await bringUp(link, SERVER, `${CLIENT} lcp-echo-interval 1 idle 60`);
  const packets = (): number => runs.client.lines.filter((line) => /^(sent|rcvd) \[/.test(line)).length;
  expect(packets()).toBe(0);
  await signal(link.client, "USR1");
  await signal(link.client, "USR1");
  await signal(link.client, "USR1");
  await finish(link, runs);
  expect(runs.client.lines.filter((line) => /^(sent|rcvd) \[LCP Term/.test(line))).toHaveLength(2);
});

on("record: Debian's pppdump and tshark read it", async (link) => {
  const folder = mkdtempSync(join(tmpdir(), "nullmodem-record-"));
  const files: Record<Side, string> = { server: join(folder, "server"), client: join(folder, "client") };
  const runs = await bringUp(link, `${SERVER} record ${files.server}`, `${CLIENT} record ${files.client}`);
  await link.client.run("ping -c 3 -i 0.2 10.0.0.1");
  await finish(link, runs);
  for (const side of ["server", "client"] as const) {
    const dump = Bun.spawnSync(["/usr/sbin/pppdump", "-p", files[side]]);
    expect([dump.exitCode, dump.stderr.toString()]).toEqual([0, ""]);
    const text = dump.stdout.toString();
    expect(text.match(/^(sent|rcvd) {2}.*\n?/gm)!.length).toBeGreaterThan(14);
    expect(text).not.toMatch(/BAD|short|bogus|abort/i);
    if (Bun.which("tshark") === null) continue;
    const shark = Bun.spawnSync([
      "tshark",
      "-r",
      files[side],
      "-T",
      "fields",
      "-e",
      "_ws.col.Protocol",
      "-e",
      "_ws.col.Info",
    ]);
    expect(shark.exitCode).toBe(0);
    expect(shark.stderr.toString()).not.toMatch(/cut short|corrupt|error/i);
    const rows = shark.stdout.toString().trimEnd().split("\n");
    expect(rows.filter((row) => /^ICMP\tEcho \(ping\) re(quest|ply)/.test(row))).toHaveLength(6);
    // A request may have been sent twice, because the peer started later.
    const lcp = rows.filter((row) => row.startsWith("PPP LCP\t")).map((row) => row.slice("PPP LCP\t".length));
    expect([...new Set(lcp)].sort()).toEqual([
      "Configuration Ack",
      "Configuration Request",
      "Termination Ack",
      "Termination Request",
    ]);
    expect(rows.join("\n")).not.toMatch(/malformed/i);
  }
  rmSync(folder, { recursive: true });
});

// ── trouble ────────────────────────────────────────────────────────────────────────────────────────────────────────

on("a peer that talks rubbish is given up", async (link) => {
  const noise = await link.server.start("stty -F /dev/ttyS1 raw; timeout 4 cat /dev/urandom >/dev/ttyS1");
  const run = await link.client.start(`${CLIENT} lcp-max-configure 2 debug`);
  expect(await run.exit()).toBe(16);
  expect(run.lines).toContain("LCP: timeout sending Config-Requests");
  await noise.exit();
});

on("no TUN: what to do, and exit code 4", async (link) => {
  const run = await link.client.start(`unshare -m sh -c 'mount -t tmpfs none /dev/net; exec ${CLIENT}'`);
  expect(await run.exit()).toBe(4);
  expect(run.lines.join("\n")).toContain("Couldn't open the /dev/net/tun device: No such file or directory");
  expect(run.lines.join("\n")).toContain("modprobe tun");
});
