import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { addAddress } from "../../../src/os/net/netif.ts";
import { closeFd, OsError } from "../../../src/os/ffi/libc.ts";
import { addRoute, defaultRoutes, removeRoute } from "../../../src/os/net/route.ts";
import { openTun, type Tun } from "../../../src/os/net/tun.ts";
import { joinVrf, vrfTable } from "../../../src/os/net/vrf.ts";
import { setLink } from "../../../src/os/net/netif.ts";
import { enterNetns, ip, noNetns } from "../../kit/netns.ts";

/** Why there can be no VRF here, or undefined. */
function noVrf(): string | undefined {
  if (noNetns !== undefined) return noNetns;
  const leave = enterNetns();
  try {
    ip("link", "add", "red", "type", "vrf", "table", "300");
    return undefined;
  } catch {
    return "this kernel has no VRF (CONFIG_NET_VRF)";
  } finally {
    leave();
  }
}

const without = noVrf();

function problemOf(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    if (error instanceof OsError) return error.code;
    throw error;
  }
}

describe.skipIf(noNetns !== undefined)(`VRFs [${noNetns ?? "in a namespace of its own"}]`, () => {
  let leave = (): void => {};
  let tun: Tun;
  beforeAll(() => {
    leave = enterNetns();
    tun = openTun();
    setLink(tun, { up: true });
  });
  afterAll(() => {
    closeFd(tun.fd);
    leave();
  });

  test("an interface that is none has no table, and takes nobody in", () => {
    expect(vrfTable("lo")).toBeUndefined();
    expect(problemOf(() => vrfTable("nowhere"))).toBe("ENODEV");
    expect(problemOf(() => joinVrf(tun, "nowhere"))).toBe("ENODEV");
    // The kernel has understood the request: it does not accept lo.
    expect(problemOf(() => joinVrf(tun, "lo"))).toBe("EOPNOTSUPP");
  });

  test("a default route of a table with a large number is there and nowhere else, and goes", () => {
    const nothing = new Uint8Array(4);
    addRoute(tun, nothing, 0, 7, 70_000);
    expect(defaultRoutes()).toEqual([]);
    expect(defaultRoutes(70_000).map(({ device, metric }) => [device.name, metric])).toEqual([[tun.name, 7]]);
    removeRoute(tun, nothing, 0, 7, 70_000);
    expect(defaultRoutes(70_000)).toEqual([]);
  });

  test.skipIf(without !== undefined)(
    `joined, addresses are in its table${without ? ` [skipped: ${without}]` : ""}`,
    () => {
      ip("link", "add", "red", "type", "vrf", "table", "300");
      ip("link", "set", "red", "up");
      expect(vrfTable("red")).toBe(300);
      joinVrf(tun, "red");
      addAddress(tun, 0x0a000001, 0x0a000002);
      expect(ip("route", "show", "table", "300")).toContain(`10.0.0.2 dev ${tun.name}`);
      expect(ip("route", "show", "table", "main")).toBe("");
    },
  );
});
