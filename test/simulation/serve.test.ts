// Many ports in one process, in simulated time: each goes on whatever happens to the others.

import { expect, test } from "bun:test";
import { Laplink } from "./laplink.ts";
import { Served } from "./served.ts";

const CALLER = ["115200", "noauth", "nodetach", "local", "noipdefault", "noipv6"];

interface World {
  readonly cables?: number;
  /** The ports from this on are not plugged in yet. */
  readonly there?: number;
  /** The cables have the wires of modem lines. */
  readonly isFull?: boolean;
  /** In /etc/ppp. */
  readonly files?: Readonly<Record<string, string>>;
}

function serving(world: World, ...words: readonly string[]) {
  const { cables = 1, there = cables, isFull = true, files = {} } = world;
  const link = new Laplink({ seed: 7, cables, isFull });
  const [a, b] = link.computers;
  for (const cable of link.cables.slice(there)) cable.ends[0].path = undefined;
  for (const [path, text] of Object.entries(files)) a.files.put(`/etc/ppp/${path}`, text, 0o600);
  const server = new Served(a, ...words);
  const call = (port: number, ...more: readonly string[]) => b.start([`/dev/ttyUSB${port}`, ...CALLER, ...more]);
  const end = (): void => {
    server.signal("SIGTERM");
    expect(link.time.runUntil(() => !server.isRunning, 20_000)).toBe(true);
    expect([server.exitCode, server.fault]).toEqual([5, undefined]);
    expect(link.leftOn(0)).toEqual([]);
  };
  return { link, time: link.time, server, call, end, a, b };
}

test("three ports: one under load, one that fails, one that is plugged in later; each has addresses of its own", () => {
  const { link, time, server, call, end, a } = serving({ cables: 3, there: 2 }, "ttyUSB0", "ttyUSB1", "ttyUSB*");
  // Another program holds the second port, and the third is not there.
  a.processes.running.add(9999);
  a.files.put("/var/lock/LCK..ttyUSB1", "      9999\n");
  const [third] = link.cables[2]!.ends;
  time.run(100);
  call(0);
  expect(time.runUntil(() => link.isUp, 10_000)).toBe(true);
  link.traffic[0].saturate(1000);
  time.run(20_000);
  expect(server.of("ttyUSB0").slice(0, 3)).toEqual([
    "waiting for a caller",
    "Recognised PPP, at 115200",
    "link up on ppp0: 192.168.0.1 here, 192.168.1.1 there",
  ]);
  expect(server.of("ttyUSB1")).toEqual(["Device ttyUSB1 is locked by pid 9999", expect.stringContaining("pppd")]);
  const before = link.traffic[0].received;
  third.path = "/dev/ttyUSB2";
  time.run(1000);
  call(2);
  expect(time.runUntil(() => server.of("ttyUSB2").length >= 3, 10_000)).toBe(true);
  expect(server.of("ttyUSB2")).toEqual([
    "waiting for a caller",
    "Recognised PPP, at 115200",
    "link up on ppp1: 192.168.104.1 here, 192.168.104.2 there",
  ]);
  expect(server.state).toMatch(/^ttyUSB0 up: .*; ttyUSB1 .*; ttyUSB2 up: /);
  // The load went on at the line's speed meanwhile.
  time.run(10_000);
  link.traffic[0].stop();
  time.run(5000);
  expect(link.traffic[0].received - before).toBeGreaterThan(80);
  // It was more than the line carries, and the queues before the line dropped the rest.
  expect(link.traffic[0].fault).toBeUndefined();
  a.files.remove("/var/lock/LCK..ttyUSB1");
  a.processes.running.delete(9999);
  call(1);
  expect(time.runUntil(() => server.of("ttyUSB1").length >= 5, 10_000)).toBe(true);
  expect(server.of("ttyUSB1").at(-1)).toBe("link up on ppp2: 192.168.101.1 here, 192.168.101.2 there");
  end();
});

