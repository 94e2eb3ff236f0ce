// Authentication between two machines: what a failure names, that a verdict is sent at once, and that scripts keep their
// order from one link to the next.

import { describe, expect, test } from "bun:test";
import type { Pppd } from "./computer.ts";
import { Laplink } from "./laplink.ts";

const LINE = ["/dev/ttyUSB0", "115200", "local", "lock", "nodetach", "debug"];
const QUICK = ["lcp-restart", "1", "lcp-max-terminate", "1"];
const SECRETS = "zaphod server gargleBlaster *\nford * x *\n";
const SECRET_LINE = 'line 1 of /etc/ppp/pap-secrets (client "zaphod", server "server")';

interface Sides {
  readonly ours: readonly string[];
  readonly peers: readonly string[];
  /** By path, on our machine. */
  readonly files?: Readonly<Record<string, string>>;
  readonly peersFiles?: Readonly<Record<string, string>>;
}

function started({ ours, peers, files = {}, peersFiles = {} }: Sides): { link: Laplink; our: Pppd; peer: Pppd } {
  const link = new Laplink({ seed: 21 });
  const [one, other] = link.computers;
  for (const [path, text] of Object.entries(files)) one.files.put(path, text, text.startsWith("#!") ? 0o755 : 0o600);
  for (const [path, text] of Object.entries(peersFiles)) other.files.put(path, text, 0o600);
  const our = one.start([...LINE, "10.0.0.1:10.0.0.2", ...QUICK, ...ours]);
  return { link, our, peer: other.start([...LINE, "noipdefault", ...peers]) };
}

function ends({ link, our }: ReturnType<typeof started>): number | undefined {
  if (!link.time.runUntil(() => !our.isRunning, 60_000)) throw new Error(`it goes on:\n${link.transcript}`);
  link.time.run(10);
  expect([our.fault, link.leftOn(0)]).toEqual([undefined, []]);
  return our.exitCode;
}

describe("a proof that fails names the line that was looked for", () => {
  test.each([
    ["zaphod", `The secret of "zaphod" is not the one in ${SECRET_LINE}`],
    [
      "trillian",
      'No line of /etc/ppp/pap-secrets is for client "trillian" and server "server"; line 1 is for client "zaphod" and server "server"',
    ],
  ])("the peer's, of %s", (user, says) => {
    const pair = started({
      ours: ["auth", "require-pap", "name", "server"],
      files: { "/etc/ppp/pap-secrets": SECRETS },
      peers: ["noauth", "user", user, "password", "x"],
    });
    expect(ends(pair)).toBe(11);
    const { lines } = pair.our;
    const failed = lines.indexOf(`PAP peer authentication failed for ${user}`);
    expect(failed).toBeGreaterThan(0);
    expect(lines.indexOf(says)).toBeGreaterThan(failed);
    expect(lines.join("\n")).not.toContain("gargle");
  });

  test.each([
    ["require-pap", "zaphod", 19, `We said to be "zaphod", with the secret from ${SECRET_LINE}`],
    [
      "require-chap",
      "ford",
      16,
      "The peer wanted us to prove who we are with CHAP: there is no /etc/ppp/chap-secrets to be read",
    ],
  ])("ours, refused or not even there: %s", (method, user, status, says) => {
    const other = "* srv another *\n";
    const pair = started({
      ours: ["noauth", "user", user],
      files: { "/etc/ppp/pap-secrets": SECRETS },
      peers: ["auth", method, "name", "srv"],
      peersFiles: { "/etc/ppp/pap-secrets": other, "/etc/ppp/chap-secrets": other },
    });
    expect(ends(pair)).toBe(status);
    expect(pair.our.lines).toContain(says);
  });
});

