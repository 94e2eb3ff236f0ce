// Kernel parameters that sessions switch over together. The first session switches, and the last one switches back. A record says how,
// for the others and for the case that all are killed.

import type { Network } from "../host/network.ts";
import type { Machine } from "../machine.ts";

type SwitchingMachine = Pick<Machine, "files" | "network" | "processes">;

/** A parameter that the kernel changes when another one is switched. */
interface Companion {
  readonly sysctl: string;
  readonly value: string;
  /** What the kernel makes of it when the other is switched on. */
  readonly meanwhile: string;
}

export interface SwitchRecord {
  readonly sysctl: string;
  readonly value: string;
  readonly meanwhile: string;
  /** Those that have another value than the kernel gives them when this one is switched off. */
  readonly also: readonly Companion[];
}

interface Switched {
  readonly isOn: boolean;
  readonly undo: () => void;
}

interface Change {
  /** Sessions that switch the same use the same name. */
  readonly name: string;
  readonly sysctl: string;
  readonly from: string;
  readonly to: string;
}

/** Switches a kernel parameter on. `undo` switches it off again, if it was off before and no other session needs it. */
export function switchOn(machine: SwitchingMachine, directory: string, sysctl: string): Switched {
  return switchOver(machine, directory, { name: sysctl.split("/").at(-1)!, sysctl, from: "0", to: "1" });
}

/** The same from one value to another. */
export function switchOver(machine: SwitchingMachine, directory: string, { name, sysctl, from, to }: Change): Switched {
  const { network, processes } = machine;
  const isSwitched = (): boolean => network.readSysctl(sysctl) !== from;
  // Another session may be about to switch it back. What is read is valid when that one is through.
  const { record, release } = processes.share(directory, name, () =>
    isSwitched() ? "" : recordOf({ sysctl, value: from, meanwhile: to, also: companionsOf(machine, sysctl) }),
  );
  const isOn = isSwitched() || network.writeSysctl(sysctl, to);
  if (record !== "") return { isOn, undo: () => release(() => void switchBack(network, parse(record))) };
  // The parameter was on before, so no session switches it off.
  release(() => {});
  return { isOn, undo: () => {} };
}

const recordOf = (switched: SwitchRecord): string => JSON.stringify(switched);
const parse = (record: string): SwitchRecord => JSON.parse(record) as SwitchRecord;

/** False: it stays, because somebody has changed it meanwhile, or because it cannot be written. */
export function switchBack(network: Network, { sysctl, value, meanwhile, also }: SwitchRecord): boolean {
  if (network.readSysctl(sysctl) !== meanwhile) return false;
  const untouched = also.filter((one) => network.readSysctl(one.sysctl) === one.meanwhile);
  if (!network.writeSysctl(sysctl, value)) return false;
  for (const one of untouched) network.writeSysctl(one.sysctl, one.value);
  return true;
}

/**
 * Forwarding is a parameter of each interface. The kernel sets them all, and that of interfaces to come, when the common one is
 * written, and for IPv4 it takes ICMP redirects from then on exactly if it does not forward.
 */
function companionsOf({ files, network }: SwitchingMachine, sysctl: string): Companion[] {
  const family = { "net/ipv4/ip_forward": "ipv4", "net/ipv6/conf/all/forwarding": "ipv6" }[sysctl];
  if (family === undefined) return [];
  const conf = `net/${family}/conf`;
  const companions: Companion[] = [];
  const add = (name: string, off: string, meanwhile: string): void => {
    const value = network.readSysctl(`${conf}/${name}`);
    if (value !== undefined && value !== off) companions.push({ sysctl: `${conf}/${name}`, value, meanwhile });
  };
  if (family === "ipv4") add("all/accept_redirects", "1", "0");
  for (const name of namesIn(files, conf)) if (name !== "all") add(`${name}/forwarding`, "0", "1");
  return companions;
}

/** The interfaces that have parameters, with "all" and "default". */
export function namesIn(files: Machine["files"], conf: string): string[] {
  try {
    return files.list(`/proc/sys/${conf}`);
  } catch {
    return [];
  }
}

/** As sysctl(8) has it: net.ipv6.conf.eth0.accept_ra. Dots of an interface's name become slashes. */
export function sysctlName(path: string): string {
  return path.replace(/[./]/g, (mark) => (mark === "." ? "/" : "."));
}