test("an adapter that is pulled out and comes back under another name is the same port, with the same addresses", () => {
  const { link, time, server, call, end } = serving({ cables: 2, there: 1 }, "ttyUSB*");
  const [port] = link.cables[0]!.ends;
  call(0, "persist", "maxfail", "0", "lcp-echo-interval", "5", "lcp-echo-failure", "2");
  expect(time.runUntil(() => link.isUp, 10_000)).toBe(true);
  time.run(5000);
  port.unplug();
  time.run(5000);
  port.path = "/dev/ttyUSB7";
  expect(time.runUntil(() => link.isUp, 60_000)).toBe(true);
  time.run(2000);
  expect(server.events).toEqual([
    expect.stringMatching(/^Neither nft nor iptables is here, so nothing is shared; /),
    "ttyUSB0: waiting for a caller",
    "ttyUSB0: Recognised PPP, at 115200",
    "ttyUSB0: link up on ppp0: 192.168.0.1 here, 192.168.1.1 there",
    expect.stringMatching(/^ttyUSB0: link down: the line has hung up \(after \d+ s, \d+ bytes sent, \d+ received\)$/),
    "ttyUSB0: is gone; waiting for it",
    "ttyUSB0: is back as /dev/ttyUSB7",
    "ttyUSB0: Recognised PPP, at 115200",
    "ttyUSB0: link up on ppp0: 192.168.0.1 here, 192.168.1.1 there",
  ]);
  end();
});

test("a port does not take NetworkManager's plugin, and says why", () => {
  const { server, time } = serving({ files: { "options.ttyUSB0": "plugin nm-pppd-plugin.so\n" } }, "ttyUSB0");
  time.run(1000);
  expect(server.of("ttyUSB0").at(-1)).toMatch(/^nm-pppd-plugin\.so is of no use here/);
});

test("options.ttyX wins: its addresses and auth; a mistake in it fails one port, until it is mended", () => {
  const { link, time, server, call, end, a } = serving(
    {
      cables: 2,
      files: {
        "pap-secrets": "zaphod * gargleBlaster *\n",
        "options.ttyUSB0": "auth 10.0.0.1:10.0.0.2\nlogfiel /tmp/x\n",
        "options.ttyUSB1": "auth 10.1.0.1:10.1.0.2\n",
      },
    },
    "ttyUSB0",
    "ttyUSB1",
  );
  const login = ["user", "zaphod", "password", "gargleBlaster"];
  call(1, ...login);
  expect(time.runUntil(() => link.isUp, 10_000)).toBe(true);
  time.run(30_000);
  expect(server.of("ttyUSB1").at(-1)).toBe("link up on ppp0: 10.1.0.1 here, 10.1.0.2 there, user zaphod");
  expect(server.of("ttyUSB0")).toEqual([
    "In file /etc/ppp/options.ttyUSB0: unrecognized option 'logfiel'",
    "Did you mean logfile?",
  ]);
  a.files.put("/etc/ppp/options.ttyUSB0", "auth 10.0.0.1:10.0.0.2\n");
  time.run(10_000);
  call(0);
  time.run(60_000);
  expect(server.of("ttyUSB0").at(-1)).toBe("no link: the other end did not prove who it is");
  call(0, ...login);
  expect(time.runUntil(() => server.of("ttyUSB0").at(-1)?.includes("user zaphod") === true, 20_000)).toBe(true);
  end();
});

test("SIGHUP hangs up on all ports, and they serve again; SIGTERM while nobody calls ends them", () => {
  const { link, time, server, call, end } = serving({ cables: 2 }, "ttyUSB0", "ttyUSB1");
  call(0, "persist", "maxfail", "0");
  call(1, "persist", "maxfail", "0");
  const ups = () => server.events.filter((line) => line.includes("link up")).length;
  expect(time.runUntil(() => ups() === 2, 10_000)).toBe(true);
  server.signal("SIGHUP");
  expect(time.runUntil(() => ups() === 4, 60_000)).toBe(true);
  for (const name of ["ttyUSB0", "ttyUSB1"])
    expect(server.of(name).filter((line) => line.startsWith("link down"))).toHaveLength(1);
  end();
  void link;
});

test("modem lines: with a carrier the port hangs up when the caller drops its DTR, without one it does not", () => {
  for (const isFull of [true, false]) {
    const { link, time, server, call, end } = serving({ isFull }, "ttyUSB0");
    const first = call(0);
    expect(time.runUntil(() => link.isUp, 10_000)).toBe(true);
    first.signal("SIGTERM");
    expect(time.runUntil(() => !first.isRunning, 10_000)).toBe(true);
    time.run(1000);
    // The caller raises its DTR before the port is opened for it again.
    const second = call(0, isFull ? "modem" : "local");
    expect(time.runUntil(() => link.isUp, 20_000)).toBe(true);
    second.kill();
    time.run(2000);
    expect(server.of("ttyUSB0").filter((line) => line.includes("line has hung up")).length).toBe(isFull ? 1 : 0);
    end();
  }
});

