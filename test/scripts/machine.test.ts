import { afterEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { closeMachines, machinesMissing, openMachine } from "../kit/machine.ts";
import { PATIENCE_MS, until } from "../kit/patience.ts";
import { Program } from "../kit/program.ts";

const missing = machinesMissing();
const machineTest = (name: string, body: () => Promise<void>): void =>
  test.skipIf(missing !== undefined)(
    missing === undefined ? name : `${name} [skipped: ${missing}]`,
    body,
    2 * PATIENCE_MS,
  );

afterEach(closeMachines);

machineTest("a machine has its own name, network and files", async () => {
  const etc = mkdtempSync(join(tmpdir(), "nullmodem-etc-"));
  writeFileSync(join(etc, "options"), "lock\n");
  writeFileSync(join(etc, "pap-secrets"), "* * x *\n");
  writeFileSync(join(etc, "hosts"), "192.168.0.1 ppp_laplink_host\n");
  const machine = await openMachine("griis", { etc, files: { "/etc/ppp/ip-up": "#!/bin/sh\n" } });
  rmSync(etc, { recursive: true });
  const { status, stdout } = await machine.run(
    "sh",
    "-c",
    "hostname; id -u; cat /etc/ppp/options; ls /etc/ppp; tail -n 1 /etc/hosts; ls /run /var/lock; echo x >/run/nullmodem-kit.pid",
  );
  expect(status).toBe(0);
  expect(stdout).toStartWith("griis\n0\nlock\nip-up\noptions\npap-secrets\n192.168.0.1 ppp_laplink_host\n");
  expect(statSync(machine.path("/etc/ppp/pap-secrets")).mode & 0o777).toBe(0o600);
  expect(statSync(machine.path("/etc/ppp/ip-up")).mode & 0o777).toBe(0o755);
  expect(existsSync(machine.path("/var/run/nullmodem-kit.pid"))).toBe(true);
  expect(existsSync("/run/nullmodem-kit.pid")).toBe(false);
  expect((await machine.run("sh", "-c", "echo ~root")).stdout).toBe("/run/root\n");
  expect(machine.interfaces()).toEqual([]);
  expect(hostname()).not.toBe("griis");
});

machineTest("what runs in it ends with it", async () => {
  const machine = await openMachine("wylg");
  const program = new Program(["sleep", "1000"], { machine });
  // It has joined the machine before it becomes the program.
  await until("it is sleep", () => machine.processes()[0]?.command === "sleep 1000");
  expect(machine.processes()).toEqual([{ pid: program.pid, command: "sleep 1000" }]);
  await machine.close();
  expect(await program.exit()).toBe(137);
  expect(existsSync(machine.path("/run"))).toBe(false);
});

machineTest("and with a test that is killed", async () => {
  const kit = join(import.meta.dir, "../kit/machine.ts");
  const code = `const m = await (await import("${kit}")).openMachine("doomed");
    Bun.spawn(m.argv(["sleep", "1000"])); console.log(m.path("/run")); await Bun.sleep(60000)`;
  const doomed = new Program([process.execPath, "-e", code]);
  const { text } = await doomed.waitFor("nullmodem-doomed");
  doomed.kill("SIGKILL");
  await doomed.exit();
  await until("its files are gone", () => !existsSync(text));
});

test("a program's lines, waited for and timed", async () => {
  const program = new Program(["sh", "-c", "echo one; echo two >&2; read x; echo got $x; exit 3"]);
  const one = await program.waitFor("one");
  expect(one.stream).toBe("out");
  expect((await program.waitFor(/^two$/)).stream).toBe("err");
  await program.write("it\n");
  expect((await program.waitFor("got", { after: one })).text).toBe("got it");
  expect(await program.exit()).toBe(3);
  await expect(program.waitFor("never")).rejects.toThrow(/ended with status 3[^]*got it/);
});

test("a program that says nothing, and one that is ended by a signal", async () => {
  const program = new Program(["sleep", "1000"]);
  await expect(program.waitFor("x", { within: 20 })).rejects.toThrow("not within 20 ms");
  await expect(program.exit(20)).rejects.toThrow("still runs");
  expect(await program.stop()).toBe(143);
});
