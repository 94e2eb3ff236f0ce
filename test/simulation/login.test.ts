// A port with login prompts in simulated time: login scripts, persons who make mistakes, and PPP in place of a login.

import { expect, test } from "bun:test";
import { Laplink } from "./laplink.ts";

const LINE = ["/dev/ttyUSB0", "115200", "nodetach", "local", "noipv6", "noccp"];
const SERVER = [...LINE, "auth", "name", "server", "autodetect", "ppp,windows,modem,login", "10.0.0.1:"];
const SECRETS = "zaphod server gargleBlaster 10.0.0.2\nford server towel 10.0.0.3\n";
const CALLER = [...LINE, "noauth", "noipdefault"];

function openScene(words: readonly string[] = SERVER, seed = 1) {
  const link = new Laplink({ seed });
  const { time, computers } = link;
  computers[0].files.put("/etc/ppp/pap-secrets", SECRETS, 0o600);
  const server = computers[0].start(words);
  time.run(1000);
  const call = (...more: readonly string[]) => computers[1].start([...CALLER, ...more]);
  return { link, time, server, call };
}

type Scene = ReturnType<typeof openScene>;

function comesUp({ link, time, server }: Scene, client: ReturnType<Scene["call"]>): void {
  expect(time.runUntil(() => link.isUp, 10_000)).toBe(true);
  client.signal("SIGTERM");
  expect(time.runUntil(() => !server.isRunning && !client.isRunning, 10_000)).toBe(true);
  expect([server.fault, client.fault, link.leftOn(0), link.leftOn(1)]).toEqual([undefined, undefined, [], []]);
  // Only the command line has the password, also when somebody types it at the wrong prompt.
  const logs = link.transcript.split("\n").filter((line) => !line.includes(": pppd "));
  expect(logs.join("\n")).not.toMatch(/gargle|towel/);
}

const LOGIN = "ogin: zaphod ssword: '\\qgargleBlaster'";
const FLAG = "'~' '\\c'";

for (const [name, script] of [
  ["a login script", `chat -v '' '' ogin:--${LOGIN} ${FLAG}`],
  ["a login script that sends ppp", `chat '' '\\r' ${LOGIN} '' ppp ${FLAG}`],
  ["a login script that does not wait for ~", `chat '' '\\r' ${LOGIN}`],
  ["a login script that dials", `chat ABORT 'NO CARRIER' '' ATZ OK ATDT5551234 CONNECT '\\c' ${LOGIN} '' ppp ${FLAG}`],
  [
    "a login script that sends Return before AT",
    `chat TIMEOUT 2 '' '\\r\\d\\c' '' ATZ OK ATDT1 CONNECT '\\c' ${LOGIN}`,
  ],
] as const)
  test(`${name}: PPP begins after the password, with the addresses of the secrets file`, () => {
    const scene = openScene();
    const client = scene.call("connect", script);
    comesUp(scene, client);
    expect(scene.server.lines).toContain("remote IP address 10.0.0.2");
  });

test("a wrong password, and a password at the name prompt, are refused without a trace of either; the third try may succeed", () => {
  const scene = openScene();
  const wrong = `ogin: zaphod ssword: '\\qtowel' incorrect '' ogin: '\\qtowel' ssword: '\\qgargleBlaster' incorrect ''`;
  const client = scene.call("connect", `chat '' '\\r' ${wrong} ${LOGIN}`);
  comesUp(scene, client);
  expect(scene.server.lines.filter((line) => /refused|no PAP/.test(line))).toEqual([
    "A login on /dev/ttyUSB0 was refused",
    "no PAP secret found for this name",
    "A login on /dev/ttyUSB0 was refused",
  ]);
});

test("a name that was typed at the prompt is not in the reason why PPP without a login fails", () => {
  const scene = openScene();
  const client = scene.call("connect", `chat '' '\\r' ogin: '\\qtowel' ssword: wrong incorrect '\\c'`);
  expect(scene.time.runUntil(() => !scene.server.isRunning, 20_000)).toBe(true);
  expect(scene.server.exitCode).toBe(11);
  expect(scene.server.lines.join("\n")).not.toMatch(/towel/);
  client.signal("SIGTERM");
});

test("after three wrong passwords a modem hangs up, and a cable listens again", () => {
  const wrong = `ogin: zaphod ssword: '\\qtowel' incorrect ''`;
  const thrice = `${wrong} ${wrong} ${wrong}`;
  const persistent = openScene([...SERVER, "persist"]);
  const modem = persistent.call("connect", `chat '' ATDT1 CONNECT '\\c' ${thrice} 'NO CARRIER'`);
  expect(persistent.time.runUntil(() => persistent.server.lines.includes("Modem hangup"), 10_000)).toBe(true);
  expect(persistent.time.runUntil(() => modem.lines.includes("Serial connection established."), 5000)).toBe(true);
  const cable = openScene();
  comesUp(cable, cable.call("connect", `chat '' '\\r' ${thrice} '' '\\d\\r' ${LOGIN}`));
  expect(cable.server.lines).toContain("Nobody has logged in on /dev/ttyUSB0");
});

