// The machine's IPv6 prefix and the networks of its links.

import { expect, test } from "bun:test";
import { toHex } from "../../../src/bytes/text.ts";
import type { Machine } from "../../../src/run/machine.ts";
import { linkNetwork, ownPrefix } from "../../../src/run/share/own-prefix.ts";
import { filesOf, FileTree } from "../../simulation/files.ts";

const SYSTEM = "/var/lib/nullmodem-prefix";

function machineOf(tree: FileTree, environment: Record<string, string> = {}, hasLentRights = false): Machine {
  let drawn = 0x11223344;
  return {
    files: filesOf(tree, undefined as never),
    processes: { environment: () => environment },
    users: { hasLentRights: () => hasLentRights },
    random: { u32: () => (drawn += 0x10101010) },
  } as unknown as Machine;
}

test("a prefix is drawn once, and kept", () => {
  const tree = new FileTree();
  expect(toHex(ownPrefix(machineOf(tree)))).toBe("fd3243543142");
  expect(tree.text(SYSTEM)).toBe("fd32:4354:3142::/48\n");
  tree.put(SYSTEM, "fd00:0:7::/48\n");
  expect(toHex(ownPrefix(machineOf(tree)))).toBe("fd0000000007");
});

test.each(["", "fd00:0:7::/64", "fe80::/48", "2001:db8::/48", "10.0.0.0/8", "\0".repeat(64)])(
  "a file with %j is made anew",
  (text) => {
    const tree = new FileTree();
    tree.put(SYSTEM, text);
    expect(toHex(ownPrefix(machineOf(tree)))).toBe("fd3243543142");
    expect(tree.text(SYSTEM)).toBe("fd32:4354:3142::/48\n");
  },
);

test("a user's file, and none where nothing can be written", () => {
  const tree = new FileTree();
  const own = "/home/u/.local/state/nullmodem-prefix";
  tree.put(own, "fd00:0:8::/48\n");
  expect(toHex(ownPrefix(machineOf(tree, { HOME: "/home/u" })))).toBe("fd0000000008");
  tree.remove(own);
  tree.isFull = true;
  expect(toHex(ownPrefix(machineOf(tree, { HOME: "/home/u" })))).toBe("fd3243543142");
});

test("a set-user-id program reads and writes no file that its caller's environment names", () => {
  const tree = new FileTree();
  for (const environment of [{ HOME: "/home/u" }, { XDG_STATE_HOME: "/home/u/.local/state" }]) {
    tree.put("/home/u/.local/state/nullmodem-prefix", "fd00:0:8::/48\n");
    expect(toHex(ownPrefix(machineOf(tree, environment, true)))).toBe("fd3243543142");
  }
  expect(tree.text(SYSTEM)).toBe("fd32:4354:3142::/48\n");
});

test("each link has its own network", () => {
  const prefix = Uint8Array.of(0xfd, 1, 2, 3, 4, 5);
  const network = (ifname: string, line = ""): string => toHex(linkNetwork(prefix, ifname, line));
  expect(network("ppp0")).toBe("fd010203040500000000000000000000");
  expect(network("ppp300", "/dev/ttyS1")).toBe("fd0102030405012c0000000000000000");
  const others = [network("usernet0", "/dev/ttyS0"), network("usernet0", "/dev/ttyS1"), network("uplink")];
  expect(new Set(others).size).toBe(3);
  // They never meet those of numbered interfaces.
  for (const other of others) expect(other).toMatch(/^fd0102030405[89a-f]/);
});
