import { expect, test } from "bun:test";
import { checkOptions } from "../../../src/options/check.ts";
import { parseOptions } from "../../../src/options/parse.ts";
import { thisMachine } from "../../../src/applets/this-machine.ts";
import { Log } from "../../../src/os/log/log-writer.ts";
import { Syslog } from "../../../src/os/log/syslog-client.ts";
import { Peers } from "../../../src/run/peers/peers.ts";
import type { LoginResult } from "../../../src/run/host/users.ts";
import { OptionsInForce } from "../../../src/run/settings/options-in-force.ts";
import { fakeHost } from "../../kit/optionhost.ts";

const LINE = ["/dev/ttyS1", "115200"];

/** The Peers of a pppd with these words and this pap-secrets, and its log. */
function peers(
  secrets: string,
  ...words: string[]
): { peers: Peers; options: OptionsInForce; said: string[]; time: { now: number; sessions: string[] } } {
  const host = fakeHost({ files: { "/etc/ppp/pap-secrets": secrets, "/etc/ppp/zaphods": "fromAFile\n" } });
  const options = new OptionsInForce(checkOptions(parseOptions([...LINE, ...words], host), host));
  const said: string[] = [];
  const log = new Log(new Syslog("pppd", "local2", { pid: true, path: "/nonexistent" }), undefined, true);
  log.write = (_level, text) => void said.push(text);
  const time = { now: 0, sessions: [] as string[] };
  const login = (): LoginResult => {
    const place = time.sessions.push("open") - 1;
    return { ok: true, message: "Login ok", session: { close: () => void (time.sessions[place] = "closed") } };
  };
  const users = { ...thisMachine.users, login };
  const machine = { ...thisMachine, users, clock: { ...thisMachine.clock, now: () => time.now } };
  return { peers: new Peers(options, host, machine, log), options, said, time };
}

function judge({ peers: them }: { peers: Peers }, user: string, password: string) {
  const verdict = them.judgePap({ user, password, tty: "/dev/ttyS1", ifname: "ppp0" });
  if (verdict instanceof Promise) throw new Error("a login that takes its time");
  return verdict;
}

test("name and password are those of a line for our name, plain or crypted", () => {
  const crypted = Bun.spawnSync(["openssl", "passwd", "-6", "-salt", "abcdefgh", "secret"]).stdout.toString().trim();
  const some = peers(
    ["zaphod peer gargleBlaster *", "ford other x *", "trillian * @/etc/ppp/zaphods *", `marvin * ${crypted} *`].join(
      "\n",
    ),
    "auth",
    "+pap",
    "name",
    "peer",
  );
  expect(judge(some, "zaphod", "gargleBlaster")).toEqual({ accepted: true, message: "Login ok", delayMs: 0 });
  expect(judge(some, "zaphod", "gargleblaster")).toMatchObject({ accepted: false, message: "Login incorrect" });
  expect(judge(some, "zaphod", "")).toMatchObject({ accepted: false });
  expect(judge(some, "ford", "x")).toMatchObject({ accepted: false });
  expect(judge(some, "trillian", "fromAFile")).toMatchObject({ accepted: true });
  expect(judge(some, "marvin", "secret")).toMatchObject({ accepted: true });
  expect(judge(some, "nobody", "gargleBlaster")).toMatchObject({ accepted: false });
  expect(some.said).toContain("no PAP secret found for nobody");
  expect(some.said.join("\n")).not.toContain("gargle");
});

test("papcrypt accepts no plain secret", () => {
  const some = peers("zaphod * gargleBlaster *", "auth", "+pap", "papcrypt");
  expect(judge(some, "zaphod", "gargleBlaster")).toMatchObject({ accepted: false });
});

test("each wrong password delays the next try, and a right one ends the delay", () => {
  const some = peers("zaphod * gargleBlaster *", "auth", "+pap");
  const guess = (): number => {
    const { delayMs } = judge(some, "zaphod", "guess");
    some.time.now += delayMs;
    return delayMs;
  };
  const delays = Array.from({ length: 12 }, guess);
  expect(delays).toEqual([0, 0, 0, 5, 10, 15, 20, 25, 30, 35, 35, 35].map((seconds) => seconds * 1000));
  expect(some.said).toContain("10 LOGIN FAILURES ON /dev/ttyS1, zaphod");
  judge(some, "zaphod", "gargleBlaster");
  expect(judge(some, "zaphod", "guess").delayMs).toBe(0);
});