for (const [name, script] of [
  ["half of a name", "chat '' '\\r' ogin: 'zaph\\c'"],
  ["half of a password", "chat '' '\\r' ogin: zaphod ssword: 'garg\\c'"],
] as const)
  test(`PPP after ${name} is not missed, and proves itself by PAP`, () => {
    const scene = openScene();
    scene.link.computers[1].files.put("/etc/ppp/pap-secrets", "ford * towel\n", 0o600);
    comesUp(scene, scene.call("user", "ford", "connect", script));
    expect(scene.server.lines).toContain("Recognised PPP");
    expect(scene.server.lines).toContain("remote IP address 10.0.0.3");
  });

test("with login alone, PPP without a login gets no answer, at once or behind the modem", () => {
  const words = [...LINE, "noauth", "name", "server", "autodetect", "modem,login", "10.0.0.1:"];
  for (const script of ["chat '' '\\r'", "chat '' ATDT777 CONNECT"]) {
    const { link, time, server, call } = openScene(words);
    const client = call("connect", script, "lcp-max-configure", "3");
    expect(time.runUntil(() => !client.isRunning, 30_000)).toBe(true);
    expect([client.exitCode, link.isUp, server.isRunning]).toEqual([16, false, true]);
    expect(server.lines).toContain("Recognised PPP; the autodetect option does not list it");
  }
  const scene = openScene(words);
  comesUp(scene, scene.call("connect", `chat '' ATDTlogin CONNECT '\\c' ${LOGIN}`));
});

test("who has logged in counts as authenticated: auth-up has the name, and the link does not wait for ever", () => {
  const scene = openScene([...SERVER, "silent", "debug"]);
  scene.link.computers[0].files.put("/etc/ppp/auth-up", "#!/bin/sh\n", 0o755);
  comesUp(scene, scene.call("silent", "connect", `chat '' '\\r' ${LOGIN}`));
  expect(scene.link.transcript).toMatch(/Script \/etc\/ppp\/auth-up started/);
  expect(scene.server.lines).toContain("Recognised a login: zaphod");
  const gone = openScene([...SERVER, "silent"]);
  gone.call("connect", `chat TIMEOUT 100 '' '\\r' ${LOGIN} never`);
  expect(gone.time.runUntil(() => !gone.server.isRunning, 60_000)).toBe(true);
  expect(gone.server.lines).toContain("LCP: timeout sending Config-Requests");
});

test("a carrier that is lost in the prompt ends the attempt, and the next caller gets a prompt of its own", () => {
  const words = [...SERVER.filter((word) => word !== "local"), "modem", "persist"];
  const scene = openScene(words);
  const first = scene.call("modem", "connect", "chat TIMEOUT 100 ogin: zaphod ssword: '\\qgargle\\c' never");
  expect(scene.time.runUntil(() => scene.server.lines.includes("Sent login prompts"), 5000)).toBe(true);
  scene.time.run(1000);
  first.kill();
  expect(scene.time.runUntil(() => scene.server.lines.includes("Modem hangup"), 5000)).toBe(true);
  scene.time.run(2000);
  const client = scene.call("modem", "connect", `chat ${LOGIN}`);
  expect(scene.time.runUntil(() => scene.link.isUp, 20_000)).toBe(true);
  for (const one of [scene.server, client]) one.signal("SIGTERM");
  expect(scene.time.runUntil(() => !scene.server.isRunning && !client.isRunning, 10_000)).toBe(true);
  expect([scene.server.fault, scene.link.leftOn(0)]).toEqual([undefined, []]);
});

test("a caller that says nothing behind the modem's CONNECT gets the prompt, and is hung up after a minute", () => {
  const { time, server, call } = openScene();
  const client = call("connect", "chat TIMEOUT 100 '' ATDT1 CONNECT '\\c' ogin: '\\c' 'timed out' '\\c' 'NO CARRIER'");
  expect(time.runUntil(() => !server.isRunning, 70_000)).toBe(true);
  expect(server.exitCode).toBe(16);
  expect(time.runUntil(() => client.lines.includes("Serial connection established."), 5000)).toBe(true);
});