test.each([
  ["require-pap", "PAP peer authentication failed for cli"],
  ["require-chap", "Peer cli failed CHAP authentication"],
])("a wrong secret ends both, and no address is given: %s", (method, refusal) => {
  const secrets = 'cli\tsrv\t"s3cret"\t*\n';
  const pair = started({
    ours: ["auth", method, "name", "srv"],
    files: { "/etc/ppp/pap-secrets": secrets, "/etc/ppp/chap-secrets": secrets },
    peers: ["noauth", "user", "cli", "remotename", "srv", "password", "wrong"],
  });
  expect(ends(pair)).toBe(11);
  expect(pair.our.lines).toContain(refusal);
  expect(pair.link.time.runUntil(() => !pair.peer.isRunning, 30_000)).toBe(true);
  expect(pair.peer.exitCode).toBe(19);
  expect([...pair.our.lines, ...pair.peer.lines].join("\n")).not.toContain("remote IP address");
});

// A packet that the loop's owner causes, and no received packet or timer, must be sent at once.
describe("says at once what it has to say", () => {
  function timeOf(link: Laplink, pppd: Pppd, text: string): number {
    if (!link.time.runUntil(() => pppd.lines.some((line) => line.startsWith(text)), 60_000))
      throw new Error(`"${text}" is not said:\n${link.transcript}`);
    return link.time.now;
  }

  test("that a password is good", () => {
    const { link, our } = started({
      ours: ["auth", "require-pap", "name", "server", "lcp-restart", "30", "ipcp-restart", "30"],
      files: { "/etc/ppp/pap-secrets": SECRETS },
      peers: ["noauth", "user", "zaphod", "password", "gargleBlaster", "pap-restart", "30", "ipcp-restart", "30"],
    });
    const asked = timeOf(link, our, "rcvd [PAP AuthReq");
    expect(timeOf(link, our, "remote IP address") - asked).toBeLessThan(1000);
  });

  test("that the time is up", () => {
    const pair = started({ ours: ["noauth", "maxconnect", "1", "lcp-restart", "30"], peers: ["noauth"] });
    const expired = timeOf(pair.link, pair.our, "Connect time expired");
    expect(timeOf(pair.link, pair.our, "Connection terminated.") - expired).toBeLessThan(1000);
    expect(ends(pair)).toBe(13);
  });
});

describe("scripts keep their order", () => {
  const FILES = { "/etc/ppp/ip-up": "#!/bin/sh\nsleep 0.5\n", "/etc/ppp/ip-down": "#!/bin/sh\nsleep 0.2\n" };
  /** The starts and ends of the two scripts, in order. */
  const order = ({ lines }: Pppd): string[] =>
    lines.flatMap((line) => {
      const [, script, what] = /^Script \/etc\/ppp\/ip-(up|down) (started|finished)/.exec(line) ?? [];
      return script === undefined ? [] : [`${script} ${what}`];
    });
  const PAIR = ["up started", "up finished", "down started", "down finished"];

  test("an ip-down that had to wait for its ip-up is waited for at the end", () => {
    const pair = started({ ours: ["noauth", "child-timeout", "60"], files: FILES, peers: ["noauth"] });
    expect(pair.link.time.runUntil(() => order(pair.our).length > 0, 10_000)).toBe(true);
    pair.our.signal("SIGTERM");
    expect(ends(pair)).toBe(5);
    expect(order(pair.our)).toEqual(PAIR);
  });

  test("with persist, the next link's ip-up waits for the last one's ip-down", () => {
    const pair = started({
      ours: ["noauth", "persist", "holdoff", "0", "child-timeout", "5"],
      files: FILES,
      peers: ["noauth", "persist", "holdoff", "0"],
    });
    const { link, our, peer } = pair;
    const ups = (): number => our.lines.filter((line) => line.startsWith("remote IP address")).length;
    const comesUp = (count: number): void => expect(link.time.runUntil(() => ups() === count, 60_000)).toBe(true);
    comesUp(1);
    // LCP anew from the peer: what was up goes down.
    peer.kill();
    const next = link.computers[1].start([...LINE, "noipdefault", "noauth", "persist", "holdoff", "0"]);
    comesUp(2);
    our.signal("SIGHUP");
    comesUp(3);
    our.signal("SIGTERM");
    expect(ends(pair)).toBe(5);
    const lines = order(our);
    expect(lines.length % PAIR.length).toBe(0);
    expect(lines).toEqual(Array.from({ length: lines.length / PAIR.length }, () => PAIR).flat());
    next.signal("SIGTERM");
  });
});
