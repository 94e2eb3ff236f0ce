import { beforeEach, afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adapterOf, ttyOfAdapter } from "../../../src/os/serial/adapter.ts";
import { type Plugged, Sysfs } from "../../kit/sysfs.ts";

let folder = "";
let sysfs: Sysfs;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nullmodem-adapter-"));
  sysfs = new Sysfs(folder);
});
afterEach(() => rmSync(folder, { recursive: true }));

test("an adapter is its model, number, place and which of its ports", () => {
  sysfs.plug({ tty: "ttyUSB0", port: "1-1.2", serial: "A7003", interfaceNumber: "01" });
  const adapter = { model: "0403:6001", serial: "A7003", port: "1-1.2", part: "01.0" };
  expect(adapterOf("ttyUSB0", folder)).toEqual(adapter);
  expect(adapterOf("ttyS0", folder)).toBeUndefined();
  expect(adapterOf("ttyS0", "/nowhere")).toBeUndefined();
});

const OURS: Plugged = { tty: "ttyUSB0", port: "1-1.2", serial: "A7003" };
const NUMBERLESS: Plugged = { tty: "ttyUSB0", port: "1-1.2" };
for (const [what, was, now, found] of [
  ["back in the same port", OURS, [{ ...OURS, tty: "ttyUSB1" }], "ttyUSB1"],
  ["back in another port", OURS, [{ ...OURS, tty: "ttyUSB1", port: "2-4" }], "ttyUSB1"],
  ["another of its kind in its place", OURS, [{ ...OURS, tty: "ttyUSB1", serial: "A7004" }], undefined],
  ["another model in its place", OURS, [{ ...OURS, tty: "ttyUSB1", model: "067b:2303" }], undefined],
  ["another part of it", OURS, [{ ...OURS, tty: "ttyUSB1", interfaceNumber: "01" }], undefined],
  ["without a number in the same port", NUMBERLESS, [{ ...NUMBERLESS, tty: "ttyACM3" }], "ttyACM3"],
  ["without a number in another port", NUMBERLESS, [{ ...NUMBERLESS, tty: "ttyUSB1", port: "2-4" }], undefined],
  [
    "two of the same number, one in its place",
    OURS,
    [
      { ...OURS, tty: "ttyUSB1", port: "1-1.3" },
      { ...OURS, tty: "ttyUSB2" },
    ],
    "ttyUSB2",
  ],
  [
    "two of the same number, none in its place",
    OURS,
    [
      { ...OURS, tty: "ttyUSB1", port: "1-1.3" },
      { ...OURS, tty: "ttyUSB2", port: "1-1.4" },
    ],
    undefined,
  ],
] as const) {
  test(`found again: ${what}`, () => {
    sysfs.plug(was);
    const adapter = adapterOf(was.tty, folder)!;
    expect(ttyOfAdapter(adapter, folder)).toBe("ttyUSB0");
    sysfs.unplug(was.tty, was.port);
    for (const plugged of now) sysfs.plug(plugged);
    expect(ttyOfAdapter(adapter, folder)).toBe(found);
  });
}
