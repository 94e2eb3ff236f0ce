// The real getty programs around pppd: it is the shell of a user whom agetty and login let in, mgetty starts it for a caller
// that begins PPP, and with login prompts it needs none of them.

import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, chmodSync } from "node:fs";
import { type Cable, openCable } from "../kit/cable.ts";
import { closeMachines, type Machine, machinesMissing, openMachine, tunMissing } from "../kit/machine.ts";
import { PATIENCE_MS } from "../kit/patience.ts";
import { built, Program } from "../kit/program.ts";

setDefaultTimeout(2 * PATIENCE_MS);

const UP = "remote IP address 10.0.0.";
const CLIENT = ["/dev/ttyS0", "115200", "nodetach", "noauth", "local", "noipv6", "noccp"];
/** gargleBlaster */
const HASH = "$6$nullmodem$CAoBld4JmW/nR8AtLn9c0d4ylmu4eiIeL6E4eMwkcETZbIdJNE7FeZqTeDnSQvqfzf7M2VLR268PkCckUuUMb.";

const root = process.getuid?.() === 0 ? undefined : "needs root, for login and its PAM";
const here = root ?? machinesMissing() ?? tunMissing();
const missing = (program: string, pack: string): string | undefined =>
  here ??
  (Bun.which(program, { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` })
    ? undefined
    : `${program} is not installed (Debian package ${pack})`);
const on = (name: string, why: string | undefined, play: () => Promise<void>): void =>
  test.skipIf(why !== undefined)(why === undefined ? name : `${name} [skipped: ${why}]`, play);

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

/** Two machines on a cable. On the first, zaphod and ford have root's rights, and zaphod's shell is pppd. */
async function openScene(files: Readonly<Record<string, string>>): Promise<{ near: Machine; far: Machine }> {
  cable = await openCable({ baud: 115200 });
  const [near, far] = await Promise.all([
    openMachine("near", { ttys: { ttyS1: cable.a }, files }),
    openMachine("far", { ttys: { ttyS0: cable.b } }),
  ]);
  appendFileSync(near.path("/etc/passwd"), `zaphod:x:0:0::/run/root:${built("pppd")}\n`);
  appendFileSync(near.path("/etc/passwd"), "ford:x:0:0::/run/root:/bin/sh\n");
  for (const name of ["zaphod", "ford"])
    appendFileSync(near.path("/etc/shadow"), `${name}:${HASH}:20000:0:99999:7:::\n`);
  return { near, far };
}

const script = (words: string): readonly string[] => ["connect", `exec chat -v TIMEOUT 20 ${words}`];
const LOGIN = `TIMEOUT 2 ogin:--ogin:--ogin: zaphod TIMEOUT 20 ssword: '\\qgargleBlaster'`;
const OPTIONS = "noauth\nlocal\nnoipv6\nnoccp\n10.0.0.1:10.0.0.2\n";

on(
  "agetty and login have pppd as a user's shell, and it speaks PPP with a login script",
  missing("agetty", "util-linux"),
  async () => {
    const { near, far } = await openScene({ "/etc/ppp/options": OPTIONS });
    const getty = run(near, "setsid", "--wait", "agetty", "--noclear", "--local-line", "115200", "ttyS1", "vt100");
    const client = run(far, built("pppd"), ...CLIENT, ...script(`'' '\\r' ${LOGIN} '~' '\\c'`));
    await client.waitFor(UP);
    expect(near.processes().map(({ command }) => command)).toContain("-pppd");
    client.kill();
    expect(await client.exit()).toBe(5);
    await getty.exit();
  },
);

on("mgetty starts pppd for a caller that begins PPP", missing("mgetty", "mgetty"), async () => {
  const { near, far } = await openScene({
    "/etc/ppp/options": "",
    "/etc/ppp/options.call": OPTIONS,
    "/etc/mgetty/mgetty.config": "port ttyS1\n  direct y\n  toggle-dtr n\n  speed 115200\n",
    "/etc/mgetty/login.config": `/AutoPPP/ - a_ppp ${built("pppd")} file /etc/ppp/options.call\n* - - /bin/login @\n`,
    "/var/log/mgetty/README": "",
  });
  chmodSync(near.path("/etc/mgetty/login.config"), 0o600);
  const getty = run(near, "mgetty", "-r", "ttyS1");
  const client = run(far, built("pppd"), ...CLIENT);
  await client.waitFor(UP);
  expect(near.processes().map(({ command }) => command)).toContain("pppd file /etc/ppp/options.call");
  client.kill();
  expect(await client.exit()).toBe(5);
  await getty.exit();
});

on("login prompts of our own check the users of the system, and PPP needs no further proof", here, async () => {
  const { near, far } = await openScene({ "/etc/ppp/pap-secrets": '* * "" *\n' });
  const words = ["/dev/ttyS1", "115200", "nodetach", "auth", "login", "local", "noipv6", "noccp", "10.0.0.1:10.0.0.2"];
  const server = run(near, built("pppd"), ...words, "autodetect", "ppp,windows,modem,login");
  await server.waitFor("Waiting for a caller on /dev/ttyS1");
  const wrong = `ogin: zaphod ssword: '\\qtowel' incorrect ''`;
  const dial = `'' ATZ OK ATDT5551234 CONNECT '\\c' ${wrong} ${LOGIN} '' ppp '~' '\\c'`;
  const client = run(far, built("pppd"), ...CLIENT, ...script(dial));
  await Promise.all([client.waitFor(UP), server.waitFor(UP)]);
  expect(server.text).toMatch(/^Recognised a login: zaphod$/m);
  expect(server.text).toContain("user zaphod logged in on tty ttyS1 intf ppp0");
  expect(server.text + client.text).not.toMatch(/gargle|towel/);
  client.kill();
  expect([await client.exit(), await server.exit()]).toEqual([5, 16]);
});

on(
  "a person gets agetty, or login if a name was typed, and then PPP has the port again",
  missing("agetty", "util-linux"),
  async () => {
    const { near, far } = await openScene({});
    const getty = `if [ -n "$NAME" ]; then exec login "$NAME"; fi; exec agetty --noclear - $SPEED vt100`;
    const words = [
      "/dev/ttyS1",
      "115200",
      "nodetach",
      "lock",
      "noauth",
      "local",
      "noipv6",
      "noccp",
      "10.0.0.1:10.0.0.2",
    ];
    const server = run(near, built("pppd"), ...words, "autodetect", "autodetect-getty", getty);
    let line = await server.waitFor("Waiting for a caller on /dev/ttyS1");
    for (const typed of [`'' ogin: ford`, "ford"]) {
      const work = `ssword: '\\qgargleBlaster' '#' 'tty; echo $((40+2))' '/dev/ttyS1' '\\c' 42 exit`;
      const chat = `stty raw -echo 115200; exec chat -V TIMEOUT 20 '' ${typed} ${work} </dev/ttyS0 >/dev/ttyS0`;
      const person = run(far, "sh", "-c", `exec </dev/ttyS0; ${chat}`);
      expect([await person.exit(), person.text.includes("gargle")]).toEqual([0, false]);
      line = await server.waitFor("Took /dev/ttyS1 back", { after: line });
      line = await server.waitFor("Waiting for a caller on /dev/ttyS1", { after: line });
    }
    const client = run(far, built("pppd"), ...CLIENT);
    await Promise.all([client.waitFor(UP), server.waitFor(UP)]);
    client.kill();
    expect([await client.exit(), await server.exit()]).toEqual([5, 16]);
  },
);
