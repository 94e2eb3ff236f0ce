// Everything that can go wrong: each fault has a plain message and the right exit code, and nothing stays behind.

import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, statSync } from "node:fs";
import { bytesOf } from "../../src/bytes/text.ts";
import { Rng } from "../kit/rng.ts";
import type { Program } from "../kit/program.ts";
import { asStranger } from "../kit/stranger.ts";
import { asleep, FarSide, missing, pppdPath, residentKb, Scene, titled, until } from "./scene.ts";

const on = test.skipIf(missing !== undefined);

let scenes: Scene[] = [];
async function openScene(files: Readonly<Record<string, string>> = {}, ttys: Readonly<Record<string, string>> = {}) {
  const scene = await Scene.open(files, ttys);
  scenes.push(scene);
  return scene;
}
afterEach(async () => {
  await Promise.all(scenes.map((scene) => scene.close()));
  scenes = [];
});

const ADDRESSES = "10.0.0.1:10.0.0.2";
/** A script whose own child hangs. */
const FAMILY_HANGS = "#!/bin/sh\nsleep 1000\n:\n";
/** An unanswered Terminate-Request is waited for only a short time. */
const QUICK = ["lcp-restart", "1", "lcp-max-terminate", "1", "child-timeout", "1"];

/** The lines from `from` on. */
function said(program: Program, from = 0): string[] {
  return program.lines.slice(from).map(({ text }) => text);
}

async function linkUp(scene: Scene, words: readonly string[] = []): Promise<Program> {
  scene.far.answer();
  const pppd = scene.pppd([ADDRESSES, ...QUICK, ...words]);
  await pppd.waitFor("remote IP address");
  return pppd;
}

describe("does not start", () => {
  const NOBODY = asStranger();
  // With the mode of udev's: every user may open it.
  const OPEN_TUN = "mount -t tmpfs none /dev/net && mknod -m 666 /dev/net/tun c 10 200";
  const WITH_RIGHT = asStranger(["--inh-caps=+net_admin", "--ambient-caps=+net_admin"], OPEN_TUN);
  const WITHOUT_RIGHT = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"];
  const NO_TUN = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /dev/net && exec "$0" "$@"'];
  const LOCKED = ["sh", "-c", 'printf "%10d\\n" $$ >/var/lock/LCK..ttyS1; "$0" "$@"'];
  const line = ["/dev/ttyS1", "115200", "local", "noauth", "nodetach"];

  const cases: readonly [what: string, prefix: string[], words: string[], status: number, says: RegExp][] = [
    [
      "a device that is not there",
      [],
      ["/dev/ttyS99", "noauth"],
      2,
      /unrecognized option '\/dev\/ttyS99'\n[^]*^\/dev\/ttyS99: no such device$/m,
    ],
    ["a file in the place of the device", [], ["/etc/passwd", "noauth"], 2, /unrecognized option '\/etc\/passwd'/],
    [
      "a device that is no terminal",
      [],
      ["/dev/null", "noauth", "nodetach"],
      1,
      /^tcgetattr: Inappropriate ioctl for device\n\/dev\/null is not a serial port$/m,
    ],
    [
      "not root",
      NOBODY,
      ["/dev/ttyS1"],
      3,
      /must be root to run .*pppd, since it is not setuid-root[^]*try: sudo .*pppd /,
    ],
    [
      "no right to the line",
      WITH_RIGHT,
      ["/dev/ttyS1", "nodetach"],
      7,
      /^Failed to open \/dev\/ttyS1: Permission denied$/m,
    ],
    [
      "root in a container that may not make interfaces",
      WITHOUT_RIGHT,
      line,
      1,
      /^Couldn't create interface: Operation not permitted\n.*--cap-add NET_ADMIN$/m,
    ],
    [
      "no TUN",
      NO_TUN,
      line,
      4,
      /Couldn't open the \/dev\/net\/tun device: No such file or directory\n[^]*mknod \/dev\/net\/tun c 10 200[^]*--device \/dev\/net\/tun/,
    ],
    [
      "a further line of a bundle that is not there",
      [],
      [...line, "multilink", "mpdevice", "/dev/ttyS99", "lcp-max-configure", "1", "lcp-restart", "1"],
      16,
      /^Failed to open \/dev\/ttyS99: No such file or directory\n(Serial ports here: |No serial ports here$)/m,
    ],
    ["the line is locked", LOCKED, [...line, "lock"], 6, /^Device ttyS1 is locked by pid (\d+)\nProcess \1 is sh$/m],
  ];
  for (const [what, prefix, words, status, says] of cases) {
    on(titled(what), async () => {
      // The line's options are in a file of root, so that an ordinary user may have them.
      const scene = await openScene({ "/etc/ppp/options": "noauth\nlocal\n115200\n" });
      const result = await scene.machine.run(...prefix, pppdPath(), ...words);
      expect(result.stdout + result.stderr).toMatch(says);
      expect(result.status).toBe(status);
      expect(result.stderr).not.toContain("    at "); // no stack
      if (prefix === LOCKED) await scene.machine.run("rm", "/var/lock/LCK..ttyS1");
      expect(await scene.leftBehind()).toEqual([]);
    });
  }
});

