// Which way packets go: through an interface (a TUN), or through sockets of this process (user-mode networking). With `share`
// the interface is of use only if the kernel forwards between it and the others.

import type { Config } from "../../options/config.ts";
import { interfaceTrouble, openTrouble } from "../diagnose/tun-trouble.ts";
import type { Finding } from "../diagnose/finding.ts";
import { Exit } from "../exit.ts";
import { hasCode, type HostError, type Machine } from "../machine.ts";
import { kernelMasquerades } from "../share/masquerade-probe.ts";

export interface CarrierOptions extends Pick<Config, "usernet" | "share" | "socks" | "demand"> {
  /** `share` is a default: this machine may need the interface more than the other end needs to be shared with. */
  readonly sharesByDefault?: boolean | undefined;
  /** What is to be typed for `usernet`. */
  readonly usernetWord?: string | undefined;
}

export interface CarrierFacts {
  readonly isRoot: boolean;
  /** CAP_NET_ADMIN over this network namespace. */
  readonly mayMakeInterfaces: boolean;
  /** Why the TUN device cannot be opened. */
  readonly tunError: HostError | undefined;
  /** Forwarding between interfaces is on, or may be turned on. */
  readonly mayForward: boolean;
  /** A program is there that makes the kernel masquerade. */
  readonly canMasquerade: boolean;
  /** The kernel refuses what such a program asks for. */
  readonly refusesMasquerading?: boolean;
}

export type Carrier =
  /** `shares` says whether `share` is of use. */
  | { readonly way: "interface"; readonly shares: boolean; readonly line: Finding | undefined }
  | { readonly way: "sockets"; readonly line: Finding }
  /** A proxy for programs of this machine. */
  | { readonly way: "proxy" }
  /** No packet can be carried. */
  | { readonly way: "none"; readonly exit: Exit; readonly finding: Finding };

const IN_CONTAINER = "in a container: --device /dev/net/tun --cap-add NET_ADMIN";

/** Chooses the way of this machine. `name` is what the program was called by. */
export function carrierOf(machine: Machine, options: CarrierOptions, name?: string): Carrier {
  return chooseCarrier(options, () => carrierFacts(machine), name);
}

/** The same, after a question to the kernel where its masquerading is needed. */
export async function provenCarrierOf(machine: Machine, options: CarrierOptions): Promise<Carrier> {
  let known: CarrierFacts | undefined;
  const factsOf = (): CarrierFacts => (known ??= carrierFacts(machine));
  const carrier = chooseCarrier(options, factsOf);
  if (carrier.way !== "interface" || !carrier.shares || (await kernelMasquerades(machine))) return carrier;
  return chooseCarrier(options, () => ({ ...factsOf(), refusesMasquerading: true }));
}

/** Chooses the way. The facts are asked for only when they matter: opening the TUN device may load its driver. */
export function chooseCarrier(options: CarrierOptions, factsOf: () => CarrierFacts, name = "pppd"): Carrier {
  const { usernet, share, socks, demand, sharesByDefault = false, usernetWord = "usernet" } = options;
  if (socks !== undefined) return { way: "proxy" };
  if (usernet) return sockets("usernet is given", `for an interface, leave ${usernetWord} out`);
  const facts = factsOf();
  const trouble = interfaceTroubleOf(facts);
  const obstacle = share ? forwardingTroubleOf(facts) : undefined;
  if (share && !demand) {
    const reason = trouble ?? (sharesByDefault ? undefined : obstacle);
    if (reason !== undefined) return sockets(reason.why, `for an interface, ${reason.remedy}`);
  }
  const refusal = refusalOf(facts, name);
  if (refusal !== undefined) return { way: "none", ...refusal };
  return {
    way: "interface",
    shares: share && obstacle === undefined,
    line: share ? forwardingLine(obstacle, usernetWord) : undefined,
  };
}

/** Why something does not work, and what helps. */
interface Reason {
  readonly why: string;
  readonly remedy: string;
}

/** The code of the line that says which way it is. */
export const CARRIER = "carrier";

function forwardingLine(obstacle: Reason | undefined, usernetWord: string): Finding {
  const text =
    obstacle === undefined
      ? "The kernel forwards what the other machine sends"
      : `${obstacle.why}, so nothing is shared; ${obstacle.remedy}`;
  return { code: CARRIER, text, remedy: `for user-mode networking, give ${usernetWord}`, severity: "info" };
}

function sockets(why: string, remedy: string): Carrier {
  const text = `${why}: user-mode networking, the other machine's traffic goes through sockets of this process`;
  return { way: "sockets", line: { code: CARRIER, text, remedy, severity: "info" } };
}

/** Why there can be no interface. */
function interfaceTroubleOf({ isRoot, mayMakeInterfaces, tunError }: CarrierFacts): Reason | undefined {
  if (tunError === undefined && mayMakeInterfaces) return undefined;
  const isAbsent = tunError !== undefined && hasCode(tunError, "ENOENT", "ENODEV", "ENXIO");
  const steps = [
    ...(isRoot ? [] : ["run it as root"]),
    ...(isAbsent ? ["load the tun module (modprobe tun)"] : []),
    ...(isRoot && !isAbsent ? ["give it CAP_NET_ADMIN"] : []),
  ];
  const why = isAbsent
    ? "No TUN here"
    : tunError === undefined
      ? "No right to make an interface"
      : "No right to the TUN";
  return { why, remedy: `${steps.join(" and ")} (${IN_CONTAINER})` };
}

/** Why the kernel cannot share. */
function forwardingTroubleOf({ mayForward, canMasquerade, refusesMasquerading }: CarrierFacts): Reason | undefined {
  if (!mayForward)
    return {
      why: "This machine's kernel may not forward",
      remedy: "sysctl -w net.ipv4.ip_forward=1 (in a container: --sysctl net.ipv4.ip_forward=1)",
    };
  if (!canMasquerade) return { why: "Neither nft nor iptables is here", remedy: "install nftables (or iptables)" };
  if (refusesMasquerading !== true) return undefined;
  return {
    why: "This machine's kernel does not masquerade",
    remedy: "load its modules (modprobe nf_tables, nft_masq)",
  };
}

/** The error that ends the program. */
function refusalOf(
  { isRoot, mayMakeInterfaces, tunError }: CarrierFacts,
  name: string,
): { exit: Exit; finding: Finding } | undefined {
  if (!isRoot && !mayMakeInterfaces) {
    const text = `must be root to run ${name}, since it is not setuid-root`;
    const remedy = `
${name} must be run as root or with CAP_NET_ADMIN
try: sudo ${name} …
or without root and without an interface: ${name} … usernet`;
    return { exit: Exit.NOT_ROOT, finding: { code: "rights", text, remedy, severity: "error" } };
  }
  return tunError === undefined ? undefined : { exit: Exit.NO_KERNEL, finding: interfaceTrouble(tunError) };
}

function carrierFacts(machine: Machine): CarrierFacts {
  const { network, users } = machine;
  return {
    isRoot: users.isRoot(),
    mayMakeInterfaces: users.mayMakeInterfaces(),
    tunError: openTrouble(machine),
    // Only links that share ask for these two.
    get mayForward() {
      return network.readSysctl(FORWARDING) === "1" || network.mayWriteSysctl(FORWARDING);
    },
    get canMasquerade() {
      const tools = network.firewallTools(4);
      return tools.nft !== undefined || tools.iptables.length > 0 || tools.firewallCmd !== undefined;
    },
  };
}

const FORWARDING = "net/ipv4/ip_forward";
