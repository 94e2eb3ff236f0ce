// Packets through an interface or through sockets: what root, an ordinary user and a container get, and that `nullmodem serve`
// needs neither rights nor files.

import { expect, test } from "bun:test";
import type { Computer } from "./computer.ts";
import { Laplink } from "./laplink.ts";
import { Served } from "./served.ts";

const CALLER = ["/dev/ttyUSB0", "115200", "noauth", "nodetach", "local", "noipdefault", "noipv6"];
const LINE = ["/dev/ttyUSB0", "115200", "noauth", "nodetach", "local", "noipv6", "10.0.0.1:10.0.0.2"];

/** A computer that shares or serves, at a cable to a caller. */
function world(change: (computer: Computer) => void = () => {}) {
  const link = new Laplink({ seed: 5 });
  const [a, b] = link.computers;
  a.installNft();
  change(a);
  return { link, time: link.time, a, call: () => b.start(CALLER), client: b };
}

const asUser = (computer: Computer): void => void (computer.isRoot = false);
const withoutTun = ({ files }: Computer): void => files.remove("/dev/net/tun");

const isClientUp = ({ client }: ReturnType<typeof world>): boolean =>
  client.network.tuns.some((tun) => tun.isUp && tun.addresses.length > 0);

test.each<[what: string, change: (computer: Computer) => void, words: readonly string[], line: string, tuns: number]>([
  ["root", () => {}, [], "The kernel forwards what the other machine sends;", 1],
  ["root with usernet", () => {}, ["usernet"], "usernet is given: user-mode networking", 0],
  ["root without a TUN", withoutTun, [], "No TUN here: user-mode networking", 0],
  ["a user", asUser, [], "No right to make an interface: user-mode networking", 0],
  [
    "a user without a TUN",
    (computer) => (asUser(computer), withoutTun(computer)),
    [],
    "No TUN here: user-mode networking",
    0,
  ],
  [
    "root of a container whose kernel parameters are closed",
    ({ network }) => void (network.isReadOnly = true),
    [],
    "This machine's kernel may not forward: user-mode networking",
    0,
  ],
  [
    "root whose kernel refuses what nft asks for",
    ({ network }) => void (network.nft.complaint = "Error: Could not process rule: Operation not supported"),
    [],
    "This machine's kernel does not masquerade: user-mode networking",
    0,
  ],
])("share: %s gets a link, and one line says which way it works", (_what, change, words, line, tuns) => {
  const there = world(change);
  const server = there.a.start([...LINE, "share", ...words]);
  const client = there.call();
  expect(there.time.runUntil(() => isClientUp(there), 20_000)).toBe(true);
  expect(there.a.network.tuns.length).toBe(tuns);
  expect(server.lines.filter((text) => text.startsWith(line)).length).toBe(1);
  for (const one of [server, client]) one.signal("SIGTERM");
  expect(there.time.runUntil(() => !server.isRunning && !client.isRunning, 20_000)).toBe(true);
  expect([server.exitCode, server.fault, there.link.leftOn(0)]).toEqual([5, undefined, []]);
});

test("an ordinary user's options may be in any file, and he needs no place for a lock", () => {
  const there = world((computer) => {
    asUser(computer);
    computer.files.deniesLocks = true;
    computer.files.put("/home/zaphod/.ppprc", "usernet lock noauth");
  });
  const server = there.a.start(LINE);
  there.call();
  expect(there.time.runUntil(() => isClientUp(there), 20_000)).toBe(true);
  expect(server.lines.join("\n")).toContain(
    "Can't create lock file /var/lock/LCK..ttyUSB0: Permission denied. The port is used without a lock",
  );
});

test("a lock of another program stops him, and root needs a place for his", () => {
  const locked = world((computer) => {
    asUser(computer);
    computer.processes.running.add(9999);
    computer.files.put("/var/lock/LCK..ttyUSB0", "      9999\n");
  });
  const user = locked.a.start([...LINE, "usernet", "lock"]);
  expect(locked.time.runUntil(() => !user.isRunning, 20_000)).toBe(true);
  expect(user.exitCode).toBe(6);
  const closed = world(({ files }) => void (files.deniesLocks = true));
  const root = closed.a.start([...LINE, "usernet", "lock"]);
  expect(closed.time.runUntil(() => !root.isRunning, 20_000)).toBe(true);
  expect(root.exitCode).toBe(6);
});

