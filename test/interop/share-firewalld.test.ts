// Sharing beside firewalld, which runs here in a mount namespace with a bus of its own.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { firewallTools } from "../../src/os/net/firewall-programs.ts";
import { noNetns } from "../kit/netns.ts";
import { PATIENCE_MS } from "../kit/patience.ts";
import {
  call,
  missingPrograms,
  OUTSIDE,
  SERVER_OUTSIDE,
  threeNetworks,
  type ThreeNetworks,
} from "../kit/three-networks.ts";
import { NFT, sharingScene, tool } from "../kit/sharing-scene.ts";

setDefaultTimeout(5 * PATIENCE_MS);

const missing = noNetns ?? missingPrograms("socat", "nft", "nsenter", "dbus-daemon", "firewalld", "firewall-cmd");

/** Says its process id when firewalld answers, and ends with its standard input. */
const DAEMONS = `set -e
PATH=$PATH:/usr/sbin
mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /var/log
mkdir -p /run/dbus /run/firewalld
dbus-daemon --system --nofork --nopidfile >/dev/null 2>&1 & bus=$!
while ! [ -S /run/dbus/system_bus_socket ]; do kill -0 $bus; sleep 0.05; done
firewalld --nofork --nopid >/dev/null 2>&1 & firewalld=$!
trap 'kill $firewalld $bus; wait' EXIT
while ! firewall-cmd --state >/dev/null 2>&1; do kill -0 $bus && kill -0 $firewalld; sleep 0.1; done
echo $$
read _ || :`;

describe.skipIf(missing !== undefined)(
  `beside firewalld${missing === undefined ? "" : ` [skipped: ${missing}]`}`,
  () => {
    let networks: ThreeNetworks | undefined;
    let daemons: Bun.Subprocess<"pipe", "pipe", "inherit"> | undefined;
    const folder = mkdtempSync(join(tmpdir(), "nullmodem-firewalld-"));
    const firewallCmd = join(folder, "firewall-cmd");

    beforeAll(async () => {
      networks = await threeNetworks();
      daemons = Bun.spawn(["unshare", "--mount", "sh", "-c", DAEMONS], { stdio: ["pipe", "pipe", "inherit"] });
      const { value } = await daemons.stdout.getReader().read();
      if (value === undefined) throw new Error("firewalld or its bus does not start here");
      const pid = Number(new TextDecoder().decode(value));
      writeFileSync(firewallCmd, `#!/bin/sh\nexec nsenter --mount=/proc/${pid}/ns/mnt firewall-cmd "$@"\n`);
      chmodSync(firewallCmd, 0o755);
    });
    afterAll(async () => {
      daemons?.stdin.end();
      await daemons?.exited;
      await networks?.close();
      rmSync(folder, { recursive: true });
    });

    const zoneOf = (ifname: string): string =>
      Bun.spawnSync([firewallCmd, `--get-zone-of-interface=${ifname}`])
        .stdout.toString()
        .trim();

    test("it is found while it runs", () => {
      expect(firewallTools(4).firewallCmd).toEndWith("firewall-cmd");
    });

    for (const [what, zone] of [
      ["in no zone that masquerades", "trusted"],
      ["in a zone that forwards only", "public"],
      ["in a zone that masquerades", "external"],
    ] as const)
      test(`the outer interface is ${what}`, async () => {
        if (zone !== "trusted") tool(firewallCmd, `--zone=${zone}`, "--change-interface=eth0");
        const { said, settled, start, end, renew, records, close } = sharingScene({ nft: NFT, firewallCmd });
        start();
        await settled();
        expect(zoneOf("ppp0")).toBe(zone);
        expect(await call(networks!.laptop, OUTSIDE)).toBe(SERVER_OUTSIDE);
        if (zone === "trusted") {
          tool(firewallCmd, "--reload");
          expect(zoneOf("ppp0")).toBe("");
          renew();
          await settled();
          expect(zoneOf("ppp0")).toBe(zone);
          expect(await call(networks!.laptop, OUTSIDE)).toBe(SERVER_OUTSIDE);
        }
        end();
        await settled();
        expect([zoneOf("ppp0"), records()]).toEqual(["", []]);
        expect(said.filter((line) => line.includes("failed"))).toEqual([]);
        close();
      });

    test("a zone that somebody has chosen stays, and the remedy for its rule helps", async () => {
      tool(firewallCmd, "--zone=work", "--add-interface=ppp0");
      const { said, settled, start, end, close } = sharingScene({ nft: NFT, firewallCmd });
      start();
      await settled();
      expect(zoneOf("ppp0")).toBe("work");
      const blocked = said.find((line) => line.includes("drops"))!;
      expect(blocked).toMatch(
        /"reject with icmpx (?:type )?admin-prohibited" of table inet firewalld, chain filter_FWD\w*_work;/,
      );
      const [program = "", ...words] = blocked.split("as root: ").at(-1)!.split(" ");
      expect(program).toBe("firewall-cmd");
      tool(firewallCmd, ...words);
      expect(await call(networks!.laptop, OUTSIDE)).toBe(SERVER_OUTSIDE);
      end();
      await settled();
      expect(zoneOf("ppp0")).toBe("trusted");
      close();
    });
  },
);