test("a caller that hangs up instead of waiting for the answer waits in the next call, also with the right password", () => {
  const some = peers("zaphod * gargleBlaster *", "auth", "+pap");
  for (let call = 0; call < 5; call++) judge(some, "zaphod", "guess");
  some.time.now += 1000;
  expect(judge(some, "zaphod", "gargleBlaster")).toEqual({ accepted: true, message: "Login ok", delayMs: 14_000 });
  for (let call = 0; call < 100; call++) judge(some, "zaphod", "guess");
  expect(judge(some, "zaphod", "gargleBlaster").delayMs).toBe(40_000);
  some.time.now += 40_000;
  expect(judge(some, "zaphod", "gargleBlaster").delayMs).toBe(0);
});

test("the line's addresses are the peer's, and no others", () => {
  const some = peers("zaphod * x 192.168.9.9 !10.0.0.1 10.0.0.0/24", "auth", "+pap");
  expect(some.peers.mayUse(0xc0a80909)).toBe(false); // nobody proved anything yet
  judge(some, "zaphod", "x");
  expect(some.peers.addressFor(0, 0)).toBe(0xc0a80909);
  expect(some.peers.addressFor(0x0a000002, 0)).toBeUndefined();
  expect(some.peers.addressFor(0xac100001, 0)).toBe(0xc0a80909);
  expect(
    [0xc0a80909, 0x0a000002, 0x0a000001, 0x08080808, 0x7f000001].map((address) => some.peers.mayUse(address)),
  ).toEqual([true, true, false, false, false]);
  some.peers.leave();
  expect(some.peers.mayUse(0xc0a80909)).toBe(false);
});

test("a secrets file that others can read causes a warning also when our own secret is looked up", () => {
  const line = "zaphod * gargleBlaster";
  const host = fakeHost({ changes: { readFile: () => ({ text: line, uid: 0, mode: 0o644 }) } });
  const { options, said } = peers(line, "noauth", "user", "zaphod");
  const log = new Log(new Syslog("pppd", "local2", { pid: true, path: "/nonexistent" }), undefined, true);
  log.write = (_level, text) => void said.push(text);
  new Peers(options, host, thisMachine, log).plan();
  expect(said).toEqual(["Warning - secret file /etc/ppp/pap-secrets has world and/or group access"]);
});

test("without auth the peer may have any valid address", () => {
  const some = peers("", "noauth");
  expect([0xc0a80101, 0, 0x7f000001, 0xe0000001, 0xf0000000].map((address) => some.peers.mayUse(address))).toEqual([
    true,
    false,
    false,
    false,
    false,
  ]);
});

test("peers without authentication are admitted by allow-ip or a line with an empty name, and never with login", () => {
  const byAddress = peers("zaphod * x *", "auth", "+pap", "allow-ip", "10.0.0.0/8");
  expect(byAddress.peers.admitsStrangers()).toBe(true);
  expect([byAddress.peers.mayUse(0x0a010203), byAddress.peers.mayUse(0xc0a80101)]).toEqual([true, false]);
  expect(peers('"" * "" 10.0.0.7', "auth", "+pap").peers.admitsStrangers()).toBe(true);
  expect(peers("zaphod * x *", "auth", "+pap").peers.admitsStrangers()).toBe(false);
  expect(peers('* * "" *', "auth", "+pap", "login").peers.admitsStrangers()).toBe(false);
});

test("the words after -- are options of this peer", () => {
  const some = peers("zaphod * x * -- idle 300 :10.0.0.5\nford * y * -- frobnicate", "auth", "+pap");
  judge(some, "zaphod", "x");
  expect(some.peers.applyOptions()).toBeUndefined();
  expect([some.options.config.idle, some.options.config.peerAddress]).toEqual([300, 0x0a000005]);
  some.peers.leave();
  expect([some.options.config.idle, some.options.config.peerAddress]).toEqual([0, undefined]);
  judge(some, "ford", "y");
  expect(some.peers.applyOptions()).toBe("In secrets file: unrecognized option 'frobnicate'");
});

