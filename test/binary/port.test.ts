// Events outside a working line: another program at the port, another speed at the other end, a lost carrier.

import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { type Cable, openCable } from "../kit/cable.ts";
import { type Machine, openMachine } from "../kit/machine.ts";
import { Program } from "../kit/program.ts";
import { missing, pppdPath, Scene, titled, until } from "./scene.ts";

setDefaultTimeout(60_000);
const on = test.skipIf(missing !== undefined);

let undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const each of undo.reverse()) await each();
  undo = [];
});

async function openScene(files: Readonly<Record<string, string>> = {}): Promise<Scene> {
  const scene = await Scene.open(files);
  undo.push(() => scene.close());
  return scene;
}

const WORDS = ["10.0.0.1:10.0.0.2", "lcp-restart", "1", "lcp-max-terminate", "1"];
const texts = ({ lines }: Program): string[] => lines.map(({ text }) => text);

on(
  titled("who else has the port open is named soon after the start, and what they change on it is put back"),
  async () => {
    const scene = await openScene();
    const peer = scene.far.answer();
    const other = scene.run([
      "sh",
      "-c",
      "exec 3<>/dev/ttyS1; echo ready; read -r word; stty icanon echo 9600 <&3; echo done; read -r word",
    ]);
    await other.waitFor("ready");
    const pppd = scene.pppd(WORDS);
    const up = await pppd.waitFor("remote IP address");
    await pppd.waitFor(/^\/dev\/ttyS1 is also open in sh \(pid \d+\)$/);
    await other.write("go\n");
    await other.waitFor("done");
    await pppd.waitFor("Another program has changed the settings of /dev/ttyS1 (9600 icanon echo); they are put back", {
      after: up,
    });
    // The link is not affected.
    const before = peer.packets.length;
    await scene.machine.run("ping", "-c", "1", "-W", "1", "10.0.0.2");
    await until("a packet came through", () => peer.packets.length > before);
    await other.write("go\n");
    await other.ended;
    pppd.kill();
    expect(await pppd.exit()).toBe(5);
    expect(await scene.leftBehind()).toEqual([]);
  },
);

on(
  titled("an explicit holdoff counts after a connect script that failed, and not after a carrier that was lost"),
  async () => {
    const scene = await openScene();
    const failing = scene.pppd([...WORDS, "persist", "maxfail", "2", "holdoff", "2", "connect", "exit 1"]);
    const first = await failing.waitFor("Connect script failed");
    const second = await failing.waitFor("Connect script failed", { after: first });
    expect(second.at - first.at).toBeGreaterThanOrEqual(2000);
    expect(await failing.exit()).toBe(8);
    scene.far.answer();
    const redialling = scene.pppd([...WORDS, "persist", "holdoff", "1000", "connect", "exit 0"]);
    await redialling.waitFor("remote IP address");
    scene.far.hangUp();
    const hangup = await redialling.waitFor("Modem hangup");
    await redialling.waitFor("Failed to open /dev/ttyS1", { after: hangup });
    redialling.kill();
    expect(await redialling.exit()).toBe(5);
  },
);

// ── two machines whose ports are set differently ─────────────────────────────────────────────────────────────────────

interface Ends {
  readonly cable: Cable;
  readonly server: Machine;
  readonly client: Machine;
}

async function openEnds(): Promise<Ends> {
  const cable = await openCable({ baud: "ports" });
  undo.push(() => cable.close());
  const [server, client] = await Promise.all([
    openMachine("server", { ttys: { ttyS1: cable.a } }),
    openMachine("client", { ttys: { ttyS0: cable.b } }),
  ]);
  undo.push(() => Promise.all([server.close(), client.close()]));
  return { cable, server, client };
}

function start(machine: Machine, ...words: string[]): Program {
  const program = new Program([pppdPath(), ...words, "local", "noauth", "nodetach"], { machine });
  undo.push(() => program.stop(8000));
  return program;
}

on(
  titled("the HOWTO's two ends at different speeds: both name it, and a client at the right speed comes up"),
  async () => {
    const { server, client } = await openEnds();
    const waiting = start(server, "/dev/ttyS1", "115200", "silent", "persist", "10.0.0.1:10.0.0.2");
    await waiting.waitFor("Connect:");
    const wrong = start(client, "/dev/ttyS0", "38400", "lcp-restart", "1", "lcp-max-configure", "6");
    await waiting.waitFor(/^Heard \d+ octets, but neither PPP nor text: the peer probably uses another speed$/);
    expect(await wrong.exit()).toBe(16);
    expect(texts(wrong)).toContainEqual(expect.stringMatching(/^Heard nothing at all: .* waits at another speed$/));
    const right = start(client, "/dev/ttyS0", "115200");
    await Promise.all([right, waiting].map((end) => end.waitFor("remote IP address")));
    expect(texts(waiting).filter((text) => text.startsWith("Heard"))).toHaveLength(1);
    right.kill("SIGINT");
    expect(await right.exit()).toBe(5);
  },
);

on(titled("Ctrl-C on a client that nobody answers: it says what it heard before it ends"), async () => {
  const { client } = await openEnds();
  const alone = start(client, "/dev/ttyS0", "115200", "lcp-restart", "1", "lcp-max-terminate", "1");
  await alone.waitFor("Heard nothing for 3 s; still sending Configure-Requests");
  alone.kill("SIGINT");
  await alone.waitFor(/^Heard nothing at all: /);
  expect(await alone.exit()).toBe(16);
  expect(texts(alone).filter((text) => text.startsWith("Heard nothing at all"))).toHaveLength(1);
});
