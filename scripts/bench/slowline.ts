// Measures file transfers on a slow line: two of our pppds over the virtual cable at 115200, with default options and
// with noccp, a text, a .tar.gz, and a ping during the text.
//
// The text is this repository's documentation and sources, and the .tar.gz is made from them. If this machine's perl
// has enough pod, that is a second text: English in short paragraphs, which compresses less.

import { consola } from "consola";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type Cable, openCable } from "../../test/kit/cable.ts";
import { type Machine, machinesMissing, openMachine, tunMissing } from "../../test/kit/machine.ts";
import { built, Program } from "../../test/kit/program.ts";
import { table } from "./table.ts";

const BAUD = 115200;
/** Octets a second, 8N1. */
const LINE_RATE = BAUD / 10;
const SERVER = "10.64.0.1";
const CLIENT = "10.64.0.2";
const PORT = 2000;
const FILE = "/run/slowline.bin";
const WITHIN_MS = 150_000;
const ROOT = join(import.meta.dir, "../..");
const PODS = "/usr/share/perl";
/** The goals: the multiple of the line rate, noccp's seconds divided by the default's, and milliseconds. */
const TEXT_GOAL = 3;
const GZ_GOAL = 0.985;
const PING_GOAL = 500;

interface Transfer {
  readonly octets: number;
  readonly seconds: number;
  /** Octets that the line carried in that direction meanwhile. */
  readonly there: number;
  /** Round trips of a ping from the receiver meanwhile, in milliseconds, sorted. */
  readonly pings: readonly number[];
}

/** The distinct files of a folder, concatenated. */
function filesOf(folder: string, patterns: readonly string[]): Buffer {
  const files = patterns.flatMap((pattern) => [...new Bun.Glob(pattern).scanSync(folder)].sort());
  return Buffer.concat(files.map((file) => readFileSync(join(folder, file))));
}

function ownText(octets: number): Buffer {
  return filesOf(ROOT, ["*.md", "src/**/*.ts", "scripts/**/*.ts", "test/**/*.ts"]).subarray(0, octets);
}

/** An archive of this repository's sources, as `tar cz` makes it. */
function archive(octets: number): Buffer {
  const { stdout } = Bun.spawnSync(["tar", "cf", "-", "--sort=name", "src", "scripts", "test", "fixtures"], {
    cwd: ROOT,
    stderr: "ignore",
  });
  return gzipSync(stdout).subarray(0, octets);
}

/** Brings up a link with `options` and passes the two machines to `use`. */
async function withLink<T>(
  options: readonly string[],
  use: (server: Machine, client: Machine, cable: Cable) => Promise<T>,
): Promise<T> {
  const pppd = built("pppd");
  const cable = await openCable({ baud: BAUD });
  const server = await openMachine("slow-server", { ttys: { ttyS0: cable.a } });
  const client = await openMachine("slow-client", { ttys: { ttyS0: cable.b } });
  const start = (machine: Machine, words: readonly string[]): Program =>
    new Program([pppd, "/dev/ttyS0", String(BAUD), "noauth", "local", "nodetach", ...words, ...options], { machine });
  try {
    const programs = [start(server, [`${SERVER}:${CLIENT}`]), start(client, ["noipdefault"])];
    for (const program of programs) await program.waitFor("remote IP address");
    const result = await use(server, client, cable);
    for (const program of programs) await program.stop();
    return result;
  } finally {
    await Promise.all([server.close(), client.close()]);
    await cable.close();
  }
}

