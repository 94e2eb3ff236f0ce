// KernelSharing on this machine's kernel, in a namespace of three-networks.ts, for the tests beside this file.

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { thisMachine } from "../../src/applets/this-machine.ts";
import { parsePrefix } from "../../src/bytes/prefix.ts";
import type { FirewallTools } from "../../src/run/host/firewall.ts";
import { KernelSharing } from "../../src/run/share/kernel-sharing.ts";
import type { Sharing } from "../../src/run/share/sharing.ts";
import { Destinations } from "../../src/stack/destinations.ts";
import { LAPTOP, SERVER } from "./three-networks.ts";

const PATH = `${process.env["PATH"]}:/usr/sbin:/sbin`;
const path = (program: string): string => Bun.which(program, { PATH }) ?? program;
export const NFT = path("nft");
export const IPTABLES = [path("iptables-nft"), path("iptables-legacy")] as const;

export function destinations(allowed: readonly string[], denied: readonly string[]): Sharing["destinations"] {
  const [allow, deny] = [allowed, denied].map((texts) => texts.map((text) => parsePrefix(text)!));
  return new Destinations(allow!, deny!).rules(4);
}

/** Runs a tool to its end with this on its standard input, and returns its output. */
export function input(text: string, ...argv: readonly string[]): string {
  const { stdout, stderr, exitCode } = Bun.spawnSync([path(argv[0]!), ...argv.slice(1)], {
    env: { PATH },
    stdin: Buffer.from(text),
  });
  if (exitCode !== 0) throw new Error(`${argv.join(" ")}: ${stderr.toString()}`);
  return stdout.toString();
}

export function tool(...argv: readonly string[]): string {
  return input("", ...argv);
}

/** All rules of all kinds without their counters. */
export function allRules(): string {
  return [["nft", "list", "ruleset"], ["iptables-nft-save"], ["iptables-legacy-save"]]
    .map((argv) =>
      tool(...argv)
        .replace(/^#.*\n/gm, "")
        .replace(/\[\d+:\d+\]|counter packets \d+ bytes \d+/g, ""),
    )
    .join("");
}

/** The kinds of iptables make their built-in tables and chains when they are first used, and keep them. */
export function withoutEmpty(rules: string): string {
  return rules
    .replace(/^\*\w+\n(?::\w+ ACCEPT *\n)*COMMIT\n/gm, "")
    .replace(/^\tchain \w+ \{\n\t\ttype \w+ hook \w+ priority [\w -]+; policy accept;\n\t\}\n\n?/gm, "")
    .replace(/^table ip \w+ \{\n\}\n/gm, "");
}

export function sharingScene(tools: Partial<FirewallTools>) {
  const folder = mkdtempSync(join(tmpdir(), "nullmodem-share-"));
  const said: string[] = [];
  const waits: Promise<unknown>[] = [];
  const network = {
    ...thisMachine.network,
    firewallTools: (): FirewallTools => ({ nft: undefined, iptables: [], firewallCmd: undefined, ...tools }),
  };
  const sharing = new KernelSharing({
    machine: { ...thisMachine, network },
    directory: folder,
    log: (_, text) => void said.push(text),
    wait: (done) => void waits.push(done),
    lost: () => void said.push("lost"),
  });
  const base: Sharing = {
    family: 4,
    ifname: "ppp0",
    index: network.interfaces.find("ppp0")!.index,
    our: SERVER,
    peer: LAPTOP,
    from: LAPTOP,
    isReachable: false,
    mostFlows: 8192,
    destinations: destinations([], []),
    isLimited: false,
    isOwnOpen: true,
    loopback: false,
    forwards: [],
  };
  return {
    /** The log. */
    said,
    settled: async () => {
      while (waits.length > 0) await Promise.all(waits.splice(0));
    },
    start: (changes: Partial<Sharing> = {}) => sharing.start({ ...base, ...changes }),
    /** Ends it. Nothing is recorded any more then. */
    end: (family: 4 | 6 = 4) => sharing.end(family),
    /** It is time to look after the rules. */
    renew: () => sharing.renew(),
    records: () => readdirSync(folder),
    close: () => rmSync(folder, { recursive: true }),
  };
}