test("--login: the system answers when it likes, other ports go on, and a session whose caller has left ends at once", () => {
  const { link, time, server, call, end, a } = serving(
    { cables: 2, files: { "pap-secrets": '* * "" *\n' } },
    "--login",
    "ttyUSB0",
    "ttyUSB1",
  );
  const sessions = new Map<string, string>();
  a.login = ({ user, password, tty }, process) => {
    sessions.set(tty, "asked");
    return new Promise((resolve) => {
      time.after(tty === "/dev/ttyUSB0" ? 60 : 20_000, () => {
        process.post(() => {
          if (password !== "gargleBlaster") resolve({ ok: false, message: "Login incorrect", delayMs: 0 });
          sessions.set(tty, `open for ${user}`);
          resolve({ ok: true, message: "Login ok", session: { close: () => void sessions.set(tty, "closed") } });
        }, "child");
      });
    });
  };
  const login = ["user", "zaphod", "password", "gargleBlaster"];
  const slow = call(1, ...login);
  expect(time.runUntil(() => sessions.has("/dev/ttyUSB1"), 10_000)).toBe(true);
  call(0, ...login);
  expect(time.runUntil(() => link.isUp, 10_000)).toBe(true);
  expect(server.of("ttyUSB0").at(-1)).toBe("link up on ppp0: 192.168.0.1 here, 192.168.1.1 there, user zaphod");
  expect(sessions.get("/dev/ttyUSB0")).toBe("open for zaphod");
  slow.signal("SIGTERM");
  time.run(30_000);
  expect(sessions.get("/dev/ttyUSB1")).toBe("closed");
  expect(server.of("ttyUSB1").join()).not.toContain("link up");
  end();
  expect(sessions.get("/dev/ttyUSB0")).toBe("closed");
});

test("Debian's own /etc/ppp/options keeps no caller out: no password and no carrier are waited for, and the port says so", () => {
  const files = {
    options: "asyncmap 0\nauth\nlock\nhide-password\nmodem\nlcp-echo-interval 30\nlcp-echo-failure 4\nnoipx\n",
  };
  const { link, time, server, call, end } = serving({ isFull: false, files }, "ttyUSB0");
  time.run(1000);
  call(0);
  expect(time.runUntil(() => link.isUp, 10_000)).toBe(true);
  expect(server.of("ttyUSB0")).toEqual([
    "Callers need no password, although /etc/ppp/options says auth: --auth asks for one",
    "waiting for a caller",
    "Recognised PPP, at 115200",
    "link up on ppp0: 192.168.0.1 here, 192.168.1.1 there",
  ]);
  end();
});

test("a bundle beside another port: its second cable joins, is pulled out and joins again", () => {
  const files = { "options.ttyUSB0": "multilink mpdevice /dev/ttyUSB1 holdoff 1\n" };
  const { link, time, server, call, end } = serving({ cables: 3, files }, "ttyUSB0", "ttyUSB2");
  const second = link.cables[1]!.ends[0];
  const echoes = ["lcp-echo-interval", "5", "lcp-echo-failure", "2", "persist", "holdoff", "1"];
  call(0, "multilink", "mpdevice", "/dev/ttyUSB1", ...echoes);
  call(2);
  const attached = () => server.lines.filter((line) => line === "ttyUSB0: Link attached to ppp0").length;
  const ups = () => server.events.filter((line) => line.includes("link up")).length;
  time.run(20_000);
  expect([ups(), attached()]).toEqual([2, 1]);
  second.unplug();
  time.run(30_000);
  second.path = "/dev/ttyUSB1";
  expect(time.runUntil(() => attached() === 2, 60_000)).toBe(true);
  expect(ups()).toBe(2);
  end();
});

const UNANSWERED = ["--", "lcp-restart", "1", "lcp-max-terminate", "1"];
const ECHOES = ["lcp-echo-interval", "1", "lcp-echo-failure", "2"];
const SILENT = "nothing comes from the other end any more: it is off, or the cable is out";

