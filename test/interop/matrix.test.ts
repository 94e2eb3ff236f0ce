// The matrix: every method of authentication, compression and encryption, with the real pppd on the other side, in both
// roles, on a clean line and on a noisy one, with load in both directions. Methods that only we have run between two of
// ours. Some run with pppd 2.5.2, in one role each.
//
// A test is one session: it comes up, carries the files on the clean line, then on the noisy one, and ends in good
// order. The methods are in methods.ts. NULLMODEM_MATRIX=real runs them between two real pppds, which shows whose fault
// a failure is.

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Kind, type Laplink, laplinkMissing, LinkPool, type Run, type Side } from "../kit/end.ts";
import { closeMachines } from "../kit/machine.ts";
import { Payload, PORTS, ratio, type Transfer } from "../kit/transfer.ts";
import { dissected, TSHARK } from "./judges.ts";
import { PATIENT } from "./patient-options.ts";
import { METHODS, type Method, OUR_METHODS, pick, SECRETS } from "./methods.ts";

/** The time limit includes waiting for a link. */
setDefaultTimeout(400_000);
const folder = mkdtempSync(join(tmpdir(), "nullmodem-matrix-"));
const SIDES = ["server", "client"] as const;

const secrets = `zaphod srv ${SECRETS.srv} *\nsrv zaphod ${SECRETS.zaphod} *\n`;
const payload = new Payload({
  // No guest reaches this speed, so ours would pace to the line's own 115200.
  options: `lock\nlocal\n4000000\nnodetach\ndebug\n${PATIENT}ipv6cp-restart 1\n`,
  "chap-secrets": secrets,
  "pap-secrets": secrets,
});
const COMMAND: Readonly<Record<Side, string>> = {
  server: "pppd /dev/ttyS1 10.0.0.1:10.0.0.2 name srv",
  client: "pppd /dev/ttyS0 name zaphod remotename srv",
};
const IPV4: Readonly<Record<Side, string>> = { server: "10.0.0.1", client: "10.0.0.2" };

/** With this seed, both directions of even the least noisy line are hit within the first 9 kB. */
const SEED = 1178;
const BER = 1e-5;
/** A TCP whose retransmissions are hit repeatedly waits for half a minute. So the noise ends before the files have come. */
const NOISE_MS = 4000;
const MOST_MORE = 100;

const rows: string[][] = [];
function note(method: Method, link: Laplink, line: string, transfer: Transfer, resets: number): void {
  const { server, client } = transfer.line;
  rows.push([
    method.name,
    `${link.server.kind} serves ${link.client.kind}`,
    line,
    transfer.seconds.toFixed(1),
    ratio(transfer, "server").toFixed(2),
    ratio(transfer, "client").toFixed(2),
    String(server.flipped + client.flipped),
    String(resets),
  ]);
}

async function bringUp(
  link: Laplink,
  method: Method,
  record: Partial<Record<Side, string>>,
): Promise<Record<Side, Run>> {
  const start = (side: Side): Promise<Run> => {
    const stamps = `echo ${method.timestamps ? 1 : 0} >/proc/sys/net/ipv4/tcp_timestamps`;
    const options = pick(method.options, side, link[side].kind);
    const more = record[side] === undefined ? [] : [`record ${record[side]}`];
    return link[side].start([`${stamps}; ${COMMAND[side]}`, ...options, ...more].join(" "));
  };
  const server = await start("server");
  await server.waitFor(/^(Connect: |Starting negotiation on )/);
  const runs = { server, client: await start("client") };
  for (const side of SIDES)
    for (const words of [/^remote IP address/, ...pick(method.says, side, link[side].kind)])
      await runs[side].waitFor(words);
  return runs;
}

/** Each side's link-local address as the other received it. */
async function linkLocal({ server, client }: Record<Side, Run>): Promise<Record<Side, string>> {
  const heard = async (run: Run): Promise<string> =>
    `${(await run.waitFor(/^remote LL address/)).split(" ").at(-1)}%ppp0`;
  return { server: await heard(client), client: await heard(server) };
}

