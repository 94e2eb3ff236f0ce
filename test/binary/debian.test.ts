// A Debian that has used pppd for years: the package's own /etc/ppp, a provider set up as pppconfig does, and a cron
// job with pon and poff. The peer is a server of ours. The connect script plays the modem.

import { afterAll, expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { openCable } from "../kit/cable.ts";
import { closeMachines, openMachine, type Machine } from "../kit/machine.ts";
import { built, Program } from "../kit/program.ts";
import { missing as sceneMissing, titled } from "./scene.ts";

const PEER = `hide-password
noauth
connect "/usr/sbin/chat -v -f /etc/chatscripts/provider"
debug
/dev/ttyS0
115200
defaultroute
noipdefault
user zaphod
remotename provider
ipparam provider
usepeerdns
`;
const CHAT = `# ispauth PAP
ABORT BUSY ABORT 'NO CARRIER' ABORT VOICE ABORT 'NO DIALTONE' ABORT 'NO ANSWER'
'' ATZ
OK-AT-OK ATDT5551212
CONNECT \\d\\c
`;
const PROVIDER = "* * gargleBlaster *\n";
/** The far modem as a chat script: what it expects and what it sends. */
const MODEM = "TIMEOUT 60 ATZ 'OK' ATDT5551212 'CONNECT 115200'";
const SERVER = [
  ...["/dev/ttyS1", "115200", "local", "nodetach", "auth", "+pap", "name", "provider", "debug"],
  ...["10.7.0.1:10.7.0.2", "ms-dns", "10.7.0.53", "connect", `chat '' '' ${MODEM}`],
];

/**
 * The files that the package has put into /etc/ppp, in a folder of their own. Undefined when the package is not
 * installed.
 */
function debiansFiles(): string | undefined {
  const { stdout, exitCode } = Bun.spawnSync(["dpkg-query", "-W", "-f=${Conffiles}", "ppp"]);
  const paths = exitCode === 0 ? [...stdout.toString().matchAll(/^ (\/etc\/ppp\/\S+)/gm)].map(([, path]) => path!) : [];
  if (!paths.includes("/etc/ppp/options")) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "nullmodem-debian-"));
  for (const path of paths.filter((one) => existsSync(one))) {
    const target = join(folder, path.slice("/etc/ppp/".length));
    mkdirSync(dirname(target), { recursive: true });
    cpSync(path, target);
  }
  return folder;
}

const hasDpkg = Bun.which("dpkg-query") !== null;
const etc = sceneMissing === undefined && hasDpkg ? debiansFiles() : undefined;
const missing = sceneMissing ?? (etc === undefined ? "Debian's package ppp is not installed" : undefined);
afterAll(async () => {
  if (etc !== undefined) rmSync(etc, { recursive: true });
  await closeMachines();
});

/** Runs a command as cron does: an almost empty environment, /bin/sh, no terminal. */
const asCron = (machine: Machine, line: string) =>
  machine.run(
    "env",
    "-i",
    "HOME=/root",
    "LOGNAME=root",
    `PATH=${dirname(built())}:/usr/bin:/bin`,
    "/bin/sh",
    "-c",
    line,
  );

test.skipIf(missing !== undefined)(titled("pon and poff from cron, with Debian's own /etc/ppp", missing), async () => {
  const cable = await openCable();
  const server = await openMachine("provider", {
    ttys: { ttyS1: cable.a },
    files: { "/etc/ppp/options": "lock\n", "/etc/ppp/pap-secrets": PROVIDER },
  });
  const client = await openMachine("debian", {
    etc: etc!,
    ttys: { ttyS0: cable.b },
    files: {
      "/etc/ppp/peers/provider": PEER,
      "/etc/chatscripts/provider": CHAT,
      "/etc/ppp/pap-secrets": "zaphod provider gargleBlaster\n",
      "/etc/resolv.conf": "nameserver 192.0.2.1\n",
    },
  });
  const read = async (file: string): Promise<string> => (await client.run("cat", file)).stdout;
  try {
    for (let call = 0; call < 2; call++) {
      const isp = new Program([built("pppd"), ...SERVER], { machine: server });
      expect(await asCron(client, "pon provider")).toMatchObject({ status: 0, stderr: "" });
      await isp.waitFor("remote IP address 10.7.0.2", { within: 20_000 });
      const up = "until grep -q 10.7.0.53 /etc/resolv.conf; do sleep 0.05; done; ip route; ls /run/ppp0.pid";
      const { stdout } = await client.run("timeout", "20", "sh", "-c", up);
      expect(stdout).toContain("default dev ppp0");
      expect(stdout).toContain("/run/ppp0.pid");
      expect((await client.run("ping", "-c", "1", "-W", "60", "10.7.0.1")).status).toBe(0);

      expect(await asCron(client, "poff provider")).toMatchObject({ status: 0, stderr: "" });
      expect(await isp.exit()).toBe(16);
      await client.run(
        "timeout",
        "20",
        "sh",
        "-c",
        "while ls /run/ppp0.pid || pidof nullmodem pppd; do sleep 0.05; done",
      );
      // Debian's hook restores the old file.
      expect(await read("/etc/resolv.conf")).toBe("nameserver 192.0.2.1\n");
      expect(client.interfaces()).toEqual([]);
      expect((await client.run("ls", "/run/lock")).stdout).not.toContain("LCK");
    }
    expect(await asCron(client, "poff provider")).toMatchObject({ status: 1 });
  } finally {
    await server.close();
    await client.close();
    await cable.close();
  }
});
