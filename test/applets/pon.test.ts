// pon: what it passes to pppd, and what it refuses. Compared with Debian's pon.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pon } from "../../src/applets/pon.ts";
import { type Machine, machinesMissing, openMachine } from "../kit/machine.ts";
import { asStranger, PUBLIC_ROOT } from "../kit/stranger.ts";

const ROOT = join(import.meta.dir, "../..");

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nullmodem-pon-"));
  mkdirSync(join(folder, "peers"));
  for (const name of ["provider", "isp"]) writeFileSync(join(folder, "peers", name), "");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs pon with a pppd that ends with 7. */
async function run(...argv: string[]) {
  let called: string[] | undefined;
  let out = "";
  let err = "";
  const status = await pon(
    argv,
    async (words) => {
      called = words;
      return 7;
    },
    {
      etc: folder,
      run: folder,
      say: (text) => void (out += `${text}\n`),
      complain: (text) => void (err += `${text}\n`),
      runScript: async (path) => {
        called = [path];
        return 3;
      },
    },
  );
  return { status, called, out: out.replaceAll(folder, "/etc/ppp"), err: err.replaceAll(folder, "/etc/ppp") };
}

const silent = { out: "", err: "" };

function noFile(name: string) {
  return {
    status: 1,
    called: undefined,
    out:
      `The file /etc/ppp/peers/${name} does not exist. Please create it or use\n` +
      "a command line argument to use another file in the /etc/ppp/peers/ directory.\n",
    err: "",
  };
}

test("calls pppd, and ends as pppd does", async () => {
  expect(await run("isp")).toEqual({ ...silent, status: 7, called: ["call", "isp"] });
  expect(await run("isp", "debug", "-detach", "")).toMatchObject({ called: ["call", "isp", "debug", "-detach", ""] });
  expect(await run()).toMatchObject({ called: ["call", "provider"] });
});

test("an empty name is passed to pppd", async () => {
  expect(await run("", "debug")).toMatchObject({ called: ["call", "provider", "", "debug"] });
});

test("a peers file that is not there", async () => {
  expect(await run("nobody")).toEqual(noFile("nobody"));
  symlinkSync("gone", join(folder, "peers/dangling"));
  expect(await run("dangling")).toEqual(noFile("dangling"));
  expect(await run("/etc/passwd")).toEqual(noFile("/etc/passwd"));
  rmSync(join(folder, "peers"), { recursive: true });
  expect(await run()).toEqual(noFile("provider"));
});

test("a file elsewhere is refused by pppd", async () => {
  writeFileSync(join(folder, "options"), "");
  expect(await run("../options")).toMatchObject({ status: 7, called: ["call", "../options"] });
  symlinkSync("../options", join(folder, "peers/linked"));
  expect(await run("linked")).toMatchObject({ status: 7, called: ["call", "linked"] });
});

test("-q leaves the mark that ip-up looks for", async () => {
  for (const flag of ["-q", "--quick"]) {
    expect(await run(flag, "isp")).toEqual({ ...silent, status: 7, called: ["call", "isp"] });
    expect(existsSync(join(folder, "ppp-quick"))).toBe(true);
    rmSync(join(folder, "ppp-quick"));
  }
  expect(await run("-q", "nobody")).toEqual(noFile("nobody"));
  expect(existsSync(join(folder, "ppp-quick"))).toBe(false);
});

test("-q that cannot leave its mark says so and goes on", async () => {
  mkdirSync(join(folder, "ppp-quick"));
  expect(await run("-q", "isp")).toEqual({
    status: 7,
    called: ["call", "isp"],
    out: "",
    err: "pon: cannot touch '/etc/ppp/ppp-quick': Is a directory\n",
  });
});

test("any other option shows the usage", async () => {
  for (const flag of ["-h", "--help", "-x"]) {
    const { status, called, out } = await run(flag, "isp");
    expect({ status, called }).toEqual({ status: 0, called: undefined });
    expect(out).toStartWith("Usage: pon [-q|--quick] [provider [pppd options]]\n");
  }
});

test("without a name ppp_on_boot is run in pppd's place, when it may be", async () => {
  const script = join(folder, "ppp_on_boot");
  writeFileSync(script, "#!/bin/sh\nexit 3\n");
  expect(await run()).toMatchObject({ called: ["call", "provider"] });
  chmodSync(script, 0o755);
  rmSync(join(folder, "peers/provider"));
  expect(await run()).toEqual({ ...silent, status: 3, called: [script] });
  expect(await run("-q")).toMatchObject({ status: 3 });
  expect(existsSync(join(folder, "ppp-quick"))).toBe(true);
  expect(await run("isp")).toMatchObject({ called: ["call", "isp"] });
});

const why = existsSync("/usr/bin/pon") ? machinesMissing() : "Debian's pon is not here";

describe.skipIf(why !== undefined)(`beside Debian's${why === undefined ? "" : ` [skipped: ${why}]`}`, () => {
  let machine: Machine;
  beforeAll(async () => {
    machine = await openMachine("pon", { files: { "/etc/ppp/peers/isp": "" } });
    symlinkSync("gone", machine.path("/etc/ppp/peers/dangling"));
  });
  afterAll(() => machine.close());

  const main = `import { pon } from "${ROOT}/src/applets/pon.ts"; process.exit(await pon(process.argv.slice(1), async () => 7))`;

  test.each([
    ["nobody"],
    ["nobody", "debug"],
    ["dangling"],
    ["/etc/passwd"],
    ["../nobody"],
    [],
    ["-q"],
    ["-q", "nobody"],
  ])("pon %s %s", async (...argv) => {
    const debian = await machine.run("/usr/bin/pon", ...argv);
    expect(debian.status).toBe(1);
    expect(await machine.run(process.execPath, "-e", main, "--", ...argv)).toEqual(debian);
  });

  test.each([
    ["#!/bin/sh\necho on boot; exit 3\n", 3],
    ["echo no interpreter; kill -TERM $$\n", 143],
  ])("ppp_on_boot %j", async (script, status) => {
    const path = machine.path("/etc/ppp/ppp_on_boot");
    writeFileSync(path, script, { mode: 0o755 });
    try {
      const debian = await machine.run("/usr/bin/pon", "-q");
      expect(existsSync(machine.path("/run/ppp-quick"))).toBe(true);
      rmSync(machine.path("/run/ppp-quick"));
      expect(await machine.run(process.execPath, "-e", main, "--", "-q")).toEqual(debian);
      expect(existsSync(machine.path("/run/ppp-quick"))).toBe(true);
      expect(debian.status).toBe(status);
    } finally {
      rmSync(path);
    }
  });

  test("a user who may not read the peers files", async () => {
    const peers = machine.path("/etc/ppp/peers");
    chmodSync(peers, 0o750);
    const debian = await machine.run(...asStranger(), "/usr/bin/pon", "isp");
    expect(debian.stdout).toContain("'dip' group");
    expect(
      await machine.run(...asStranger(), process.execPath, "-e", main.replace(ROOT, PUBLIC_ROOT), "--", "isp"),
    ).toEqual(debian);
  });
});
