// nm-pppd-plugin.so in simulated time: NetworkManager is a bus in memory.

import { expect, test } from "bun:test";
import { openPlugin } from "../../src/run/network-manager/plugin.ts";
import type { Log } from "../../src/run/log.ts";
import type { SessionPlugin } from "../../src/run/session/session-plugin.ts";
import { MemoryBus } from "../kit/memory-bus.ts";
import { Laplink } from "./laplink.ts";
import { Process } from "./process.ts";

const PATH = "/org/freedesktop/NetworkManager/PPP/0";
const LINE = ["/dev/ttyUSB0", "115200", "local", "noccp"];
/** What NetworkManager gives to its pppd. */
const GIVEN = ["nodetach", "noipdefault", "noauth", "usepeerdns", "ipv6", ",", "user", "zaphod", "ipparam", PATH];
const NUMBERS = ["lcp-echo-interval", "5", "lcp-echo-failure", "3"];
const SERVER = [...LINE, "nodetach", "noipx", "name", "server", "10.0.0.1:10.0.0.2", "ms-dns", "10.0.0.53", "debug"];

async function openScene(server: readonly string[], client: readonly string[] = []) {
  const link = new Laplink({ seed: 1 });
  const { time, computers } = link;
  const [here, there] = computers;
  here.files.put("/etc/ppp/pap-secrets", "zaphod server gargleBlaster *\n", 0o600);
  here.files.put("/etc/ppp/chap-secrets", "zaphod server gargleBlaster *\n", 0o600);
  const bus = new MemoryBus();
  const said: string[] = [];
  const log: Log = {
    debug: false,
    fd: undefined,
    write: (level, text) => void said.push(level === "info" ? text : `${level}: ${text}`),
    note: () => {},
    pass: () => {},
  };
  const { clock } = new Process(1, time, () => 0);
  const plugin = (there.plugin = await openPlugin({ bus, clock, log, path: PATH })) as SessionPlugin;
  const ours = there.start([...LINE, ...GIVEN, ...NUMBERS, "plugin", "nm-pppd-plugin.so", ...client]);
  bus.deliver = (work) => ours.process.post(work, "child");
  there.plugin = undefined;
  const peer = here.start([...SERVER, ...server]);
  return { link, time, bus, said, ours, peer, plugin };
}

type Scene = Awaited<ReturnType<typeof openScene>>;

const states = ({ bus }: Scene): unknown[] => bus.callsOf("SetState").map(({ body }) => body[0]);

function ends({ link, time, bus, ours, peer, said }: Scene): void {
  ours.signal("SIGTERM");
  expect(time.runUntil(() => !ours.isRunning && !peer.isRunning, 20_000)).toBe(true);
  expect([ours.fault, peer.fault, link.leftOn(0), link.leftOn(1)]).toEqual([undefined, undefined, [], []]);
  expect(bus.isClosed).toBe(true);
  expect([link.transcript, ...said].join("\n")).not.toContain("gargle");
}

test("NetworkManager is told of each phase, of the interface, and of the addresses of both families", async () => {
  const scene = await openScene(["noauth", "ipv6", "::1,::2"]);
  const { time, bus, said, link } = scene;
  expect(
    time.runUntil(() => bus.callsOf("SetIp6Config").length > 0 && bus.callsOf("SetIp4Config").length > 0, 20_000),
  ).toBe(true);
  expect(bus.calls[0]).toMatchObject({
    destination: "org.freedesktop.NetworkManager",
    path: PATH,
    interface: "org.freedesktop.NetworkManager.PPP",
  });
  const order = bus.calls.map(({ member }) => member);
  expect(order.slice(0, 6)).toEqual(["SetState", "SetState", "SetState", "SetState", "SetState", "SetIfindex"]);
  expect(bus.callsOf("SetIfindex")[0]!.body).toEqual([link.computers[1].network.tuns[0]!.index]);
  // Addresses as this machine's memory has them in network order.
  expect(bus.callsOf("SetIp4Config")[0]!.body).toEqual([
    { interface: "ppp0", address: 0x0200000a, gateway: 0x0100000a, prefix: 32, dns: [0x3500000a, 0x3500000a] },
  ]);
  expect(bus.callsOf("SetIp6Config")[0]!.body).toEqual([
    { interface: "ppp0", "our-iid": 0x0200_0000_0000_0000n, "peer-iid": 0x0100_0000_0000_0000n },
  ]);
  ends(scene);
  expect(states(scene)).toEqual([2, 4, 5, 7, 8, 9, 4, 10, 0]);
  expect(said).toContain("nm-ppp-plugin: initializing");
  expect(said).toContain("nm-ppp-plugin: status 8 / phase 'running'");
  expect(said.at(-1)).toBe("nm-ppp-plugin: cleaning up");
});