/** The client fetches `data` over TCP; with `pinging` it pings the server at the same time. */
function transfer(data: Uint8Array, options: readonly string[], pinging = false): Promise<Transfer> {
  return withLink(options, async (server, client, cable) => {
    writeFileSync(server.path(FILE), data);
    const copy = [process.execPath, join(ROOT, "scripts/demo/copy.ts")];
    const words = [SERVER, String(PORT), FILE];
    const sender = new Program([...copy, "serve", ...words], { machine: server });
    await sender.waitFor("listening");
    const before = await cable.stats();
    const receiver = new Program([...copy, "fetch", ...words], { machine: client });
    const pinger = pinging ? new Program(["ping", "-i", "0.3", SERVER], { machine: client }) : undefined;
    const status = await receiver.exit(WITHIN_MS);
    const after = await cable.stats();
    pinger?.kill("SIGINT");
    await pinger?.exit();
    await sender.exit();
    if (status !== 0) throw new Error(`the transfer ended with status ${status}:\n${receiver.text}`);
    if (!readFileSync(client.path(FILE)).equals(data)) throw new Error("what arrived is not what was sent");
    const [octets = 0, milliseconds = 0] = receiver.lines.at(-1)!.text.split(" ").map(Number);
    return {
      octets,
      seconds: milliseconds / 1000,
      there: after.ab.delivered - before.ab.delivered,
      pings: (pinger?.lines ?? [])
        .flatMap(({ text }) => /time=([\d.]+) ms/.exec(text)?.[1] ?? [])
        .map(Number)
        .sort((a, b) => a - b),
    };
  });
}

const verdict = (reached: boolean): string => (reached ? "reached" : "missed");

export async function benchSlowLine(quick: boolean): Promise<void> {
  const reason = machinesMissing() ?? tunMissing();
  if (reason !== undefined) {
    consola.warn(`The slow line is not measured: ${reason}`);
    return;
  }
  const size = quick ? 250_000 : 1_000_000;
  const gz = archive(quick ? 150_000 : 500_000);
  const own = ownText(size);
  const pods = filesOf(PODS, ["**/*.pod"]).subarray(0, size);

  const rows: string[][] = [];
  const measure = async (
    name: string,
    data: Uint8Array,
    options: readonly string[],
    goal?: number,
    pinging = false,
  ): Promise<Transfer> => {
    const result = await transfer(data, options, pinging);
    const { octets, seconds, there } = result;
    const speed = octets / seconds;
    const row = [name, String(octets), seconds.toFixed(2), speed.toFixed(0), (speed / LINE_RATE).toFixed(3)];
    // The size by gzip over the whole file in one block. Packets cannot reach this.
    row.push(
      ((100 * there) / seconds / LINE_RATE).toFixed(1),
      (octets / gzipSync(data, { level: 9 }).length).toFixed(3),
    );
    if (goal !== undefined) row.push(`≥ ${goal}`, verdict(speed / LINE_RATE >= goal));
    rows.push(row);
    return result;
  };
  await measure("this repository's text", own, [], TEXT_GOAL);
  await measure("the same, noccp", own, ["noccp"]);
  if (pods.length >= size / 2) await measure("perl's pod", pods, []);
  const compressed = await measure(".tar.gz", gz, []);
  const plain = await measure("the same, noccp", gz, ["noccp"]);
  const { pings } = await measure("a text, pinged", own.subarray(0, size / 2), [], undefined, true);
  consola.log(table(["", "octets", "s", "octets/s", "× line", "line busy, %", "gzip -9, ×", "goal", ""], rows));
  const share = plain.seconds / compressed.seconds;
  const control = readFileSync("/proc/sys/net/ipv4/tcp_congestion_control", "utf8").trim();
  consola.log(`TCP's congestion control: ${control}`);
  consola.log(`.tar.gz as fast as with noccp: ${share.toFixed(4)} (≥ ${GZ_GOAL}: ${verdict(share >= GZ_GOAL)})`);
  const p50 = pings[pings.length >> 1] ?? NaN;
  consola.log(
    `ping under the text: p50 ${p50.toFixed(0)} ms, worst ${pings.at(-1)?.toFixed(0) ?? "-"} ms of ${pings.length} ` +
      `(< ${PING_GOAL}: ${verdict(p50 < PING_GOAL)})`,
  );
}
