// Which way packets go, for each machine and each wish, and the line that says so.

import { expect, test } from "bun:test";
import { linesOf } from "../../../src/run/diagnose/finding.ts";
import { Exit } from "../../../src/run/exit.ts";
import type { Machine } from "../../../src/run/machine.ts";
import {
  type Carrier,
  type CarrierFacts,
  type CarrierOptions,
  chooseCarrier as choose,
  provenCarrierOf,
} from "../../../src/run/packets/carrier.ts";
import { SimulatedError } from "../../simulation/errors.ts";

const ROOT: CarrierFacts = {
  isRoot: true,
  mayMakeInterfaces: true,
  tunError: undefined,
  mayForward: true,
  canMasquerade: true,
};
const USER: CarrierFacts = { ...ROOT, isRoot: false, mayMakeInterfaces: false, mayForward: false };
const MISSING = new SimulatedError("open", "/dev/net/tun", "ENOENT");
const NO_DRIVER = new SimulatedError("open", "/dev/net/tun", "ENODEV");
const CLOSED = new SimulatedError("open", "/dev/net/tun", "EACCES");
const NOTHING = { usernet: false, share: false, socks: undefined, demand: false };
const SHARE = { ...NOTHING, share: true };

const SOCKETS = "user-mode networking, the other machine's traffic goes through sockets of this process";
const CONTAINER = "(in a container: --device /dev/net/tun --cap-add NET_ADMIN)";

const chooseCarrier = (options: CarrierOptions, facts: CarrierFacts, name?: string): Carrier =>
  choose(options, () => facts, name);

function text(carrier: Carrier): string {
  const finding = carrier.way === "none" ? carrier.finding : carrier.way === "proxy" ? undefined : carrier.line;
  return `${carrier.way}: ${finding === undefined ? "" : linesOf(finding).join("\n")}`;
}

test.each<[what: string, facts: CarrierFacts, said: string]>([
  ["root", ROOT, "interface: The kernel forwards what the other machine sends; for user-mode networking, give usernet"],
  [
    "root without a TUN",
    { ...ROOT, tunError: MISSING },
    `sockets: No TUN here: ${SOCKETS}; for an interface, load the tun module (modprobe tun) ${CONTAINER}`,
  ],
  [
    "root without the driver",
    { ...ROOT, tunError: NO_DRIVER },
    `sockets: No TUN here: ${SOCKETS}; for an interface, load the tun module (modprobe tun) ${CONTAINER}`,
  ],
  [
    "root of a container without the capability",
    { ...ROOT, mayMakeInterfaces: false },
    `sockets: No right to make an interface: ${SOCKETS}; for an interface, give it CAP_NET_ADMIN ${CONTAINER}`,
  ],
  [
    "root whose kernel does not forward",
    { ...ROOT, mayForward: false },
    `sockets: This machine's kernel may not forward: ${SOCKETS}; for an interface, sysctl -w net.ipv4.ip_forward=1 (in a container: --sysctl net.ipv4.ip_forward=1)`,
  ],
  [
    "root without a program that masquerades",
    { ...ROOT, canMasquerade: false },
    `sockets: Neither nft nor iptables is here: ${SOCKETS}; for an interface, install nftables (or iptables)`,
  ],
  [
    "root whose kernel refuses to masquerade",
    { ...ROOT, refusesMasquerading: true },
    `sockets: This machine's kernel does not masquerade: ${SOCKETS}; for an interface, load its modules (modprobe nf_tables, nft_masq)`,
  ],
  ["a user", USER, `sockets: No right to make an interface: ${SOCKETS}; for an interface, run it as root ${CONTAINER}`],
  [
    "a user who may not open the TUN",
    { ...USER, tunError: CLOSED },
    `sockets: No right to the TUN: ${SOCKETS}; for an interface, run it as root ${CONTAINER}`,
  ],
  [
    "a user without a TUN",
    { ...USER, tunError: MISSING },
    `sockets: No TUN here: ${SOCKETS}; for an interface, run it as root and load the tun module (modprobe tun) ${CONTAINER}`,
  ],
  [
    "a user with the capability",
    { ...USER, mayMakeInterfaces: true, mayForward: true },
    "interface: The kernel forwards what the other machine sends; for user-mode networking, give usernet",
  ],
])("share: %s", (_what, facts, said) => {
  expect(text(chooseCarrier(SHARE, facts))).toBe(said);
});

