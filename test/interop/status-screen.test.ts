// nullmodem status --watch on a real terminal (tmux), while a link is busy.

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { type End, type Laplink, LinkPool } from "../kit/end.ts";
import { closeMachines, machinesMissing, tunMissing } from "../kit/machine.ts";
import { until } from "../kit/patience.ts";
import { PATIENT } from "./patient-options.ts";

setDefaultTimeout(180_000);
const noTmux = Bun.which("tmux") === null ? "tmux is not installed" : undefined;
const skip = machinesMissing() ?? tunMissing() ?? noTmux;
const pool = new LinkPool("ours", "ours", 1, { cable: { baud: 115200 } });
afterAll(async () => {
  await pool.close();
  await closeMachines();
});

const OPTIONS = { options: `${PATIENT}lock\nnoauth\nnoipv6\nnoccp\nlcp-echo-interval 1\n` };
const LINE = "115200 local -detach";
const UP = /^remote IP address/;
const SCREEN = "nullmodem status --watch";

async function bringUp({ server, client }: Laplink) {
  await server.install(OPTIONS);
  await client.install(OPTIONS);
  const served = await server.start(`pppd /dev/ttyS1 ${LINE} linkname laplink 10.0.0.1:10.0.0.2`);
  await served.waitFor("Connect: ");
  const called = await client.start(`pppd /dev/ttyS0 ${LINE}`);
  await Promise.all([served.waitFor(UP), called.waitFor(UP)]);
  return { served, called };
}

/** A window of tmux in which a shell runs a command. */
class Window {
  readonly #end: End;
  readonly #name: string;

  private constructor(end: End, name: string) {
    this.#end = end;
    this.#name = name;
  }

  static async open(end: End, name: string, size: string, command: string): Promise<Window> {
    const [columns, rows] = size.split("x");
    const window = new Window(end, name);
    const shell = `sh -c 'cd /run; trap : INT; ${command}; echo "ended with $?"; stty -a | tr " ;" "\\\\n\\\\n" | grep -x -e echo -e icanon; exec cat'`;
    await window.#tmux(`new-session -d -s ${name} -x ${columns} -y ${rows} ${JSON.stringify(shell)}`);
    return window;
  }

  async #tmux(words: string): Promise<string> {
    const { status, stdout, stderr } = await this.#end.run(`TMUX_TMPDIR=/run tmux -L screen -f /dev/null ${words}`);
    expect([words, status, stderr]).toEqual([words, 0, ""]);
    return stdout;
  }

  text(): Promise<string> {
    return this.#tmux(`capture-pane -p -t ${this.#name}`);
  }

  /** Waits until the screen shows this. */
  async shows(pattern: RegExp): Promise<string> {
    let text = "";
    try {
      await until(`${pattern}`, async () => pattern.test((text = await this.text())));
    } catch (error) {
      throw new Error(`${String(error)}\n${text}`);
    }
    return text;
  }

  async type(...keys: string[]): Promise<void> {
    await this.#tmux(`send-keys -t ${this.#name} ${keys.join(" ")}`);
  }

  async resize(size: string): Promise<void> {
    const [columns, rows] = size.split("x");
    await this.#tmux(`resize-window -t ${this.#name} -x ${columns} -y ${rows}`);
  }
}

const RESTORED = /ended with 0\n(echo\nicanon|icanon\necho)\n/;

test.skipIf(skip !== undefined)(
  `a busy link is shown at every size, by keys it is hung up, and the terminal is restored${skip === undefined ? "" : ` [skipped: ${skip}]`}`,
  () =>
    pool.use(async (link) => {
      const { served, called } = await bringUp(link);
      const { server, client } = link;
      void client.run("ping -q -s 1000 -i 0.2 10.0.0.1 >/dev/null & echo $! >/run/ping.pid; wait");
      const utf8 = await Window.open(server, "ppp0", "80x24", `LC_ALL=C.UTF-8 ${SCREEN} ppp0`);
      const vt100 = await Window.open(server, "laplink", "80x24", `LC_ALL=C TERM=vt100 ${SCREEN} laplink`);
      const dumb = await Window.open(server, "dumb", "80x24", `TERM=dumb ${SCREEN}`);

      const text = await utf8.shows(/^ received [^]*[▁-█]{3}$/m);
      expect(text).toMatch(/^ nullmodem {2}1 of 1 up$/m);
      expect(text).toMatch(/^ ppp0 {6}up \d+ s, linkname laplink, pid \d+$/m);
      expect(text).toMatch(/^ IPv4 {6}10\.0\.0\.1 to 10\.0\.0\.2, MTU 1500$/m);
      expect(text).toMatch(/^ line {6}\/dev\/ttyS1 at 115200, network$/m);
      expect(text).toMatch(/^ agreed {4}MRU 1500, ACCM 0, fields pcomp\+accomp, peer unproved$/m);
      await utf8.shows(/^ echo {6}[\d.]+ ms \(least [\d.]+, mean [\d.]+\)/m);
      const ascii = await vt100.shows(/^ received [^]*[@#*+]{3}$/m);
      expect(ascii).toMatch(/^[\x20-\x7e\n]*$/);

      for (const [columns, rows] of [
        [120, 40],
        [200, 50],
      ] as const) {
        await utf8.resize(`${columns}x${rows}`);
        await utf8.shows(new RegExp(`^(?:.*\\n){${rows - 1}} arrows choose`));
        await utf8.shows(new RegExp(`^ {11}scale .*(?<=^.{${columns - 2}})█$`, "m"));
      }
      await utf8.type("Tab");
      await utf8.shows(/^ LINK +STATE +PEER .* QUEUE +LINE/m);
      await utf8.type("?");
      await utf8.shows(/^ up, down, k, j +choose a link/m);
      await utf8.type("Escape");
      await utf8.type("c");
      const [, file = ""] = /captured to (\S+\.pcapng);/.exec(await utf8.shows(/captured to \S+\.pcapng;/)) ?? [];
      await until("packets are captured", async () => (await server.run(`tail -c +2000 ${file}`)).stdout !== "");
      await utf8.type("c");
      await utf8.shows(/\.pcapng is complete$/m);
      const { stdout } = await server.run(
        `tshark -r ${file} -Y icmp 2>/dev/null | head -n 1; stat -c %a ${file}; rm ${file}`,
      );
      if (Bun.which("tshark") !== null) expect(stdout).toMatch(/10\.0\.0\.[12] .*ICMP/);
      expect(stdout).toMatch(/^600$/m);

      await dumb.shows(/can show no screen: lines instead of it[^]*ppp0 {2}up \d+ s {2}in .*echo/);
      await dumb.type("C-c");
      await dumb.shows(RESTORED);
      await vt100.type("q");
      await vt100.shows(RESTORED);
      // A signal ends it too, and gives the terminal back.
      const signalled = await Window.open(server, "ttyS1", "100x30", `${SCREEN} /dev/ttyS1`);
      await signalled.shows(/1 of 1 up/);
      await server.run(`kill -TERM $(pgrep -f "status --watch /dev/ttyS1$" | tail -n 1)`);
      await signalled.shows(RESTORED);

      await utf8.type("h");
      await utf8.shows(/^ Hang up ppp0\? y\/n$/m);
      await utf8.type("y");
      await utf8.shows(/no link is running/);
      expect(await served.exit()).toBe(5);
      await called.exit();
      await utf8.type("q");
      await utf8.shows(RESTORED);
      await server.run("TMUX_TMPDIR=/run tmux -L screen kill-server");
      await client.run("kill $(cat /run/ping.pid)");
    }),
);
