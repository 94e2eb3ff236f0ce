// Dialling on demand: ours waits for a packet, and the peer, ours or the real one, waits for ours. No first packet is
// lost, however often the link comes and goes. Also tested: what stays between links, and what ends at the end.

import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { closeMachines, machinesMissing, tunMissing } from "../kit/machine.ts";
import { missing } from "../kit/lab.ts";
import { Program } from "../kit/program.ts";
import { type End, type Kind, type Laplink, openLaplink, type OurEnd, type Run } from "../kit/end.ts";
import { PATIENT } from "./patient-options.ts";

setDefaultTimeout(200_000);
const noMachine = machinesMissing() ?? tunMissing();
afterAll(closeMachines);

const PLAIN = { options: `lock\nnoauth\n${PATIENT}`, "ip-up": "#!/bin/sh\necho $* >>/run/ups\n" };
const BAUD = 115200;
const SERVER = `pppd /dev/ttyS1 ${BAUD} local -detach 10.0.0.1:10.0.0.2 noipv6 silent persist holdoff 0`;
const CLIENT = `pppd /dev/ttyS0 ${BAUD} local -detach noipv6 demand connect true connect-delay 1 defaultroute`;
const STANDING = /^remote IP address/;
const ENDED = "Connection terminated.";

async function signal(end: End, name: string): Promise<void> {
  expect((await end.run(`kill -${name} $(head -n1 /var/run/ppp0.pid)`)).status).toBe(0);
}

async function says(end: End, command: string): Promise<string> {
  return (await end.run(command)).stdout;
}

/** Waits until a shell command on that side succeeds. */
async function until(end: End, command: string): Promise<void> {
  const { status } = await end.run(`for try in $(seq 200); do ${command} && exit 0; sleep 0.1; done; exit 1`);
  if (status !== 0) throw new Error(`it never came to this: ${command}`);
}

/** The number of answered pings. */
async function ping(end: End, count: number): Promise<string> {
  const said = await says(end, `ping -n -c ${count} -i 0.2 -W 20 10.0.0.1`);
  return /\d+ packets transmitted, \d+ received/.exec(said)?.[0] ?? said;
}

/** Numbered datagrams from bash, `pause` seconds apart. */
async function datagrams(end: End, count: number, pause = 0): Promise<void> {
  // If no program listens, only a refusal of the datagram before comes back.
  const one = `until echo $i >&3; do :; done${pause === 0 ? "" : `; sleep ${pause}`}`;
  const burst = `exec 3<>/dev/udp/10.0.0.1/9; for i in $(seq ${count}); do ${one}; done`;
  expect(await end.run(`bash -c '${burst}' 2>/dev/null`)).toMatchObject({ status: 0 });
}

const numbers = (count: number): string => Array.from({ length: count }, (_, at) => `${at + 1}\n`).join("");

/** Prints this number of datagrams as they come, or those that came within the longest time. */
const TAKER = `
const socket = require("node:dgram").createSocket("udp4");
let left = Number(process.argv[1]);
socket.on("message", (text) => { process.stdout.write(text); if (--left === 0) process.exit(0); });
socket.bind(9, () => process.stdout.write("ready\\n"));
setTimeout(() => process.exit(1), 30000);
`;

