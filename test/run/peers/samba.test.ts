import { afterAll, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseOptions } from "../../../src/options/parse.ts";
import { thisMachine } from "../../../src/applets/this-machine.ts";
import { Log } from "../../../src/os/log/log-writer.ts";
import { Syslog } from "../../../src/os/log/syslog-client.ts";
import { Passwords } from "../../../src/run/peers/passwords.ts";
import { Winbind } from "../../../src/run/peers/samba.ts";
import { fakeHost } from "../../kit/optionhost.ts";
import { until } from "../../kit/patience.ts";

const folder = mkdtempSync(join(tmpdir(), "nullmodem-winbind-"));
afterAll(() => rmSync(folder, { recursive: true }));

function logged(): { log: Log; said: string[] } {
  const said: string[] = [];
  const log = new Log(new Syslog("pppd", "local2", { pid: true, path: "/nonexistent" }), undefined, true);
  log.write = (_level, text) => void said.push(text);
  return { log, said };
}

function script(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

test("the answer of a helper counts as soon as it is complete", async () => {
  const { log, said } = logged();
  const pid = join(folder, "pid");
  const helper = script(
    "stays",
    `echo $$ >${pid}; echo 'Authenticated: Yes'; echo .; echo 'Authenticated: No'; exec sleep 1000`,
  );
  expect(await new Winbind(helper, thisMachine, log).judgePassword("zaphod", "secret")).toEqual({
    accepted: true,
    message: "",
  });
  expect(said).toEqual([]);
  await gone(pid);
});

test("a helper whose answer is not needed any more is ended with all that it has started", async () => {
  const { log } = logged();
  const [pid, child] = [join(folder, "waits-pid"), join(folder, "waits-child")];
  const winbind = new Winbind(
    script("waits", `sleep 1000 & echo $! >${child}; echo $$ >${pid}; wait`),
    thisMachine,
    log,
  );
  winbind.ask({ name: "zaphod", challenge: new Uint8Array(8), ntResponse: new Uint8Array(24) });
  await until("it has started", () => existsSync(pid) && readFileSync(pid, "latin1").endsWith("\n"));
  winbind.forget();
  expect(winbind.isBusy).toBe(false);
  await gone(pid);
  await gone(child);
});

/** The process whose number is in the file has ended. */
async function gone(file: string): Promise<void> {
  const pid = Number(readFileSync(file, "latin1"));
  // An orphan that no process has waited for has ended too.
  const stat = `/proc/${pid}/stat`;
  await until("it has ended", () => !existsSync(stat) || readFileSync(stat, "latin1").includes(") Z "));
}

test("a helper that is missing, fails, or says nothing authenticates nobody", async () => {
  for (const helper of [
    "/nonexistent/ntlm_auth",
    script("fails", "exit 1"),
    script("mumbles", "echo Authenticated"),
    "",
  ]) {
    const { log } = logged();
    expect(await new Winbind(helper, thisMachine, log).judgePassword("zaphod", "secret")).toMatchObject({
      accepted: false,
    });
  }
});

test("only the last answer counts, and none after the request was withdrawn", async () => {
  const { log } = logged();
  const helper = script("key", `echo 'Authenticated: Yes'; echo 'User-Session-Key: ${"0a".repeat(16)}'; echo .`);
  const winbind = new Winbind(helper, thisMachine, log);
  const proof = { name: "zaphod", challenge: new Uint8Array(8), ntResponse: new Uint8Array(24) };
  winbind.ask(proof);
  winbind.forget();
  while (winbind.isBusy) await Bun.sleep(1);
  expect(winbind.take()).toBeUndefined();
  winbind.ask({ ...proof });
  while (!winbind.isSettled) await Bun.sleep(1);
  expect(winbind.take()).toEqual({ accepted: true, passwordHashHash: new Uint8Array(16).fill(10) });
  expect(winbind.take()).toBeUndefined();
});

test("a descriptor that cannot be read gives no password, and of two plugins the one loaded last counts", async () => {
  const config = (words: string) => parseOptions(["ttyS0", ...words.split(" ")], fakeHost());
  const { log, said } = logged();
  const none = new Passwords(config("plugin passwordfd.so passwordfd 987"), thisMachine, log);
  await none.ready();
  expect([none.fromFd, none.ready()]).toEqual([undefined, undefined]);
  expect(said).toEqual(["Can't read secret from fd"]);
  const both = "plugin passwordfd.so plugin passprompt.so promptprog /bin/true";
  expect(new Passwords(config(both), thisMachine, log).prompt).toBeDefined();
  expect(new Passwords(config(`${both} plugin passwordfd.so`), thisMachine, log).prompt).toBeUndefined();
  expect(new Passwords(config("plugin passwordfd.so"), thisMachine, log).ready()).toBeUndefined();
});

test("a program that gave up is not asked again", async () => {
  const { log } = logged();
  const host = fakeHost();
  const config = parseOptions(["ttyS0", "plugin", "passprompt.so", "promptprog", script("no", "exit 128")], host);
  const prompt = new Passwords(config, thisMachine, log).prompt!;
  expect(prompt.isPossible).toBe(true);
  expect(prompt.take("zaphod", "")).toBeUndefined();
  while (!prompt.isSettled) await Bun.sleep(1);
  expect(prompt.take("zaphod", "")).toBeNull();
  expect(prompt.isPossible).toBe(false);
});
