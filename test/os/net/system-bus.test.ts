// The sockets that an address of D-Bus names. test/run/network-manager/bus.test.ts connects to one.

import { expect, test } from "bun:test";
import { busPaths, connectBus } from "../../../src/os/net/system-bus.ts";

test("the sockets of an address, in order; what is no socket of this machine is left out", () => {
  expect(busPaths("unix:path=/run/dbus/system_bus_socket")).toEqual(["/run/dbus/system_bus_socket"]);
  expect(busPaths("unix:abstract=/tmp/dbus-x,guid=00ff;tcp:host=a,port=1;unix:path=/a%20b,guid=1")).toEqual([
    "\0/tmp/dbus-x",
    "/a b",
  ]);
  expect(["", "unix:", "autolaunch:", "unix:runtime=yes", "unix:path=/a=b"].map(busPaths)).toEqual([
    [],
    [],
    [],
    [],
    ["/a=b"],
  ]);
});

test("without a bus, the reason is told", async () => {
  const connected = connectBus({ data: () => {}, closed: () => {} }, "unix:path=/nonexistent/bus");
  expect(await connected.catch(String)).not.toBe("");
  expect(await connectBus({ data: () => {}, closed: () => {} }, "tcp:host=a").catch(String)).toContain("tcp:host=a");
});
