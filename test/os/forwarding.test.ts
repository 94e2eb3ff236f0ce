import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { forward } from "../../src/os/forwarding.ts";
import { readSysctl, writeSysctl } from "../../src/os/sysctl.ts";
import { openedSince, openFds } from "../kit/fds.ts";
import { enterNetns, noNetns } from "../kit/netns.ts";

const SWITCH = "net/ipv4/ip_forward";

describe.skipIf(noNetns !== undefined)(`ip_forward [${noNetns ?? "of a namespace of its own"}]`, () => {
  const folder = mkdtempSync(join(tmpdir(), "nullmodem-forward-"));
  let leave = (): void => {};
  beforeAll(() => {
    leave = enterNetns();
    writeSysctl(SWITCH, "0");
  });
  afterAll(() => {
    leave();
    rmSync(folder, { recursive: true });
  });
  const isOn = (): boolean => readSysctl(SWITCH) === "1";

  test("three users come and go: on from the first to the last, and nothing stays", () => {
    const before = openFds();
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 0, 2],
    ]) {
      const releases = order.map(() => forward(folder)!);
      for (const [left, nth] of order.entries()) {
        expect(isOn()).toBe(true);
        releases[nth]!();
        expect(isOn()).toBe(left < 2);
      }
      expect(readdirSync(folder)).toEqual([]);
    }
    expect(openedSince(before)).toEqual([]);
  });

  test("what was on before is not ours to switch off", () => {
    writeSysctl(SWITCH, "1");
    expect(forward(folder)).toBeUndefined();
    expect(readdirSync(folder)).toEqual([]);
    writeSysctl(SWITCH, "0");
  });

  test("switched off by somebody meanwhile, it is on again for the next, and the other's end does not matter", () => {
    const first = forward(folder)!;
    writeSysctl(SWITCH, "0");
    const second = forward(folder)!;
    first();
    expect(isOn()).toBe(true);
    second();
    expect(isOn()).toBe(false);
  });

  test("a folder that cannot be written to: as if there were no others", () => {
    const release = forward("/nonexistent")!;
    expect([isOn(), forward("/nonexistent")]).toEqual([true, undefined]);
    release();
    expect(isOn()).toBe(false);
  });
});
