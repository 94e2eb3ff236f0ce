import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serialPorts } from "../../../src/os/serial/ports.ts";

let sysfs = "";
beforeEach(() => {
  sysfs = mkdtempSync(join(tmpdir(), "nullmodem-sysfs-"));
  mkdirSync(join(sysfs, "class/tty"), { recursive: true });
});
afterEach(() => rmSync(sysfs, { recursive: true }));

/** A tty as the kernel shows it: a link into devices/. */
function tty(name: string, device: string | undefined, driver?: string, type?: string): void {
  const at = join(sysfs, "devices", device ?? "virtual", "tty", name);
  mkdirSync(at, { recursive: true });
  symlinkSync(at, join(sysfs, "class/tty", name));
  if (type !== undefined) writeFileSync(join(at, "type"), `${type}\n`);
  if (device === undefined) return;
  symlinkSync(join(sysfs, "devices", device), join(at, "device"));
  const link = join(sysfs, "devices", device, "driver");
  if (driver !== undefined && !existsSync(link)) symlinkSync(`/drivers/${driver}`, link);
}

test("the existing ports in the order of their numbers, and nothing else", () => {
  tty("console", undefined);
  tty("tty1", undefined);
  tty("ttyS0", "pnp/uart", "serial", "4");
  tty("ttyS1", "platform/serial8250", "serial8250", "0");
  tty("ttyAMA0", "platform/3f201000.serial", "uart-pl011", "32");
  tty("ttyUSB10", "usb1/1-2/1-2:1.0/ttyUSB10", "cp210x");
  tty("ttyUSB9", "usb1/1-1/1-1:1.0/ttyUSB9", "ftdi_sio");
  writeFileSync(join(sysfs, "devices/usb1/1-1/product"), "FT232R USB UART\n");
  writeFileSync(join(sysfs, "devices/usb1/1-1/manufacturer"), "FTDI\n");
  writeFileSync(join(sysfs, "devices/usb1/1-2/product"), "CP2102 \x1b[31mUSB\n");
  expect(serialPorts(sysfs)).toEqual([
    { path: "/dev/ttyAMA0", driver: "uart-pl011", description: "built-in UART" },
    { path: "/dev/ttyS0", driver: "serial", description: "built-in UART" },
    { path: "/dev/ttyUSB9", driver: "ftdi_sio", description: "FTDI FT232R USB UART" },
    { path: "/dev/ttyUSB10", driver: "cp210x", description: "CP2102 [31mUSB" },
  ]);
});

test("no sysfs, no ports", () => expect(serialPorts(join(sysfs, "none"))).toEqual([]));

test("those of this machine have a device node", () => {
  for (const { path } of serialPorts()) expect(existsSync(path)).toBe(true);
});
