// What a link that shares must not carry, with real packets. The outside has a way to the laptop, so that it would answer what
// leaves without masquerade. nft and both kinds of iptables make the rules.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FirewallTools } from "../../src/run/host/firewall.ts";
import { ip, noNetns } from "../kit/netns.ts";
import { PATIENCE_MS, until } from "../kit/patience.ts";
import {
  call,
  LAPTOP,
  missingPrograms,
  OUTSIDE,
  type Place,
  SERVER_OUTSIDE,
  threeNetworks,
  type ThreeNetworks,
} from "../kit/three-networks.ts";
import { IPTABLES, NFT, sharingScene } from "../kit/sharing-scene.ts";

setDefaultTimeout(5 * PATIENCE_MS);

const missing =
  noNetns ?? missingPrograms("ip", "ping", "socat", "nft", "iptables-nft", "iptables-legacy", "nsenter", "ss");
/** The server's part of an active transfer of FTP: it says to the address that PORT names what it was told. */
const FTP_SERVER = `read -r user
echo "331 go on"
read -r command address
IFS=, read -r a b c d high low <<< "\${address%$'\\r'}"
echo "$command $a.$b.$c.$d" | socat - TCP:$a.$b.$c.$d:$((high * 256 + low)),connect-timeout=60
`;
const DATA_PORT = 20_021;
const PORT = `PORT ${[...LAPTOP.split("."), DATA_PORT >> 8, DATA_PORT & 0xff].join(",")}`;
/** The kernel looks at what follows a line. */
const FTP_CLIENT = `exec 3<>/dev/tcp/${OUTSIDE}/21
echo "USER anonymous" >&3
read -r answer <&3
printf '${PORT}\\r\\n' >&3
cat <&3`;

describe.skipIf(missing !== undefined)(
  `the guard of a link${missing === undefined ? "" : ` [skipped: ${missing}]`}`,
  () => {
    let networks: ThreeNetworks;
    const folder = mkdtempSync(join(tmpdir(), "nullmodem-guard-"));
    const script = join(folder, "ftp");
    writeFileSync(script, FTP_SERVER);

    beforeAll(async () => {
      networks = await threeNetworks();
      const { outside } = networks;
      ip("link", "set", "ppp0", "mtu", "1500");
      // The flow of a ping counts for longer than the test takes.
      const timeout = "/proc/sys/net/netfilter/nf_conntrack_icmp_timeout";
      if (existsSync(timeout)) writeFileSync(timeout, "600");
      await outside.run("ip", "route", "add", "10.9.0.0/24", "via", SERVER_OUTSIDE);
    });
    afterAll(async () => {
      await networks?.close();
      rmSync(folder, { recursive: true });
    });

    const WAYS: readonly (readonly [string, Partial<FirewallTools>])[] = [
      ["nft", { nft: NFT }],
      ["iptables-nft", { iptables: [IPTABLES[0]] }],
      ["iptables-legacy", { iptables: [IPTABLES[1]] }],
    ];

    /** What the server says to the laptop's port. */
    const activeFtp = async (): Promise<string> => {
      const { laptop, outside } = networks;
      const listens = (place: Place, port: number): Promise<void> =>
        until(`port ${port} is open`, async () => (await place.run("ss", "-Hltn", `sport = ${port}`)).output !== "");
      const server = outside.run("socat", "TCP-LISTEN:21,reuseaddr", `EXEC:bash ${script}`);
      const data = laptop.run("timeout", "60", "socat", "-u", `TCP-LISTEN:${DATA_PORT},reuseaddr`, "-");
      await Promise.all([listens(outside, 21), listens(laptop, DATA_PORT)]);
      const client = laptop.run("bash", "-c", FTP_CLIENT);
      const [{ output }] = await Promise.all([data, server, client]);
      return output.trim();
    };

    for (const [name, tools] of WAYS)
      test(name, async () => {
        const { laptop, outside } = networks;
        const { said, settled, start, end, close } = sharingScene(tools);

        void start({ from: undefined, forwards: [{ protocol: "tcp", address: undefined, port: 8080, toPort: 80 }] });
        await settled();
        expect(await call(laptop, OUTSIDE)).toBe("");
        expect(await call(outside, SERVER_OUTSIDE, 8080)).not.toBe("");

        void start();
        await settled();
        expect(await call(laptop, OUTSIDE)).toBe(SERVER_OUTSIDE);
        expect(await call(outside, LAPTOP, 80, 1)).toBe("");
        expect(await activeFtp()).toBe(`PORT ${SERVER_OUTSIDE}`);

        void start({ isReachable: true, mostFlows: 1 });
        await settled();
        expect(await call(outside, LAPTOP)).toBe(OUTSIDE);
        expect(await call(laptop, OUTSIDE)).toBe(SERVER_OUTSIDE);
        expect((await laptop.run("ping", "-c", "1", "-W", "60", OUTSIDE)).exitCode).toBe(0);
        expect(await call(laptop, OUTSIDE)).toBe("");

        end();
        await settled();
        expect(said.filter((line) => /failed|lacks/.test(line))).toEqual([]);
        close();
      });
  },
);
