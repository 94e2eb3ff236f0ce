// The kernel's forwarding with real packets: a laptop, this machine and the outside are three network namespaces. nft and both kinds
// of iptables make the rules.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { thisMachine } from "../../src/applets/this-machine.ts";
import { addressText } from "../../src/bytes/prefix.ts";
import type { FirewallTools } from "../../src/run/host/firewall.ts";
import { ip, noNetns } from "../kit/netns.ts";
import { PATIENCE_MS } from "../kit/patience.ts";
import {
  call,
  callFromServer,
  LAPTOP,
  missingPrograms,
  OUTSIDE,
  SERVER,
  SERVER_OUTSIDE,
  threeNetworks,
  type ThreeNetworks,
} from "../kit/three-networks.ts";
import { allRules, destinations, IPTABLES, NFT, sharingScene, withoutEmpty } from "../kit/sharing-scene.ts";

setDefaultTimeout(5 * PATIENCE_MS);

const missing =
  noNetns ?? missingPrograms("ip", "ping", "socat", "nft", "iptables-nft", "iptables-legacy", "nsenter", "ss");
const FORWARDING = "net/ipv4/ip_forward";

describe.skipIf(missing !== undefined)(
  `the kernel's way${missing === undefined ? "" : ` [skipped: ${missing}]`}`,
  () => {
    let networks: ThreeNetworks;

    beforeAll(async () => {
      networks = await threeNetworks();
      // The outside knows no way to the laptop, and takes no connection whose segments the cable does not take.
      await networks.outside.run(
        "nft",
        "add table ip small; add chain ip small in { type filter hook input priority 0; }; add rule ip small in tcp flags & syn == syn tcp option maxseg size 537-65535 drop",
      );
    });
    afterAll(() => networks?.close());

    /** A service of this machine. */
    const serve = (hostname: string, port: number): Bun.TCPSocketListener =>
      Bun.listen({ hostname, port, socket: { open: (socket) => void socket.end("own\n"), data: () => {} } });
    const parameter = (name: string): string | undefined => thisMachine.network.readSysctl(`net/ipv4/conf/${name}`);
    const WAYS: readonly (readonly [string, Partial<FirewallTools>])[] = [
      ["nft", { nft: NFT, iptables: IPTABLES }],
      ["iptables-nft", { iptables: [IPTABLES[0]] }],
      ["iptables-legacy", { iptables: [IPTABLES[1]] }],
    ];

    for (const [name, tools] of WAYS)
      test(`${name}: masquerade, MSS, limits and forwards work, and nothing is left`, async () => {
        const { said, settled, start, end, records, close } = sharingScene(tools);
        const { laptop, outside } = networks;
        if (name === "nft") expect(await call(laptop, OUTSIDE, 80, 1)).toBe("");
        const before = allRules();

        start();
        await settled();
        expect(thisMachine.network.readSysctl(FORWARDING)).toBe("1");
        expect(await call(laptop, OUTSIDE)).toBe(SERVER_OUTSIDE);
        expect(await call(outside, SERVER_OUTSIDE, 8080)).toBe("");

        const local = serve("127.0.0.1", 8081);
        start({
          forwards: [8080, 8081].map((port) => ({ protocol: "tcp", address: undefined, port, toPort: 80 })),
          destinations: destinations([], ["192.0.2.0/24"]),
          isLimited: true,
        });
        await settled();
        expect(await call(laptop, OUTSIDE)).toBe("");
        expect(await call(outside, SERVER_OUTSIDE, 8080)).toBe(SERVER);
        expect(await callFromServer(SERVER_OUTSIDE, 8080)).toBe(SERVER);
        expect(await callFromServer("127.0.0.1", 8080)).toBe(SERVER);
        // A port that a program has stays with it, and the others are kept.
        expect(await callFromServer("127.0.0.1", 8081)).toBe("own");
        expect(said.join("\n")).toContain("Port 8081/tcp is not forwarded: Address already in use");
        expect(() => serve(SERVER, 8080)).toThrow();
        local.stop(true);

        const servers = [serve(SERVER, 7), serve(SERVER, 53), serve("127.0.0.1", 70)];
        expect(await call(laptop, SERVER, 70)).toBe("");
        start({ loopback: true });
        await settled();
        expect(await Promise.all([53, 70].map((port) => call(laptop, SERVER, port)))).toEqual(["own", "own"]);
        expect(thisMachine.network.ownAddresses(4).map(addressText)).toEqual(
          expect.arrayContaining([SERVER, SERVER_OUTSIDE]),
        );
        start({ destinations: destinations([], [`${SERVER_OUTSIDE}/32`]), isLimited: true, isOwnOpen: false });
        await settled();
        expect(await Promise.all([7, 53].map((port) => call(laptop, SERVER, port)))).toEqual(["", "own"]);
        // Replies pass.
        expect(await callFromServer(LAPTOP, 80)).toBe(SERVER);
        expect((await laptop.run("ping", "-c", "1", "-W", "60", SERVER)).exitCode).toBe(0);
        for (const server of servers) server.stop(true);

        end();
        await settled();
        expect(said.filter((line) => line.includes("failed"))).toEqual([]);
        expect(thisMachine.network.readSysctl(FORWARDING)).toBe("0");
        expect(withoutEmpty(allRules())).toBe(withoutEmpty(before));
        expect(records()).toEqual([]);
        close();
      });

    for (const [name, tools] of WAYS)
      test(`${name}: a forged source does not get out, one that is behind the peer by a route is masqueraded`, async () => {
        const { said, settled, start, end, close } = sharingScene(tools);
        const { laptop, outside } = networks;
        const sources = ["198.18.0.9", "198.18.1.9"] as const;
        const [forged, routed] = sources;
        const heard = "table ip heard { chain in { type filter hook prerouting priority -300;";
        await outside.run("nft", `${heard} ${sources.map((from) => `ip saddr ${from} counter;`).join(" ")} }; }`);
        for (const from of sources) await laptop.run("ip", "addr", "add", `${from}/32`, "dev", "lo");
        ip("route", "add", routed, "dev", "ppp0");
        start();
        await settled();
        await laptop.run("ping", "-c", "1", "-W", "0.01", "-I", forged, OUTSIDE);
        // A packet that is sent later arrives later.
        expect((await laptop.run("ping", "-c", "1", "-W", "60", "-I", routed, OUTSIDE)).exitCode).toBe(0);
        const counters = (await outside.run("nft", "list", "table", "ip", "heard")).output;
        expect([...counters.matchAll(/packets (\d+)/g)].map(([, count]) => count)).toEqual(["0", "0"]);
        await outside.run("nft", "delete", "table", "ip", "heard");
        for (const from of sources) await laptop.run("ip", "addr", "del", `${from}/32`, "dev", "lo");
        ip("route", "del", routed, "dev", "ppp0");
        end();
        await settled();
        expect(said.filter((line) => line.includes("failed"))).toEqual([]);
        close();
      });

    test("a strict reverse path filter is loosened where it would drop the peer's packets, and nowhere else", async () => {
      const { said, settled, start, end, close } = sharingScene({ nft: NFT });
      const { network } = thisMachine;
      network.writeSysctl("net/ipv4/conf/all/rp_filter", "1");
      network.writeSysctl("net/ipv4/conf/ppp0/rp_filter", "0");
      start();
      await settled();
      expect(parameter("ppp0/rp_filter")).toBe("0");
      // The kernel takes the MTU of that way for the peer's too.
      await networks.outside.run("nft", "flush ruleset");
      // By policy, this machine's own packets to the peer take another way.
      ip("rule", "add", "to", LAPTOP, "iif", "lo", "lookup", "99");
      ip("route", "add", "default", "via", OUTSIDE, "table", "99");
      start();
      await settled();
      expect(parameter("ppp0/rp_filter")).toBe("2");
      expect(said).toContain(`share: rp_filter of ppp0 is 2, because the route to ${LAPTOP} is another interface's`);
      expect(await call(networks.laptop, OUTSIDE)).toBe(SERVER_OUTSIDE);
      end();
      await settled();
      expect(["rp_filter", "route_localnet"].map((name) => parameter(`ppp0/${name}`))).toEqual(["0", "0"]);
      close();
    });
  },
);
