// Which USB adapter a serial port is, by what sysfs says of it, so that it is known again under another name.

import { realpathSync } from "node:fs";
import { basename, dirname } from "node:path";
import { attribute, namesIn } from "../process/sysfs.ts";

export interface Adapter {
  /** idVendor and idProduct, "0403:6001". */
  readonly model: string;
  /** iSerial, which not all have. */
  readonly serial: string | undefined;
  /** Where it is plugged in, "1-1.2": bus, and the ports of the hubs on the way. */
  readonly port: string;
  /** Which of the adapter's own ports: of the interface, and among those of the interface. */
  readonly part: string;
}

/** The port's device is an interface of the USB device, or a child of one. */
const LEVELS_UP = 4;

/** The adapter behind a tty ("ttyUSB0"); undefined: there is no such tty, or it is no USB adapter's. */
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

/** Is what was `one` then `other` now? One with a serial number may have been plugged in elsewhere. */
export function isSameAdapter(one: Adapter, other: Adapter): boolean {
  if (one.model !== other.model || one.part !== other.part || one.serial !== other.serial) return false;
  return one.serial !== undefined || one.port === other.port;
}

/** The tty an adapter is now; undefined: it is not there, or several say that they are it. */
export function ttyOfAdapter(adapter: Adapter, sysfs = "/sys"): string | undefined {
  const found: { tty: string; port: string }[] = [];
  for (const tty of namesIn(`${sysfs}/class/tty`)) {
    const other = adapterOf(tty, sysfs);
    if (other !== undefined && isSameAdapter(adapter, other)) found.push({ tty, port: other.port });
  }
  // Makers who give all their adapters one serial number: then the place decides.
  return found.length === 1 ? found[0]!.tty : found.find(({ port }) => port === adapter.port)?.tty;
}

function real(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
