// The changes of a session to its machine, and the remains of a session that was killed.

import { afterEach, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { built } from "../kit/program.ts";
import { missing, pppdPath, Scene, titled, until } from "./scene.ts";

const on = test.skipIf(missing !== undefined);
const SCORE = "/proc/self/oom_score_adj";
/** A container may lack CAP_SYS_RESOURCE, or have its own score. */
const noScore =
  missing ??
  (readFileSync(SCORE, "latin1").trim() === "0" && Bun.spawnSync(["sh", "-c", `echo -500 >${SCORE}`]).exitCode === 0
    ? undefined
    : "needs the right to lower oom_score_adj");

let scenes: Scene[] = [];
async function openScene(files: Readonly<Record<string, string>> = {}): Promise<Scene> {
  const scene = await Scene.open(files);
  scenes.push(scene);
  return scene;
}
afterEach(async () => {
  await Promise.all(scenes.map((scene) => scene.close()));
  scenes = [];
});

const ADDRESSES = "10.0.0.1:10.0.0.2";

test.skipIf(noScore !== undefined)(
  titled("when memory runs out, other things than the link go first; its scripts are not the link", noScore),
  async () => {
    const scene = await openScene({
      "/etc/ppp/ip-up": `#!/bin/sh\ncat ${SCORE} >/run/score.new; mv /run/score.new /run/score\n`,
    });
    scene.far.answer();
    const pppd = scene.pppd([ADDRESSES]);
    await pppd.waitFor("remote IP address");
    expect(readFileSync(`/proc/${pppd.pid}/oom_score_adj`, "latin1")).toBe("-500\n");
    const read = (): string => Bun.spawnSync(["cat", scene.machine.path("/run/score")]).stdout.toString();
    await until("ip-up", () => read() !== "");
    expect(read()).toBe("0\n");
  },
);

on(titled("`lock` where there is no lock directory"), async () => {
  const scene = await openScene();
  await scene.machine.run("rm", "-rf", "/run/lock");
  scene.far.answer();
  const pppd = scene.pppd([ADDRESSES, "lock"]);
  await pppd.waitFor("remote IP address");
  expect((await scene.machine.run("cat", "/run/lock/LCK..ttyS1")).stdout.trim()).toBe(String(pppd.pid));
});

const noGroup = missing ?? (process.getuid?.() === 0 ? undefined : "needs root");
test.skipIf(noGroup !== undefined)(
  titled("a user who may make interfaces but is not in the port's group is told which one it is", noGroup),
  async () => {
    const scene = await openScene({
      "/etc/ppp/options": "",
      "/etc/group": "root:x:0:\ntrusted:x:4711:\nuucp:x:4712:\n",
    });
    const user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    const capable = [...user, "--inh-caps=+net_admin", "--ambient-caps=+net_admin"].join(" ");
    const mount = "mount -t tmpfs none /dev/net && mknod -m 666 /dev/net/tun c 10 200";
    const start = async (...words: string[]): Promise<string> => {
      const line = `chgrp 4711 /dev/ttyS1; chmod 660 /dev/ttyS1; chgrp 4712 /run/lock; chmod 775 /run/lock; ${mount}`;
      const argv = ["unshare", "-m", "sh", "-c", `${line} && exec ${capable} "$0" "$@"`, pppdPath(), "/dev/ttyS1"];
      const { stdout, stderr } = await scene.machine.run(...argv, "nodetach", "noauth", ...words);
      return stdout + stderr;
    };
    const group = "/dev/ttyS1 belongs to the group trusted; sudo usermod -aG trusted nobody, then log in again\n";
    // Only root and users with the capability may use `noauth`.
    expect(await start()).toBe(`Failed to open /dev/ttyS1: Permission denied\n${group}`);
    expect(await start("lock")).toBe(
      `Can't create lock file /var/lock/LCK..ttyS1: Permission denied\n${group}` +
        "/var/lock belongs to the group uucp; sudo usermod -aG uucp nobody, then log in again\n",
    );
  },
);

/** A network with a default route beside the line, for proxyarp and replacedefaultroute. */
const LOCAL_NETWORK = `ip link add eth7 type veth peer name far7 && ip link set eth7 addrgenmode none &&
ip link set far7 addrgenmode none && ip link set far7 up && ip addr add 10.0.0.9/24 dev eth7 &&
ip link set eth7 up && ip route add default via 10.0.0.254 metric 7`;

for (const how of ["cleanup", "the next start"] as const)
  on(titled(`what a pppd that was killed has changed is taken back by ${how}`), async () => {
    const scene = await openScene();
    await scene.machine.run("sh", "-c", LOCAL_NETWORK);
    await scene.remember();
    scene.far.answer();
    const wishes = ["proxyarp", "ktune", "defaultroute", "replacedefaultroute", "defaultroute-metric", "7"];
    const pppd = scene.pppd(["10.0.0.1:10.0.0.2", "nolock", ...wishes]);
    await pppd.waitFor("remote IP address");
    await until("its routes", async () => (await scene.leftBehind()).some((line) => /\+ default dev ppp0/.test(line)));
    pppd.kill("SIGKILL");
    await pppd.exit();
    const left = await scene.leftBehind();
    for (const line of ["+ 1", "- 0", "- default via 10.0.0.254 dev eth7 metric 7 ", "+ 10.0.0.2 dev eth7 proxy "])
      expect(left).toContain(line);
    if (how === "cleanup") {
      const next = await scene.machine.run(built("nullmodem"), "cleanup");
      expect([next.status, next.stderr]).toEqual([0, ""]);
      expect(
        next.stdout
          .trimEnd()
          .replace(/nullmodem-\d+\.ctl/, "nullmodem-PID.ctl")
          .split("\n")
          .sort(),
      ).toEqual([
        "Removed /var/run/nullmodem-PID.ctl of a killed pppd",
        "Removed /var/run/nullmodem-ppp0.stats of a killed pppd",
        "Removed /var/run/ppp0.pid of a killed pppd",
        "Removed a proxy ARP entry of a killed pppd on eth7",
        "The default route through eth7 is back, which a killed pppd had replaced",
        "net.ipv4.ip_forward is 0 again, which a killed pppd had changed",
      ]);
      const again = await scene.machine.run(built("nullmodem"), "cleanup");
      expect(again.stdout).toBe("Nothing was left to take back\n");
    } else {
      const next = scene.pppd(["10.0.0.1:10.0.0.2", "lock"]);
      await next.waitFor("The default route through eth7 is back, which a killed pppd had replaced");
      next.kill();
      await next.exit();
    }
    // Except the socket and the pid file, which the next ppp0 replaces, and the settings of the line, which no program
    // knows.
    expect((await scene.leftBehind()).filter((line) => !/^\+ \/run\/|^[+-] tty /.test(line))).toEqual([]);
  });

on(titled("cleanup takes nothing from a pppd that runs"), async () => {
  const scene = await openScene();
  await scene.machine.run("sh", "-c", LOCAL_NETWORK);
  scene.far.answer();
  const pppd = scene.pppd(["10.0.0.1:10.0.0.2", "proxyarp", "ktune", "defaultroute", "replacedefaultroute"]);
  await pppd.waitFor("remote IP address");
  await scene.remember();
  expect((await scene.machine.run(built("nullmodem"), "cleanup")).stdout).toBe("Nothing was left to take back\n");
  expect(await scene.leftBehind()).toEqual([]);
});

test("too little memory, and a full disk behind standard output, are a sentence and no stack trace", () => {
  const run = (line: string): [number, string] => {
    const { exitCode, stderr } = Bun.spawnSync(["sh", "-c", line, built("pppd"), built("nullmodem")]);
    return [exitCode, stderr.toString()];
  };
  expect(run('ulimit -v 1000000; exec "$0" --version')).toEqual([
    1,
    "too little memory: the limit of address space (ulimit -v) is 1000000 KB, and 3000000 are needed\n",
  ]);
  expect(run('exec "$1" service systemd /dev/ttyS1 115200 noauth >/dev/full')).toEqual([
    1,
    "nullmodem: write stdout: No space left on device\n",
  ]);
});
