// pass-filter, active-filter and idle: our filters treat packets as the real pppd's kernel does.

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { type End, type Laplink, LinkPool, type Run, type Side } from "../kit/end.ts";
import { missing } from "../kit/lab.ts";
import { closeMachines, machinesMissing, tunMissing } from "../kit/machine.ts";
import { PATIENCE_MS } from "../kit/patience.ts";
import { PATIENT } from "./patient-options.ts";

/** The time limit includes waiting for a link. */
setDefaultTimeout(120_000);
const skip = machinesMissing() ?? tunMissing() ?? missing();
const on = (name: string): string => (skip === undefined ? name : `${name} [skipped: ${skip}]`);

const KINDS = ["real", "ours"] as const;
/** By the kind of the server, which has the filters. */
const POOLS = { real: new LinkPool("real", "ours", 1), ours: new LinkPool("ours", "real", 1) };
afterAll(async () => {
  await Promise.all(KINDS.map((kind) => POOLS[kind].close()));
  await closeMachines();
});

const SERVER = "10.0.0.1";
const CLIENT = "10.0.0.2";
const UP = /^remote IP address/;
const OPTIONS = `lock\n${PATIENT}noipv6\n`;

/** Runs the same with the real pppd and with ours. */
function onBoth(name: string, play: (link: Laplink) => Promise<void>): void {
  for (const kind of KINDS)
    test.concurrent.skipIf(skip !== undefined)(on(`${name}: ${kind}`), () =>
      POOLS[kind].use(async (link) => {
        await link.server.install({ options: OPTIONS });
        await link.client.install({ options: OPTIONS });
        await play(link);
      }),
    );
}

interface Runs {
  readonly server: Run;
  readonly client: Run;
}

async function bringUp(link: Laplink, words: string, clientWords = ""): Promise<Runs> {
  const server = await link.server.start(`pppd /dev/ttyS1 115200 local -detach ${SERVER}:${CLIENT} ${words}`);
  await server.waitFor("Connect: ");
  const client = await link.client.start(`pppd /dev/ttyS0 115200 local -detach noauth ${clientWords}`);
  await Promise.all([server.waitFor(UP), client.waitFor(UP)]);
  return { server, client };
}

async function finish(link: Laplink, { server, client }: Runs): Promise<void> {
  await link.client.run("kill -TERM $(head -n1 /var/run/ppp0.pid)");
  await Promise.all([server.exit(), client.exit()]);
}

// ── which packets arrive ─────────────────────────────────────────────────────────────────────────────────────────────

/** The number of echo requests, TCP segments and datagrams for closed ports that came in, by /proc/net/snmp. */
async function arrived(end: End): Promise<number[]> {
  const { stdout } = await end.run("cat /proc/net/snmp");
  const count = (table: string, field: string): number => {
    const [names = [], values = []] = stdout
      .split("\n")
      .flatMap((line) => (line.startsWith(`${table}: `) ? [line.split(" ")] : []));
    return Number(values[names.indexOf(field)]);
  };
  return [count("Icmp", "InEchos"), count("Tcp", "OutRsts"), count("Udp", "NoPorts")];
}

/**
 * Sends an echo request, a SYN to port 80 and a datagram to port 4000, again until those have arrived that are expected.
 * Returns which of them arrived.
 */
async function probe(link: Laplink, sender: Side, expected: readonly boolean[]): Promise<boolean[]> {
  const [from, to, address] =
    sender === "server" ? [link.server, link.client, CLIENT] : [link.client, link.server, SERVER];
  const before = await arrived(to);
  const send = [
    `busybox ping -c1 -W1 ${address} &`,
    `busybox nc -w1 ${address} 80 </dev/null &`,
    `busybox traceroute -n -p 4000 -q1 -m1 -w1 ${address} & wait`,
  ].join("\n");
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    await from.run(send);
    const found = (await arrived(to)).map((count, at) => count > before[at]!);
    if (expected.every((one, at) => found[at] || !one) || performance.now() > deadline) return found;
  }
}

/** The filter; then what passes outwards and inwards of ICMP, TCP and UDP. */
const CASES: readonly (readonly [expression: string, out: boolean[], into: boolean[]])[] = [
  ["outbound", [true, true, true], [false, false, false]],
  ["(inbound and not (icmp or udp port 123)) or (outbound and icmp)", [true, false, false], [false, true, true]],
  ["tcp dst port 80 or icmp[icmptype] = icmp-echoreply", [false, true, false], [false, true, false]],
];

onBoth("pass-filter, with VJ and Deflate", async (link) => {
  for (const [expression, out, into] of CASES) {
    const runs = await bringUp(link, `noauth pass-filter '${expression}'`);
    const found = await Promise.all([probe(link, "server", out), probe(link, "client", into)]);
    expect([expression, ...found]).toEqual([expression, out, into]);
    await finish(link, runs);
  }
});

onBoth("a pass-filter in the peer's line of chap-secrets", async (link) => {
  await link.server.install({ options: OPTIONS, "chap-secrets": "zaphod * gargle * -- pass-filter icmp\n" });
  await link.client.install({ options: OPTIONS, "chap-secrets": "zaphod * gargle *\n" });
  const runs = await bringUp(link, "require-chap", "user zaphod");
  expect(await probe(link, "client", [true, false, false])).toEqual([true, false, false]);
  await finish(link, runs);
});

// ── what is idle ─────────────────────────────────────────────────────────────────────────────────────────────────────

const IDLE = "Terminating connection due to lack of activity.";

onBoth("active-filter and idle", async (link) => {
  const ping = `busybox ping -i 0.3 ${SERVER} >/dev/null & pid=$!; sleep 3; kill $pid`;
  // Pings come in and are answered, but the link is idle.
  const idle = await bringUp(link, "noauth idle 1 active-filter 'tcp or udp'");
  const pings = link.client.run(ping);
  expect(await idle.server.exit()).toBe(12);
  expect(idle.server.lines).toContain(IDLE);
  await Promise.all([idle.client.exit(), pings]);
  // Now incoming packets count, and the link is idle only after they end.
  const busy = await bringUp(link, "noauth idle 1 active-filter 'inbound and icmp'");
  await link.client.run(ping);
  expect(busy.server.lines).not.toContain(IDLE);
  expect(await busy.server.exit()).toBe(12);
  await busy.client.exit();
});