for (const [kind, why] of [
  ["ours", noMachine],
  ["real", noMachine ?? missing()],
] as [Kind, string | undefined][]) {
  describe.skipIf(why !== undefined)(`the peer is ${kind}${why === undefined ? "" : ` [skipped: ${why}]`}`, () => {
    let link: Laplink;
    let server: Run;
    let serverPid = "";
    beforeAll(async () => {
      // As fast as the port says. A faster answer would end pacing, and with it the short queue.
      link = await openLaplink(kind, "ours", { cable: { baud: BAUD } });
      await link.server.install(PLAIN);
      server = await link.server.start(SERVER);
      await server.waitFor("Connect: ");
      serverPid = await says(link.server, "head -n1 /var/run/ppp0.pid");
    });
    afterAll(async () => {
      // Between two links there is no pid file.
      expect((await link.server.run(`kill -TERM ${serverPid}`)).status).toBe(0);
      await server.exit();
      await link.close();
    });

    afterEach(() => link.client.reset());

    async function demand(...options: string[]): Promise<Run> {
      await link.client.install(PLAIN);
      await link.client.run("rm -f /run/ups; touch /run/ups");
      const run = await link.client.start([CLIENT, ...options].join(" "));
      await run.waitFor(STANDING);
      return run;
    }

    async function finish(run: Run): Promise<void> {
      await signal(link.client, "TERM");
      expect(await run.exit()).toBe(5);
      expect(await link.client.traces()).toEqual([]);
    }

    /** The datagrams that the server receives of `count` that are sent to it. */
    async function taking(count: number, send: () => Promise<void>): Promise<string> {
      if (kind === "real") return counting(count, send);
      const { machine } = link.server as OurEnd;
      const taker = new Program([process.execPath, "-e", TAKER, String(count)], { machine });
      await taker.waitFor("ready");
      await send();
      await taker.ended;
      return taker.text.replace("ready\n", "");
    }

    /** The guest has no program for datagrams, but its kernel counts them. */
    async function counting(count: number, send: () => Promise<void>): Promise<string> {
      const refused = "awk '/^Udp: [0-9]/ { print $3 }' /proc/net/snmp";
      const before = Number(await says(link.server, refused));
      await send();
      await until(link.server, `[ $(${refused}) -ge ${before + count} ]`).catch(() => {});
      return numbers(Number(await says(link.server, refused)) - before);
    }

    test("ten links, each started by a ping that is answered, ended by idle or SIGHUP; in between nothing is used", async () => {
      const run = await demand("idle 1");
      const pid = (await says(link.client, "head -n1 /run/ppp0.pid")).trim();
      for (let nth = 0; nth < 10; nth++) {
        expect([nth, await ping(link.client, 2)]).toEqual([nth, "2 packets transmitted, 2 received"]);
        if (nth % 2 === 1) await signal(link.client, "HUP");
        await run.waitFor(ENDED, nth);
      }
      const asleep = `for look in 1 2 3 4 5 6 7 8; do grep -q '^State:.S' /proc/${pid}/status || exit; sleep 0.01; done; echo asleep`;
      await until(link.client, `[ "$(${asleep})" = asleep ]`);
      expect(await says(link.client, "ip -o -4 addr show ppp0; ip route | sort")).toMatch(
        /inet 10\.0\.0\.2 peer 10\.0\.0\.1\/32 .*\n10\.0\.0\.1 dev ppp0 .*\ndefault dev ppp0 /,
      );
      const said = run.lines.filter((line) => line === "Starting link" || /changed to/.test(line));
      expect(said).toEqual([
        "Starting link",
        "Local IP address changed to 10.0.0.2",
        "Remote IP address changed to 10.0.0.1",
        ...Array<string>(9).fill("Starting link"),
      ]);
      await finish(run);
    });

    test("a burst of datagrams before the link arrives whole and in order, from the address it came to have", async () => {
      const run = await demand();
      expect(await taking(100, () => datagrams(link.client, 100))).toBe(numbers(100));
      expect(await link.client.syslog()).toContainEqual(
        expect.stringMatching(/^local2\.info pppd\[PID\]: Open UDP 10\.0\.0\.2:\d+ -> 10\.0\.0\.1:9$/),
      );
      await finish(run);
    });

    test("the kernel's queue has the same length on a quiet and on a busy line, and a ping passes by what waits", async () => {
      const run = await demand("10.0.0.2:10.0.0.1");
      const qlen = async (): Promise<number> =>
        Number(/qlen (\d+)/.exec(await says(link.client, "ip link show ppp0"))?.[1]);
      expect(await ping(link.client, 2)).toBe("2 packets transmitted, 2 received");
      expect(await qlen()).toBe(127);
      // No host beyond the peer answers. The line needs nine seconds for this, and a ping comes back before.
      const noise = "bash -c 'dd if=/dev/urandom bs=1000 count=100 >/dev/udp/10.99.0.1/9' 2>/dev/null";
      expect(await says(link.client, `${noise}; ping -c 1 -W 5 10.0.0.1 | grep -o "1 received"`)).toBe("1 received\n");
      expect(await qlen()).toBe(127);
      await finish(run);
    });

    test("datagrams all along, while links come and go: none is lost", async () => {
      // The queue has more small packets, for the times when the machine is busy.
      const run = await demand("10.0.0.2:10.0.0.1 mtu 296");
      const hangups = async (): Promise<void> => {
        for (let nth = 0, ups = 0; nth < 3; nth++) {
          await run.waitFor("Connect: ", nth);
          // A link that negotiates again is up twice.
          await until(link.client, `[ $(wc -l </run/ups) -gt ${ups} ]`);
          await signal(link.client, "HUP");
          await run.waitFor(ENDED, nth);
          ups = Number(await says(link.client, "wc -l </run/ups"));
        }
      };
      const got = await taking(100, async () => {
        await Promise.all([datagrams(link.client, 100, 0.1), hangups()]);
      });
      expect(got).toBe(numbers(100));
      await finish(run);
    });
  });
}

