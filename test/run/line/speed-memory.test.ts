// What is remembered of the speeds of ports, where it is kept, and what damaged files do.

import { expect, test } from "bun:test";
import { SpeedMemory } from "../../../src/run/line/speed-memory.ts";

const SYSTEM = "/var/lib/nullmodem-speeds";
const OWN = "/home/zaphod/.local/state/nullmodem-speeds";

/** A machine with these files, some of whose folders cannot be written. */
function machine(closed: readonly string[] = [], env: Record<string, string> = { HOME: "/home/zaphod" }) {
  const files = new Map<string, string>();
  const adapters: Record<string, object> = {
    ttyUSB0: { model: "0403:6001", serial: "A 1", port: "1-1", part: "00.0" },
    ttyUSB1: { model: "1a86:7523", serial: undefined, port: "1-2", part: "00.0" },
  };
  const host = {
    files: {
      makeFolder: () => {},
      readHead(path: string, most: number) {
        if (!files.has(path)) throw new Error("ENOENT");
        return Buffer.from(files.get(path)!).subarray(0, most);
      },
      replace(path: string, bytes: Uint8Array) {
        if (closed.includes(path)) throw new Error("EACCES");
        files.set(path, Buffer.from(bytes).toString());
      },
    },
    serial: { adapterOf: (tty: string) => adapters[tty] },
    processes: { environment: () => env },
    users: { hasLentRights: () => false },
  };
  return { files, of: (path: string) => new SpeedMemory(host as never, path) };
}

test("an adapter is known by its number or its place, any other port by its path, and a pty not at all", () => {
  const { files, of } = machine();
  for (const [path, speed] of [
    ["/dev/ttyUSB0", 9600],
    ["/dev/ttyUSB1", 19200],
    ["/dev/ttyS0", 57600],
    ["/dev/pts/3", 1200],
  ] as const)
    of(path).remember(speed);
  expect(files.get(SYSTEM)!.split("\n")).toEqual([
    "usb%2F0403%3A6001%2FA%201%2F00.0 9600",
    "usb%2F1a86%3A7523%2Fat-1-2%2F00.0 19200",
    "%2Fdev%2FttyS0 57600",
    "",
  ]);
  of("/dev/ttyUSB0").remember(115200);
  expect(["/dev/ttyUSB0", "/dev/ttyUSB1", "/dev/ttyS0", "/dev/pts/3"].map((path) => of(path).recall())).toEqual([
    115200,
    19200,
    57600,
    undefined,
  ]);
});

test("a user who may not write the system's file has one of his own; without one nothing is kept", () => {
  const user = machine([SYSTEM]);
  user.of("/dev/ttyS0").remember(9600);
  expect([...user.files.keys()]).toEqual([OWN]);
  expect(user.of("/dev/ttyS0").recall()).toBe(9600);
  const elsewhere = machine([SYSTEM], { HOME: "/home/zaphod", XDG_STATE_HOME: "/state" });
  elsewhere.of("/dev/ttyS0").remember(9600);
  expect([...elsewhere.files.keys()]).toEqual(["/state/nullmodem-speeds"]);
  const nobody = machine([SYSTEM, OWN]);
  nobody.of("/dev/ttyS0").remember(9600);
  expect(nobody.of("/dev/ttyS0").recall()).toBeUndefined();
});

test("lines that are damaged are left out, and the oldest of many", () => {
  const { files, of } = machine();
  files.set(SYSTEM, "\0\xff 3\n%2Fdev%2FttyS0 -5\n%2Fdev%2FttyS1 99999999999\n%2Fdev%2FttyS2\n%2Fdev%2FttyS3 9600 x\n");
  expect([0, 1, 2, 3].map((at) => of(`/dev/ttyS${at}`).recall())).toEqual([undefined, undefined, undefined, 9600]);
  for (let at = 0; at < 100; at++) of(`/dev/ttyX${at}`).remember(1200 + at);
  expect(files.get(SYSTEM)!.split("\n").length).toBe(65);
  expect([of("/dev/ttyX35").recall(), of("/dev/ttyX36").recall(), of("/dev/ttyX99").recall()]).toEqual([
    undefined,
    1236,
    1299,
  ]);
});
