// The network phase on a simulated packet port and machine: its actions and messages, in order.

import { expect, test } from "bun:test";
import { thisMachine } from "../../../src/applets/this-machine.ts";
import type { Networks } from "../../../src/link/networks.ts";
import type { Config } from "../../../src/options/config.ts";
import type { Child } from "../../../src/run/host/processes.ts";
import type { NetDevice } from "../../../src/run/host/interfaces.ts";
import type { Log } from "../../../src/run/log.ts";
import type { Machine } from "../../../src/run/machine.ts";
import type { NameServers } from "../../../src/run/packets/name-servers.ts";
import type { PacketPort } from "../../../src/run/packets/port.ts";
import { Hooks } from "../../../src/run/scripts/hooks.ts";
import { NetworkPhase } from "../../../src/run/session/network-phase.ts";
import type { OptionsInForce } from "../../../src/run/settings/options-in-force.ts";

const CONFIG = {
  netPreUpScript: "net-pre-up",
  ipPreUpScript: "ip-pre-up",
  ipUpScript: "ip-up",
  ipDownScript: "ip-down",
  ipv6UpScript: "ipv6-up",
  ipv6DownScript: "ipv6-down",
  device: "/dev/ttyS0",
  ipparam: "word",
  usepeerdns: true,
  environment: [],
  plugins: [] as string[],
  share: false,
  forwards: [],
};
const UP = { type: "ipv4-up", our: 0x0a000001, peer: 0x0a000002, dns: [0x0a000035, 0], wins: [0, 0] } as const;
const UP6 = { type: "ipv6-up", our: { high: 0, low: 1 }, peer: { high: 0, low: 2 } } as const;

/** Scripts that exist end when `endScript` is called with their name. */
function setUp(scripts: readonly string[], config: object = {}) {
  const told: string[] = [];
  const running = new Map<string, () => void>();
  const tell =
    (what: string) =>
    (...args: readonly unknown[]): void =>
      void told.push([what, ...args.filter((arg) => typeof arg !== "object")].join(" "));
  let now = 0;
  const is = { there: true };
  const machine = {
    ...thisMachine,
    clock: { ...thisMachine.clock, now: () => now },
    network: {
      ...thisMachine.network,
      interfaces: {
        ...thisMachine.network.interfaces,
        find: (name: string) => (is.there ? { index: 7, name } : undefined),
      },
      writeResolvConf: (_: string, servers: string[]) => tell(`resolv.conf ${servers}`)(),
    },
    processes: {
      ...thisMachine.processes,
      publish: () => ({ move: tell("status moves"), close: tell("status closes") }),
      hookRefusal: (path: string) => (scripts.includes(path) ? undefined : "absent"),
      runHook: (path: string, args: readonly string[]): Child => {
        tell(`${path} ${args.join(" ")}`)();
        const { promise: ended, resolve } = Promise.withResolvers<Awaited<Child["ended"]>>();
        running.set(path, () => resolve({ status: 0, exitCode: 0, signal: 0 }));
        return { pid: 1, ending: undefined, ended, kill: () => {} };
      },
    },
  } as unknown as Machine;
  const port = {
    name: "ppp0",
    device: { index: 7, name: "ppp0" } as NetDevice | undefined,
    hasIpv4: false,
    hasIpv6: false,
    awaitsPeer: false,
    readName: () => false,
    lost: tell("port lost"),
    setAddresses: tell("addresses"),
    ipv4Up: tell("port up"),
    ipv4Down: tell("port down"),
    ipv6Up: (): string | undefined => tell("port up 6")() as undefined,
    ipv6Down: tell("port down 6"),
    opened: tell("opened"),
    takeBack: tell("taken back"),
  };
  const networks = {
    up: false,
    traffic: { octetsIn: 3, octetsOut: 4 },
    gain: { ratio: 1 },
    closeIpcp: tell("close IPCP"),
  };
  const hooks = new Hooks(machine, (level, text) => void (level !== "debug" && told.push(text)));
  const phase = new NetworkPhase(
    {
      machine,
      options: { config: { ...CONFIG, ...config } as unknown as Config } as OptionsInForce,
      log: { write: (level: string, text: string) => level !== "debug" && told.push(text) } as unknown as Log,
      hooks,
      etc: "/etc/ppp",
      runDirectory: "/run",
      nameServers: { announce: tell("announce"), withdraw: tell("withdraw") } as unknown as NameServers,
      speed: () => 9600,
      notifier: { status: tell("manager") } as never,
      onUp: tell("onUp"),
      setStatus: tell("exit code"),
      close: tell("close"),
      awaitPeer: tell("await peer"),
      rate: () => 115200,
      carry: tell("carry"),
      tap: tell("tap"),
      hold: () => tell("release"),
      lines: () => [],
      queue: () => undefined,
    },
    port as unknown as PacketPort,
    networks as unknown as Networks,
  );
  const endScript = async (name: string): Promise<void> => {
    running.get(name)!();
    await machine.clock.turn();
  };
  const take = (): string[] => told.splice(0);
  return { phase, port, is, hooks, take, endScript, wait: (ms: number) => void (now += ms) };
}

