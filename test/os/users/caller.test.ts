// What an ordinary user's options name is opened and run with that user's rights, also in a set-user-id program.

import { afterAll, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "nullmodem-caller-"));
afterAll(() => rmSync(folder, { recursive: true }));

const NOBODY = 65534;
const cannotLend = process.getuid?.() !== 0 ? "not root" : Bun.which("setpriv") === null ? "no setpriv" : undefined;
/** With the reason when it is skipped. */
const titled = (name: string): string => `${name}${cannotLend === undefined ? "" : ` [skipped: ${cannotLend}]`}`;
/** As the kernel starts a set-user-id program of root's. */
const LENT = ["setpriv", `--ruid=${NOBODY}`, "--euid=0", process.execPath, "-e"];

function said(program: string): string {
  const from = JSON.stringify(join(import.meta.dir, "../../../src"));
  const script = `const { thisMachine } = await import(${from} + "/applets/this-machine.ts"); ${program}`;
  const env = { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: "tcp:host=mine" };
  const { stdout, stderr } = Bun.spawnSync([...LENT, script], { env });
  expect(stderr.toString()).toBe("");
  return stdout.toString().trim();
}

test.skipIf(cannotLend !== undefined)(titled("files of record and chat, without root's rights"), () => {
  for (const name of ["root", "all"]) mkdirSync(join(folder, name));
  chmodSync(folder, 0o755);
  chmodSync(join(folder, "all"), 0o777);
  const open = (name: string): string => {
    const path = JSON.stringify(join(folder, name));
    return said(`try { thisMachine.files.openForCaller(${path}, "append"); console.log("open"); }
      catch (error) { console.log(error.code); } console.log(process.geteuid());`);
  };
  expect(open("root/file")).toBe("EACCES\n0");
  expect(existsSync(join(folder, "root/file"))).toBe(false);
  expect(open("all/file")).toBe("open\n0");
  expect(statSync(join(folder, "all/file")).uid).toBe(NOBODY);
});

test.skipIf(cannotLend !== undefined)(titled("programs, without root's rights"), () => {
  const program = `const { child } = thisMachine.processes.runAsking(["/usr/bin/id", "-u"]); await child.ended;`;
  expect(said(program)).toBe(String(NOBODY));
});

test.skipIf(cannotLend !== undefined)(titled("the message bus is the system's own"), () => {
  const program = `const listener = { data() {}, closed() {} };
    const told = await thisMachine.network.messageBus.connect(listener).then(() => "connected", String);
    console.log(told.includes("mine")); process.exit();`;
  expect(said(program)).toBe("false");
});
