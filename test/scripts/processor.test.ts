// scripts/ready.sh where bun does not run: on qemu's processor without SSE4.2, and with a /proc/cpuinfo that lacks it.

import { afterAll, expect, test } from "bun:test";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");
const QEMU = Bun.which("qemu-x86_64-static");
const missing =
  process.arch !== "x64"
    ? "not on 64-bit x86"
    : QEMU === null
      ? "no qemu-x86_64-static (Debian package qemu-user-static)"
      : undefined;

const folder = mkdtempSync(join(tmpdir(), "nullmodem-processor-"));
afterAll(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, "scripts"));
mkdirSync(join(folder, "node_modules/.bin"), { recursive: true });
copyFileSync(join(ROOT, "scripts/ready.sh"), join(folder, "scripts/ready.sh"));
for (const name of ["package-lock.json", "node_modules/.installed-lock.json"])
  copyFileSync(join(ROOT, "package-lock.json"), join(folder, name));

/** Runs it with a shell script as bun and with this /proc/cpuinfo. Returns status and output. */
function ready(bun: string, flags: string): [status: number, text: string] {
  const path = join(folder, "node_modules/.bin/bun");
  writeFileSync(path, `#!/bin/sh\n${bun}\n`);
  chmodSync(path, 0o755);
  const cpuinfo = join(folder, "cpuinfo");
  writeFileSync(cpuinfo, `processor\t: 0\nflags\t\t: ${flags}\n`);
  const { exitCode, stderr } = Bun.spawnSync(["sh", join(folder, "scripts/ready.sh"), "build"], {
    env: { ...process.env, CPUINFO: cpuinfo },
  });
  return [exitCode, stderr.toString()];
}

test.skipIf(missing !== undefined)(
  `a processor without SSE4.2 is a sentence, not an illegal instruction${missing === undefined ? "" : ` [skipped: ${missing}]`}`,
  () => {
    const on = (cpu: string): string => `exec ${QEMU} -cpu ${cpu} ${process.execPath} "$@"`;
    expect(ready(on("Nehalem"), "fpu sse4_2")).toEqual([0, ""]);
    const [status, text] = ready(on("Penryn"), "fpu sse4_1");
    expect(status).toBe(1);
    expect(text).toMatch(/^ready: no bun in node_modules runs on this machine \(x86_64\); Bun wants .*SSE4\.2/);
    expect(text).toEndWith("\nready: its processor has none\n");
    const [, virtual] = ready(on("Penryn"), "fpu sse4_1 hypervisor");
    expect(virtual).toEndWith("give the virtual machine another CPU type (host, x86-64-v2 or Nehalem)\n");
  },
);

test("a bun that fails for another reason is not laid to the processor", () => {
  const [status, text] = ready("exit 1", "fpu sse4_2");
  expect([status, text]).toEqual([1, expect.stringMatching(/^ready: no bun in node_modules runs .*\n$/)]);
});