test("the interface has its addresses before ip-pre-up, is up after it, and the log names them before ip-up", async () => {
  const { phase, take, endScript, hooks } = setUp(["ip-pre-up", "ip-up"]);
  phase.handle(UP, 0);
  const arguments_ = "ppp0 /dev/ttyS0 9600 10.0.0.1 10.0.0.2 word";
  expect(take()).toEqual(["resolv.conf 10.0.0.53", "addresses 167772161 167772162", `ip-pre-up ${arguments_}`]);
  expect(hooks.env.get("DNS1")).toBe("10.0.0.53");
  await endScript("ip-pre-up");
  expect(take()).toEqual([
    "port up 167772161 167772162 1500",
    "opened 1500 0",
    "carry true",
    "exit code 0",
    "local  IP address 10.0.0.1",
    "remote IP address 10.0.0.2",
    "primary   DNS address 10.0.0.53",
    `ip-up ${arguments_}`,
    "manager up: 10.0.0.1 <-> 10.0.0.2 true",
    "onUp",
  ]);
  await endScript("ip-up");
  expect(take()).toEqual(["announce ppp0"]);
});

test("NetworkManager has the peer's name servers from its plugin, and the system's collector has them from NetworkManager", async () => {
  const { phase, take, endScript } = setUp(["ip-up"], { plugins: ["nm-pppd-plugin.so"] });
  phase.handle(UP, 0);
  expect(take()).toContain("resolv.conf 10.0.0.53");
  await endScript("ip-up");
  expect(take()).toEqual([]);
});

test("without an interface, the system and its scripts are not to use the peer's name servers", async () => {
  const { phase, port, take, hooks } = setUp(["ip-up"]);
  port.device = undefined;
  phase.handle(UP, 0);
  expect(take().some((line) => line.startsWith("resolv.conf"))).toBe(false);
  expect(hooks.env.get("DNS1")).toBe("10.0.0.53");
  expect(hooks.env.get("USEPEERDNS")).toBeUndefined();
});

test("IPCP that goes down while ip-pre-up runs leaves the interface down", async () => {
  const { phase, take, endScript } = setUp(["ip-pre-up"]);
  phase.handle(UP, 0);
  phase.handle({ type: "ipv4-down", last: true }, 0);
  take();
  await endScript("ip-pre-up");
  expect(take()).toEqual([]);
});

test("the last protocol that goes down ends the carrying and is counted; the first does neither", () => {
  const { phase, take, wait, hooks } = setUp(["ipv6-down"]);
  phase.handle(UP, 0);
  phase.handle(UP6, 0);
  take();
  wait(90_000);
  phase.handle({ type: "ipv4-down", last: false }, 90_000);
  expect(take()).toEqual(["port down", "withdraw ppp0"]);
  expect(hooks.env.get("CONNECT_TIME")).toBe("90");
  phase.handle({ type: "ipv6-down", last: true }, 90_000);
  expect(take()).toEqual([
    "port down 6",
    "carry false",
    "Connect time 1.5 minutes.",
    "Sent 4 bytes, received 3 bytes.",
    "ipv6-down ppp0 /dev/ttyS0 9600 fe80::0000:0000:0000:0001 fe80::0000:0000:0000:0002 word",
    "manager waiting for the peer",
  ]);
});

test("an interface that cannot be set up closes IPCP, and no observer is told that it is up", () => {
  const { phase, port, take } = setUp([]);
  port.ipv4Up = () => {
    throw Object.assign(new Error("netlink"), {
      call: "RTM_SETLINK",
      path: "",
      errno: 1,
      code: "EPERM",
      reason: "denied",
    });
  };
  phase.handle(UP, 0);
  expect(take()).toEqual([
    "resolv.conf 10.0.0.53",
    "addresses 167772161 167772162",
    "Interface configuration failed: denied",
    "close IPCP Interface configuration failed 0",
  ]);
  phase.end();
  expect(take()).toEqual(["status closes", "taken back"]);
});

test("an interface that cannot be set up because it is gone ends all links, and says so", () => {
  const { phase, port, is, take } = setUp([]);
  is.there = false;
  port.setAddresses = () => {
    throw Object.assign(new Error("netlink"), {
      call: "",
      path: "",
      errno: 19,
      code: "ENODEV",
      reason: "No such device",
    });
  };
  phase.handle(UP, 0);
  expect(take()).toContain("Interface ppp0 has been removed");
  expect(phase.hasLostInterface).toBe(true);
});

test("a script that renames the interface has its status move, and a port with addresses is not given others", async () => {
  const { phase, port, take } = setUp([]);
  port.hasIpv4 = true;
  port.readName = () => true;
  phase.handle(UP, 0);
  const told = take();
  expect(told).toContain("status moves /run/nullmodem-ppp0.stats");
  expect(told.filter((text) => /addresses|IP address/.test(text))).toEqual([]);
});
