// IPv6 by the kernel's forwarding, with real packets: the outside knows no way to the network of the link.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { thisMachine } from "../../src/applets/this-machine.ts";
import { parsePrefix } from "../../src/bytes/prefix.ts";
import type { FirewallTools } from "../../src/run/host/firewall.ts";
import { Destinations } from "../../src/stack/destinations.ts";
import { ip, noNetns } from "../kit/netns.ts";
import { PATIENCE_MS } from "../kit/patience.ts";
import { missingPrograms, threeNetworks, type ThreeNetworks } from "../kit/three-networks.ts";
import { NFT, sharingScene, tool } from "../kit/sharing-scene.ts";

setDefaultTimeout(5 * PATIENCE_MS);

const missing = noNetns ?? missingPrograms("ip", "socat", "nft", "ip6tables-nft", "ip6tables-legacy", "ss", "ping");
const [OUR, PEER, NETWORK] = ["fd01:2:3::1", "fd01:2:3::2", "fd01:2:3::/64"];
const [SERVER_OUTSIDE, OUTSIDE, CLOSED] = ["2001:db8:1::1", "2001:db8:1::2", "2001:db8:1::3"];
/** An address of the laptop that is none of the link's. The outside has a way back to it. */
const FALSE = "2001:db8:2::9";
const CONF = "net/ipv6/conf";

const rulesOf = (closed: readonly string[]) =>
  new Destinations(
    [],
    closed.map((text) => parsePrefix(text)!),
  ).rules(16);

/** All IPv6 rules. */
function rules(): string {
  return `${tool("nft", "list", "tables", "ip6")}${tool("ip6tables-legacy-save")}`
    .split("\n")
    .filter((line) => line.includes("nullmodem"))
    .join("\n");
}

const SETTINGS = ["all/forwarding", "default/accept_ra", "eth0/accept_ra", "ppp0/accept_ra"];
const settings = (): object =>
  Object.fromEntries(SETTINGS.map((name) => [name, thisMachine.network.readSysctl(`${CONF}/${name}`)]));

describe.skipIf(missing !== undefined)(`NAT66${missing === undefined ? "" : ` [skipped: ${missing}]`}`, () => {
  let networks: ThreeNetworks;

  beforeAll(async () => {
    networks = await threeNetworks();
    const { laptop, outside } = networks;
    ip("link", "set", "ppp0", "mtu", "1500");
    ip("addr", "add", `${OUR}/64`, "dev", "ppp0", "nodad");
    ip("addr", "add", `${SERVER_OUTSIDE}/64`, "dev", "eth0", "nodad");
    await laptop.run("ip", "addr", "add", `${PEER}/64`, "dev", "wire", "nodad");
    await laptop.run("ip", "-6", "route", "add", "default", "via", OUR);
    await laptop.run("ip", "addr", "add", `${FALSE}/128`, "dev", "lo", "nodad");
    await outside.run(
      "nft",
      `add table ip6 seen; add chain ip6 seen in { type filter hook input priority 0; }; add rule ip6 seen in ip6 saddr ${FALSE} counter`,
    );
    for (const address of [OUTSIDE, CLOSED])
      await outside.run("ip", "addr", "add", `${address}/64`, "dev", "wire", "nodad");
    for (const network of ["2001:db8:2::/64", NETWORK])
      await outside.run("ip", "-6", "route", "add", network, "via", SERVER_OUTSIDE);
  });
  afterAll(() => networks?.close());

  const reached = async (address: string, seconds: number): Promise<boolean> =>
    (await networks.laptop.run("ping", "-6", "-c", "1", "-w", String(seconds), address)).exitCode === 0;

  const WAYS: readonly (readonly [string, Partial<FirewallTools>])[] = [
    ["nft", { nft: NFT }],
    ["ip6tables-nft", { iptables: [Bun.which("ip6tables-nft", { PATH: "/usr/sbin:/sbin" })!] }],
    ["ip6tables-legacy", { iptables: [Bun.which("ip6tables-legacy", { PATH: "/usr/sbin:/sbin" })!] }],
  ];

  for (const [name, tools] of WAYS)
    test(`${name}: masquerade, limits and accept_ra, and nothing is left`, async () => {
      const { said, settled, start, end, records, close } = sharingScene(tools);
      const { laptop, outside } = networks;
      const ipv6 = { family: 6, our: OUR, peer: PEER, from: NETWORK } as const;
      void start({ ...ipv6, destinations: rulesOf([`${CLOSED}/128`]), isLimited: true });
      await settled();
      expect(said.filter((line) => /failed|lacks/.test(line))).toEqual([]);
      // The peer is no router of ours.
      expect(settings()).toEqual({
        "all/forwarding": "1",
        "default/accept_ra": "2",
        "eth0/accept_ra": "2",
        "ppp0/accept_ra": "0",
      });
      expect(await reached(OUTSIDE, 60)).toBe(true);
      // An answer comes at once: it is forbidden.
      expect(await reached(CLOSED, 60)).toBe(false);
      // The laptop is not reached either, unless it calls. What has a false source goes nowhere.
      expect((await outside.run("ping", "-6", "-c", "1", "-w", "1", PEER)).exitCode).not.toBe(0);
      await laptop.run("ping", "-6", "-c", "1", "-w", "1", "-I", FALSE, OUTSIDE);
      expect((await outside.run("nft", "list", "table", "ip6", "seen")).output).toContain("packets 0 ");
      end(6);
      await settled();
      expect(settings()).toMatchObject({ "all/forwarding": "0", "default/accept_ra": "1", "eth0/accept_ra": "1" });
      expect([rules(), records()]).toEqual(["", []]);
      close();
    });
});
