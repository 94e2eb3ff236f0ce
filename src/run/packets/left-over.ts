// Records what a session changes on the machine beyond its own interface. If the session is killed, the next session or
// `nullmodem cleanup` undoes the changes.

import { LATENCY_MS } from "../diagnose/uart-trouble.ts";
import type { DefaultRoute, NetDevice } from "../host/interfaces.ts";
import type { Network } from "../host/network.ts";
import type { LogLevel } from "../log.ts";
import { hasCode, type Machine, reasonOf } from "../machine.ts";
import type { LeftSharing } from "../share/left-sharing.ts";
import { switchBack, type SwitchRecord, sysctlName } from "./switched-parameter.ts";

type UndoingMachine = Pick<Machine, "network" | "processes" | "serial">;

interface RouteRecord {
  readonly device: NetDevice;
  readonly gateway: number;
  readonly metric: number;
  readonly fixed: string;
  readonly attributes: readonly (readonly [type: number, value: string])[];
}

type LeftOver =
  | SwitchRecord
  | { readonly proxy: NetDevice; readonly address: string }
  | { readonly latencyOf: string; readonly milliseconds: number }
  /** The programs that undo these take a while. */
  | LeftSharing
  | { readonly routes: readonly RouteRecord[]; readonly table: number | undefined };

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const octets = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));
const record = (what: LeftOver): string => JSON.stringify(what);

export function proxyRecord({ index, name }: NetDevice, address: Uint8Array): string {
  return record({ proxy: { index, name }, address: hex(address) });
}

export function latencyRecord(path: string, milliseconds: number): string {
  return record({ latencyOf: path, milliseconds });
}

export function routesRecord(routes: readonly DefaultRoute[], table: number | undefined): string {
  const records = routes.map(({ device, gateway, metric, fixed, attributes }) => ({
    device,
    gateway,
    metric,
    fixed: hex(fixed),
    attributes: attributes.map(([type, value]) => [type, hex(value)] as const),
  }));
  return record({ routes: records, table });
}

export function rulesRecord(rules: { readonly family: 4 | 6; readonly index: number }): string {
  return record({ rules });
}

export function zoneRecord(zone: string, { index, name }: NetDevice): string {
  return record({ zone, member: { index, name } });
}

/** Undoes the changes of sessions that were killed. `wait` gets what takes a while. */
export function undoLeftOver(
  machine: UndoingMachine,
  directory: string,
  log: (level: LogLevel, text: string) => void,
  wait: (done: Promise<void>) => void,
): void {
  machine.processes.undoAbandoned(directory, (text) => {
    try {
      const what = JSON.parse(text) as LeftOver;
      if ("rules" in what || "zone" in what) wait(undoSlowly(machine, directory, what, log));
      else undo(machine, what, log);
    } catch (error) {
      log("warn", `what a killed pppd has left: ${error instanceof SyntaxError ? error.message : reasonOf(error)}`);
    }
  });
}

/** Never rejects. Until it is undone, the record is ours. What cannot be undone is left for the next one. */
async function undoSlowly(
  machine: UndoingMachine,
  directory: string,
  what: LeftSharing,
  log: (level: LogLevel, text: string) => void,
): Promise<void> {
  const { processes } = machine;
  const kind = "rules" in what ? `rules-${what.rules.index}-${what.rules.family}` : `zone-${what.member.index}`;
  const { release } = processes.share(directory, `left-${kind}-${processes.pid}`, () => record(what));
  const { undoSharing } = await import("../share/left-sharing.ts");
  if (await undoSharing(machine, what, log)) release(() => {});
}

function undo(
  { network, serial }: UndoingMachine,
  what: Exclude<LeftOver, LeftSharing>,
  log: (level: LogLevel, text: string) => void,
): void {
  if ("sysctl" in what) {
    if (!switchBack(network, what)) return;
    log("notice", `${sysctlName(what.sysctl)} is ${what.value} again, which a killed pppd had changed`);
  } else if ("proxy" in what) {
    if (!isThere(network, what.proxy)) return;
    network.interfaces.removeProxy(what.proxy, octets(what.address));
    log("notice", `Removed a proxy ARP entry of a killed pppd on ${what.proxy.name}`);
  } else if ("latencyOf" in what) {
    const { latencyOf: path, milliseconds } = what;
    // An adapter that was plugged in since has its own value, and another one may have the name.
    if (serial.latencyOf(path) !== LATENCY_MS || !serial.setLatency(path, milliseconds)) return;
    log("notice", `The latency timer of ${path} is ${milliseconds} ms again, which a killed pppd had changed`);
  } else for (const route of what.routes.toReversed()) putBack(network, route, what.table, log);
}

/** Puts the route in front of others, or behind the route of another session that is there by now. */
function putBack(
  network: Network,
  { device, gateway, metric, fixed, attributes }: RouteRecord,
  table: number | undefined,
  log: (level: LogLevel, text: string) => void,
): void {
  if (!isThere(network, device)) return;
  const behind = network.routes.defaults(table).some((route) => route.metric === metric);
  const said = attributes.map(([type, value]) => [type, octets(value)] as const);
  try {
    network.routes.putBack({ device, gateway, metric, fixed: octets(fixed), attributes: said }, behind);
    log("notice", `The default route through ${device.name} is back, which a killed pppd had replaced`);
  } catch (error) {
    // The interface has gone down meanwhile. The route would be lost in any case.
    if (!hasCode(error, "ENETDOWN", "ENODEV")) throw error;
  }
}

/** By now the index may belong to another interface, and so may the name, but hardly both to the same one. */
function isThere({ interfaces }: Network, { index, name }: NetDevice): boolean {
  return name !== "" && interfaces.find(name)?.index === index;
}
