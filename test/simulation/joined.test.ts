// `nullmodem join` at a machine that serves: what the joined machine's network is while the link is up, and afterwards.

import { expect, test } from "bun:test";
import { joinWords, pppdWords } from "../../src/commands/join.ts";
import type { Computer, Pppd } from "./computer.ts";
import { Laplink } from "./laplink.ts";
import { Served } from "./served.ts";

const RESOLV_CONF = "/etc/resolv.conf";

/** A machine that serves, and one that joins it and knows nothing else. */
class Joined {
  readonly link = new Laplink({ seed: 3 });
  readonly served: Served;
  readonly joined: Computer;

  constructor({ hasRoute = false, resolvConf }: { hasRoute?: boolean; resolvConf?: string } = {}) {
    const [serves, joins] = this.link.computers;
    serves.installNft();
    serves.files.put(RESOLV_CONF, "nameserver 192.0.2.53\n");
    this.joined = joins;
    if (!hasRoute) joins.network.routes.length = 0;
    if (resolvConf !== undefined) joins.files.put(RESOLV_CONF, resolvConf);
    this.served = new Served(serves, "ttyUSB0");
    this.link.time.run(100);
  }

  join(): Pppd {
    const words = joinWords(["ttyUSB0"]);
    if (typeof words === "string") throw new Error(words);
    const started = this.joined.start(pppdWords(words));
    expect(this.link.time.runUntil(() => this.link.isUp, 20_000)).toBe(true);
    this.link.time.run(1000);
    return started;
  }

  end(joined: Pppd): void {
    joined.signal("SIGTERM");
    expect(this.link.time.runUntil(() => !joined.isRunning, 20_000)).toBe(true);
    expect([joined.exitCode, joined.fault]).toEqual([5, undefined]);
  }

  get routes(): string[] {
    return this.joined.network.routes.map(({ device, metric }) => `${device.name} ${metric}`);
  }

  get resolvConf(): string | undefined {
    return this.joined.files.text(RESOLV_CONF);
  }
}

const FILLED = `# nullmodem: the name servers of ppp0, until the link ends
nameserver 192.0.2.53
# nullmodem: end of ppp0
`;

test("a machine that knows nothing has the default route and a name server while the link is up", () => {
  const pair = new Joined({ resolvConf: "search example.org\n" });
  const joined = pair.join();
  expect(pair.routes).toEqual(["ppp0 10000"]);
  expect(pair.resolvConf).toBe(`search example.org\n${FILLED}`);
  expect(joined.lines).toContain("Wrote the name servers into /etc/resolv.conf, which had none");
  pair.end(joined);
  expect([pair.routes, pair.resolvConf]).toEqual([[], "search example.org\n"]);
});

test("a default route and name servers that are there stay in use", () => {
  const pair = new Joined({ hasRoute: true, resolvConf: "nameserver 198.51.100.1\n" });
  const joined = pair.join();
  expect(pair.routes.toSorted()).toEqual(["eth0 0", "ppp0 10000"]);
  expect(pair.resolvConf).toBe("nameserver 198.51.100.1\n");
  pair.end(joined);
  expect(pair.routes).toEqual(["eth0 0"]);
});

test("what a killed join has written into resolv.conf, the next start takes back", () => {
  const pair = new Joined({ resolvConf: "" });
  pair.join().kill();
  expect(pair.resolvConf).toBe(FILLED);
  const next = pair.join();
  expect(pair.resolvConf).toBe(FILLED);
  pair.end(next);
  expect(pair.resolvConf).toBe("");
});

test("pppd itself leaves /etc/resolv.conf to its scripts", () => {
  const pair = new Joined({ resolvConf: "" });
  pair.joined.start(["/dev/ttyUSB0", "115200", "noauth", "nodetach", "local", "noipdefault", "usepeerdns"]);
  expect(pair.link.time.runUntil(() => pair.link.isUp, 20_000)).toBe(true);
  pair.link.time.run(1000);
  expect(pair.resolvConf).toBe("");
});
