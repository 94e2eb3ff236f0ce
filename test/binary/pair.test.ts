// The seven scenarios with which pppd's project tests a build: two pppds on a pair of sockets, each in its own network,
// with the messages of a pppd 2.5.

import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { type Machine, openMachine } from "../kit/machine.ts";
import { PATIENCE_MS } from "../kit/patience.ts";
import { Rng } from "../kit/rng.ts";
import { receive, send } from "../kit/transfer.ts";
import { Notty, socketPair } from "./notty.ts";
import { missing, pppdPath, titled } from "./scene.ts";

setDefaultTimeout(2 * PATIENCE_MS);
const on = (name: string, play: () => Promise<void>): void => test.skipIf(missing !== undefined)(titled(name), play);

const ADDRESS = { a: "10.0.0.1", b: "10.0.0.2" } as const;
const WORDS = ["nodetach", "local", "debug", "lcp-echo-interval", "1", "lcp-echo-failure", "10"];
/** The exit codes of a side that did not end the link. The line may be gone before it has understood the reason. */
const LET_GO = [5, 15, 16];

let opened: Pair | undefined;
afterEach(async () => {
  await opened?.close();
  opened = undefined;
});

interface Side {
  readonly machine: Machine;
  readonly pppd: Notty;
}

class Pair {
  readonly a: Side;
  readonly b: Side;

  private constructor(a: Side, b: Side) {
    this.a = a;
    this.b = b;
  }

  static async open(
    words: { readonly a?: readonly string[]; readonly b?: readonly string[] } = {},
    files: Readonly<Record<string, string>> = {},
  ): Promise<Pair> {
    const [one, two] = await Promise.all([openMachine("a"), openMachine("b", { files })]);
    const [ours, theirs] = socketPair();
    const start = (machine: Machine, fd: number, more: readonly string[] = ["noauth"]): Side => ({
      machine,
      pppd: new Notty(machine, fd, fd, [...WORDS, ...more]),
    });
    const a = start(one, ours, [`${ADDRESS.a}:${ADDRESS.b}`, "noauth", ...(words.a ?? [])]);
    return (opened = new Pair(a, start(two, theirs, words.b)));
  }

  /** Both sides have their addresses. */
  async up(): Promise<void> {
    const sides = [this.a, this.b];
    await Promise.all(sides.map(({ pppd }) => pppd.says("remote IP address")));
  }

  async close(): Promise<void> {
    for (const { pppd, machine } of [this.a, this.b]) {
      await pppd.stop();
      await machine.close();
    }
  }
}

async function says({ machine }: Side, ...command: string[]): Promise<string> {
  const { status, stdout, stderr } = await machine.run(...command);
  expect({ command, status, stderr }).toEqual({ command, status: 0, stderr: "" });
  return stdout;
}

const pings = (from: Side, to: string, ...more: string[]): Promise<string> =>
  says(from, "ping", "-c", "2", "-i", "0.2", "-W", "10", ...more, to);

on("version", async () => {
  const { exitCode, stdout, stderr } = Bun.spawnSync([pppdPath(), "--version"]);
  expect(exitCode).toBe(0);
  expect(`${stdout}${stderr}`).toMatch(/^pppd version 2\.\d+/m);
});

on("link up: each side has both addresses and pings the other, and SIGTERM ends both in good order", async () => {
  const { a, b } = await Pair.open().then(async (pair) => (await pair.up(), pair));
  for (const [side, our, peer] of [
    [a, ADDRESS.a, ADDRESS.b],
    [b, ADDRESS.b, ADDRESS.a],
  ] as const)
    expect(await says(side, "ip", "-o", "-4", "addr", "show", "dev", "ppp0")).toContain(`inet ${our} peer ${peer}/32`);
  await pings(a, ADDRESS.b);
  await pings(b, ADDRESS.a);
  b.pppd.kill("SIGTERM");
  expect(await b.pppd.exit()).toBe(5);
  expect(b.pppd.log).toContain("Connection terminated.");
  expect(LET_GO).toContain(await a.pppd.exit());
});

for (const words of [[], ["asyncmap", "0"], ["default-asyncmap"]])
  on(`2 MB of noise arrive as they were: ${words.join(" ") || "no asyncmap said"}`, async () => {
    const pair = await Pair.open({ a: words, b: ["noauth", ...words] });
    await pair.up();
    const noise = new Rng(8).bytes(2 << 20);
    writeFileSync(pair.b.machine.path("/run/noise"), noise);
    await Promise.all([
      says(pair.a, "sh", "-c", `cd /run; ${receive(5000, "heard")}`),
      says(pair.b, "sh", "-c", `cd /run; ${send(ADDRESS.a, 5000, "noise")} 2>/dev/null`),
    ]);
    expect(readFileSync(pair.a.machine.path("/run/heard")).equals(noise)).toBe(true);
  });

on("the MRU one side asks for is the other's MTU, and what is larger arrives in pieces", async () => {
  const pair = await Pair.open({ a: ["mru", "512"] });
  await pair.up();
  expect(await says(pair.b, "ip", "-o", "link", "show", "dev", "ppp0")).toContain(" mtu 512 ");
  await pings(pair.b, ADDRESS.a, "-s", "1000");
});

// A wrong secret is in test/simulation/proofs.test.ts.
for (const method of ["pap", "chap"] as const)
  on(`${method}: the right secret comes in, and it is said who`, async () => {
    const files = { [`/etc/ppp/${method}-secrets`]: 'cli\tsrv\t"s3cret"\t*\n' };
    const server = ["auth", `require-${method}`, "name", "srv"];
    const client = ["user", "cli", "remotename", "srv", "password", "s3cret"];
    const pair = await Pair.open({ a: client, b: server }, files);
    await pair.up();
    expect(pair.b.pppd.log).toContain(`Peer cli authenticated with ${method.toUpperCase()}\n`);
  });
