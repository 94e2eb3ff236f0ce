// Several sessions on one machine: what they share exists while one of them needs it, and is restored at the end.

import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { linkConfig } from "../kit/pair.ts";
import type { Program } from "../kit/program.ts";
import { FarSide, missing, pppdPath, Scene, titled, until } from "./scene.ts";

setDefaultTimeout(30_000);
const on = (name: string, play: () => Promise<void>): void => test.skipIf(missing !== undefined)(titled(name), play);

const QUICK = ["lcp-restart", "1", "lcp-max-terminate", "1", "child-timeout", "1"];
const NTH = [1, 2, 3] as const;
type Nth = (typeof NTH)[number];

let opened: Several | undefined;
afterEach(async () => {
  await opened?.close();
  opened = undefined;
});

/** A machine with three lines and a LAN with a default route. */
class Several {
  readonly scene: Scene;
  readonly #fars: ReadonlyMap<Nth, FarSide>;

  constructor(scene: Scene, fars: ReadonlyMap<Nth, FarSide>) {
    this.scene = scene;
    this.#fars = fars;
  }

  static async open(): Promise<Several> {
    const [second, third] = [new FarSide(), new FarSide()];
    const scene = await Scene.open({}, { ttyS2: second.tty, ttyS3: third.tty });
    const lan = "ip tuntap add eth0 mode tap; ip addr add 10.0.0.254/16 dev eth0; ip link set eth0 up";
    const { status, stderr } = await scene.machine.run(
      "sh",
      "-ec",
      `${lan}; ip route add default via 10.0.0.9; echo 0 >/proc/sys/net/ipv4/ip_forward`,
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    await scene.remember();
    const fars = new Map<Nth, FarSide>([
      [1, scene.far],
      [2, second],
      [3, third],
    ]);
    return (opened = new Several(scene, fars));
  }

  /** Our address is the same on all lines. The peer's is 10.0.N.2. */
  async up(nth: Nth, ...words: readonly string[]): Promise<Program> {
    const { networks } = linkConfig();
    // 10.0.N.53
    const dns = [0x0a000035 + 256 * nth];
    this.#fars.get(nth)!.answer({ networks: { ...networks, ipcp: { ...networks.ipcp!, dns } } });
    const line = [`/dev/ttyS${nth}`, "115200", "local", "lock", "noauth", "nodetach", `10.0.0.1:10.0.${nth}.2`];
    const pppd = this.scene.run([pppdPath(), ...line, ...QUICK, ...words]);
    await pppd.waitFor("remote IP address 10.0.");
    return pppd;
  }

  async says(...command: string[]): Promise<string> {
    return (await this.scene.machine.run(...command)).stdout;
  }

  text(path: string): string | undefined {
    const file = this.scene.machine.path(path);
    return existsSync(file) ? readFileSync(file, "utf8") : undefined;
  }

  async close(): Promise<void> {
    await this.scene.close();
    for (const far of this.#fars.values()) far.hangUp();
  }
}

async function end(pppd: Program): Promise<void> {
  pppd.kill();
  expect(await pppd.exit(5000)).toBe(5);
  expect(pppd.text).not.toMatch(/RTM_|default route of|what was set up/);
}

const ALL = ["defaultroute", "replacedefaultroute", "proxyarp", "ktune"];
const forwards = (it: Several): Promise<string> => it.says("cat", "/proc/sys/net/ipv4/ip_forward");

for (const order of [
  [0, 1, 2],
  [2, 1, 0],
  [1, 2, 0],
]) {
  on(`three that want the default route, proxy ARP and forwarding, ended as ${order}`, async () => {
    const it = await Several.open();
    const sessions: Program[] = [];
    for (const nth of NTH) sessions.push(await it.up(nth, ...ALL));
    const left = new Set([0, 1, 2]);
    for (const nth of order) {
      const proxied = [...(await it.says("ip", "neigh", "show", "proxy")).matchAll(/10\.0\.(\d)\.2/g)].map(
        ([, subnet]) => Number(subnet) - 1,
      );
      expect(new Set(proxied)).toEqual(left);
      expect(await forwards(it)).toBe("1\n");
      // The session that came last has the route.
      expect(await it.says("ip", "route", "get", "198.51.100.1")).toContain(` dev ppp${Math.max(...left)} `);
      await end(sessions[nth]!);
      left.delete(nth);
    }
    expect(await it.scene.leftBehind()).toEqual([]);
  });
}

on(
  "a peer that calls on another line has its proxy ARP entry until both have ended; other forwarding stays",
  async () => {
    const it = await Several.open();
    await it.says("sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward");
    const same = [":10.0.9.2", "ipcp-accept-remote", "proxyarp", "ktune"];
    const first = await it.up(1, ...same);
    const second = await it.up(2, ...same);
    const proxied = (): Promise<string> => it.says("ip", "neigh", "show", "proxy");
    expect(await proxied()).toContain("10.0.9.2 dev eth0");
    await end(first);
    expect(await proxied()).toContain("10.0.9.2 dev eth0");
    await end(second);
    expect(await proxied()).toBe("");
    expect(await forwards(it)).toBe("1\n");
  },
);

on("one that is killed does not keep the others' end from switching forwarding off", async () => {
  const it = await Several.open();
  const killed = await it.up(1, "proxyarp", "ktune");
  const other = await it.up(2, "proxyarp", "ktune");
  killed.kill("SIGKILL");
  await killed.exit();
  expect(await forwards(it)).toBe("1\n");
  await end(other);
  expect(await forwards(it)).toBe("0\n");
});

on("one that is cut off and comes back does not take forwarding from another", async () => {
  const it = await Several.open();
  const steady = await it.up(1, ...ALL);
  const cut = await it.up(2, ...ALL, "persist", "holdoff", "0");
  cut.kill("SIGHUP");
  await cut.waitFor("Connection terminated.");
  expect(await forwards(it)).toBe("1\n");
  await it.up(3, ...ALL).then(end);
  expect(await forwards(it)).toBe("1\n");
  await end(cut);
  await end(steady);
  expect(await it.scene.leftBehind()).toEqual([]);
});

on(
  "a unit that is taken gives the next one; a name that is taken is an error, and the other's is left alone",
  async () => {
    const it = await Several.open();
    const first = await it.up(1, "unit", "7", "linkname", "office");
    const second = await it.up(2, "unit", "7", "linkname", "home", "ifname", "cable0");
    expect(it.scene.machine.interfaces().sort()).toEqual(["cable0", "eth0", "ppp7"]);
    for (const [name, reason] of [
      ["cable0", "File exists"],
      ["lo", "File exists"],
      ["a/b", "Invalid argument"],
      ["a-name-of-sixteen", "a name has 15 octets at most"],
    ] as const) {
      const words = ["/dev/ttyS3", "local", "noauth", "nodetach", "10.0.0.1:10.0.3.2", "ifname", name];
      const third = it.scene.run([pppdPath(), ...words]);
      expect(await third.exit()).toBe(1);
      expect(third.text).toContain(`Couldn't rename interface ppp0 to ${name}: ${reason}`);
    }
    // As in pppd, the empty word is no name.
    const fourth = await it.up(3, "unit", "7", "ifname", "", "linkname", "");
    expect(fourth.text).toContain("Using interface ppp0");
    expect([it.text("/run/ppp7.pid"), it.text("/run/cable0.pid"), it.text("/run/ppp0.pid")]).toEqual(
      [first, second, fourth].map(({ pid }) => `${pid}\n`),
    );
    for (const each of [first, second, fourth]) await end(each);
    expect(await it.scene.leftBehind()).toEqual([]);
  },
);

on("two of one linkname: the file is the last one's, and stays until that ends", async () => {
  const it = await Several.open();
  const first = await it.up(1, "linkname", "office");
  const second = await it.up(2, "linkname", "office");
  expect(it.text("/run/ppp-office.pid")).toBe(`${second.pid}\nppp1\n`);
  await end(first);
  expect(it.text("/run/ppp-office.pid")).toBe(`${second.pid}\nppp1\n`);
  await end(second);
  expect(await it.scene.leftBehind()).toEqual([]);
});

on("the peers' name servers are those of who came up last, as with pppd, and stay", async () => {
  const it = await Several.open();
  const servers = (nth: number): string => `nameserver 10.0.${nth}.53\n`;
  for (const order of [
    [0, 1],
    [1, 0],
  ]) {
    const sessions: Program[] = [];
    for (const nth of [1, 2] as const) {
      sessions.push(await it.up(nth, "usepeerdns"));
      await until("resolv.conf", () => it.text("/etc/ppp/resolv.conf")?.startsWith(servers(nth)) === true);
    }
    for (const nth of order) {
      await end(sessions[nth]!);
      expect(it.text("/etc/ppp/resolv.conf")).toStartWith(servers(2));
    }
  }
});