test("the options of a peer end with its link, however often it proved itself; later findings stay", () => {
  const file = [
    "zaphod * x * -- idle 300 ms-dns 10.0.0.53 :10.0.0.5 set GREETING=hello",
    "ford * y *",
    "trillian * z * -- maxconnect 60",
  ].join("\n");
  const some = peers(file, "auth", "+pap", "set", "GREETING=welcome");
  const { options, peers: them } = some;
  const before = options.config;
  // The peer negotiates LCP again, and so authenticates itself twice.
  for (let round = 0; round < 2; round++) {
    judge(some, "zaphod", "x");
    expect(them.applyOptions()).toBeUndefined();
    expect([options.config.idle, options.config.msDns, options.config.peerAddress]).toEqual([
      300,
      [0x0a000035],
      0x0a000005,
    ]);
    expect(options.config.environment).toMatchObject([{ name: "GREETING", value: "hello" }]);
  }
  // As `demand` does, and a line whose adapter came back under another name.
  options.addressesFound({ ourAddress: 0x0a000009, peerAddress: 0x0a000006 });
  options.deviceFound("/dev/ttyUSB1");
  expect(options.config).toMatchObject({ ourAddress: 0x0a000009, peerAddress: 0x0a000006, device: "/dev/ttyUSB1" });
  them.leave();
  expect(options.config).toEqual({ ...before, ourAddress: 0x0a000009, device: "/dev/ttyUSB1" });

  // Another peer on the same link, with other options or without options.
  judge(some, "zaphod", "x");
  them.applyOptions();
  judge(some, "ford", "y");
  them.applyOptions();
  expect([options.config.idle, options.config.msDns]).toEqual([0, before.msDns]);
  judge(some, "trillian", "z");
  them.applyOptions();
  expect([options.config.idle, options.config.maxconnect]).toEqual([0, 60]);
  them.leave();
  expect(options.config.maxconnect).toBe(0);
});

test("we prove ourselves with our line, or with the password given, or not at all", () => {
  expect(peers("zaphod * gargleBlaster", "noauth", "user", "zaphod").peers.plan()).toMatchObject({ accept: ["pap"] });
  expect(peers("zaphod * gargleBlaster", "noauth", "user", "zaphod").peers.plan().password()).toBe("gargleBlaster");
  expect(peers("ford * x", "noauth", "user", "zaphod").peers.plan()).toMatchObject({ accept: [] });
  expect(peers("zaphod * x", "noauth", "user", "zaphod", "refuse-pap").peers.plan()).toMatchObject({ accept: [] });
  expect(peers("", "noauth", "user", "zaphod", "password", "").peers.plan().password()).toBe("");
  const two = peers("zaphod here one\nzaphod there two", "noauth", "user", "zaphod", "remotename", "there");
  expect(two.peers.plan().password()).toBe("two");
});

test("a failed proof names the line that was looked for, and never the secret", () => {
  const file = "ford other gargleBlaster *\nzaphod peer gargleBlaster 10.0.0.9\n* there gargleBlaster *";
  const some = peers(file, "auth", "+pap", "name", "peer");
  const { peers: them } = some;
  const why = (): string | undefined => them.whyFailed("peer-not-authenticated");
  expect(why()).toBeUndefined(); // nobody said anything
  judge(some, "ford", "x");
  expect(why()).toBe(
    'No line of /etc/ppp/pap-secrets is for client "ford" and server "peer"; line 1 is for client "ford" and server "other"',
  );
  judge(some, 'mar"vin\x07', "x");
  expect(why()).toBe(
    'No line of /etc/ppp/pap-secrets is for client "mar\\"vin\\007" and server "peer"; line 2 is for client "zaphod" and server "peer"',
  );
  judge(some, "zaphod", "x");
  expect(why()).toBe(
    'The secret of "zaphod" is not the one in line 2 of /etc/ppp/pap-secrets (client "zaphod", server "peer")',
  );
  expect(them.plan().peerSecret("zaphod")).toBeUndefined();
  expect(them.whyFailed("we-not-authenticated")).toBeUndefined();
  judge(some, "zaphod", "gargleBlaster");
  expect(them.mayUse(0x0a000001)).toBe(false);
  expect(them.takeAddressTrouble()).toBe(
    'Line 2 of /etc/ppp/pap-secrets (client "zaphod", server "peer") allows the peer: 10.0.0.9; it wants 10.0.0.1',
  );
  expect(them.takeAddressTrouble()).toBeUndefined();
  expect([...some.said, why()].join("\n")).not.toContain("gargle");
});

