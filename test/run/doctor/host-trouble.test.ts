// The findings about the machine and the port's chip, each from a host in which exactly this fault is.

import { expect, test } from "bun:test";
import { thisMachine } from "../../../src/applets/this-machine.ts";
import { linesOf } from "../../../src/run/diagnose/finding.ts";
import { uartTrouble } from "../../../src/run/diagnose/uart-trouble.ts";
import { portUseTrouble, tunAndRightsTrouble } from "../../../src/run/doctor/host-trouble.ts";
import type { Opener } from "../../../src/run/host/serial.ts";
import { SimulatedError } from "../../simulation/errors.ts";

interface Host {
  readonly tun?: "ENOENT" | "EACCES";
  readonly isRoot?: boolean;
  readonly openers?: readonly Opener[];
  readonly latency?: number;
  readonly isWritable?: boolean;
}

function hostOf({ tun, isRoot = true, openers = [], latency, isWritable = true }: Host) {
  const { descriptors, files, serial, users } = thisMachine;
  const open = (path: string): number => {
    if (tun !== undefined) throw new SimulatedError("open", path, tun);
    return -1;
  };
  return {
    descriptors: { ...descriptors, close: () => {} },
    files: { ...files, open },
    users: { ...users, mayMakeInterfaces: () => isRoot },
    serial: { ...serial, openersOf: () => [...openers], latencyOf: () => latency, setLatency: () => isWritable },
  };
}

function codesOf(host: Host): string[] {
  const machine = hostOf(host);
  return [...tunAndRightsTrouble(machine), ...portUseTrouble(machine, "/dev/ttyUSB0")].map(({ code }) => code);
}

const GETTY = { pid: 7, name: "agetty" };

test("a healthy machine shows no finding, and each fault shows its own", () => {
  expect(codesOf({})).toEqual([]);
  expect(codesOf({ latency: 1, isWritable: false })).toEqual([]);
  expect(codesOf({ latency: 16 })).toEqual([]);
  expect(codesOf({ tun: "ENOENT" })).toEqual(["tun"]);
  expect(codesOf({ isRoot: false })).toEqual(["rights"]);
  expect(codesOf({ openers: [GETTY] })).toEqual(["port-shared"]);
  expect(codesOf({ latency: 16, isWritable: false })).toEqual(["latency-timer"]);
});

test.each<readonly [Opener, string]>([
  [GETTY, "; its line in /etc/inittab must go, then telinit q ends it"],
  [{ ...GETTY, unit: "serial-getty@ttyUSB0.service" }, "; systemctl mask --now serial-getty@ttyUSB0.service ends it"],
  [{ pid: 7, name: "gpsd", unit: "gpsd.service" }, "; systemctl stop gpsd.service ends it"],
  [{ pid: 7, name: "minicom" }, ""],
  [
    { pid: 7, name: "ModemManager" },
    '; systemctl mask --now ModemManager.service ends it, or a udev rule with ENV{ID_MM_DEVICE_IGNORE}="1" keeps it off',
  ],
])("another program at the port, and the command that ends it: %o", (opener, remedy) => {
  expect(portUseTrouble(hostOf({ openers: [opener] }), "/dev/ttyUSB0").flatMap(linesOf)).toEqual([
    `/dev/ttyUSB0 is also open in ${opener.name} (pid 7)${remedy}`,
  ]);
});

test("a chip without a FIFO is a finding; a driver that names no chip, as for USB, is none", () => {
  const says = (type: string | undefined): string[] =>
    uartTrouble("/dev/ttyS2", { type, fifo: 1, base: 115200 }).map(({ code }) => code);
  expect([says("16450"), says("8250"), says("16550A"), says(undefined)]).toEqual([["no-fifo"], ["no-fifo"], [], []]);
  expect(uartTrouble("/dev/ttyUSB0", undefined)).toEqual([]);
});
