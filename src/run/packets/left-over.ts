// What a session changes of the machine beyond its own interface, written down so that somebody else can undo it: the next
// session, or `nullmodem cleanup`, when this one was killed.

import { hasCode, reasonOf } from "../../os/ffi/libc.ts";
import type { LogLevel } from "../log.ts";
import { type Device, findInterface } from "../../os/net/netif.ts";
import { removeProxy } from "../../os/net/proxy-arp.ts";
import { type DefaultRoute, defaultRoutes, returnRoute } from "../../os/net/route.ts";
import { share, undoAbandoned } from "../../os/process/share.ts";
import { readSysctl, writeSysctl } from "../../os/net/sysctl.ts";

interface RouteRecord {
  readonly device: Device;
  readonly gateway: number;
  readonly metric: number;
  readonly fixed: string;
  readonly attributes: readonly (readonly [type: number, value: string])[];
}

type LeftOver =
  | { readonly sysctl: string; readonly value: string }
  | { readonly proxy: Device; readonly address: string }
  | { readonly routes: readonly RouteRecord[]; readonly table: number | undefined };

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const octets = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));
const record = (what: LeftOver): string => JSON.stringify(what);

/** Switches a kernel parameter on. What is returned switches it off again, when it was off and nobody else wants it. */
export function switchOn(directory: string, sysctl: string): { isOn: boolean; undo: () => void } {
  const isOn = readSysctl(sysctl) !== "0";
  const switched = record({ sysctl, value: "0" });
  const { isFirst, leftOver, release } = share(directory, sysctl.split("/").at(-1)!, isOn ? "" : switched);
  // What was on before is not ours to switch off.
  if (isFirst && isOn && leftOver === "") {
    release(() => {});
    return { isOn, undo: () => {} };
  }
  return { isOn: isOn || writeSysctl(sysctl, "1"), undo: () => release(() => void writeSysctl(sysctl, "0")) };
}

export function proxyRecord({ index, name }: Device, address: Uint8Array): string {
  return record({ proxy: { index, name }, address: hex(address) });
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

/** Takes back what sessions that were killed have left. */
export function undoLeftOver(directory: string, log: (level: LogLevel, text: string) => void): void {
  undoAbandoned(directory, (text) => {
    try {
      undo(JSON.parse(text) as LeftOver, log);
    } catch (error) {
      log("warn", `what a killed pppd has left: ${error instanceof SyntaxError ? error.message : reasonOf(error)}`);
    }
  });
}

function undo(what: LeftOver, log: (level: LogLevel, text: string) => void): void {
  if ("sysctl" in what) {
    if (readSysctl(what.sysctl) === what.value || !writeSysctl(what.sysctl, what.value)) return;
    log("notice", `${what.sysctl.split("/").at(-1)} is ${what.value} again, which a killed pppd had changed`);
  } else if ("proxy" in what) {
    if (!isThere(what.proxy)) return;
    removeProxy(what.proxy, octets(what.address));
    log("notice", `Removed a proxy ARP entry of a killed pppd on ${what.proxy.name}`);
  } else for (const route of what.routes.toReversed()) returnTo(route, what.table, log);
}

/** In front of others or, where another session has its own by now, behind it. */
function returnTo(
  { device, gateway, metric, fixed, attributes }: RouteRecord,
  table: number | undefined,
  log: (level: LogLevel, text: string) => void,
): void {
  if (!isThere(device)) return;
  const behind = defaultRoutes(table).some((route) => route.metric === metric);
  const said = attributes.map(([type, value]) => [type, octets(value)] as const);
  try {
    returnRoute({ device, gateway, metric, fixed: octets(fixed), attributes: said }, behind);
    log("notice", `The default route through ${device.name} is back, which a killed pppd had replaced`);
  } catch (error) {
    // An interface that went down meanwhile would have lost it.
    if (!hasCode(error, "ENETDOWN", "ENODEV")) throw error;
  }
}

/** An index may be another's by now, and so may a name; hardly both. */
function isThere({ index, name }: Device): boolean {
  return name !== "" && findInterface(name)?.index === index;
}