test("with CHAP and EAP it is chap-secrets, in both roles", () => {
  const files = { "/etc/ppp/chap-secrets": "zaphod * gargleBlaster 10.0.0.1 10.0.0.9", "/etc/ppp/pap-secrets": "" };
  const host = fakeHost({ files });
  const config = checkOptions(parseOptions([...LINE, "auth", "name", "server", "user", "zaphod"], host), host);
  const log = new Log(new Syslog("pppd", "local2", { pid: true, path: "/nonexistent" }), undefined, true);
  log.write = () => {};
  const them = new Peers(new OptionsInForce(config), host, thisMachine, log);
  const plan = them.plan();
  const line = 'line 1 of /etc/ppp/chap-secrets (client "zaphod", server "*")';
  expect([plan.peerSecret("ford"), them.whyFailed("peer-not-authenticated")]).toEqual([
    undefined,
    'No line of /etc/ppp/chap-secrets is for client "ford" and server "server"',
  ]);
  expect([plan.peerSecret("zaphod"), them.whyFailed("peer-not-authenticated")]).toEqual([
    "gargleBlaster",
    `The secret of "zaphod" is not the one in ${line}`,
  ]);
  expect([plan.ourSecret("marvin"), them.whyFailed("we-not-authenticated")]).toEqual([
    "gargleBlaster",
    `We said to be "zaphod" to server "marvin", with the secret from ${line}`,
  ]);
  them.mayUse(0x0a000002);
  expect(them.takeAddressTrouble()).toBe(`L${line.slice(1)} allows the peer: 10.0.0.1 10.0.0.9; it wants 10.0.0.2`);
  expect(them.whyUnproven("pap")).toBe(
    'The peer wanted us to prove who we are with PAP: no line of /etc/ppp/pap-secrets is for client "zaphod" and any server',
  );
  expect(them.plan() && them.whyFailed("peer-not-authenticated")).toBeUndefined(); // another attempt
});

test("when the secret is an option, or an option forbids the method, the reason names the option", () => {
  const given = peers("", "noauth", "user", "zaphod", "password", "gargleBlaster", "refuse-eap", "remotename", "there");
  given.peers.plan().password();
  expect(given.peers.whyFailed("we-not-authenticated")).toBe(
    'We said to be "zaphod" to server "there", with the secret from the password option',
  );
  expect(given.peers.whyUnproven("eap")).toEndWith("with EAP, which the refuse-eap option forbids");
});

test("our account for a login prompt needs a name that is given, and no password goes there with refuse-pap", () => {
  const account = (...words: string[]) => peers("zaphod * gargleBlaster", ...words).peers.account();
  expect(account("user", "zaphod")).toEqual({ user: "zaphod", password: "gargleBlaster" });
  expect(account("user", "zaphod", "refuse-pap")).toEqual({ user: "zaphod", password: undefined });
  expect(account()).toBeUndefined();
});

test("a peer that logs in again and again has one session at a time", () => {
  const some = peers('zaphod * "" *', "auth", "+pap", "login");
  for (let times = 0; times < 3; times++) expect(judge(some, "zaphod", "x").accepted).toBe(true);
  expect(some.time.sessions).toEqual(["closed", "closed", "open"]);
  some.peers.leave();
  expect(some.time.sessions).toEqual(["closed", "closed", "closed"]);
});
