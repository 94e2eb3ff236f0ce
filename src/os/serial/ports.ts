// Lists this machine's serial ports from /sys/class/tty (no udev needed), for the message that a device does not exist.

import { readlinkSync, realpathSync } from "node:fs";
import { basename, dirname } from "node:path";
import { attribute, namesIn } from "../process/sysfs.ts";

export interface Port {
  /** "/dev/ttyUSB0" */
  readonly path: string;
  /** "ftdi_sio" */
  readonly driver: string;
  /** The product name of a USB adapter, such as "FTDI FT232R USB UART"; for other ports, the kind of port. */
  readonly description: string;
}

/** The UART type of a port that is in the driver's table but has no chip. */
const PORT_UNKNOWN = "0";

/** The serial ports sorted by name, numbers in numeric order. `sysfs` is for tests. */
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

/** The sentence with which a user is told of the serial ports of this machine. */
export function portsHere(): string {
  const here = serialPorts().map(({ path }) => path);
  return here.length === 0 ? "No serial ports here" : `Serial ports here: ${here.join(" ")}`;
}

/**
 * The product name of the USB device. The tty's device is a USB interface or a child of one, so the name is some levels
 * up.
 */
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