// ── nullmodem serve ──────────────────────────────────────────────────────────────────────────────────────────────────

test.each<[what: string, change: (computer: Computer) => void, words: readonly string[], line: string, where: string]>([
  ["root", () => {}, [], "The kernel forwards what the other machine sends;", "ppp0"],
  ["an ordinary user, without any file", asUser, [], "No right to make an interface: user-mode", "usernet0"],
  ["root without a TUN", withoutTun, [], "No TUN here: user-mode networking", "usernet0"],
  ["an ordinary user with usernet", asUser, ["--", "usernet"], "usernet is given: user-mode", "usernet0"],
])("serve shares by itself: %s", (_what, change, words, line, where) => {
  const there = world(change);
  const server = new Served(there.a, "ttyUSB*", ...words);
  there.time.run(100);
  there.call();
  expect(there.time.runUntil(() => isClientUp(there), 20_000)).toBe(true);
  there.time.run(1000);
  expect(server.events.filter((text) => text.startsWith(line)).length).toBe(1);
  expect(server.of("ttyUSB0").at(-1)).toBe(`link up on ${where}: 192.168.0.1 here, 192.168.1.1 there`);
  server.signal("SIGTERM");
  expect(there.time.runUntil(() => !server.isRunning, 20_000)).toBe(true);
  expect([server.exitCode, server.fault, there.link.leftOn(0)]).toEqual([5, undefined, []]);
});

test.each([
  [[], "The kernel forwards what the other machine sends; for user-mode networking, give -- usernet"],
  [["--", "usernet"], "for an interface, leave -- usernet out"],
  [
    ["--", "forward", "[::1]:53=53/udp"],
    "Port [::1]:53/udp is not forwarded: no kernel leads packets of ::1 to an interface; give -- usernet",
  ],
])("serve with %j says what is to be typed behind its own words", (words, remedy) => {
  const there = world();
  const server = new Served(there.a, "ttyUSB0", ...words);
  there.time.run(100);
  there.call();
  expect(there.time.runUntil(() => server.events.some((text) => text.endsWith(remedy)), 20_000)).toBe(true);
  expect(server.events.filter((text) => /(give|leave) usernet/.test(text))).toEqual([]);
  server.signal("SIGTERM");
  expect(there.time.runUntil(() => !server.isRunning, 20_000)).toBe(true);
});

test.each<[where: string, file: string | undefined, words: readonly string[]]>([
  ["the command line", undefined, ["--", "noshare"]],
  ["/etc/ppp/options", "options", []],
  ["the port's file", "options.ttyUSB0", []],
])(
  "serve with noshare in %s: root has an interface and no line, an ordinary user is refused with code 3",
  (_where, file, words) => {
    const change = ({ files }: Computer): void => {
      if (file !== undefined) files.put(`/etc/ppp/${file}`, "noshare");
    };
    const there = world(change);
    const server = new Served(there.a, "ttyUSB0", ...words);
    there.time.run(100);
    there.call();
    expect(there.time.runUntil(() => isClientUp(there), 20_000)).toBe(true);
    expect(server.events.filter((text) => !text.startsWith("ttyUSB0: "))).toEqual([]);
    const refused = world((computer) => (asUser(computer), change(computer)));
    const user = new Served(refused.a, "ttyUSB0", ...words);
    expect(refused.time.runUntil(() => !user.isRunning, 20_000)).toBe(true);
    expect([user.exitCode, user.events]).toEqual([
      3,
      ["ttyUSB0: noshare needs root's rights, or CAP_NET_ADMIN, for an interface"],
    ]);
  },
);

