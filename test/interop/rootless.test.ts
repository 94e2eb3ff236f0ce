// Without root, without a capability, without a TUN and without any file: `nullmodem serve` on one machine and `nullmodem join` on
// the other. And who gets no such freedom: users of a program that lends rights.

import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Cable, openCable } from "../kit/cable.ts";
import { closeMachines, machinesMissing, openMachine, tunMissing } from "../kit/machine.ts";
import { PATIENCE_MS } from "../kit/patience.ts";
import { built, builtFor, Program } from "../kit/program.ts";
import { PATIENT_WORDS } from "./patient-options.ts";

setDefaultTimeout(5 * PATIENCE_MS);

const OUTSIDE = "192.0.2.80";
const NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

let programs: Program[] = [];
let cable: Cable | undefined;
afterEach(async () => {
  await Promise.all(programs.map((program) => program.stop()));
  programs = [];
  await closeMachines();
  await cable?.close();
  cable = undefined;
});

const toolsMissing = ["setpriv", "curl", "unshare"].every((tool) => Bun.which(tool) !== null)
  ? undefined
  : "setpriv, curl or unshare is not installed";
const rootMissing = process.getuid?.() === 0 ? undefined : "needs root";
const why = rootMissing ?? machinesMissing() ?? tunMissing() ?? toolsMissing;
const on = (name: string, play: () => Promise<void>): void =>
  test.skipIf(why !== undefined)(why === undefined ? name : `${name} [skipped: ${why}]`, play);

on("serve by an ordinary user, join at the other end: a page of the Internet by its name", async () => {
  cable = await openCable({ baud: "ports" });
  // The program of this machine would write to another file.
  const collects = Bun.which("resolvconf") !== null;
  const [near, far] = await Promise.all([
    openMachine("near", { ttys: { ttyS0: cable.a }, files: { "/etc/resolv.conf": `nameserver ${OUTSIDE}\n` } }),
    openMachine("far", {
      ttys: { ttyS0: cable.b },
      files: { "/etc/resolv.conf": collects ? "nameserver 192.168.0.1\n" : "" },
    }),
  ]);
  await near.run(
    "sh",
    "-c",
    `rm -r /etc/ppp; chmod 666 /dev/ttyS0; install -d -o 65534 /run/nobody; ip addr add ${OUTSIDE}/32 dev lo`,
  );
  const outside = new Program([process.execPath, `${import.meta.dir}/../kit/outside.ts`, OUTSIDE], { machine: near });
  const withoutTun = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /dev/net && exec "$@"', "sh", ...NOBODY];
  const env = { XDG_RUNTIME_DIR: "/run/nobody" };
  const rights = ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"];
  const server = new Program([...withoutTun, ...rights, builtFor(near), "serve", "ttyS0", "--", ...PATIENT_WORDS], {
    machine: near,
    env,
  });
  const client = new Program([built("nullmodem"), "join", "ttyS0", "--", ...PATIENT_WORDS], { machine: far });
  programs.push(outside, server, client);
  await outside.waitFor("ready");
  await client.waitFor("remote IP address 192.168.0.1");
  await server.waitFor(/^ttyS0: link up on usernet0: 192\.168\.0\.1 here, 192\.168\.1\.1 there$/m);
  expect(server.text).toMatch(
    /^No TUN here: user-mode networking, .*; for an interface, run it as root and load the tun/m,
  );
  if (!collects) await client.waitFor("Wrote the name servers into /etc/resolv.conf");
  const page = await far.run("env", "RES_OPTIONS=timeout:30 attempts:5", "curl", "-sS", "http://outside.test/");
  expect(page.stderr).toBe("");
  expect(page.stdout === "0123456789".repeat(100_000)).toBe(true);
  expect(near.interfaces()).toEqual([]);
  // The user sees his own link, and his folder is empty in the end.
  const status = await near.run("env", "XDG_RUNTIME_DIR=/run/nobody", ...NOBODY, builtFor(near), "status");
  expect(status.stdout).toMatch(/usernet0[^]*192\.168\.1\.1/);
  server.kill();
  expect(await server.exit()).toBe(5);
  expect((await near.run("ls", "/run/nobody")).stdout).toBe("");
});

// ── rights that are lent ─────────────────────────────────────────────────────────────────────────────────────────────