/** A point in the life of a session, and how to reach it. */
interface Moment {
  readonly files?: Readonly<Record<string, string>>;
  readonly words?: readonly string[];
  /** The far side is a peer. */
  readonly isAnswered?: true;
  /** The line of the log that shows that it is reached. */
  readonly reached: string;
  /** A further action that is needed. */
  readonly then?: (scene: Scene, pppd: Program) => Promise<void>;
  /** The exit code when the line is pulled out. Undefined: it does not matter to the script that runs. */
  readonly hangup?: number;
  readonly terminated: number;
}

const disconnect = async (_: Scene, pppd: Program): Promise<void> => {
  pppd.kill("SIGTERM");
  await pppd.waitFor("bye");
};

/** The points at which a real line, a real script or its family matters. test/simulation/endings.test.ts has all points. */
const MOMENTS: Readonly<Record<string, Moment>> = {
  "in the init script": {
    words: ["init", "echo ready >&2; sleep 1000"],
    reached: "ready",
    terminated: 18,
  },
  "in a connect script that listens": {
    words: ["connect", "echo ready >&2; read -r word || exit 1"],
    reached: "ready",
    hangup: 8,
    terminated: 8,
  },
  "in our own chat": {
    words: ["connect", "chat -v -s '' AT OK"],
    reached: "expect (OK)",
    hangup: 8,
    terminated: 8,
  },
  "in ip-pre-up": {
    files: { "/etc/ppp/ip-pre-up": FAMILY_HANGS },
    isAnswered: true,
    reached: "Script /etc/ppp/ip-pre-up started",
    terminated: 5,
  },
  "when the link is up": { isAnswered: true, reached: "remote IP address", hangup: 16, terminated: 5 },
  "in the disconnect script": {
    words: ["disconnect", "echo bye >&2; sleep 1000"],
    isAnswered: true,
    reached: "remote IP address",
    then: disconnect,
    terminated: 5,
  },
};

async function reach({
  files,
  words = [],
  isAnswered,
  reached,
  then,
}: Moment): Promise<{ scene: Scene; pppd: Program }> {
  const scene = await openScene(files);
  if (isAnswered === true) scene.far.answer();
  const pppd = scene.pppd([ADDRESSES, ...QUICK, ...words]);
  await pppd.waitFor(reached);
  await then?.(scene, pppd);
  return { scene, pppd };
}

describe("the cable is pulled", () => {
  for (const [when, moment] of Object.entries(MOMENTS)) {
    if (moment.hangup === undefined) continue;
    on(titled(when), async () => {
      const { scene, pppd } = await reach(moment);
      const before = pppd.lines.length;
      scene.far.hangUp();
      expect(await pppd.exit(5000)).toBe(moment.hangup!);
      if (moment.hangup === 16) {
        const lines = said(pppd, before);
        expect(lines).toContain("Modem hangup");
        expect(lines.at(-1) === "Connection terminated." || lines.includes("Connection terminated.")).toBe(true);
      }
      expect(await scene.leftBehind(true)).toEqual([]);
    });
  }

  on(titled("with persist: it is tried again and again, at its ease, until it is told to stop"), async () => {
    const scene = await openScene();
    const pppd = await linkUp(scene, ["persist", "maxfail", "0"]);
    scene.far.hangUp();
    let last = await pppd.waitFor("Failed to open /dev/ttyS1: Input/output error");
    last = await pppd.waitFor("Failed to open /dev/ttyS1: Input/output error", { after: last });
    expect(said(pppd).filter((text) => text === "Modem hangup")).toHaveLength(1);
    pppd.kill("SIGTERM");
    expect(await pppd.exit()).toBe(5);
    expect(await scene.leftBehind(true)).toEqual([]);
  });
});

