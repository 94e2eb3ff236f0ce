import { beforeAll, describe, expect, test } from "bun:test";
import { PATIENCE_MS } from "../../kit/patience.ts";
import { noLoginMachine, onLoginMachine, type Outcome, PLAIN_PAM, type Step } from "./login-machine.ts";

const why = noLoginMachine();
const title = (name: string) => (why === undefined ? name : `${name} [skipped: ${why}]`);

const PASSWORD = "gargleBlaster";
const MAKE_USERS = `
set -e
uid=42000
for user in zaphod expired aged forced locked starred empty; do uid=$((uid + 1)); useradd -M -u $uid $user; done
printf '%s:${PASSWORD}\\n' zaphod expired aged forced locked | chpasswd -c YESCRYPT
chage -E 1970-04-11 expired
chage -d 1970-04-11 -M 30 aged
chage -d 0 forced
usermod -L locked
usermod -p '*' starred
usermod -p '' empty
useradd -M -p "$(printf 'gr\\374n' | openssl passwd -6 -stdin)" umlaut
`;

// The output of utmpdump: type, pid, id, user, line, host, address, time.
const LOGIN_RECORD = /^\[7\] \[\d+\] \[S1 +\] \[zaphod +\] \[ttyS1 +\] \[ppp0 +\] \[0\.0\.0\.0 +\] \[20/;
const LOGOUT_RECORD = /^\[8\] \[\d+\] \[S1 +\] \[ +\] \[ttyS1 +\] \[ +\] \[0\.0\.0\.0 +\] \[20/;

// syslogd has everything when it has the last message.
const SYSLOG = "busybox logger 'that is all'; until grep -q 'that is all' /run/syslog; do :; done; cat /run/syslog";

/** The steps after `setup`. */
function outcomes(setup: readonly Step[], steps: readonly Step[]): Outcome[] {
  const all = onLoginMachine([...setup, ...steps]);
  for (const { text = "" } of all.slice(0, setup.length)) expect(text).toBe("");
  return all.slice(setup.length);
}

/** Makes PAM ask for a delay after a refusal that is longer than any refusal takes. PAM shortens it by up to a half. */
const SLOW_REFUSAL = "sed -i '1i auth optional pam_faildelay.so delay=200000000' /etc/pam.d/ppp";

const debug = (outcome: Outcome) => outcome.log?.map((line) => line.replace(/^debug /, ""));

describe.skipIf(why !== undefined)(title("login with PAM"), () => {
  const steps = {
    zaphod: { login: "zaphod", password: PASSWORD },
    who: { shell: "who /run/utmp; utmpdump /var/log/wtmp 2>/dev/null" },
    close: { close: true },
    after: { shell: "who /run/utmp; utmpdump /var/log/wtmp 2>/dev/null" },
    wrong: { login: "zaphod", password: "wrong" },
    unknown: { login: "ford", password: PASSWORD },
    expired: { login: "expired", password: PASSWORD },
    aged: { login: "aged", password: PASSWORD },
    forced: { login: "forced", password: PASSWORD },
    locked: { login: "locked", password: PASSWORD },
    starred: { login: "starred", password: "*" },
    empty: { login: "empty", password: "" },
    noPassword: { login: "zaphod", password: "" },
    umlaut: { login: "umlaut", password: "gr\xfcn" },
    umlautUtf8: { login: "umlaut", password: "gr\xc3\xbcn" },
    cutPassword: { login: "zaphod", password: `${PASSWORD}\0x` },
    cutUser: { login: "zaphod\0x", password: PASSWORD },
    domain: { login: "BETELGEUSE\\zaphod", password: PASSWORD },
    forged: { login: "x\nuser root logged in\x9b", password: "" },
    sessionOnly: { login: "zaphod" },
    sessionOfStranger: { login: "ford" },
    nologin: { shell: "echo closed >/etc/nologin" },
    closed: { login: "zaphod", password: PASSWORD },
    open: { shell: "rm /etc/nologin" },
    sessionDenied: { shell: "sed -i 's/^session.*/session required pam_deny.so/' /etc/pam.d/ppp" },
    denied: { login: "zaphod", password: PASSWORD },
    unconfigured: { shell: "rm /etc/pam.d/ppp; echo 'auth required pam_deny.so' >/etc/pam.d/other" },
    other: { login: "zaphod", password: PASSWORD },
    nothing: { shell: "rm /etc/pam.d/other" },
    noConfig: { login: "zaphod", password: PASSWORD },
    closeAll: { close: true },
    syslog: { shell: SYSLOG },
  } satisfies Record<string, Step>;
  let got: Record<keyof typeof steps, Outcome>;

  beforeAll(() => {
    const list = outcomes([{ shell: MAKE_USERS }, { shell: PLAIN_PAM }, { shell: SLOW_REFUSAL }], Object.values(steps));
    got = Object.fromEntries(Object.keys(steps).map((name, at) => [name, list[at]!])) as typeof got;
  }, 5 * PATIENCE_MS);

  test("accepts the right password, with pppd's lines", () => {
    expect(got.zaphod).toMatchObject({ ok: true, message: "Session started successfully" });
    expect(got.zaphod.log).toEqual([
      "debug Initializing PAM (3) for user zaphod",
      "debug ---> PAM INIT Result = 0",
      "debug Attempting PAM authentication",
      "debug PAM Authentication OK for zaphod",
      "debug Attempting PAM account checks",
      "debug PAM Account OK for zaphod",
      "debug PAM Session opened for user zaphod",
      "info user zaphod logged in on tty ttyS1 intf ppp0",
    ]);
  });

  test("records the session, and its end", () => {
    const [who, login] = got.who.text!.split("\n");
    expect(who).toMatch(/^zaphod +ttyS1 .*\(ppp0\)$/);
    expect(login).toMatch(LOGIN_RECORD);
    const [same, logout, ...none] = got.after.text!.split("\n");
    expect([same, none]).toEqual([login, [""]]);
    expect(logout).toMatch(LOGOUT_RECORD);
  });

  test("refuses a wrong password, and returns the delay to the caller", () => {
    expect(got.wrong).toMatchObject({ ok: false, message: "Authentication failure" });
    expect(got.wrong.delayMs).toBeGreaterThan(PATIENCE_MS);
    expect(got.wrong.took).toBeLessThan(got.wrong.delayMs!);
    expect(debug(got.wrong)).toEqual([
      "Initializing PAM (3) for user zaphod",
      "---> PAM INIT Result = 0",
      "Attempting PAM authentication",
      "PAM Authentication failed: 7: Authentication failure",
    ]);
    expect(got.noPassword.ok).toBe(false);
  });

  test("refuses an unknown user in pppd's words", () => {
    expect(got.unknown).toMatchObject({ ok: false, message: "User unknown - cannot authenticate via PAM" });
    expect(debug(got.unknown)!.at(-1)).toBe("User unknown, failing PAM authentication");
  });

  test("refuses expired accounts and passwords as the real pppd does", () => {
    expect(got.expired).toMatchObject({ ok: false, message: "User account has expired", delayMs: 0 });
    expect(debug(got.expired)!.at(-1)).toBe("PAM Account checks failed: 13: User account has expired");
    const stale = "Authentication token is no longer valid; new one required";
    expect(got.aged.message).toBe(stale);
    expect(got.forced.message).toBe(stale);
    expect(debug(got.forced)!.at(-1)).toBe(`PAM Account checks failed: 12: ${stale}`);
  });

  test("refuses locked accounts; pam_unix decides about empty passwords", () => {
    expect(got.locked).toMatchObject({ ok: false, message: "Authentication failure" });
    expect(got.starred.ok).toBe(false);
    expect(got.empty.ok).toBe(true);
  });

  test("passes passwords on unchanged and uncut", () => {
    expect(got.umlaut.ok).toBe(true);
    expect(got.umlautUtf8.ok).toBe(false);
    expect(got.cutPassword).toMatchObject({ ok: false, message: "Login incorrect" });
    expect(got.cutUser).toMatchObject({ ok: false, message: "Login incorrect" });
  });

  test("finds the user of DOMAIN\\user", () => {
    expect(got.domain.ok).toBe(true);
    expect(got.domain.log).toContain("debug Initializing PAM (3) for user zaphod");
    expect(got.domain.log).toContain("info user BETELGEUSE\\zaphod logged in on tty ttyS1 intf ppp0");
  });

  test("a name cannot forge a log line", () => {
    expect(debug(got.forged)![0]).toBe("Initializing PAM (3) for user x^Juser root logged inM-^[");
  });

  test("opens a session without a password for enable-session", () => {
    expect(got.sessionOnly.ok).toBe(true);
    expect(debug(got.sessionOnly)!.slice(0, 3)).toEqual([
      "Initializing PAM (2) for user zaphod",
      "---> PAM INIT Result = 0",
      "Attempting PAM account checks",
    ]);
    expect(got.sessionOfStranger).toMatchObject({ ok: true, message: "User unknown - ignoring PAM restrictions" });
    expect(got.sessionOfStranger.log!.slice(-2)).toEqual([
      "debug User unknown, ignoring PAM restrictions",
      "info user ford logged in on tty ttyS1 intf ppp0",
    ]);
  });

  test("obeys the rest of PAM's configuration", () => {
    expect(got.closed).toMatchObject({ ok: false, message: "Authentication failure" });
    expect(got.denied.ok).toBe(false);
    expect(debug(got.denied)!.at(-1)).toBe("PAM Session denied for user zaphod");
    expect(got.other).toMatchObject({ ok: false, message: "Authentication failure" });
    expect(got.noConfig).toMatchObject({ ok: false, message: "Critical error - immediate abort" });
    expect(debug(got.noConfig)!.at(-1)).toBe("---> PAM INIT Result = 26");
  });

  test("PAM's own lines in syslog are pppd's", () => {
    const syslog = got.syslog.text!;
    expect(syslog).toMatch(/authpriv\.info pppd\[\d+\]: pam_unix\(ppp:session\): session opened for user zaphod/);
    expect(syslog).toMatch(/authpriv\.info pppd\[\d+\]: pam_unix\(ppp:session\): session closed for user zaphod/);
    expect(syslog).toMatch(/authentication failure; logname=.* tty=\/dev\/ttyS1 ruser= rhost=ppp0 +user=zaphod/);
    expect(syslog).not.toMatch(/^.* authpriv\.\w+ (?!pppd\[\d+\]: )\S+ pam_unix/m);
    const count = (word: string) => syslog.split(`session ${word} for user`).length;
    expect(count("closed")).toBe(count("opened"));
  });
});

describe.skipIf(why !== undefined)(title("login without PAM"), () => {
  const pam = false;
  const steps = {
    zaphod: { login: "zaphod", password: PASSWORD, pam },
    seen: { shell: "utmpdump /var/log/wtmp 2>/dev/null; od -A n -t x1 -j $((42001 * 292 + 4)) -N 8 /var/log/lastlog" },
    close: { close: true },
    after: { shell: "utmpdump /var/log/wtmp 2>/dev/null" },
    wrong: { login: "zaphod", password: "wrong", pam },
    unknown: { login: "ford", password: PASSWORD, pam },
    expired: { login: "expired", password: PASSWORD, pam },
    aged: { login: "aged", password: PASSWORD, pam },
    locked: { login: "locked", password: PASSWORD, pam },
    starred: { login: "starred", password: "*", pam },
    empty: { login: "empty", password: "", pam },
    umlaut: { login: "umlaut", password: "gr\xfcn", pam },
    cut: { login: "zaphod", password: `${PASSWORD}\0x`, pam },
    sessionOfStranger: { login: "ford", pam },
    noRecords: { shell: "rm /run/utmp /var/log/wtmp /var/log/lastlog" },
    unrecorded: { login: "zaphod", password: PASSWORD, pam },
    closeUnrecorded: { close: true },
    noneMade: { shell: "ls /run/utmp /var/log/wtmp 2>/dev/null || :" },
    user: { lookup: "expired" },
    stranger: { lookup: "ford" },
    unshadow: { shell: "sed -i '/^zaphod:/d' /etc/shadow; sed -i 's/^zaphod:x:/zaphod:abfAXtrcha9N.:/' /etc/passwd" },
    unshadowed: { lookup: "zaphod" },
    old: { login: "zaphod", password: PASSWORD, pam },
    noHash: { shell: "sed -i 's/^zaphod:[^:]*:/zaphod:x:/' /etc/passwd" },
    hashless: { login: "zaphod", password: "x", pam },
    syslog: { shell: SYSLOG },
  } satisfies Record<string, Step>;
  let got: Record<keyof typeof steps, Outcome>;

  beforeAll(() => {
    const list = outcomes([{ shell: MAKE_USERS }, { shell: ": >/run/syslog" }], Object.values(steps));
    got = Object.fromEntries(Object.keys(steps).map((name, at) => [name, list[at]!])) as typeof got;
  }, 5 * PATIENCE_MS);

  test("accepts the right password and nothing else", () => {
    expect(got.zaphod).toMatchObject({ ok: true, message: "Login ok" });
    expect(got.zaphod.log).toEqual(["info user zaphod logged in on tty ttyS1 intf ppp0"]);
    const refused = { ok: false, message: "Login incorrect", delayMs: 0, log: [] };
    for (const name of ["wrong", "unknown", "locked", "starred", "empty", "cut", "hashless"] as const) {
      expect(got[name]).toMatchObject(refused);
    }
    expect(got.umlaut.ok).toBe(true);
    expect(got.sessionOfStranger.ok).toBe(true);
    expect(got.syslog.text).not.toMatch(/pam_/);
  });

  test("refuses expired accounts and passwords with a warning", () => {
    expect(got.expired).toMatchObject({
      ok: false,
      message: "Login incorrect",
      log: ["warn Password for expired has expired"],
    });
    expect(got.aged).toMatchObject({ ok: false, log: ["warn Password for aged has expired"] });
  });

  test("records the session, its end and the last login", () => {
    const [login, lastLogin] = got.seen.text!.split("\n");
    expect(login).toMatch(LOGIN_RECORD);
    expect(lastLogin).toBe(" 74 74 79 53 31 00 00 00");
    expect(got.after.text!.split("\n")[1]).toMatch(LOGOUT_RECORD);
  });

  test("works without the files", () => {
    expect(got.unrecorded.ok).toBe(true);
    expect(got.noneMade.text).toBe("");
  });

  test("reads users with and without a shadow entry", () => {
    expect(got.user).toMatchObject({
      expired: true,
      user: { name: "expired", uid: 42002, expire: 100, maxDays: 99_999, inactive: -1 },
    });
    expect(got.user.user!.hash).toStartWith("$y$");
    expect(got.user.user!.lastChange).toBeGreaterThan(19_000);
    expect(got.stranger).toEqual({});
    expect(got.unshadowed).toMatchObject({ expired: false, user: { hash: "abfAXtrcha9N.", expire: -1, maxDays: -1 } });
    expect(got.old.ok).toBe(true);
  });
});

test.skipIf(why !== undefined)(title("from inittab, our record takes the place of init's"), () => {
  const record = (pid: string) =>
    `[5] [${pid}] [pd  ] [        ] [            ] [                    ] [0.0.0.0        ] [2026-01-01T00:00:00,000000+00:00]`;
  const dump: Step = { shell: "utmpdump /run/utmp 2>/dev/null" };
  const [init, , login, , logout] = outcomes(
    [
      { shell: MAKE_USERS },
      { shell: `pid=$(printf %05d $PPID); echo "${record("$pid")}" | utmpdump -r 2>/dev/null >/run/utmp` },
    ],
    [dump, { login: "zaphod", password: PASSWORD, pam: false }, dump, { close: true }, dump],
  );
  expect(init!.text).toMatch(/^\[5\] \[\d+\] \[pd +\] .*\n$/);
  expect(login!.text).toMatch(/^\[7\] \[\d+\] \[pd +\] \[zaphod +\] \[ttyS1 +\] \[ppp0 +\] .*\n$/);
  expect(logout!.text).toMatch(/^\[8\] \[\d+\] \[pd +\] \[ +\] \[ttyS1 +\] \[ +\] .*\n$/);
});

test.skipIf(why !== undefined)(
  title("a name server that does not answer costs a login little"),
  () => {
    // libaudit asks this server for the host "ppp0". With this resolv.conf a query takes 120 s.
    const ask =
      "printf 'nameserver 127.0.0.99\\noptions timeout:30 attempts:4\\n' >/etc/resolv.conf; sed -i 's/^hosts:.*/hosts: files dns/' /etc/nsswitch.conf";
    const steps: Step[] = [
      { nameServer: "127.0.0.99" },
      { login: "zaphod", password: "wrong" },
      // The octets in 127.0.0.99:53 that no program has read.
      { shell: "awk '$2 == \"6300007F:0035\" { print $5 }' /proc/net/udp" },
    ];
    const [, login, asked] = outcomes([{ shell: MAKE_USERS }, { shell: PLAIN_PAM }, { shell: ask }], steps);
    expect(login).toMatchObject({ ok: false, message: "Authentication failure" });
    expect(login!.took).toBeLessThan(PATIENCE_MS);
    expect(asked!.text).toMatch(/^0{8}:(?!0{8})/);
  },
  5 * PATIENCE_MS,
);

describe.skipIf(why !== undefined)(title("PAM's helper processes"), () => {
  // pam_exec forks, runs a program and waits for it, while children of Bun end at the same time.
  test(
    "neither lose their status to Bun nor take its children's",
    () => {
      const helper = `cat >/etc/pam.d/ppp <<'END'
auth required pam_exec.so quiet expose_authtok /etc/helper
auth required pam_unix.so
account required pam_unix.so
session required pam_exec.so quiet /etc/helper
END
printf '#!/bin/sh\\n[ "$PAM_TYPE" != auth ] || [ "$(tr -d "\\\\0")" = ${PASSWORD} ]\\n' >/etc/helper; chmod 755 /etc/helper`;
      const logins: Step[] = ["wrong", PASSWORD, "wrong", PASSWORD].map((password) => ({ login: "zaphod", password }));
      const mixed = logins.flatMap((login): Step[] => [login, { shell: "echo $(echo child)" }]);
      const list = outcomes([{ shell: MAKE_USERS }, { shell: helper }], [...mixed, { close: true }]);
      expect(list.flatMap(({ ok }) => ok ?? [])).toEqual([false, true, false, true]);
      expect(list.flatMap(({ text }) => text ?? [])).toEqual(Array(4).fill("child\n"));
    },
    5 * PATIENCE_MS,
  );
});

const LIMIT = `${PLAIN_PAM}
echo 'session required pam_limits.so' >>/etc/pam.d/ppp
echo 'zaphod hard nofile 333' >/etc/security/limits.conf
`;

describe.skipIf(why !== undefined)(title("a login in a process of its own"), () => {
  test("its session ends with the link, a refusal has the same words, and what PAM does to the process is not done to us", () => {
    const zaphod = { login: "zaphod", password: PASSWORD };
    const limit = { shell: "ulimit -Hn" };
    const who = { shell: "who /run/utmp" };
    const [before, apart, during, there, closed, after, wrong, inside, ours] = outcomes(
      [{ shell: MAKE_USERS }, { shell: LIMIT }],
      [
        limit,
        { ...zaphod, apart: true },
        limit,
        who,
        { close: true },
        { shell: "while who /run/utmp | grep -q zaphod; do sleep 0.05; done; who /run/utmp" },
        { login: "zaphod", password: "wrong", apart: true },
        zaphod,
        limit,
      ],
    );
    expect(apart).toMatchObject({ ok: true, message: "Session started successfully" });
    expect(apart!.log).toContain("info user zaphod logged in on tty ttyS1 intf ppp0");
    expect(there!.text).toMatch(/^zaphod +ttyS1 /);
    expect(during!.text).toBe(before!.text!);
    expect([closed, after!.text]).toEqual([{}, ""]);
    expect(wrong).toMatchObject({ ok: false, message: "Authentication failure" });
    expect(inside!.ok).toBe(true);
    expect(ours!.text).toBe("333\n");
  });
});
