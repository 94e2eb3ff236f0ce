// Measures what a laptop gets from the Internet behind a null modem without pace, in one run: by our user mode, by the kernel's
// way (TUN and masquerade), by slirp, and beside them slirp4netns and pasta (of passt), which have a TAP and no line. Three
// network namespaces: laptop, server, outside. By itself, as root: bun scripts/bench/usernet.ts [SECONDS]

import { readdirSync, readFileSync } from "node:fs";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Machine, machinesMissing, openMachine, tunMissing } from "../../test/kit/machine.ts";
import { built, Program } from "../../test/kit/program.ts";
import { compile, Line } from "./link.ts";
import { table } from "./table.ts";

const OUTSIDE = "192.0.2.80";
const SERVER = "192.0.2.1";
const PORT = "5201";
const UP_MS = 30_000;
const OURS = ["noauth", "local", "nodetach", "noccp", "noipv6"];

interface World {
  readonly laptop: Machine;
  readonly server: Machine;
  readonly outside: Machine;
  /** The line's ends in both machines, by the name ttyS0. */
  readonly tty: string;
}

interface Way {
  readonly name: string;
  readonly needs: string;
  /** Starts it. Returns what it has started, when the laptop reaches the outside. */
  start(world: World): Promise<Program[]>;
}

/** The laptop's pppd: ours, with an interface. */
function laptopPppd({ laptop, tty }: World, ...words: readonly string[]): Program {
  return new Program([built("pppd"), tty, ...words, ...OURS, "defaultroute"], { machine: laptop });
}

async function overLine(world: World, word: string): Promise<Program[]> {
  const server = new Program([built("pppd"), world.tty, "10.64.0.1:10.64.0.2", word, ...OURS], {
    machine: world.server,
  });
  const laptop = laptopPppd(world, "noipdefault");
  await laptop.waitFor("remote IP address 10.64.0.1");
  return [server, laptop];
}

/** Starts a program in the server that makes the laptop's interface tap0. */
async function withTap({ server, laptop }: World, ...command: string[]): Promise<Program[]> {
  const program = new Program(command, { machine: server });
  const deadline = performance.now() + UP_MS;
  while ((await laptop.run("ip", "route", "show", "default")).stdout === "") {
    if (performance.now() > deadline) throw new Error(`no route by ${command[0]}:\n${program.text}`);
    await Bun.sleep(20);
  }
  return [program];
}

const WAYS: readonly Way[] = [
  { name: "ours, user mode", needs: "sh", start: (world) => overLine(world, "usernet") },
  { name: "ours, the kernel's way", needs: "nft", start: (world) => overLine(world, "share") },
  {
    name: "slirp-fullbolt",
    needs: "slirp-fullbolt",
    async start(world) {
      const slirp = `stty raw -echo <${world.tty}; exec slirp-fullbolt 'mtu 1500' <${world.tty} >${world.tty}`;
      const server = new Program(["sh", "-c", slirp], { machine: world.server });
      const laptop = laptopPppd(world, "slip", "mtu", "1500", "10.0.2.15:10.0.2.2");
      await laptop.waitFor("remote IP address 10.0.2.2");
      return [server, laptop];
    },
  },
  {
    name: "slirp4netns (TAP, no line)",
    needs: "slirp4netns",
    start: (world) => withTap(world, "slirp4netns", "-c", "-m", "1500", String(world.laptop.pid), "tap0"),
  },
  {
    name: "pasta (TAP, no line)",
    needs: "pasta",
    start: (world) =>
      withTap(
        world,
        ..."pasta -f -q --runas 0 --config-net --ns-ifname tap0 -m 1500".split(" "),
        "--netns",
        `/proc/${world.laptop.pid}/ns/net`,
      ),
  },
];

/** CPU seconds of the server's processes so far. */
function cpuOf(server: Machine): number {
  let sum = 0;
  for (const { pid } of server.processes())
    try {
      for (const thread of readdirSync(`/proc/${pid}/task`))
        sum += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]) / 1e9;
    } catch {
      // It has ended.
    }
  return sum;
}

interface Figure {
  /** Megabytes a second, and CPU milliseconds of the server for each. */
  readonly rate: number;
  readonly cost: number;
}

