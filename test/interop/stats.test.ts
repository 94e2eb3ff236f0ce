// pppstats on a running link: compares every column with the counters of the real pppd's kernel at the other end, and
// tries readers that misbehave.

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { check, closeFd, libc, Memory } from "../../src/os/ffi/libc.ts";
import { readPublished } from "../../src/os/log/publication.ts";
import type { Status } from "../../src/run/live/published-status.ts";
import { openCable } from "../kit/cable.ts";
import { type End, type Laplink, LinkPool, OurEnd, type Run } from "../kit/end.ts";
import { missing } from "../kit/lab.ts";
import { closeMachines, machinesMissing, openMachine, tunMissing } from "../kit/machine.ts";
import { built, Program } from "../kit/program.ts";
import { asStranger } from "../kit/stranger.ts";
import { receive, send } from "../kit/transfer.ts";
import { PATIENT } from "./patient-options.ts";

setDefaultTimeout(300_000);
const skip = machinesMissing() ?? tunMissing();
const skipReal = skip ?? missing();
const titled = (name: string, why = skip): string => (why === undefined ? name : `${name} [skipped: ${why}]`);
/** On an unpaced line, packets are sent uncompressed. */
const BAUD = 460800;
const real = new LinkPool("real", "ours", 2, { cable: { baud: BAUD } });
const own = new LinkPool("ours", "ours", 2);
afterAll(async () => {
  await Promise.all([real.close(), own.close()]);
  await closeMachines();
});

const UP = /^remote IP address/;
const OPTIONS = { options: `${PATIENT}lock\nnoauth\nnoipv6\n` };

interface Runs {
  server: Run;
  client: Run;
}

async function bringUp(link: Laplink, options: string, clientOptions = ""): Promise<Runs> {
  await link.server.install(OPTIONS);
  await link.client.install(OPTIONS);
  const server = await link.server.start(`pppd /dev/ttyS1 local -detach ${BAUD} 10.0.0.1:10.0.0.2 ${options}`);
  await server.waitFor("Connect: ");
  const client = await link.client.start(`pppd /dev/ttyS0 local -detach ${BAUD} ${options} ${clientOptions}`);
  await Promise.all([server.waitFor(UP), client.waitFor(UP)]);
  return { server, client };
}

async function finish(link: Laplink, { server, client }: Runs): Promise<void> {
  expect((await link.client.run("kill -TERM $(head -n1 /var/run/ppp0.pid)")).status).toBe(0);
  expect([await client.exit(), await server.exit()]).toEqual([5, 16]);
  expect([await link.server.traces(), await link.client.traces()]).toEqual([[], []]);
}

/** Sends text in both directions, one after the other on the same connection slot, and a few pings. */
async function talk(link: Laplink): Promise<void> {
  const copy = async (from: End, to: End, address: string): Promise<void> => {
    const got = to.run(`cd $(mktemp -d); ${receive(5000, "got")}; wc -c <got; rm -r $PWD`);
    await from.run(`cd $(mktemp -d); seq 20000 >text; ${send(address, 5000, "text")}; rm -r $PWD`);
    expect((await got).stdout.trim()).toBe("108894");
  };
  await copy(link.server, link.client, "10.0.0.2");
  await copy(link.client, link.server, "10.0.0.1");
  expect((await link.client.run("ping -c 3 -i 0.2 10.0.0.1")).status).toBe(0);
}

/** The figures of received and sent, by their column titles. */
async function figures(end: End, flags: string): Promise<[Record<string, string>, Record<string, string>]> {
  const { stdout, stderr } = await end.run(`pppstats ${flags} ppp0`);
  expect(stderr).toBe("");
  const [titles = "", row = ""] = stdout.trimEnd().split("\n").slice(-2);
  const [received = [], sent = []] = titles.split("|").map((half) => half.trim().split(/ +/));
  const [receivedRow = [], sentRow = []] = row.split("|").map((half) => half.trim().split(/ +/));
  // With -z, BYTE and PACK occur twice.
  const named = (names: string[], values: string[]) =>
    Object.fromEntries(names.map((name, at) => [`${name}${names.indexOf(name) === at ? "" : " 2"}`, values[at] ?? ""]));
  return [named(received, receivedRow), named(sent, sentRow)];
}

/** The figures of both ends when no packet is under way. */
async function settled(link: Laplink, flags: string) {
  for (let before = ""; ;) {
    const now = { server: await figures(link.server, flags), client: await figures(link.client, flags) };
    if (JSON.stringify(now) === before) return now;
    before = JSON.stringify(now);
  }
}

const METHODS = {
  "Deflate and VJ": "bsdcomp 0",
  "VJ alone": "noccp",
  neither: "noccp novj",
} as const;

for (const [name, options] of Object.entries(METHODS))
  test.skipIf(skipReal !== undefined)(titled(`${name}: each end counts what the other does`, skipReal), () =>
    real.use(async (link) => {
      const runs = await bringUp(link, options, "record /run/record");
      await talk(link);
      for (const flags of ["", "-v", "-r", "-z"]) {
        const { server, client } = await settled(link, flags);
        for (const [received, sent] of [
          [server[0], client[1]],
          [client[0], server[1]],
        ] as const) {
          for (const [title, value] of Object.entries(received)) {
            if (title === "VJERR" || title === "VJTOSS") expect([title, value]).toEqual([title, "0"]);
            else expect([flags, title, value]).toEqual([flags, title, sent[title === "IN" ? "OUT" : title] ?? ""]);
          }
        }
        if (flags === "" && options !== "noccp novj") expect(Number(client[1]["VJCOMP"])).toBeGreaterThan(5);
        if (flags === "-z" && options === METHODS["Deflate and VJ"])
          expect(Number(client[1]["RATIO"])).toBeGreaterThan(1.5);
      }
      await finish(link, runs);
      await readsTheRecord(link.client, options === METHODS["Deflate and VJ"]);
    }),
  );

