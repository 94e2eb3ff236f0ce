// Sharing beside the rules of other programs, which drop what they do not know.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  missingPrograms,
  OUTSIDE,
  SERVER_OUTSIDE,
  call,
  threeNetworks,
  type ThreeNetworks,
} from "../kit/three-networks.ts";
import { noNetns } from "../kit/netns.ts";
import { PATIENCE_MS } from "../kit/patience.ts";
import {
  allRules,
  destinations,
  input,
  sharingScene,
  tool,
  withoutEmpty,
  IPTABLES,
  NFT,
} from "../kit/sharing-scene.ts";

setDefaultTimeout(5 * PATIENCE_MS);

const missing = noNetns ?? missingPrograms("ip", "socat", "nft", "iptables-nft", "iptables-legacy", "nsenter", "ss");

/** Docker's rules for its default bridge, as its documentation describes them: FORWARD drops what is not of a container. */
const DOCKER = `*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A FORWARD -i docker0 -o docker0 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
-A DOCKER-USER -j RETURN
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A DOCKER -i docker0 -j RETURN
COMMIT
`;

/** The last rule of the firewall that Red Hat's iptables-services installs. */
const REJECTING = `*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -j REJECT --reject-with icmp-host-prohibited
COMMIT
`;

/** A firewall that somebody has written by hand. */
const NATIVE = `table inet own {
  chain outer { ip saddr 10.9.0.0/24 counter reject; }
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state vmap { established : accept, related : accept, invalid : drop }
    iifname { "br0", "wg0" } oifname "eth0" accept
    tcp dport 25 drop
  }
}
`;

/** ufw works on copies of its files, because it changes them. */
const UFW = `set -e
for folder in /etc/ufw /lib/ufw; do
  copy=$(mktemp -d); cp -a $folder/. "$copy"
  mount -t tmpfs tmpfs $folder; cp -a "$copy"/. $folder; rm -rf "$copy"
done
ufw --force enable`;

describe.skipIf(missing !== undefined)(
  `beside other firewalls${missing === undefined ? "" : ` [skipped: ${missing}]`}`,
  () => {
    let networks: ThreeNetworks;
    beforeAll(async () => void (networks = await threeNetworks()));
    afterAll(() => networks?.close());

    const ufwMissing = missingPrograms("ufw");
    const FIREWALLS: readonly (readonly [name: string, load: () => void, chain: string, isMissing?: boolean])[] = [
      ["Docker by iptables-nft", () => input(DOCKER, "iptables-nft-restore"), "DOCKER-USER"],
      ["Docker by iptables-legacy", () => input(DOCKER, "iptables-legacy-restore"), "DOCKER-USER"],
      ["iptables-services", () => input(REJECTING, "iptables-nft-restore"), "FORWARD"],
      ["ufw", () => void tool("unshare", "--mount", "sh", "-c", UFW), "FORWARD", ufwMissing !== undefined],
    ];
    for (const [name, load, chain, isMissing = false] of FIREWALLS)
      test.skipIf(isMissing)(name, async () => {
        load();
        const before = allRules();
        const { said, settled, start, end, close } = sharingScene({ nft: NFT, iptables: IPTABLES });
        start();
        await settled();
        expect(await call(networks.laptop, OUTSIDE)).toBe(SERVER_OUTSIDE);
        expect(allRules()).toMatch(new RegExp(`-A ${chain} .*-j nullmodem-\\d+$`, "m"));
        end();
        await settled();
        expect(said.filter((line) => line.includes("failed"))).toEqual([]);
        expect(withoutEmpty(allRules())).toBe(withoutEmpty(before));
        close();
        for (const program of IPTABLES)
          input("*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n*nat\nCOMMIT\n", `${program}-restore`);
      });

    for (const [name, iptables] of [
      ["nft", undefined],
      ...IPTABLES.map((path) => [path.split("/").at(-1)!, path] as const),
    ] as const)
      test(`${name}: a firewall that starts later is told, and rules that somebody has removed are made again`, async () => {
        const tools = iptables === undefined ? { nft: NFT, iptables: IPTABLES } : { iptables: [iptables] };
        const { said, settled, start, end, renew, close } = sharingScene(tools);
        const renewals = (): number => said.filter((line) => line.includes("made again")).length;
        start();
        await settled();
        renew();
        await settled();
        expect(renewals()).toBe(0);
        input(DOCKER, `${iptables ?? "iptables-nft"}-restore`);
        renew();
        await settled();
        expect([renewals(), await call(networks.laptop, OUTSIDE)]).toEqual([1, SERVER_OUTSIDE]);
        if (iptables === undefined) tool("nft", "flush ruleset");
        else input("*filter\nCOMMIT\n*nat\nCOMMIT\n*mangle\nCOMMIT\n", `${iptables}-restore`);
        renew();
        await settled();
        expect([renewals(), await call(networks.laptop, OUTSIDE)]).toEqual([2, SERVER_OUTSIDE]);
        end();
        await settled();
        expect(said.filter((line) => line.includes("failed"))).toEqual([]);
        expect(allRules()).not.toContain("nullmodem");
        for (const program of IPTABLES)
          input("*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n*nat\nCOMMIT\n", `${program}-restore`);
        close();
      });

    test("a rule of nft that blocks is named, and the remedy helps", async () => {
      input(NATIVE, "nft", "-f", "-");
      const { said, settled, start, end, close } = sharingScene({ nft: NFT });
      const blocked = (): string[] => said.filter((line) => line.includes("drops"));
      start();
      await settled();
      expect(blocked()).toEqual([
        "share: a rule of another program drops the peer's packets: its policy of table inet own, chain forward; " +
          "as root: nft insert rule inet own forward iifname ppp0 accept",
      ]);
      tool("nft", 'add rule inet own forward jump outer comment "to the outside"');
      start();
      await settled();
      const [, rule = ""] = blocked();
      expect(rule).toContain(
        `"ip saddr 10.9.0.0/24 reject with icmp port-unreachable" of table inet own, chain outer; `,
      );
      tool("sh", "-c", rule.split("as root: ").at(-1)!);
      start();
      await settled();
      expect(blocked()).toHaveLength(2);
      expect(await call(networks.laptop, OUTSIDE)).toBe(SERVER_OUTSIDE);
      end();
      await settled();
      tool("nft", "delete table inet own");
      close();
    });

    test("limits of our own are no rules that block", async () => {
      const { said, settled, start, end, close } = sharingScene({ nft: NFT, iptables: IPTABLES });
      input(DOCKER, "iptables-nft-restore");
      start({ destinations: destinations(["192.0.2.0/24"], []), isLimited: true });
      await settled();
      expect(await call(networks.laptop, OUTSIDE)).toBe(SERVER_OUTSIDE);
      end();
      await settled();
      expect(said.filter((line) => line.includes("drops") || line.includes("failed"))).toEqual([]);
      close();
    });
  },
);