const CALLS: readonly (readonly [code: number, said: string, ...words: readonly string[]])[] = [
  [2, "using the usernet option requires root privilege", "pppd", "notty", "usernet"],
  [2, "using the share option requires root privilege", "pppd", "notty", "share", "noauth"],
  [2, "using the socks option requires root privilege", "pppd", "notty", "socks", "1080", "connect", "id"],
  [2, "using the noauth option requires root privilege", "pppd", "notty", "noauth", "usernet"],
  [2, "using the forward option requires root privilege", "pppd", "notty", "forward", "22=22", "usernet"],
  [2, "using the --config-dir option requires root privilege", "pppd", "--config-dir", "/tmp", "notty", "usernet"],
  [3, "serve must be run as root", "serve", "ttyS0"],
  [3, "join must be run as root", "join", "/dev/null", "--socks", "1080"],
];

/** A copy of a program that lends rights. */
function lending(program: string, folder: string, change: readonly string[]): string {
  const copy = join(folder, "program");
  copyFileSync(program, copy);
  chmodSync(copy, 0o755);
  expect(Bun.spawnSync([...change, copy]).exitCode).toBe(0);
  return copy;
}

/** Why files of the temporary folder lend no rights. */
function lendingMissing(): string | undefined {
  if (rootMissing !== undefined || toolsMissing !== undefined) return rootMissing ?? toolsMissing;
  const folder = mkdtempSync(join(tmpdir(), "nullmodem-lent-"));
  try {
    chmodSync(folder, 0o755);
    const id = lending(Bun.which("id")!, folder, ["chmod", "4755"]);
    const said = Bun.spawnSync([...NOBODY, id, "-u"])
      .stdout.toString()
      .trim();
    return said === "0" ? undefined : `${tmpdir()} is mounted with nosuid`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const setcap = ["/usr/sbin/setcap", "/sbin/setcap"].find((path) => existsSync(path));

const lendingWhy = why ?? lendingMissing();
const KINDS: readonly (readonly [kind: string, change: readonly string[], why: string | undefined])[] = [
  ["set-user-id", ["chmod", "4755"], lendingWhy],
  ["set-group-id", ["chmod", "2755"], lendingWhy],
  [
    "given a capability",
    [setcap ?? "", "cap_net_raw+ep"],
    lendingWhy ?? (setcap ? undefined : "setcap is not installed"),
  ],
];

for (const [kind, change, missing] of KINDS)
  test.skipIf(missing !== undefined)(
    `a program that is ${kind} frees no option for its user${missing === undefined ? "" : ` [skipped: ${missing}]`}`,
    async () => {
      const machine = await openMachine("lent", { files: { "/etc/ppp/options": "" } });
      const folder = mkdtempSync(join(tmpdir(), "nullmodem-lent-"));
      try {
        chmodSync(folder, 0o755);
        const program = lending(built("nullmodem"), folder, change);
        const runs = await Promise.all(CALLS.map(([, , ...words]) => machine.run(...NOBODY, program, ...words)));
        expect(runs.map(({ status, stderr }) => [status, stderr])).toEqual(
          CALLS.map(([code, said]) => [code, expect.stringContaining(said)]),
        );
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );

const INSIDE = [...NOBODY, "unshare", "--user", "--map-root-user"];
const userNsWhy =
  why ?? (Bun.spawnSync([...INSIDE, "true"]).exitCode === 0 ? undefined : "users may make no user namespace");
const userNsName = "the root of a user namespace has no rights over the network outside of it";
test.skipIf(userNsWhy !== undefined)(
  userNsWhy === undefined ? userNsName : `${userNsName} [skipped: ${userNsWhy}]`,
  async () => {
    const machine = await openMachine("inside", { files: { "/etc/ppp/options": "" } });
    const openTun = "mount -t tmpfs none /dev/net && mknod -m 666 /dev/net/tun c 10 200";
    expect((await machine.run("sh", "-c", openTun)).status).toBe(0);
    const words = ["notty", "noauth", "10.0.0.1:10.0.0.2", "lcp-max-configure", "1", "lcp-restart", "1", "logfd", "2"];
    const { stderr } = await machine.run(...INSIDE, builtFor(machine), "pppd", ...words, "share");
    expect(stderr).toContain("No right to make an interface: user-mode networking");
  },
);