for (const [how, words, signal, reason] of [
  ["the echoes", ECHOES, undefined, SILENT],
  ["idle", ["idle", "5"], undefined, "nothing was sent for the time that idle says"],
  ["maxconnect", ["maxconnect", "5"], undefined, "the time that maxconnect says is over"],
  ["SIGHUP", [], "SIGHUP", "on request"],
  ["SIGTERM", [], "SIGTERM", "on request"],
] as const)
  test(`a link whose cable is pulled has the reason of what ends it, although nobody confirms the end: ${how}`, () => {
    const { link, time, server, call, end } = serving({ isFull: false }, "ttyUSB0", ...UNANSWERED, ...words);
    call(0);
    expect(time.runUntil(() => link.isUp, 10_000)).toBe(true);
    link.cables[0]!.isCut = true;
    if (signal !== undefined) server.signal(signal);
    const ends = (): string[] => server.of("ttyUSB0").filter((line) => /^(link down|no link)/.test(line));
    expect(time.runUntil(() => ends().length > 0, 60_000)).toBe(true);
    expect(ends()).toEqual([expect.stringContaining(`link down: ${reason} (after `)]);
    expect(server.lines).toContain("ttyUSB0: Modem hangup");
    if (signal !== "SIGTERM") end();
  });

test("a caller who ends the link has ended it; one with a wrong password is refused", () => {
  const files = { "pap-secrets": "zaphod * gargleBlaster *\n" };
  const words = ["--auth", "ttyUSB0", ...UNANSWERED];
  const { link, time, server, call, end } = serving({ isFull: false, files }, ...words);
  const login = ["user", "zaphod", "password", "gargleBlaster"];
  const first = call(0, ...login);
  expect(time.runUntil(() => link.isUp, 10_000)).toBe(true);
  first.signal("SIGTERM");
  expect(time.runUntil(() => server.of("ttyUSB0").at(-1)?.startsWith("link down") === true, 20_000)).toBe(true);
  expect(server.of("ttyUSB0").at(-1)).toStartWith("link down: the other end has ended it (after ");
  call(0, "user", "zaphod", "password", "wrong");
  const refused = "no link: the other end did not prove who it is";
  expect(time.runUntil(() => server.of("ttyUSB0").includes(refused), 20_000)).toBe(true);
  end();
});

test("a caller who gives up while the system thinks about the password has ended it", () => {
  const { time, server, call, end, a } = serving(
    { isFull: false, files: { "pap-secrets": '* * "" *\n' } },
    "--login",
    "ttyUSB0",
    ...UNANSWERED,
  );
  let isAsked = false;
  a.login = () => {
    isAsked = true;
    return new Promise(() => {});
  };
  const caller = call(0, "user", "zaphod", "password", "gargleBlaster");
  expect(time.runUntil(() => isAsked, 10_000)).toBe(true);
  caller.signal("SIGTERM");
  expect(time.runUntil(() => server.of("ttyUSB0").at(-1)?.startsWith("no link") === true, 20_000)).toBe(true);
  expect(server.of("ttyUSB0").at(-1)).toBe("no link: the other end has ended it");
  end();
});

test("a port that another program has open: it is named, although the port was locked before", () => {
  const { link, time, server, end, a } = serving({}, "ttyUSB0");
  const [port] = link.cables[0]!.ends;
  a.processes.running.add(9999);
  a.files.put("/var/lock/LCK..ttyUSB0", "      9999\n");
  expect(time.runUntil(() => server.of("ttyUSB0").some((line) => line.includes("is locked by")), 10_000)).toBe(true);
  const other = a.start(["/dev/ttyUSB0", ...CALLER, "nolock"]);
  expect(time.runUntil(() => port.tty !== undefined, 10_000)).toBe(true);
  port.thief = { pid: other.process.pid, name: "minicom" };
  a.files.remove("/var/lock/LCK..ttyUSB0");
  a.processes.running.delete(9999);
  const busy = "Failed to open /dev/ttyUSB0: Device or resource busy";
  expect(time.runUntil(() => server.of("ttyUSB0").includes(busy), 20_000)).toBe(true);
  time.run(10);
  expect(server.of("ttyUSB0").slice(-2)).toEqual([
    busy,
    `/dev/ttyUSB0 is also open in minicom (pid ${other.process.pid})`,
  ]);
  port.thief = undefined;
  other.signal("SIGTERM");
  expect(time.runUntil(() => !other.isRunning, 60_000)).toBe(true);
  end();
});