test("two ports of an ordinary user have names of their own, and one line for both", () => {
  const link = new Laplink({ seed: 6, cables: 2 });
  const [a, b] = link.computers;
  a.isRoot = false;
  const server = new Served(a, "ttyUSB0", "ttyUSB1");
  link.time.run(100);
  for (const port of [0, 1]) b.start([`/dev/ttyUSB${port}`, ...CALLER.slice(1)]);
  expect(link.time.runUntil(() => b.network.tuns.filter((tun) => tun.isUp).length === 2, 20_000)).toBe(true);
  link.time.run(1000);
  const ups = [0, 1].map((port) => /link up on (\S+):/.exec(server.of(`ttyUSB${port}`).at(-1) ?? "")?.[1]);
  expect(ups.toSorted()).toEqual(["usernet0", "usernet1"]);
  expect(server.events.filter((text) => text.includes("user-mode networking")).length).toBe(1);
});

test("callers by TCP from other machines need a password before they share anything", () => {
  const there = world(asUser);
  const server = new Served(there.a, "0.0.0.0:5000");
  expect(there.time.runUntil(() => !server.isRunning, 20_000)).toBe(true);
  expect(server.exitCode).toBe(2);
  expect(server.events[0]).toStartWith("0.0.0.0:5000: socket-listen 0.0.0.0:5000 needs auth");
});

const CLOSED = [
  "Failed to open /dev/ttyUSB0: Permission denied",
  "/dev/ttyUSB0 belongs to the group dialout; sudo usermod -aG dialout zaphod, then log in again",
];

test("serve ends with code 3 when its user may open none of the devices, and names the group", () => {
  const there = world((computer) => {
    asUser(computer);
    computer.files.closed.add("/dev/ttyUSB0");
  });
  const server = new Served(there.a, "ttyUSB0");
  expect(there.time.runUntil(() => !server.isRunning, 20_000)).toBe(true);
  expect([server.exitCode, server.fault, there.link.leftOn(0)]).toEqual([3, undefined, []]);
  expect(server.of("ttyUSB0")).toEqual(CLOSED);
});

test.each([
  ["another port is served", ["ttyUSB0", "ttyUSB1"]],
  ["adapters may be plugged in", ["ttyUSB0", "ttyACM*"]],
  ["another port is not there yet", ["ttyUSB0", "ttyUSB7"]],
  ["callers by TCP are waited for", ["ttyUSB0", "127.0.0.1:5000"]],
])("serve goes on although its user may not open a device: %s", (_what, ports) => {
  const link = new Laplink({ seed: 6, cables: 2 });
  const [a] = link.computers;
  a.isRoot = false;
  a.files.closed.add("/dev/ttyUSB0");
  const server = new Served(a, ...ports);
  link.time.run(20_000);
  expect(server.of("ttyUSB0")).toEqual(CLOSED);
  // The user may open it from now on.
  a.files.closed.clear();
  expect(link.time.runUntil(() => server.of("ttyUSB0").at(-1) === "waiting for a caller", 20_000)).toBe(true);
  server.signal("SIGTERM");
  expect(link.time.runUntil(() => !server.isRunning, 20_000)).toBe(true);
  expect([server.exitCode, server.fault, link.leftOn(0)]).toEqual([5, undefined, []]);
});

test("serve goes on when an adapter that is plugged in may not be opened yet: its group is set a moment later", () => {
  const there = world(asUser);
  const [end] = there.link.cables[0]!.ends;
  end.path = undefined;
  const server = new Served(there.a, "ttyUSB0");
  there.time.run(1000);
  there.a.files.closed.add("/dev/ttyUSB0");
  end.path = "/dev/ttyUSB0";
  there.time.run(3000);
  expect(server.of("ttyUSB0").slice(-2)).toEqual(CLOSED);
  there.a.files.closed.clear();
  expect(there.time.runUntil(() => server.of("ttyUSB0").at(-1) === "waiting for a caller", 20_000)).toBe(true);
  server.signal("SIGTERM");
  expect(there.time.runUntil(() => !server.isRunning, 20_000)).toBe(true);
});