for (const method of ["pap", "chap", "mschap-v2", "eap"])
  test(`${method}: NetworkManager has the name and the secret, also when a person takes a minute to enter them`, async () => {
    const patient = ["pap-timeout", "200", "chap-max-challenge", "60", "eap-timeout", "30"];
    const scene = await openScene([
      "auth",
      `require-${method}`,
      ...patient,
      "lcp-echo-interval",
      "5",
      "lcp-echo-failure",
      "3",
    ]);
    const { time, bus, link, ours } = scene;
    expect(time.runUntil(() => bus.callsOf("NeedSecrets").length > 0, 20_000)).toBe(true);
    expect(bus.callsOf("NeedSecrets")[0]!.body).toEqual([]);
    time.run(60_000);
    // The link lives, and NetworkManager is not asked again.
    expect([ours.isRunning, link.isUp, bus.callsOf("NeedSecrets").length]).toEqual([true, false, 1]);
    bus.reply(bus.callsOf("NeedSecrets")[0]!, "zaphod", "gargleBlaster");
    expect(time.runUntil(() => link.isUp, 10_000)).toBe(true);
    ends(scene);
    expect(states(scene)).toEqual([2, 4, 5, 7, 8, 9, 4, 10, 0]);
  });

test("without secrets from NetworkManager the peer refuses us, and the log says why", async () => {
  const scene = await openScene(["auth", "require-chap"]);
  const { time, bus, ours, said } = scene;
  expect(time.runUntil(() => bus.callsOf("NeedSecrets").length > 0, 20_000)).toBe(true);
  bus.refuse(bus.callsOf("NeedSecrets")[0]!, "org.freedesktop.NetworkManager.Error", "No agents were available");
  expect(time.runUntil(() => !ours.isRunning, 20_000)).toBe(true);
  expect(ours.exitCode).toBe(19);
  expect(said).toContain(
    "warn: nm-ppp-plugin: could not get secrets: GDBus.Error:org.freedesktop.NetworkManager.Error: No agents were available",
  );
});

test("an answer that comes after the link's end is not used for the next link", async () => {
  const scene = await openScene(["auth", "require-pap", "pap-timeout", "5", "persist"], ["persist", "holdoff", "1"]);
  const { time, bus, link } = scene;
  expect(time.runUntil(() => bus.callsOf("NeedSecrets").length > 1, 60_000)).toBe(true);
  expect(states(scene)).toContain(11);
  const [first, second] = bus.callsOf("NeedSecrets");
  bus.reply(first!, "zaphod", "wrong");
  time.run(1000);
  bus.reply(second!, "zaphod", "gargleBlaster");
  expect(time.runUntil(() => link.isUp, 10_000)).toBe(true);
});

test("the password option wins, and NetworkManager is not asked", async () => {
  const scene = await openScene(["auth", "require-chap"], ["password", "gargleBlaster"]);
  const { time, bus, link } = scene;
  expect(time.runUntil(() => link.isUp, 20_000)).toBe(true);
  expect(bus.callsOf("NeedSecrets")).toEqual([]);
});

test("a bus that does not answer holds up the scripts for 25 s, and one that is gone not at all", async () => {
  const scene = await openScene(["noauth"]);
  const { time, bus, link, ours } = scene;
  bus.obeyed.delete("SetIfindex");
  link.computers[1].files.put("/etc/ppp/ip-up", "#!/bin/sh\n", 0o755);
  const isTold = (): boolean => ours.lines.includes("local  IP address 10.0.0.2");
  expect(time.runUntil(() => link.isUp, 20_000)).toBe(true);
  expect(isTold()).toBe(false);
  expect(time.runUntil(isTold, 26_000)).toBe(true);
  ends(scene);
  const gone = await openScene(["noauth"]);
  gone.bus.hangUp();
  expect(gone.time.runUntil(() => gone.ours.lines.includes("local  IP address 10.0.0.2"), 20_000)).toBe(true);
  expect(gone.bus.callsOf("SetIfindex")).toEqual([]);
  gone.ours.signal("SIGTERM");
  expect(gone.time.runUntil(() => !gone.ours.isRunning, 20_000)).toBe(true);
  expect(gone.ours.exitCode).toBe(5);
});