/** pppdump -d decompresses what the kernel compressed. */
async function readsTheRecord(end: End, isCompressed: boolean): Promise<void> {
  const compressed = async (flags: string): Promise<number> => {
    const { stdout, status } = await end.run(`pppdump ${flags} /run/record`);
    expect([status, /ERROR/.test(stdout)]).toEqual([0, false]);
    return stdout.match(/^(sent|rcvd) {2}(00 )?fd /gm)?.length ?? 0;
  };
  expect((await compressed("-p")) > 20).toBe(isCompressed);
  expect(await compressed("-pd")).toBe(0);
  await end.run("rm /run/record");
}

/** A connection that is never read. */
function connectTo(path: string): number {
  const address = new Memory(110);
  address.view.setUint16(0, 1, true);
  address.bytes.set(Buffer.from(path), 2);
  const fd = check(libc.socket(1, 1, 0), "socket");
  check(libc.connect(fd, address.address, 2 + path.length + 1), "connect", path);
  return fd;
}

const SOCKET = "/run/nullmodem-ppp0.stats";

test.skipIf(skip !== undefined)(titled("a killed pppd's socket is replaced, and who never reads harms nobody"), () =>
  own.use(async (link) => {
    const { client } = link;
    if (!(client instanceof OurEnd)) throw new Error("this end is not ours");
    const socket = client.machine.path(SOCKET);
    const leave = Bun.listen({ unix: `${socket}.old`, socket: { data: () => {} } });
    renameSync(`${socket}.old`, socket);
    leave.stop(true);
    expect(existsSync(socket)).toBe(true);
    expect(readPublished(socket)).toBeUndefined();

    const runs = await bringUp(link, "noccp");
    const pid = Number((await client.run("head -n1 /run/ppp0.pid")).stdout);
    const descriptors = (): number => readdirSync(`/proc/${pid}/fd`).length;
    const status = (): Status => JSON.parse(readPublished(socket) ?? "null");
    expect(status()).toMatchObject({ interface: "ppp0", pid, ipv4: { our: "10.0.0.2", peer: "10.0.0.1" } });
    expect(statSync(socket).mode & 0o777).toBe(0o666);
    const before = descriptors();
    const idle = Array.from({ length: 300 }, () => connectTo(socket));
    const answered = status();
    expect(answered.pid).toBe(pid);
    expect(descriptors()).toBe(before);
    expect((await client.run("ping -c 1 10.0.0.1")).status).toBe(0);
    expect(status().counters.sent.packets).toBe(answered.counters.sent.packets + 1);
    for (const fd of idle) closeFd(fd);

    const stranger = await client.machine.run(...asStranger(), built("pppstats"));
    expect(stranger.stdout).toBe((await client.run("pppstats")).stdout);

    const shown = await client.run("nullmodem status");
    expect(shown).toMatchObject({ status: 0, stderr: "" });
    expect(shown.stdout).toMatch(/^ppp0 {2}up \d+ s, pid \d+\n {2}IPv4 +10\.0\.0\.2 to 10\.0\.0\.1, MTU 1500\n/);
    const [one] = JSON.parse((await client.run("nullmodem status --json")).stdout);
    // The speed of an unpaced line may have been found to be unreal, and is then 0.
    expect([0, BAUD]).toContain(one.lines[0].speed);
    expect(one).toMatchObject({ pid, lines: [{ device: "/dev/ttyS0", phase: "network", badFcs: 0 }] });

    process.kill(pid, "SIGKILL");
    await runs.client.exit();
    await link.server.reset();
    expect(existsSync(socket)).toBe(true);
    expect((await client.run("nullmodem status")).status).toBe(1);
    await client.reset();
    const again = await bringUp(link, "noccp");
    expect(status().pid).not.toBe(pid);
    await finish(link, again);
  }),
);

test.skipIf(skip !== undefined)(titled("two links on one machine, each with its own figures"), async () => {
  const cable = await openCable();
  const machine = await openMachine("two", { ttys: { ttyS0: cable.a, ttyS1: cable.b } });
  const path = `${dirname(built())}:/usr/sbin:/usr/bin:/sbin:/bin`;
  const start = (options: string): Program =>
    new Program(`pppd ${options} noauth local nodetach noipv6 noccp`.split(" "), { machine, env: { PATH: path } });
  const programs = [start("/dev/ttyS0 10.0.0.1:10.0.0.2 linkname one"), start("/dev/ttyS1 linkname two")];
  try {
    await Promise.all(programs.map((program) => program.waitFor("remote IP address")));
    const run = (...words: string[]) => machine.run("env", `PATH=${path}`, ...words);
    const links: Status[] = JSON.parse((await run("nullmodem", "status", "--json")).stdout);
    expect(links.map(({ interface: name }) => name)).toEqual(["ppp0", "ppp1"]);
    expect(links.map(({ linkname }) => linkname).sort()).toEqual(["one", "two"]);
    for (const { linkname, pid } of links) if (linkname === "one") process.kill(pid, "SIGTERM");
    expect(await programs[0]!.exit()).toBe(5);
    await programs[1]!.exit();
    expect(readdirSync(machine.path("/run")).filter((name) => name.startsWith("nullmodem"))).toEqual([]);
  } finally {
    await Promise.all(programs.map((program) => program.stop()));
    await machine.close();
    await cable.close();
  }
});