function resetsIn(runs: Record<Side, Run>): number {
  const asked = (run: Run): number => run.lines.filter((line) => /^sent \[CCP ResetReq/.test(line)).length;
  return asked(runs.server) + asked(runs.client);
}

/** Both directions have been hit since, and a method that asks for a reset after a loss has done so. */
async function suffering(link: Laplink, method: Method, runs: Record<Side, Run>): Promise<() => Promise<boolean>> {
  const flipped = async (): Promise<number[]> => {
    const { ab, ba } = await link.cable.stats();
    return [ab.flipped, ba.flipped];
  };
  const before = await flipped();
  return async () =>
    (await flipped()).every((count, at) => count > before[at]!) && (!method.resets || resetsIn(runs) > 0);
}

/**
 * Transfers amid noise, which lasts this long and until the damage has shown. The load is sent again until then, and a
 * light one until a challenge each second must have come.
 */
async function noisyTransfer(
  link: Laplink,
  method: Method,
  runs: Record<Side, Run>,
  way: Record<Side, string>,
): Promise<Transfer> {
  const suffered = await suffering(link, method, runs);
  await link.cable.damage({ ber: method.ber ?? BER, seed: SEED });
  const begun = performance.now();
  let over = false;
  const act = async (): Promise<Transfer> => {
    const first = await payload.transfer(link, way, method.load);
    const least = method.load === "light" ? 1500 : 0;
    for (let more = 0; performance.now() < begun + least || !(await suffered()); more++) {
      expect(more, "transfers amid noise after which nothing was hit or no reset was asked for").toBeLessThan(
        MOST_MORE,
      );
      await payload.transfer(link, way, method.load);
    }
    return first;
  };
  const calm = async (): Promise<void> => {
    while (!over && (performance.now() < begun + NOISE_MS || !(await suffered()))) await Bun.sleep(50);
    await link.cable.damage({});
  };
  const [first] = await Promise.all([act().finally(() => (over = true)), calm()]);
  return first;
}

async function play(link: Laplink, method: Method): Promise<void> {
  const record = join(folder, `${method.name.replaceAll(/\W+/g, "-")}.rec`);
  // One role is enough.
  const recorded = link.server.kind === "ours";
  const runs = await bringUp(link, method, recorded ? { server: record } : {});

  const ways = method.ipv6 ? [IPV4, await linkLocal(runs)] : [IPV4];
  for (const [index, way] of ways.entries()) {
    const least = (sender: Side): number =>
      pick(method.ratio ?? {}, sender, link[sender].kind).at(-1) ?? (method.load === "light" ? 0.5 : 0.7);
    let clean = await payload.transfer(link, way, method.load);
    // On a busy machine TCP may take a late answer for a lost one and send again, but not twice in a row.
    if (SIDES.some((sender) => ratio(clean, sender) < least(sender)))
      clean = await payload.transfer(link, way, method.load);
    note(method, link, index === 0 ? "clean" : "clean, IPv6", clean, resetsIn(runs));
    for (const sender of SIDES) {
      expect(clean.line[sender].lost, `octets of the ${sender} that nobody took`).toBe(0);
      expect(ratio(clean, sender), `the ratio of the ${sender}`).toBeGreaterThanOrEqual(least(sender));
    }
  }
  expect(resetsIn(runs)).toBe(0);
  let verdict: Promise<string> | undefined;
  if (recorded && method.unread === undefined) {
    copyFileSync(record, `${record}.clean`);
    verdict = dissected(`${record}.clean`, method.carried ?? (ways.length > 1 ? 0x57 : 0x21), Object.values(PORTS));
  }

  const noisy = await noisyTransfer(link, method, runs, ways.at(-1)!);
  note(method, link, ways.length > 1 ? "noisy, IPv6" : "noisy", noisy, resetsIn(runs));

  await link.client.run("kill -TERM $(head -n1 /var/run/ppp0.pid)");
  // With multilink the real pppd does not report its hangup.
  const forgets = link.server.kind !== "ours" && method.carried === 0x3d;
  expect([await runs.client.exit(), await runs.server.exit()]).toEqual([5, forgets ? 0 : 16]);
  const said = [...runs.server.lines, ...runs.client.lines].join("\n");
  expect(said).not.toMatch(/no effect yet|Lost compression sync/);
  for (const secret of Object.values(SECRETS)) expect(said).not.toContain(secret);
  expect(await Promise.all(SIDES.map((one) => link[one].traces()))).toEqual([[], []]);
  expect(await verdict).toBe(verdict && "");
}

const pools = new Map<string, LinkPool>();
function pool(server: Kind, client: Kind): LinkPool {
  const name = `${server} ${client}`;
  const one = pools.get(name) ?? new LinkPool(server, client, 1, { etc: payload.etc });
  pools.set(name, one);
  return one;
}

afterAll(async () => {
  await Promise.all([...pools.values()].map((one) => one.close()));
  await closeMachines();
  payload.remove();
  rmSync(folder, { recursive: true });
  if (rows.length > 0)
    console.log(`${table(rows)}\n${TSHARK === null ? "no tshark here: nobody read the records" : ""}`);
});

/** In the order of the methods, whichever ends first. */
function table(lines: readonly string[][]): string {
  const order = [...METHODS, ...OUR_METHODS].map(({ name }) => name);
  const sorted = lines.toSorted(([a = ""], [b = ""]) => order.indexOf(a) - order.indexOf(b));
  const head = ["method", "roles", "line", "seconds", "server's ratio", "client's ratio", "bits flipped", "resets"];
  return [head, head.map(() => "---"), ...sorted].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function session(server: Kind, client: Kind, method: Method): void {
  const skip = laplinkMissing(server, client);
  const name = `${method.name}: ${server} serves ${client}`;
  test.concurrent.skipIf(skip !== undefined)(skip === undefined ? name : `${name} [skipped: ${skip}]`, () =>
    pool(server, client).use((link) => play(link, method)),
  );
}

if (process.env["NULLMODEM_MATRIX"] === "real") {
  for (const method of METHODS) if (method.unreal === undefined) session("real", "real", method);
} else {
  for (const method of METHODS) {
    session("ours", "real", method);
    session("real", "ours", method);
  }
  for (const method of METHODS) {
    if (method.other === "server") session("2.5.2", "ours", method);
    if (method.other === "client") session("ours", "2.5.2", method);
  }
  for (const method of OUR_METHODS) session("ours", "ours", method);
}
