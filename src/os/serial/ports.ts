// The serial ports this machine has, from /sys/class/tty (no udev needed): for messages about a device that is not there.

import { readlinkSync, realpathSync } from "node:fs";
import { basename, dirname } from "node:path";
import { attribute, namesIn } from "../process/sysfs.ts";

export interface Port {
  /** "/dev/ttyUSB0" */
  readonly path: string;
  /** "ftdi_sio" */
  readonly driver: string;
  /** What a USB adapter calls itself, "FTDI FT232R USB UART"; else what it is. */
  readonly description: string;
}

/** Of uart ports: the driver has a table entry, and no chip to go with it. */
const PORT_UNKNOWN = "0";

/** By name, numbers in their order. `sysfs` is for tests. */
export function serialPorts(sysfs = "/sys"): Port[] {
  const found = namesIn(`${sysfs}/class/tty`).flatMap((name) => {
    const entry = `${sysfs}/class/tty/${name}`;
    const driver = linkName(`${entry}/device/driver`);
    const chip = attribute(`${entry}/type`);
    if (driver === undefined || chip === PORT_UNKNOWN) return [];
    const description = usbProduct(`${entry}/device`) ?? (chip === undefined ? driver : "built-in UART");
    return [{ path: `/dev/${name}`, driver, description }];
  });
  return found.sort((a, b) => a.path.localeCompare(b.path, "en", { numeric: true }));
}

/** The port's device is an interface of the USB device, or a child of one: the names are a few levels up. */
function usbProduct(device: string): string | undefined {
  let at: string;
  try {
    at = realpathSync(device);
  } catch {
    return undefined;
  }
  for (let level = 0; level < 4; level++, at = dirname(at)) {
    const product = attribute(`${at}/product`);
    if (product === undefined) continue;
    const maker = attribute(`${at}/manufacturer`);
    return maker === undefined || product.startsWith(maker) ? product : `${maker} ${product}`;
  }
  return undefined;
}

function linkName(path: string): string | undefined {
  try {
    return basename(readlinkSync(path));
  } catch {
    return undefined;
  }
}
