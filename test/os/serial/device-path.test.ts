import { expect, test } from "bun:test";
import { devicePath, portPaths } from "../../../src/os/serial/device-path.ts";

test("only paths below /dev are looked up, and none where anybody may make links", () => {
  expect(devicePath("/dev/null")).toBe("/dev/null");
  for (const path of ["/tmp", "/dev/shm/a", "/dev/../tmp", "/dev/none-such", "null"])
    expect(devicePath(path)).toBeUndefined();
});

test("the path of a port is looked up once a second", () => {
  let now = 0;
  const looked: string[] = [];
  const portPath = portPaths(
    () => now,
    (path) => {
      looked.push(path);
      return path === "/dev/modem" ? `/dev/tty${looked.length}` : undefined;
    },
  );
  for (now of [0, 999]) expect([portPath("/dev/modem"), portPath("/dev/none")]).toEqual(["/dev/tty1", "/dev/none"]);
  expect(looked).toHaveLength(2);
  now = 1000;
  expect(portPath("/dev/modem")).toBe("/dev/tty3");
});
