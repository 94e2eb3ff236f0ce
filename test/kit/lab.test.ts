import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCable } from "./cable.ts";
import { Lab, missing } from "./lab.ts";
import { PATIENCE_MS, until } from "./patience.ts";
import { Program } from "./program.ts";

setDefaultTimeout(2 * PATIENCE_MS);
const skip = missing();
const folder = mkdtempSync(join(tmpdir(), "nullmodem-lab-test-"));
const etc = join(import.meta.dir, "../../fixtures/howto/server");

describe.skipIf(skip !== undefined)(skip === undefined ? "the lab" : `the lab [skipped: ${skip}]`, () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.run({ etc, users: ["ford:prefect"] });
  });
  afterAll(async () => {
    await lab.stop();
    rmSync(folder, { recursive: true });
  });

  test("a command's status, and what it says apart", async () => {
    expect(await lab.exec("echo out; echo error >&2; exit 7")).toEqual({
      status: 7,
      stdout: "out\n",
      stderr: "error\n",
    });
    const twice = await Promise.all([lab.exec("sleep 0.1; echo slow"), lab.exec("echo quick")]);
    expect(twice.map(({ stdout }) => stdout)).toEqual(["slow\n", "quick\n"]);
  });

  test("a process that stays behind does not hold its command up", async () => {
    expect(await lab.exec("sleep 100 & echo done")).toMatchObject({ status: 0, stdout: "done\n" });
  });

  test("a command that takes too long is killed, and what it said is kept", async () => {
    expect(await lab.exec("echo before; sleep 100", 3000)).toMatchObject({ status: 124, stdout: "before\n" });
    expect((await lab.exec("ps")).stdout).not.toContain("echo before");
  });

  test("the real pppd is in it", async () => {
    expect((await lab.exec("pppd --version 2>&1")).stdout).toStartWith("pppd version 2.");
  });

  test("/etc/ppp is the folder's, its accounts are added, and users are made", async () => {
    expect((await lab.exec("ls -l /etc/ppp/pap-secrets")).stdout).toStartWith("-rw------- ");
    expect(await lab.read("/etc/hosts")).toBe(`127.0.0.1 localhost\n${readFileSync(join(etc, "hosts"), "utf8")}`);
    expect((await lab.exec("id -u zaphod; id -u ford; hostname")).stdout).toBe(`1042\n1000\n${lab.name}\n`);
    const [, hash = ""] = (await lab.read("/etc/shadow")).match(/^ford:(\S+?):/m) ?? [];
    const salt = hash.split("$")[2];
    expect((await lab.exec(`busybox mkpasswd -m sha512 -S '${salt}' prefect`)).stdout).toBe(`${hash}\n`);
  });

  test("a file goes in and comes out as it was", async () => {
    const [here, back] = [join(folder, "here"), join(folder, "back")];
    writeFileSync(here, Buffer.alloc(1_000_000, "\0\r\n\x02\xff any octet", "latin1"));
    await lab.put(here, "/tmp/it is there");
    await lab.get("/tmp/it is there", back);
    expect(readFileSync(back).equals(readFileSync(here))).toBe(true);
  });

  test("what the main command says comes before its end, syslog's lines between", async () => {
    await lab.start("logger -t hook 'a line'; sleep 0.1; echo said >&2; printf unfinished; exit 5");
    expect(await lab.wait()).toBe(5);
    await lab.waitFor("hook: a line");
    const [, log = ""] = lab.log.split("command started\n");
    expect(log).toMatch(/\[cmd\] said\n.*\[cmd\] unfinished\n.*command exited with status 5\n/);
  });

  test("the line carries what the real chat says until it is cut, and again when it is mended", async () => {
    const terminal = new Program(["sh", "-c", `exec <>${lab.line} >&0; while read -r line; do echo "$line" >&2; done`]);
    const say = (text: string): Promise<unknown> => lab.exec(`chat '' '${text}\\n\\c' <>/dev/ttyS1 >&0`);
    await say("one");
    await terminal.waitFor("one");
    await lab.cut();
    await say("two");
    // The guest's kernel writes them after the chat has ended.
    await until("the cable has lost them", async () => JSON.parse(await lab.stats()).ab.lost === 4);
    await lab.mend();
    await say("three");
    await terminal.waitFor("three");
    expect(terminal.text).not.toContain("two");
    expect(JSON.parse(await lab.stats())).toMatchObject({ ab: { taken: 14, lost: 4 } });
    await terminal.stop();
  });

  test("a hang-up ends who has the port open", async () => {
    await lab.start("cat /dev/ttyS1; echo hung up");
    await lab.exec("until ls -l /proc/[0-9]*/fd | grep -q ttyS1; do sleep 0.01; done");
    await lab.hangUp();
    await lab.waitFor("[cmd] hung up");
    expect((await lab.exec("stty -F /dev/ttyS1")).status).toBe(1);
  });
});

const noOther = missing("2.5.2");
const other = "a guest has the pppd 2.5.2 of Debian trixie, with the libraries and plugins of that";
test.skipIf(noOther !== undefined)(noOther === undefined ? other : `${other} [skipped: ${noOther}]`, async () => {
  const guest = await Lab.run({ ppp: "2.5.2" });
  try {
    expect((await guest.exec("pppd --version 2>&1")).stdout).toBe("pppd version 2.5.2\n");
    const plugins = ["radius.so", "radrealms.so", "winbind.so", "minconn.so"].map((name) => `plugin ${name}`).join(" ");
    expect((await guest.exec(`pppd ${plugins} dryrun ttyS1`)).status).toBe(0);
  } finally {
    await guest.stop();
  }
});

const unplugged = "a guest outlives the terminal behind its port";
test.skipIf(skip !== undefined)(skip === undefined ? unplugged : `${unplugged} [skipped: ${skip}]`, async () => {
  const cable = await openCable();
  const lab = await Lab.run({ attach: cable.a, tty: "ttyS0" });
  try {
    await lab.start("cat /dev/ttyS0; echo unplugged");
    await lab.exec("until ls -l /proc/[0-9]*/fd | grep -q ttyS0; do sleep 0.01; done");
    await cable.hangUp("a");
    expect(await lab.exec("echo alive")).toMatchObject({ stdout: "alive\n" });
    // It may not notice that by itself.
    await lab.hangUp();
    await lab.waitFor("[cmd] unplugged");
  } finally {
    await lab.stop();
    await cable.close();
  }
});

/** The processes with `word` in their command line. */
function processesWith(word: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(word);
    } catch {
      return false; // gone meanwhile
    }
  });
}

const leftBehind = "nothing is left of a guest when who started it is killed";
test.skipIf(skip !== undefined)(skip === undefined ? leftBehind : `${leftBehind} [skipped: ${skip}]`, async () => {
  const script = `
    const { Lab } = await import(${JSON.stringify(join(import.meta.dir, "lab.ts"))});
    const lab = await Lab.run();
    console.log((await lab.exec("grep -o share=.* /proc/cmdline")).stdout);
    await lab.exec("sleep 100");`;
  const owner = new Program([process.execPath, "-e", script]);
  const [, shared = ""] = (await owner.waitFor("share=")).text.match(/share=(\S+)/) ?? [];
  expect(processesWith(shared).length).toBeGreaterThan(1);
  owner.kill("SIGKILL");
  const deadline = performance.now() + PATIENCE_MS;
  while ((existsSync(shared) || processesWith(shared).length > 0) && performance.now() < deadline) await Bun.sleep(10);
  expect([existsSync(shared), processesWith(shared)]).toEqual([false, []]);
});
