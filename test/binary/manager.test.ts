// The reports to a service manager and to the journal: the compiled program under a simulated systemd.

import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { Datagrams } from "../kit/datagrams.ts";
import type { Program } from "../kit/program.ts";
import { missing, pppdPath, Scene, titled, until } from "./scene.ts";

setDefaultTimeout(30_000);
const on = (name: string, play: () => Promise<void>): void => test.skipIf(missing !== undefined)(titled(name), play);

const LINE = ["/dev/ttyS1", "115200", "local", "lock", "noauth", "10.0.0.1:10.0.0.2", "lcp-restart", "1"];
const UP = "STATUS=up: 10.0.0.1 <-> 10.0.0.2";
const WAITING = "STATUS=waiting for the peer";
const ENDING = "STOPPING=1\nSTATUS=ending";

/** A scene whose programs have a manager, and the messages that the manager received. */
class Managed {
  readonly scene: Scene;
  readonly #manager: Datagrams;
  readonly #heard: string[] = [];

  constructor(scene: Scene) {
    this.scene = scene;
    this.#manager = new Datagrams(scene.machine.path("/run/notify"));
  }

  static async open(files: Readonly<Record<string, string>> = {}): Promise<Managed> {
    const managed = new Managed(await Scene.open(files));
    await managed.scene.remember();
    return (opened = managed);
  }

  /** pppd with these words, started by a shell that runs `first` before. */
  start(words: readonly string[], env: Readonly<Record<string, string>> = {}, first = ""): Program {
    const argv = ["sh", "-c", `${first} exec "$0" "$@"`, pppdPath(), ...LINE, ...words];
    return this.scene.run(argv, { env: { NOTIFY_SOCKET: "/run/notify", ...env } });
  }

  /** All messages except signs of life. */
  get heard(): string[] {
    this.#heard.push(...this.#manager.take());
    return this.#heard.filter((text) => text !== "WATCHDOG=1");
  }

  get beats(): number {
    const words = this.heard;
    return this.#heard.length - words.length;
  }

  hears(text: string): Promise<void> {
    return until(`${text} among ${JSON.stringify(this.#heard)}`, () => this.heard.includes(text));
  }

  async close(): Promise<void> {
    await this.scene.close();
    this.#manager.close();
  }
}

let opened: Managed | undefined;
afterEach(async () => {
  await opened?.close();
  opened = undefined;
});

on("ready when the line is open, then how it goes, and the end; scripts do not hear of the manager", async () => {
  const managed = await Managed.open();
  const { far, machine } = managed.scene;
  const pppd = managed.start(["nodetach", "persist", "holdoff", "1", "connect", "env >/run/environment"]);
  await managed.hears(WAITING);
  expect(managed.heard).toEqual(["READY=1\nSTATUS=/dev/ttyS1 is open", WAITING]);
  const environment = readFileSync(machine.path("/run/environment"), "utf8");
  expect(environment).toContain("PATH=");
  expect(environment).not.toMatch(/NOTIFY|WATCHDOG/);
  const first = far.answer();
  await managed.hears(UP);
  first.link.close("Enough", performance.now());
  await managed.hears("STATUS=waiting for the next try");
  far.answer();
  await until("up again", () => managed.heard.filter((text) => text === UP).length === 2);
  pppd.kill();
  expect(await pppd.exit()).toBe(5);
  expect(managed.heard.slice(2)).toEqual([
    UP,
    WAITING,
    "STATUS=waiting for the next try",
    "STATUS=/dev/ttyS1 is open",
    WAITING,
    UP,
    ENDING,
  ]);
  await machine.run("rm", "/run/environment");
  expect(await managed.scene.leftBehind()).toEqual([]);
});

on("with up_sdnotify it is ready when the link is up", async () => {
  const managed = await Managed.open();
  const pppd = managed.start(["up_sdnotify"]);
  await managed.hears(WAITING);
  managed.scene.far.answer();
  await managed.hears(`READY=1\n${UP}`);
  expect(managed.heard).toEqual(["STATUS=/dev/ttyS1 is open", WAITING, `READY=1\n${UP}`]);
  pppd.kill();
  expect(await pppd.exit()).toBe(5);
});

