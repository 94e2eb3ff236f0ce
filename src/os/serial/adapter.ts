// Identifies the USB adapter behind a serial port by its sysfs attributes, so that it is recognized under another tty
// name.

import { realpathSync } from "node:fs";
import { basename, dirname } from "node:path";
import { attribute, namesIn } from "../process/sysfs.ts";

export interface Adapter {
  /** idVendor and idProduct, "0403:6001". */
  readonly model: string;
  /** The serial number (iSerial). Not all adapters have one. */
  readonly serial: string | undefined;
  /** Where it is plugged in, such as "1-1.2": the bus and the ports of the hubs between. */
  readonly port: string;
  /** Tells apart the ports of one adapter: the USB interface, and the port within that interface. */
  readonly part: string;
}

/** How many levels above the tty the USB device can be. The tty's device is a USB interface or a child of one. */
const LEVELS_UP = 4;

/** The adapter behind a tty ("ttyUSB0"). Undefined when there is no such tty or it belongs to no USB adapter. */
export function adapterOf(tty: string, sysfs = "/sys"): Adapter | undefined {
  const device = real(`${sysfs}/class/tty/${tty}/device`);
  if (device === undefined) return undefined;
  const among = attribute(`${device}/port_number`) ?? "0";
  let part: string | undefined;
  for (let level = 0, at = device; level < LEVELS_UP; level++, at = dirname(at)) {
    part ??= attribute(`${at}/bInterfaceNumber`);
    const vendor = attribute(`${at}/idVendor`);
    const product = attribute(`${at}/idProduct`);
    if (vendor === undefined || product === undefined) continue;
    const model = `${vendor}:${product}`;
    return { model, serial: attribute(`${at}/serial`), port: basename(at), part: `${part ?? "00"}.${among}` };
  }
  return undefined;
}

/** True when both are the same adapter. An adapter with a serial number may have moved to another USB port. */
export function isSameAdapter(one: Adapter, other: Adapter): boolean {
  if (one.model !== other.model || one.part !== other.part || one.serial !== other.serial) return false;
  return one.serial !== undefined || one.port === other.port;
}

/** The tty that an adapter has now. Undefined when it is not there, or when several adapters match. */
export function ttyOfAdapter(adapter: Adapter, sysfs = "/sys"): string | undefined {
  const found: { tty: string; port: string }[] = [];
  for (const tty of namesIn(`${sysfs}/class/tty`)) {
    const other = adapterOf(tty, sysfs);
    if (other !== undefined && isSameAdapter(adapter, other)) found.push({ tty, port: other.port });
  }
  // Some makers give all their adapters the same serial number. Then the USB port decides.
  return found.length === 1 ? found[0]!.tty : found.find(({ port }) => port === adapter.port)?.tty;
}

function real(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