test("serve shares by default, but keeps the interface that root can have", () => {
  const byDefault = { ...SHARE, sharesByDefault: true };
  for (const [facts, why] of [
    [{ ...ROOT, mayForward: false }, "This machine's kernel may not forward"],
    [{ ...ROOT, canMasquerade: false }, "Neither nft nor iptables is here"],
  ] as const)
    expect(text(chooseCarrier(byDefault, facts))).toStartWith(`interface: ${why}, so nothing is shared; `);
  expect(chooseCarrier(byDefault, { ...ROOT, tunError: MISSING }).way).toBe("sockets");
  expect(chooseCarrier(byDefault, USER).way).toBe("sockets");
});

test("usernet is taken at its word by everybody, with share or without", () => {
  for (const facts of [ROOT, USER, { ...ROOT, tunError: MISSING }])
    for (const options of [NOTHING, SHARE])
      expect(text(chooseCarrier({ ...options, usernet: true }, facts))).toBe(
        `sockets: usernet is given: ${SOCKETS}; for an interface, leave usernet out`,
      );
  const unasked = (): never => {
    throw new Error("the TUN device was opened");
  };
  for (const options of [
    { ...NOTHING, usernet: true },
    { ...NOTHING, socks: { address: "127.0.0.1", port: 1080 } },
  ])
    expect(() => choose(options, unasked)).not.toThrow();
});

test("without share and usernet: an interface without a word, or the error of pppd, which tells of usernet", () => {
  expect(text(chooseCarrier(NOTHING, ROOT))).toBe("interface: ");
  expect(text(chooseCarrier(NOTHING, { ...ROOT, mayForward: false }))).toBe("interface: ");
  // The kernel has the last word when the interface is made.
  expect(text(chooseCarrier(NOTHING, { ...ROOT, mayMakeInterfaces: false }))).toBe("interface: ");
  expect(text(chooseCarrier(NOTHING, { ...USER, mayMakeInterfaces: true }))).toBe("interface: ");
  const denied = chooseCarrier(NOTHING, USER, "pppd");
  expect(denied).toMatchObject({ exit: Exit.NOT_ROOT });
  expect(text(denied)).toMatch(
    /^none: must be root to run pppd, since it is not setuid-root\n[^]*sudo pppd …\n.*usernet$/,
  );
  const missing = chooseCarrier(NOTHING, { ...ROOT, tunError: MISSING });
  expect(missing).toMatchObject({ exit: Exit.NO_KERNEL });
  expect(text(missing)).toMatch(/^none: Couldn't open the \/dev\/net\/tun device: [^]*modprobe tun[^]*\n.*usernet/);
});

test("a proxy needs no way for packets", () => {
  expect(chooseCarrier({ ...NOTHING, socks: { address: "127.0.0.1", port: 1080 } }, USER)).toEqual({
    way: "proxy",
  });
});

test("demand needs an interface, also with share", () => {
  expect(chooseCarrier({ ...SHARE, demand: true }, ROOT).way).toBe("interface");
  expect(text(chooseCarrier({ ...SHARE, demand: true }, { ...ROOT, mayForward: false }))).toContain(
    "so nothing is shared",
  );
  expect(chooseCarrier({ ...SHARE, demand: true }, USER)).toMatchObject({ way: "none", exit: Exit.NOT_ROOT });
});

test("a link that does not share looks for no firewall", () => {
  const facts = {
    ...ROOT,
    get canMasquerade(): boolean {
      throw new Error("the programs were looked for");
    },
  };
  expect(text(chooseCarrier(NOTHING, facts))).toBe("interface: ");
  expect(() => chooseCarrier(SHARE, facts)).toThrow();
});

test("a kernel that refuses costs one look at the TUN", async () => {
  let looks = 0;
  const machine = {
    descriptors: { close: () => {} },
    files: { open: () => looks++ },
    network: {
      firewallTools: () => ({ nft: "/usr/sbin/nft", iptables: [], firewallCmd: undefined }),
      readSysctl: () => "1",
    },
    processes: { runTool: async () => ({ exitCode: 1, output: "", complaint: "Operation not supported" }) },
    users: { isRoot: () => true, mayMakeInterfaces: () => true },
  } as unknown as Machine;
  expect(text(await provenCarrierOf(machine, SHARE))).toStartWith("sockets: This machine's kernel does not masquerade");
  expect(looks).toBe(1);
});