/** One TCP connection from the laptop to the outside; with `-R` the other way. */
async function measure({ laptop, server, outside }: World, seconds: number, flags: readonly string[]): Promise<Figure> {
  const sink = new Program(["iperf3", "-s", "-1", "-p", PORT, "--forceflush"], { machine: outside });
  try {
    await sink.waitFor("listening");
    const before = cpuOf(server);
    const words = ["-c", OUTSIDE, "-p", PORT, "-J", "-C", "cubic", "-t", String(seconds), ...flags];
    const client = new Program(["timeout", String(seconds * 3 + 20), "iperf3", ...words], { machine: laptop });
    await client.exit((seconds * 3 + 30) * 1000);
    const cpu = cpuOf(server) - before;
    const { error, end } = JSON.parse(client.lines.map(({ text }) => text).join("\n")) as {
      error?: string;
      end?: { sum_received?: { bytes: number; bits_per_second: number } };
    };
    const sum = end?.sum_received;
    if (sum === undefined || sum.bytes === 0) throw new Error(error ?? "iperf3 has no result");
    return { rate: sum.bits_per_second / 8e6, cost: (1000 * cpu) / (sum.bytes / 1e6) };
  } finally {
    await sink.stop();
  }
}

async function openWorld(line: Line): Promise<World> {
  const ttys = await line.terminals();
  const [laptop, server, outside] = await Promise.all([
    openMachine("laptop", { ttys: { ttyS0: ttys.b } }),
    openMachine("server", { ttys: { ttyS0: ttys.a } }),
    openMachine("outside"),
  ]);
  const wire = `ip link add wire0 netns ${server.pid} type veth peer name wire0 netns ${outside.pid}`;
  const { exitCode, stderr } = Bun.spawnSync(wire.split(" "), { stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`${wire}: ${stderr.toString()}`);
  for (const [machine, address] of [
    [server, SERVER],
    [outside, OUTSIDE],
  ] as const)
    await machine.run("sh", "-c", `ip addr add ${address}/24 dev wire0 && ip link set wire0 up`);
  await server.run("ip", "route", "add", "default", "via", OUTSIDE);
  return { laptop, server, outside, tty: "/dev/ttyS0" };
}

async function measureWay(yardstick: string, way: Way, seconds: number): Promise<{ up: Figure; down: Figure }> {
  const line = new Line(yardstick, { baud: 0, errorRate: 0, seed: 1 });
  const world = await openWorld(line);
  const programs: Program[] = [];
  try {
    programs.push(...(await way.start(world)));
    const down = await measure(world, seconds, ["-R"]);
    return { down, up: await measure(world, seconds, []) };
  } finally {
    await Promise.all(programs.map((program) => program.stop()));
    for (const machine of [world.laptop, world.server, world.outside]) await machine.close();
    await line.close();
  }
}

async function main(): Promise<void> {
  const missing = machinesMissing() ?? tunMissing();
  if (missing !== undefined) throw new Error(missing);
  const [seconds = 4, ...names] = process.argv.slice(2);
  const folder = mkdtempSync(join(tmpdir(), "nullmodem-bench-"));
  const rows: string[][] = [];
  try {
    const yardstick = compile(folder);
    let kernel: { up: Figure; down: Figure } | undefined;
    const found: [Way, { up: Figure; down: Figure }][] = [];
    for (const way of WAYS) {
      if (names.length > 0 && !names.some((name) => way.name.includes(name))) continue;
      if (Bun.which(way.needs) === null) {
        console.log(`${way.name}: ${way.needs} is not installed`);
        continue;
      }
      try {
        const figures = await measureWay(yardstick, way, Number(seconds));
        if (way.name.includes("kernel")) kernel = figures;
        found.push([way, figures]);
        console.log(`${way.name}: ${figures.down.rate.toFixed(1)} MB/s down, ${figures.up.rate.toFixed(1)} MB/s up`);
      } catch (error) {
        console.log(`${way.name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    for (const [way, { up, down }] of found) {
      const share = (one: Figure, all: Figure | undefined): string =>
        all === undefined ? "" : (one.rate / all.rate).toFixed(2);
      rows.push([
        way.name,
        down.rate.toFixed(1),
        share(down, kernel?.down),
        down.cost.toFixed(1),
        up.rate.toFixed(1),
        share(up, kernel?.up),
        up.cost.toFixed(1),
      ]);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(table(["one TCP flow", "down MB/s", "of kernel's", "ms/MB", "up MB/s", "of kernel's", "ms/MB"], rows));
}

await main();