test("a person gets the getty, with the lock of the port, and after it the port listens again", () => {
  const getty = "sleep 20 $NAME";
  const words = [...LINE, "noauth", "lock", "autodetect", "autodetect-getty", getty, "10.0.0.1:10.0.0.2"];
  const { link, time, server, call } = openScene(words);
  const lock = (): number => Number(link.computers[0].files.text("/var/lock/LCK..ttyUSB0"));
  const own = lock();
  const person = call("connect", "chat TIMEOUT 15 '' 'zaphod' never");
  expect(time.runUntil(() => server.lines.some((line) => line.startsWith("Gave ")), 10_000)).toBe(true);
  const given = server.lines.at(-1)!;
  expect(given).toBe(`Gave /dev/ttyUSB0 to ${getty} (pid ${lock()})`);
  expect([lock() === own, server.isRunning]).toEqual([false, true]);
  expect(time.runUntil(() => !person.isRunning, 30_000)).toBe(true);
  expect(time.runUntil(() => server.lines.includes("Took /dev/ttyUSB0 back"), 10_000)).toBe(true);
  time.run(1000);
  expect(lock()).toBe(own);
  comesUp({ link, time, server, call }, call());

  const other = openScene(words.map((word) => (word === getty ? "sleep infinity" : word)));
  other.call("connect", "chat TIMEOUT 5 '' '\\r' never");
  expect(other.time.runUntil(() => other.server.lines.some((line) => line.startsWith("Gave ")), 10_000)).toBe(true);
  other.server.signal("SIGTERM");
  expect(other.time.runUntil(() => !other.server.isRunning, 10_000)).toBe(true);
  expect([other.server.exitCode, other.server.fault, other.link.leftOn(0)]).toEqual([5, undefined, []]);
});

for (const speed of ["9600", "115200"])
  test(`find-speed and login prompts: a login script at ${speed} is understood`, () => {
    const scene = openScene([...SERVER, "find-speed"]);
    const script =
      "chat TIMEOUT 3 '' '\\r' ogin:--ogin:--ogin:--ogin:--ogin: zaphod TIMEOUT 20 ssword: '\\qgargleBlaster'";
    const client = scene.call(speed, "connect", script);
    expect(scene.time.runUntil(() => scene.link.isUp, 60_000)).toBe(true);
    expect(scene.server.lines).toContain(`Recognised a login, at ${speed}: zaphod`);
    client.signal("SIGTERM");
    expect(scene.time.runUntil(() => !scene.server.isRunning, 10_000)).toBe(true);
  });

for (const list of ["modem,login", "ppp,windows,modem,login", "ppp,login"])
  test(`join logs in at the prompts of ${list}`, () => {
    const scene = openScene([...SERVER, "autodetect", list]);
    scene.link.computers[1].files.put("/etc/ppp/pap-secrets", "zaphod * gargleBlaster\n", 0o600);
    const client = scene.call("join", "user", "zaphod");
    expect(scene.time.runUntil(() => scene.link.isUp, 60_000)).toBe(true);
    comesUp(scene, client);
  });

test("after damage and callers that vanish at any moment, the next caller logs in, or proves itself by PAP", () => {
  for (let seed = 1; seed <= 12; seed++) {
    const echoes = ["lcp-echo-interval", "5", "lcp-echo-failure", "3"];
    const scene = openScene([...SERVER, ...echoes, "persist", "maxfail", "0"], seed);
    const { link, time, call } = scene;
    const [cable] = link.cables;
    link.computers[1].files.put("/etc/ppp/pap-secrets", "ford * towel\n", 0o600);
    const script = `chat TIMEOUT 5 '' '\\r' ogin:--ogin: zaphod ssword: '\\qgargleBlaster'`;
    for (let round = 0; round < 3; round++) {
      cable!.damage = link.rng.pick([0, 0.01, 0.1]);
      const caller = call(
        "connect",
        link.rng.pick([script, `chat '' ATDT1 CONNECT '\\c' ${LOGIN}`, "chat '' CLIENT\\c"]),
      );
      time.run(link.rng.below(3000));
      if (caller.isRunning) caller.kill();
    }
    cable!.damage = 0;
    // A link that has lost its peer ends after ten requests or three echoes.
    time.run(40_000);
    const isPap = link.rng.chance(0.5);
    const client = call("persist", "maxfail", "0", ...(isPap ? ["user", "ford"] : ["connect", script]));
    if (!time.runUntil(() => link.isUp, 120_000)) throw new Error(`${seed}\n${link.transcript}`);
    for (const one of [scene.server, client]) one.signal("SIGTERM");
    expect(time.runUntil(() => !scene.server.isRunning && !client.isRunning, 20_000)).toBe(true);
    expect([scene.server.fault, client.fault, link.leftOn(0)]).toEqual([undefined, undefined, []]);
  }
});