const noLab = noMachine ?? missing();
const asReal = "messages, their order and the exit code are the real one's";
test.skipIf(noLab !== undefined)(noLab === undefined ? asReal : `${asReal} [skipped: ${noLab}]`, async () => {
  const [ours, real] = await Promise.all([session("ours"), session("real")]);
  expect(ours).toEqual(real);
});

/** The client's log and exit code for a session with two links. */
async function session(kind: Kind): Promise<{ status: number; lines: string[] }> {
  const link = await openLaplink("ours", kind);
  await link.server.install(PLAIN);
  await link.client.install({ options: PLAIN.options });
  const peer = await link.server.start(SERVER);
  await peer.waitFor("Connect: ");
  const run = await link.client.start(`${CLIENT} idle 1 holdoff 0`);
  await run.waitFor(STANDING);
  await signal(link.client, "HUP");
  for (const nth of [0, 1]) {
    // A peer that is still ending would receive a request twice and start again.
    await peer.waitFor("Connect: ", nth);
    await link.client.run("ping -c 1 -W 5 10.0.0.1");
    await run.waitFor(ENDED, nth);
  }
  await signal(link.client, "TERM");
  const status = await run.exit();
  await peer.waitFor("Connect: ", 2);
  await signal(link.server, "TERM");
  await peer.exit();
  await link.close();
  // The number and size differ from run to run, and so does a late start of the other machine.
  const lines = run.lines
    .filter((line) => !line.startsWith("Heard nothing for 3 s; "))
    .map((line) => line.replace(/\d+(\.\d)? (minutes|bytes)/g, "N $2"));
  return { status, lines };
}