describe("SIGTERM", () => {
  for (const [when, moment] of Object.entries(MOMENTS)) {
    on(titled(when), async () => {
      const { scene, pppd } = await reach(moment);
      pppd.kill("SIGTERM");
      expect(await pppd.exit(5000)).toBe(moment.terminated);
      expect(said(pppd)).toContain("Terminating on signal 15");
      expect(await scene.leftBehind()).toEqual([]);
    });
  }
});

describe("other signals", () => {
  on(titled("SIGQUIT when the link is up"), async () => {
    const scene = await openScene();
    const pppd = await linkUp(scene);
    pppd.kill("SIGQUIT");
    expect(await pppd.exit(5000)).toBe(127);
    expect(said(pppd)).toContain("Fatal signal 3");
    expect(await scene.leftBehind()).toEqual([]);
  });

  on(titled("a hail of them ends it once, and in good order"), async () => {
    const scene = await openScene();
    const pppd = await linkUp(scene);
    for (let count = 0; count < 50; count++) for (const signal of ["SIGUSR1", "SIGUSR2"] as const) pppd.kill(signal);
    for (let count = 0; count < 20; count++) pppd.kill("SIGTERM");
    expect(await pppd.exit(5000)).toBe(5);
    expect(said(pppd)).toContain("Connection terminated.");
    expect(await scene.leftBehind()).toEqual([]);
  });

  on(titled("SIGKILL: the next one clears away the lock and comes up"), async () => {
    const scene = await openScene();
    const killed = await linkUp(scene);
    const pid = killed.pid;
    killed.kill("SIGKILL");
    expect(await killed.exit()).toBe(137);
    expect(scene.machine.interfaces()).toEqual([]);
    scene.far.answer();
    const next = scene.pppd([ADDRESSES, ...QUICK]);
    await next.waitFor(`Removed stale lock on ttyS1 (pid ${pid})`);
    await next.waitFor("remote IP address");
    next.kill();
    expect(await next.exit()).toBe(5);
    // The value that the first session found is lost with it, and nothing else.
    expect((await scene.leftBehind()).filter((line) => !line.includes(" tty "))).toEqual([]);
  });
});

