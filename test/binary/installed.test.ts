// The real executables, installed from a stick: this machine's, musl's in a small Alpine, and one on the oldest
// supported processor.

import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile } from "../../scripts/build.ts";
import { fillStick, type Packed } from "../../scripts/stick.ts";
import { muslCxx } from "../../scripts/stick/musl-cxx.ts";
import { runtimeOf, TARGETS } from "../../scripts/stick/runtimes.ts";
import { serviceText } from "../../src/commands/service-texts.ts";
import { openCable } from "../kit/cable.ts";
import { closeMachines, openMachine } from "../kit/machine.ts";
import { built, Program } from "../kit/program.ts";
import { alpineMissing, alpineRoot, debianMissing, debianRoot, MUSL, type Root } from "./roots.ts";
import { missing as machineMissing, titled } from "./scene.ts";

const work = mkdtempSync(join(tmpdir(), "nullmodem-installed-"));
afterAll(() => rmSync(work, { recursive: true }));

const open: Root[] = [];
afterEach(() => {
  for (const root of open.splice(0)) root.close();
});

function withStick(root: Root, packed: readonly Packed[]): Root {
  open.push(root);
  fillStick(root.path("stick"), packed, "", "none");
  return root;
}

test.skipIf(debianMissing !== undefined)(
  titled("on a Debian, in the place of its pppd, with a service", debianMissing),
  () => {
    const bytes = readFileSync(built());
    const packed: Packed = { file: "x64.gz", name: "nullmodem", machine: "x86_64", libc: "glibc", what: "", bytes };
    const root = withStick(debianRoot(), [packed]);
    root.file("/usr/sbin/pppd", "the distribution's\n", 0o4755);
    const before = root.snapshot();
    const { status, text } = root.install(
      "--yes --replace --service cron --device /dev/ttyS1 -- 115200 local".split(" "),
    );
    expect({ status, text }).toMatchObject({ status: 0 });
    expect(root.text("/etc/cron.d/nullmodem-ttyS1")).toBe(
      serviceText(
        "cron",
        { device: "/dev/ttyS1", options: ["115200", "local"] },
        { pppd: "/usr/local/sbin/pppd", busyboxInit: false, cronFolder: true },
      ),
    );
    const version = { status: 0, text: expect.stringContaining("pppd version ") };
    expect(root.run(["/usr/sbin/pppd", "--version"])).toMatchObject(version);
    expect(root.run(["chat", "-x"])).toMatchObject({ status: 1, text: expect.stringContaining("Usage: chat") });
    expect(root.install(["--unpack", "/tmp/it"])).toMatchObject({ status: 0 });
    expect(root.run(["/tmp/it/pppd", "--version"])).toMatchObject(version);
    expect(root.install(["--uninstall"]).status).toBe(0);
    expect(root.snapshot()).toEqual(before);
  },
);

/** Musl's executable and its C++ library, or the reason why there is none. */
function musl(): Packed[] | string {
  const missing = machineMissing ?? alpineMissing;
  if (missing !== undefined) return missing;
  if (!existsSync(MUSL)) return `no ${MUSL} (Debian package musl)`;
  const found = TARGETS.find(({ libc }) => libc === "musl")!;
  const { machine, libc, file, target } = found;
  try {
    const runtime = runtimeOf(found.package);
    const library = muslCxx(runtime, work).shared;
    const outfile = join(work, "nullmodem");
    if (compile(outfile, { target, runtime }) !== 0) return "it does not build for musl";
    return [
      { file, name: "nullmodem", machine, libc, what: "", bytes: readFileSync(outfile) },
      { file: "musl-cxx.gz", name: "libstdc++.so.6", machine, libc, what: "", bytes: library },
    ];
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const packedMusl = musl();
const noMusl = typeof packedMusl === "string" ? packedMusl : undefined;
describe.skipIf(noMusl !== undefined)(titled("on an Alpine without libstdc++", noMusl), () => {
  test("it runs, and a link comes up between it and this machine's", async () => {
    const root = withStick(alpineRoot(), packedMusl as Packed[]);
    const before = root.snapshot();
    const { status, text } = root.install(["--yes"]);
    expect({ status, text }).toMatchObject({ status: 0 });

    const cable = await openCable();
    const alpine = await openMachine("alpine", { ttys: { ttyS1: cable.a } });
    const debian = await openMachine("debian", { ttys: { ttyS0: cable.b } });
    await alpine.run("mount", "--rbind", "/dev", root.path("dev"));
    await alpine.run("mount", "-t", "proc", "proc", root.path("proc"));
    const words = ["115200", "local", "noauth", "nodetach"];
    const serving = ["chroot", root.folder, "/usr/local/sbin/pppd", "/dev/ttyS1", ...words, "10.0.0.1:10.0.0.2"];
    const server = new Program(serving, { machine: alpine });
    const client = new Program([built("pppd"), "/dev/ttyS0", ...words], { machine: debian });
    await server.waitFor("Using interface");
    await client.waitFor("remote IP address 10.0.0.1");
    await server.waitFor("remote IP address 10.0.0.2");
    expect(await debian.run("ping", "-c", "1", "-W", "60", "10.0.0.1")).toMatchObject({ status: 0 });
    client.kill();
    expect([await client.exit(), await server.exit()]).toEqual([5, 16]);
    await closeMachines();
    await cable.close();

    expect(root.install(["--uninstall"]).status).toBe(0);
    const made = (line: string): boolean => /^\/(run|var)/.test(line);
    expect(root.snapshot().filter((line) => !made(line))).toEqual(before.filter((line) => !made(line)));
  });
});

const qemu = Bun.which("qemu-x86_64-static");
const noQemu =
  process.arch !== "x64"
    ? "not on 64-bit x86"
    : qemu === null
      ? "no qemu-x86_64-static (Debian package qemu-user-static)"
      : undefined;
test.skipIf(noQemu !== undefined)(titled("on a Nehalem, and not on what was before it", noQemu), () => {
  const on = (cpu: string) => Bun.spawnSync([qemu!, "-cpu", cpu, built(), "pppd", "--version"]);
  expect(on("Nehalem").stdout.toString()).toStartWith("pppd version ");
  // install.sh refuses this one because of its flags.
  const penryn = on("Penryn");
  expect([penryn.stdout.toString(), penryn.exitCode]).not.toEqual(["", 0]);
  expect(penryn.signalCode).toBe("SIGILL");
});
