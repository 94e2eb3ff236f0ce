// A tree like /sys for USB serial adapters that come and go.

import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

export interface Plugged {
  readonly tty: string;
  /** "1-1.2" */
  readonly port: string;
  /** "0403:6001" */
  readonly model?: string;
  readonly serial?: string;
  readonly interfaceNumber?: string;
}

export class Sysfs {
  readonly folder: string;

  /** Below `folder` are class/tty and devices. */
  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(join(folder, "class/tty"), { recursive: true });
  }

  plug({ tty, port, model = "0403:6001", serial, interfaceNumber = "00" }: Plugged): void {
    const usb = join(this.folder, "devices/usb1", port);
    const [vendor, product] = model.split(":");
    const face = join(usb, `${port}:1.${Number(interfaceNumber)}`);
    const files: Record<string, string | undefined> = {
      [join(usb, "idVendor")]: vendor,
      [join(usb, "idProduct")]: product,
      [join(usb, "serial")]: serial,
      [join(face, "bInterfaceNumber")]: interfaceNumber,
      [join(face, tty, "port_number")]: "0",
    };
    for (const [path, text] of Object.entries(files)) {
      if (text === undefined) continue;
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, `${text}\n`);
    }
    const entry = join(face, tty, "tty", tty);
    mkdirSync(entry, { recursive: true });
    symlinkSync("../..", join(entry, "device"));
    symlinkSync(entry, join(this.folder, "class/tty", tty));
  }

  unplug(tty: string, port: string): void {
    rmSync(join(this.folder, "class/tty", tty));
    rmSync(join(this.folder, "devices/usb1", port), { recursive: true });
  }
}