describe("a peer that talks rubbish", () => {
  const MB = 1 << 20;
  const random = new Rng(7);
  const KINDS: Readonly<Record<string, Uint8Array>> = {
    "random bytes": Uint8Array.from({ length: 1 << 18 }, () => random.u32() & 0xff),
    "a login prompt": bytesOf("\r\nDebian GNU/Linux 12 laplink ttyS0\r\n\r\nlaplink login: "),
    "nothing but flags": new Uint8Array(4096).fill(0x7e),
    "nothing but escapes": new Uint8Array(4096).fill(0x7d),
    "frames without an end": new Uint8Array(1 << 17).fill(0x41),
    "short frames": bytesOf("~\xff\x03~\xc0~\xc0\x21~"),
    zeros: new Uint8Array(4096),
  };
  /** So much of two kinds, with which memory would grow most, and little of the others. */
  const WORTH: Readonly<Record<string, number>> = { "random bytes": 30 * MB, "frames without an end": 30 * MB };

  for (const [kind, piece] of Object.entries(KINDS)) {
    on(titled(`${kind}: before the link and while it is up, at full speed`), async () => {
      const scene = await openScene();
      // The limit is long, because much noise hides the peer.
      const pppd = scene.pppd([ADDRESSES, ...QUICK, "lcp-max-configure", "1000"]);
      await pppd.waitFor("sent [LCP ConfReq");
      await scene.far.flood(piece, MB / 4);
      scene.far.answer();
      await pppd.waitFor("remote IP address");
      await scene.far.flood(piece, MB);
      const worth = WORTH[kind];
      if (worth !== undefined) {
        const before = residentKb(pppd.pid);
        await scene.far.flood(piece, worth);
        // Keeping all noise would need as much memory again.
        expect(residentKb(pppd.pid) - before).toBeLessThan(worth / 2 / 1024);
      }
      // It still understands valid frames.
      const lines = pppd.lines.length;
      pppd.kill();
      expect(await pppd.exit(5000)).toBe(5);
      expect(said(pppd, lines)).toContainEqual(expect.stringMatching(/^rcvd \[LCP TermAck/));
      // It has not logged every byte of it.
      expect(pppd.lines.length).toBeLessThan(1000);
      expect(await scene.leftBehind()).toEqual([]);
    });
  }

  on(titled("our own words: the line is looped back"), async () => {
    const scene = await openScene();
    scene.far.echo();
    const pppd = scene.pppd([ADDRESSES]);
    expect(await pppd.exit(5000)).toBe(17);
    expect(said(pppd)).toContain("Serial line is looped back.");
    expect(await scene.leftBehind()).toEqual([]);
  });

  // pppd's own lines come in the real pppd's order for the same line.
  on(titled("a login prompt: it gives up and says what it heard"), async () => {
    const scene = await openScene();
    const pppd = scene.pppd([ADDRESSES, ...QUICK, "lcp-max-configure", "2"]);
    await pppd.waitFor("sent [LCP ConfReq");
    const prompt = "\r\nlaplink login: ";
    await scene.far.flood(bytesOf(prompt), 2 * prompt.length);
    expect(await pppd.exit(6000)).toBe(16);
    const all = said(pppd);
    const timeout = all.indexOf("LCP: timeout sending Config-Requests");
    expect(all.slice(timeout + 1)).toEqual([
      'Heard text and no PPP, "laplink login: laplink login:": a connect script that logs in is missing',
      "Connection terminated.",
      "Receive serial link is not 8-bit clean:",
      "Problem: all had bit 7 set to 0",
      "Modem hangup",
    ]);
    expect(await scene.leftBehind()).toEqual([]);
  });
});

describe("what it writes to is full or gone", () => {
  on(titled("a log file and a record on a full disk"), async () => {
    const scene = await openScene();
    const mount = 'mkdir /run/small && mount -t tmpfs -o size=64k none /run/small && exec "$0" "$@"';
    const argv = [
      "unshare",
      "-m",
      "sh",
      "-c",
      mount,
      pppdPath(),
      "/dev/ttyS1",
      "115200",
      "local",
      "noauth",
      "nodetach",
    ];
    scene.far.answer();
    const more = ["debug", "logfile", "/run/small/log", "record", "/run/small/record", ADDRESSES, ...QUICK];
    const pppd = scene.run([...argv, ...more]);
    const path = `/proc/${pppd.pid}/root/run/small`;
    const size = (name: string): number => (existsSync(`${path}/${name}`) ? statSync(`${path}/${name}`).size : 0);
    await until("the link is up", () => size("log") > 0 && readFileSync(`${path}/log`, "utf8").includes("remote IP"));
    // An invalid frame each turn: recorded, but not logged.
    await scene.far.flood(new Uint8Array(1 << 16).fill(0x41), 1 << 20);
    await until("the disk is full", () => readFileSync(`${path}/log`, "utf8").includes("Couldn't write record file"));
    expect(size("record")).toBeGreaterThan(30_000);
    expect(residentKb(pppd.pid)).toBeLessThan(64 * 1024);
    pppd.kill();
    expect(await pppd.exit(5000)).toBe(5);
    await scene.machine.run("rmdir", "/run/small");
    expect(await scene.leftBehind()).toEqual([]);
  });

  on(
    titled("standard output whose reader waits for its end: updetach lets go of it, as of standard error"),
    async () => {
      const scene = await openScene();
      scene.far.answer();
      const words = `/dev/ttyS1 115200 local lock noauth updetach ${ADDRESSES} ${QUICK.join(" ")}`;
      const shell = scene.run(["sh", "-c", `said=$(${pppdPath()} ${words} 2>&1); echo "status $?"; echo "$said"`]);
      expect(await shell.exit(8000)).toBe(0);
      expect(said(shell)[0]).toBe("status 0");
      expect(said(shell)).toContain("remote IP address 10.0.0.2");
      await scene.machine.run("sh", "-c", "kill $(head -n 1 /run/ppp0.pid)");
      expect(await scene.leftBehind()).toEqual([]);
    },
  );

  on(titled("standard output closed by its reader"), async () => {
    const scene = await openScene();
    scene.far.answer();
    const words = `/dev/ttyS1 115200 local noauth nodetach debug ${ADDRESSES} ${QUICK.join(" ")}`;
    const shell = scene.run(["bash", "-c", `${pppdPath()} ${words} > >(head -n 1); echo "status $?" >&2`]);
    await shell.waitFor("Using interface ppp0");
    const addresses = async (): Promise<string> => (await scene.machine.run("ip", "-o", "addr")).stdout;
    await until("the link is up all the same", async () => (await addresses()).includes("10.0.0.1 peer 10.0.0.2"));
    const [pppd] = scene.machine.processes().filter(({ command }) => command.startsWith(pppdPath()));
    process.kill(pppd!.pid, "SIGTERM");
    await shell.waitFor("status 5");
    await shell.exit();
    expect(await scene.leftBehind()).toEqual([]);
  });

  on(titled("standard output is a pipe nobody reads: the link goes on without the log"), async () => {
    const scene = await openScene();
    const peer = scene.far.answer({ echo: { intervalMs: 1, failure: 0, adaptive: false } });
    const words = `/dev/ttyS1 115200 local noauth nodetach debug debug ${ADDRESSES} ${QUICK.join(" ")}`;
    const shell = scene.run(["bash", "-c", `${pppdPath()} ${words} > >(exec sleep 1000); echo "status $?"`]);
    // Each echo is two lines in the log, and 64 KB fill a pipe.
    await until("a thousand echoes are answered", () => peer.link.deframer.stats.frames > 1000, 20_000);
    const [pppd] = scene.machine.processes().filter(({ command }) => command.startsWith(pppdPath()));
    process.kill(pppd!.pid, "SIGTERM");
    await shell.waitFor("status 5");
    const [reader] = scene.machine.processes().filter(({ command }) => command === "sleep 1000");
    process.kill(reader!.pid, "SIGKILL");
    expect(await scene.leftBehind()).toEqual([]);
  });

  on(titled("no /run to write to, no syslog"), async () => {
    const scene = await openScene();
    scene.far.answer();
    const mount = 'mount --bind -o ro /etc /run && exec "$0" "$@"';
    const words = ["/dev/ttyS1", "115200", "local", "noauth", "nolock", "nodetach", ADDRESSES, ...QUICK];
    const pppd = scene.run(["unshare", "-m", "sh", "-c", mount, pppdPath(), ...words]);
    await pppd.waitFor("remote IP address");
    expect(said(pppd)).toContainEqual(
      expect.stringMatching(/^Failed to create pid file \/var\/run\/ppp0.pid: Read-only/),
    );
    pppd.kill();
    expect(await pppd.exit(5000)).toBe(5);
    expect(await scene.leftBehind()).toEqual([]);
  });
});

describe("somebody takes the interface away", () => {
  on(titled("ip link set ppp0 down: nothing is lost but packets, and it sleeps"), async () => {
    const scene = await openScene();
    const pppd = await linkUp(scene);
    expect((await scene.machine.run("ip", "link", "set", "ppp0", "down")).status).toBe(0);
    // Packets of the peer that the interface refuses.
    const packet = Uint8Array.from({ length: 84 }, (_, at) => (at === 0 ? 0x45 : 0));
    for (let count = 0; count < 100; count++) scene.far.send(packet);
    await asleep(pppd.pid);
    pppd.kill();
    expect(await pppd.exit(5000)).toBe(5);
    expect(await scene.leftBehind()).toEqual([]);
  });

  on(titled("ip link del ppp0: the link ends, and says why"), async () => {
    const scene = await openScene({ "/etc/ppp/ip-down": "#!/bin/sh\ntouch /run/ip-down-ran\n" });
    const pppd = await linkUp(scene);
    expect((await scene.machine.run("ip", "link", "del", "ppp0")).status).toBe(0);
    expect(await pppd.exit(5000)).toBe(1);
    expect(said(pppd)).toContain("Interface ppp0 has been removed");
    expect(said(pppd)).toContain('sent [LCP TermReq id=0x2 "Interface removed"]');
    expect(said(pppd)).toContain("Connection terminated.");
    expect(said(pppd).filter((text) => text.includes("No such device"))).toEqual([]);
    expect(await scene.leftBehind()).toEqual(["+ /run/ip-down-ran"]);
  });
});

describe("the network of the machine is put back", () => {
  /** A default route, and a LAN with the peer's address in it. */
  const lan = async (scene: Scene): Promise<void> => {
    const { status, stderr } = await scene.machine.run(
      "sh",
      "-ec",
      "ip tuntap add eth0 mode tap; ip addr add 10.0.0.9/24 dev eth0; ip link set eth0 up; ip route add default via 10.0.0.254",
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    await scene.remember();
  };
  const ALL = ["defaultroute", "replacedefaultroute", "proxyarp", "ktune"];

  on(titled("when the line hangs up: default route, proxy ARP, forwarding"), async () => {
    const scene = await openScene();
    await lan(scene);
    const pppd = await linkUp(scene, ALL);
    const during = await scene.leftBehind();
    expect(during).toContainEqual(expect.stringMatching(/^\+ default dev ppp0 /));
    expect(during).toContainEqual(expect.stringMatching(/^- default via 10\.0\.0\.254 dev eth0/));
    expect(during).toContainEqual(expect.stringMatching(/^\+ 10\.0\.0\.2 dev eth0 proxy/));
    scene.far.hangUp();
    expect(await pppd.exit(5000)).toBe(16);
    expect(await scene.leftBehind(true)).toEqual([]);
  });
});

describe("more than one", () => {
  on(titled("two on one line: the second is refused, the first goes on"), async () => {
    const scene = await openScene();
    const first = await linkUp(scene);
    const second = scene.pppd([ADDRESSES]);
    expect(await second.exit()).toBe(6);
    expect(said(second)).toEqual([`Device ttyS1 is locked by pid ${first.pid}`, `Process ${first.pid} is pppd`]);
    first.kill();
    expect(await first.exit()).toBe(5);
    expect(await scene.leftBehind()).toEqual([]);
  });

  on(titled("two lines on one machine: two interfaces, each ends by itself"), async () => {
    const other = new FarSide();
    const scene = await openScene({}, { ttyS2: other.tty });
    const first = await linkUp(scene);
    other.answer();
    const words = ["/dev/ttyS2", "115200", "local", "lock", "noauth", "nodetach", "10.0.1.1:10.0.1.2", ...QUICK];
    const second = scene.run([pppdPath(), ...words]);
    await second.waitFor("remote IP address 10.0.1.2");
    expect(said(second)).toContain("Using interface ppp1");
    expect(scene.machine.interfaces()).toEqual(["ppp0", "ppp1"]);
    first.kill();
    expect(await first.exit()).toBe(5);
    expect(scene.machine.interfaces()).toEqual(["ppp1"]);
    second.kill();
    expect(await second.exit()).toBe(5);
    other.hangUp();
    expect(await scene.leftBehind()).toEqual([]);
  });
});

describe("an idle pppd", () => {
  on(titled("waits as long as it was told, though no timer can be set for that"), async () => {
    const scene = await openScene();
    const pppd = scene.pppd(["persist", "maxfail", "0", "holdoff", "3000000", "connect", "exit 1"]);
    const failed = await pppd.waitFor("Connect script failed");
    const again = await pppd.waitFor("Connect script failed", { after: failed, within: 500 }).catch(() => undefined);
    expect(again).toBeUndefined();
    pppd.kill("SIGHUP"); // ends the wait
    await pppd.waitFor("Connect script failed", { after: failed });
    pppd.kill();
    expect(await pppd.exit(5000)).toBe(5);
    expect(said(pppd).filter((text) => text.includes("TimeoutOverflowWarning"))).toEqual([]);
  });

  on(titled("sleeps, with timers running and nobody answering"), async () => {
    const scene = await openScene();
    const pppd = await linkUp(scene, ["idle", "100", "maxconnect", "3000000", "lcp-echo-interval", "1"]);
    await asleep(pppd.pid);
    pppd.kill();
    expect(await pppd.exit(5000)).toBe(5);
  });
});