on("into the background it goes silently, when it is somebody else that the manager keeps", async () => {
  const managed = await Managed.open();
  managed.scene.far.answer();
  const parent = managed.start(["updetach"]);
  expect(await parent.exit()).toBe(0);
  const [child] = managed.scene.machine.processes().filter(({ command }) => command.startsWith(pppdPath()));
  process.kill(child!.pid, "SIGTERM");
  await until("it has ended", () => !existsSync(`/proc/${child!.pid}`));
  expect(managed.heard).toEqual([]);
  expect(await managed.scene.leftBehind()).toEqual([]);
});

on("signs of life: with nobody there, with the link up, between two tries, while it chats", async () => {
  const managed = await Managed.open();
  const { far } = managed.scene;
  const pppd = managed.start(["nodetach", "persist", "holdoff", "1000"], { WATCHDOG_USEC: "100000" });
  const lives = async (what: string): Promise<void> => {
    const before = managed.beats;
    await until(`ten signs of life ${what}`, () => managed.beats >= before + 10);
  };
  await managed.hears(WAITING);
  await lives("while it waits");
  const peer = far.answer();
  await managed.hears(UP);
  await lives("while it is up");
  peer.link.close("Enough", performance.now());
  await managed.hears("STATUS=waiting for the next try");
  await lives("while it holds off");
  pppd.kill();
  expect(await pppd.exit()).toBe(5);
  const chats = managed.start(["nodetach", "connect", "chat TIMEOUT 60 CONNECT"], { WATCHDOG_USEC: "100000" });
  await until("it chats", () => managed.heard.at(-1) === "READY=1\nSTATUS=/dev/ttyS1 is open");
  // The loop of chat lets timers run four times a second.
  await lives("while it chats");
  chats.kill();
  expect(await chats.exit()).toBe(8);
});

on("what cannot start does not say that it has", async () => {
  const managed = await Managed.open();
  const locked = managed.start(["nodetach"], {}, 'printf "%10d\\n" 1 >/run/lock/LCK..ttyS1;');
  expect(await locked.exit()).toBe(6);
  const wrong = managed.start(["nodetach", "frobnicate"]);
  expect(await wrong.exit()).toBe(2);
  expect(managed.heard).toEqual([ENDING]);
});

const JOURNAL = "{ JOURNAL_STREAM=$(stat -Lc %d:%i /proc/self/fd/9); } 9>&1; export JOURNAL_STREAM;";

on("in the journal each line is once, with its priority", async () => {
  const managed = await Managed.open();
  const { far, machine } = managed.scene;
  const syslogd = new Datagrams(machine.path("/dev/log"));
  far.answer();
  const pppd = managed.start(["nodetach", "debug", "user", "zaphod", "password", "gargleBlaster"], {}, JOURNAL);
  await pppd.waitFor("<5>remote IP address 10.0.0.2");
  pppd.kill();
  expect(await pppd.exit()).toBe(5);
  const lines = pppd.lines.map(({ text }) => text);
  expect(lines.filter((line) => !/^<[3-7]>\S/.test(line))).toEqual([]);
  expect(lines.filter((line) => line.includes("started by"))).toEqual([
    expect.stringMatching(/^<5>pppd 2\.\S+ .*started by /),
  ]);
  expect(lines).toContainEqual(expect.stringMatching(/^<7>sent \[LCP ConfReq/));
  expect(lines.at(-1)).toBe("<6>Exit.");
  expect(pppd.text).not.toContain("gargleBlaster");
  expect(syslogd.take()).toEqual([]);
  syslogd.close();
});

on("an option error is in the journal once, and without one on stderr and in syslog", async () => {
  const managed = await Managed.open();
  const syslogd = new Datagrams(managed.scene.machine.path("/dev/log"));
  const error = "unrecognized option 'frobnicate'";
  const journalled = managed.start(["frobnicate"], {}, `exec 2>&1; ${JOURNAL}`);
  expect(await journalled.exit()).toBe(2);
  expect(journalled.lines.map(({ text }) => text).filter((text) => text.includes(error))).toEqual([`<3>${error}`]);
  expect(syslogd.take()).toEqual([]);
  const plain = managed.start(["frobnicate"]);
  expect(await plain.exit()).toBe(2);
  expect(plain.text).toContain(`pppd: ${error}`);
  expect(syslogd.take()).toEqual([expect.stringContaining(error)]);
  syslogd.close();
});
