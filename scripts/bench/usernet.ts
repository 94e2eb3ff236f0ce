// Measures what a laptop gets from the Internet behind a null modem without pace, in one run: by our user mode, by the kernel's
// way (TUN and masquerade), by slirp, and beside them slirp4netns and pasta (of passt), which have a TAP and no line. Three
// network namespaces: laptop, server, outside. By itself, as root: bun scripts/bench/usernet.ts [SECONDS [ROUNDS]]

import { median } from "./figure.ts";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Machine, machinesMissing, openMachine, tunMissing } from "../../test/kit/machine.ts";
import { built, Program } from "../../test/kit/program.ts";
import { compile, Line } from "./station.ts";
import { table } from "./table.ts";

const OUTSIDE = "192.0.2.80";
const SERVER = "192.0.2.1";
const PORT = "5201";
const UP_MS = 30_000;
const SAMPLE_MS = 200;
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
  /** It starts the laptop's program itself, in a network of its own, with these words before it. */
  readonly before?: readonly string[];
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

const KERNEL: Way = { name: "ours, the kernel's way", needs: "nft", start: (world) => overLine(world, "share") };
const WAYS: readonly Way[] = [
  { name: "ours, user mode", needs: "sh", start: (world) => overLine(world, "usernet") },
  KERNEL,
  {
    name: "slirp-fullbolt",
    needs: "slirp-fullbolt",
    async start(world) {
      const slirp = `stty raw -echo <${world.tty}; exec slirp-fullbolt 'mtu 1500' <>${world.tty} >&0`;
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
    start: async () => [],
    before: "pasta -f -q --runas 0 --config-net --no-map-gw -m 1500 --".split(" "),
  },
];

/** CPU seconds of the server's processes, also of those that have ended. */
class Meter {
  readonly #server: Machine;
  readonly #threads = new Map<string, number>();
  readonly #timer: Timer;

  constructor(server: Machine) {
    this.#server = server;
    this.#timer = setInterval(() => this.read(), SAMPLE_MS);
  }

  read(): number {
    for (const { pid } of this.#server.processes())
      try {
        for (const thread of readdirSync(`/proc/${pid}/task`)) {
          const [ns] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
          this.#threads.set(`${pid}/${thread}`, Number(ns) / 1e9);
        }
      } catch {
        // It has ended.
      }
    return this.#threads.values().reduce((sum, seconds) => sum + seconds, 0);
  }

  end(): void {
    clearInterval(this.#timer);
  }
}

interface Figure {
  /** Megabytes a second, and CPU milliseconds of the server for each. */
  readonly rate: number;
  readonly cost: number;
}

/** One TCP connection from the laptop to the outside; with `-R` the other way. */
async function measure(world: World, way: Way, seconds: number, flags: readonly string[]): Promise<Figure> {
  const { laptop, server, outside } = world;
  const sink = new Program(["iperf3", "-s", "-1", "-p", PORT, "--forceflush"], { machine: outside });
  const meter = new Meter(server);
  try {
    await sink.waitFor("listening");
    const before = meter.read();
    const words = ["iperf3", "-c", OUTSIDE, "-p", PORT, "-J", "-t", String(seconds), ...flags];
    const command = ["timeout", String(seconds * 3 + 20), ...(way.before ?? []), ...words];
    const client = new Program(command, { machine: way.before === undefined ? laptop : server });
    await client.exit((seconds * 3 + 30) * 1000);
    const cpu = meter.read() - before;
    const text = client.lines.map((line) => line.text).join("\n");
    const { error, end } = JSON.parse(text.slice(text.indexOf("{"))) as {
      error?: string;
      end?: { sum_received?: { bytes: number; bits_per_second: number } };
    };
    const sum = end?.sum_received;
    if (sum === undefined || sum.bytes === 0) throw new Error(error ?? "iperf3 has no result");
    return { rate: sum.bits_per_second / 8e6, cost: (1000 * cpu) / (sum.bytes / 1e6) };
  } finally {
    meter.end();
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

async function measureWay(yardstick: string, way: Way, seconds: number): Promise<Figures> {
  const line = new Line(yardstick, { baud: 0, errorRate: 0, seed: 1 });
  const world = await openWorld(line);
  const programs: Program[] = [];
  try {
    programs.push(...(await way.start(world)));
    const down = await measure(world, way, seconds, ["-R"]);
    return { down, up: await measure(world, way, seconds, []) };
  } finally {
    await Promise.all(programs.map((program) => program.stop()));
    for (const machine of [world.laptop, world.server, world.outside]) await machine.close();
    await line.close();
  }
}

interface Figures {
  readonly up: Figure;
  readonly down: Figure;
}

/** Each way once a round. A way that does not work says why. */
async function measureAll(ways: readonly Way[], seconds: number, rounds: number): Promise<Map<Way, Figures[]>> {
  const folder = mkdtempSync(join(tmpdir(), "nullmodem-bench-"));
  const found = new Map<Way, Figures[]>(ways.map((way) => [way, []]));
  try {
    const yardstick = compile(folder);
    for (let round = 0; round < rounds; round++)
      for (const way of ways)
        try {
          const figures = await measureWay(yardstick, way, seconds);
          found.get(way)!.push(figures);
          console.log(`${way.name}: ${figures.down.rate.toFixed(1)} MB/s down, ${figures.up.rate.toFixed(1)} MB/s up`);
        } catch (error) {
          console.log(`${way.name}: ${error instanceof Error ? error.message : String(error)}`);
        }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return found;
}

/** The medians of a way in one direction, and of its shares of another way's figures in the same rounds. */
function cells(one: readonly Figure[], other: readonly Figure[]): string[] {
  const share = (of: (figure: Figure) => number): string => {
    const shares = one.flatMap((figure, round) => (other[round] === undefined ? [] : [of(figure) / of(other[round])]));
    return shares.length === 0 ? "" : median(shares).toFixed(2);
  };
  return [
    median(one.map(({ rate }) => rate)).toFixed(1),
    share(({ rate }) => rate),
    median(one.map(({ cost }) => cost)).toFixed(1),
    share(({ cost }) => cost),
  ];
}

async function main(): Promise<void> {
  const missing = machinesMissing() ?? tunMissing();
  if (missing !== undefined) throw new Error(missing);
  const [seconds = 4, rounds = 3, ...names] = process.argv.slice(2);
  const wanted = WAYS.filter(({ name }) => names.length === 0 || names.some((part) => name.includes(part)));
  for (const { name, needs } of wanted)
    if (Bun.which(needs) === null) console.log(`${name}: ${needs} is not installed`);
  const ways = wanted.filter(({ needs }) => Bun.which(needs) !== null);
  const found = await measureAll(ways, Number(seconds), Number(rounds));
  const kernel = found.get(KERNEL) ?? [];
  const rows = [...found].map(([{ name }, figures]) => [
    name,
    ...cells(
      figures.map(({ down }) => down),
      kernel.map(({ down }) => down),
    ),
    ...cells(
      figures.map(({ up }) => up),
      kernel.map(({ up }) => up),
    ),
  ]);
  const heads = ["MB/s", "of kernel's", "CPU ms/MB", "of kernel's"];
  console.log(
    table(["one TCP flow", ...heads.map((head) => `down ${head}`), ...heads.map((head) => `up ${head}`)], rows),
  );
}

await main();
