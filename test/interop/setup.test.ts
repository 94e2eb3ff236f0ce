// nullmodem setup on two machines with a cable between them: the files that it writes make a link, and are taken back.
// On a terminal it asks.

import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Cable, openCable } from "../kit/cable.ts";
import { filesIn, laplinkMissing, LinkPool } from "../kit/end.ts";
import { play } from "../kit/far-end.ts";
import { closeMachines, type Machine, machinesMissing, openMachine, tunMissing } from "../kit/machine.ts";
import { PATIENCE_MS } from "../kit/patience.ts";
import { built, Program } from "../kit/program.ts";

setDefaultTimeout(2 * PATIENCE_MS);

const missing = machinesMissing() ?? tunMissing();
const on = (name: string, play: () => Promise<void>): void =>
  test.skipIf(missing !== undefined)(missing === undefined ? name : `${name} [skipped: ${missing}]`, play);

let programs: Program[] = [];
let cable: Cable | undefined;
afterEach(async () => {
  await Promise.all(programs.map((program) => program.stop()));
  programs = [];
  await closeMachines();
  await cable?.close();
  cable = undefined;
});

function run(machine: Machine, ...words: readonly string[]): Program {
  const program = new Program(words, { machine });
  programs.push(program);
  return program;
}

/** The files in /etc/ppp with their texts. */
function configuration(machine: Machine): string[] {
  const etc = machine.path("/etc/ppp");
  return readdirSync(etc, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => `${name} ${readFileSync(`${parentPath}/${name}`, "latin1")}`)
    .toSorted();
}

async function succeeds(machine: Machine, ...words: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await machine.run(built("nullmodem"), "setup", ...words);
  expect([status, stderr]).toEqual([0, ""]);
  return stdout;
}

on("a server and a client that setup made have a link with a password, and --undo leaves nothing", async () => {
  cable = await openCable({ baud: 115200 });
  const [server, client] = await Promise.all([
    openMachine("server", {
      ttys: { ttyS1: cable.a },
      files: { "/etc/ppp/options": "lock", "/etc/ppp/pap-secrets": "otto * x\n", "/etc/secret": "gargle Blaster\n" },
    }),
    openMachine("client", { ttys: { ttyS0: cable.b }, files: { "/etc/secret": "gargle Blaster\n" } }),
  ]);
  const before = [server, client].map(configuration);
  const user = ["--user", "zaphod", "--password-file", "/etc/secret", "--yes"];
  await succeeds(server, "--role", "serve", "--port", "ttyS1", "--peer", "esp32", ...user);
  const said = await succeeds(client, "--role", "join", "--port", "ttyS0", ...user);
  expect(said).toContain("\n  pppd call ttyS0 nodetach\n");

  const waiting = run(server, built("pppd"), "/dev/ttyS1", "nodetach");
  const calling = run(client, built("pppd"), "call", "ttyS0", "nodetach");
  await Promise.all([
    waiting.waitFor("remote IP address 192.168.1.1"),
    calling.waitFor("local  IP address 192.168.1.1"),
  ]);
  expect(waiting.text).toContain("peer esp32 sets nocrtscts local noccp\n");
  expect(waiting.text).toContain("\nPeer zaphod authenticated with ");
  await Promise.all([calling.stop(), waiting.stop()]);

  for (const machine of [server, client]) await succeeds(machine, "--undo");
  expect([server, client].map(configuration)).toEqual(before);
});

/** The files of /etc/ppp that setup writes into an empty folder. */
function filesOf(...words: readonly string[]): Record<string, string> {
  const root = mkdtempSync(join(tmpdir(), "nullmodem-setup-"));
  try {
    writeFileSync(join(root, "secret"), "gargle Blaster\n");
    const argv = ["setup", "--root", root, "--user", "zaphod", "--password-file", join(root, "secret"), "--yes"];
    const { exitCode, stderr } = Bun.spawnSync([built("nullmodem"), ...argv, ...words]);
    expect([exitCode, stderr.toString()]).toEqual([0, ""]);
    return filesIn(join(root, "etc/ppp"));
  } finally {
    rmSync(root, { recursive: true });
  }
}

const noLab = missing ?? laplinkMissing("ours", "real");
const REAL = "Debian's pppd reads the client's files of setup";
test.skipIf(noLab !== undefined)(noLab === undefined ? REAL : `${REAL} [skipped: ${noLab}]`, async () => {
  const pool = new LinkPool("ours", "real", 1);
  try {
    await pool.use(async ({ server, client }) => {
      await server.install(filesOf("--role", "serve", "--port", "/dev/ttyS1"));
      await client.install(filesOf("--role", "join", "--port", "/dev/ttyS0"));
      const waiting = await server.start("pppd /dev/ttyS1 nodetach");
      const calling = await client.start("pppd call ttyS0 nodetach");
      await Promise.all([waiting.waitFor(/^remote IP address/), calling.waitFor("local  IP address 192.168.1.1")]);
      expect(waiting.lines.join("\n")).toContain("Peer zaphod authenticated with ");
    });
  } finally {
    await pool.close();
  }
});

const ENTER = "\r";

on("on a terminal it asks; the password is not shown", async () => {
  const machine = await openMachine("asked", { files: { "/etc/ppp/options": "lock\n" } });
  const terminal = `stty rows 50 cols 120; exec ${built("nullmodem")} setup --port /dev/ttyS1`;
  const seen = await play(machine.argv(["sh", "-c", terminal]), {
    argv: [],
    cooked: true,
    far: [
      { on: "This machine", say: ENTER },
      { on: "The other system", say: ENTER },
      { on: "Bits a second", say: ENTER },
      { on: "The cable", say: ENTER },
      { on: "A caller proves who he is by", say: ENTER },
      { on: "The caller's name", say: `anna${ENTER}` },
      { on: "The password (not shown)", say: `geheim${ENTER}` },
      { on: "Once more (not shown)", say: `geheim${ENTER}` },
      { on: "The other machine reaches", say: ENTER },
      { on: "Start the link with the machine", say: ENTER },
      { on: "Write this?", say: `y${ENTER}` },
    ],
  });
  expect([seen.code, seen.stderr]).toEqual([0, ""]);
  expect(seen.sent).toContain("On the other machine (Linux):");
  expect(seen.sent).not.toContain("geheim");
  expect(readFileSync(machine.path("/etc/ppp/chap-secrets"), "utf8")).toContain("\nanna * geheim *\n");
});