describe.skipIf(noMachine !== undefined)(
  `ours on its own${noMachine === undefined ? "" : ` [skipped: ${noMachine}]`}`,
  () => {
    let link: Laplink;
    beforeAll(async () => (link = await openLaplink("ours", "ours")));
    afterAll(() => link.close());
    afterEach(async () => {
      await link.client.reset();
      await link.server.reset();
    });

    const SCRIPT =
      '#!/bin/sh\necho "${0##*/} $4 $5 old=$OLDIPLOCAL,$OLDIPREMOTE time=${CONNECT_TIME:+set}" >>/run/order\n';
    const NAMES = ["net-init", "ip-pre-up", "net-pre-up", "ip-up", "ip-down", "net-down"];
    const SCRIPTS = { ...PLAIN, ...Object.fromEntries(NAMES.map((name) => [name, SCRIPT])) };

    test("in the background: interface, pid file and routes before the link and after it, scripts in their order", async () => {
      const { client, server } = link;
      await client.install(SCRIPTS);
      await server.install(PLAIN);
      const peer = await server.start(SERVER);
      const run = await client.start(CLIENT.replace("-detach", "logfile /run/log.test"));
      expect([await run.exit(), run.lines]).toEqual([0, []]);
      await until(client, "grep -q remote /run/log.test");
      const pid = await says(client, "cat /run/ppp0.pid");
      await client.run("ip route add 10.9.0.0/16 dev ppp0");
      for (const nth of [1, 2]) {
        expect(await ping(client, 1)).toBe("1 packets transmitted, 1 received");
        await signal(client, "HUP");
        await until(client, `[ $(grep -c ip-down /run/order) = ${nth} ]`);
        expect(await says(client, "cat /run/ppp0.pid")).toBe(pid);
        expect(await says(client, "ip route")).toMatch(
          /^default dev ppp0 .*\n10\.0\.0\.1 dev ppp0 .*\n10\.9\.0\.0\/16 dev ppp0/,
        );
      }
      await signal(client, "TERM");
      await until(client, `! kill -0 ${pid.trim()} 2>/dev/null`);
      const [made, ours] = ["10.64.64.64 10.112.112.112", "10.0.0.2 10.0.0.1"];
      const old = "old=10.64.64.64,10.112.112.112";
      expect((await says(client, "cat /run/order; rm /run/order /run/log.test")).trimEnd().split("\n")).toEqual([
        "net-init   old=, time=",
        `ip-pre-up ${made} old=, time=`,
        "net-pre-up   old=, time=",
        `ip-up ${ours} ${old} time=`,
        `ip-down ${ours} ${old} time=set`,
        `net-pre-up   ${old} time=`,
        `ip-up ${ours} ${old} time=`,
        `ip-down ${ours} ${old} time=set`,
        `net-down   ${old} time=set`,
      ]);
      // A packet that comes while the last link ends can change its exit code.
      await peer.waitFor("Connect: ", 2);
      await signal(server, "TERM");
      expect(await peer.exit()).toBe(5);
      expect(await client.traces()).toEqual([]);
    });

    test("packets that come in a holdoff are dropped, and so many failures end it", async () => {
      const { client } = link;
      await client.install(PLAIN);
      const failing = CLIENT.replace("connect true", "connect false");
      const run = await client.start(`${failing} 10.0.0.2:10.0.0.1 holdoff 2 maxfail 2`);
      await run.waitFor(STANDING);
      await signal(client, "HUP");
      await datagrams(client, 1);
      await run.waitFor("Connect script failed");
      // One packet during the holdoff, and more until one comes after it.
      await datagrams(client, 1);
      const { length } = run.lines;
      await Bun.sleep(1000);
      expect(run.lines.length).toBe(length);
      await client.run("until ! [ -e /run/ppp0.pid ]; do bash -c 'echo x >/dev/udp/10.0.0.1/9'; sleep 0.2; done");
      expect(await run.exit()).toBe(8);
      expect(run.lines).toEqual([
        "Using interface ppp0",
        "local  IP address 10.0.0.2",
        "remote IP address 10.0.0.1",
        "Hangup (SIGHUP)",
        "Starting link",
        "Connect script failed",
        "Starting link",
        "Connect script failed",
      ]);
      expect(await client.traces()).toEqual([]);
    });

    test("an interface that is removed while it waits comes again, and dials; with multilink too", async () => {
      const { client, server } = link;
      await client.install(PLAIN);
      await server.install(PLAIN);
      const peer = await server.start(`${SERVER} multilink`);
      await peer.waitFor("Using interface");
      const run = await client.start(`${CLIENT} multilink idle 1`);
      await run.waitFor(STANDING);
      await client.run("ip link delete ppp0");
      await run.waitFor("Interface ppp0 has been removed");
      await run.waitFor(STANDING, 1);
      for (const nth of [0, 1]) {
        expect(await ping(client, 1)).toBe("1 packets transmitted, 1 received");
        await run.waitFor(ENDED, nth);
      }
      await signal(client, "TERM");
      expect(await run.exit()).toBe(5);
      expect(await client.traces()).toEqual([]);
      await signal(server, "TERM");
      await peer.exit();
    });

    test("a pty program that does not see its line go is ended while nothing else happens", async () => {
      const { client } = link;
      await client.install(PLAIN);
      const { length } = await client.traces();
      const dialler = "trap '' HUP; while :; do sleep 9.75; done";
      const run = await client.start(
        `pppd -detach noipv6 demand pty "${dialler}" 10.0.0.2:10.0.0.1 lcp-max-configure 1 connect-delay 1 child-timeout 1`,
      );
      await run.waitFor(STANDING);
      await datagrams(client, 1);
      await run.waitFor(ENDED);
      await until(client, "! ps ax -o args= | grep -qx 'sleep 9.75'");
      await signal(client, "TERM");
      expect(await run.exit()).toBe(5);
      expect((await client.traces()).length).toBe(length);
    });
  },
);
