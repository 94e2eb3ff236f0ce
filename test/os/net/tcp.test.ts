import { afterAll, beforeAll, expect, test } from "bun:test";
import { addressPortText } from "../../../src/bytes/prefix.ts";
import { closeFd, hasCode, libc, Memory, OsError, POLLIN } from "../../../src/os/ffi/libc.ts";
import {
  type Endpoint,
  isConnected,
  listenEverywhere,
  listenOn,
  lookUp,
  startConnecting,
  takeCaller,
} from "../../../src/os/net/tcp.ts";
import { noLocalhost } from "../../kit/localhost.ts";
import { tunMissing } from "../../kit/machine.ts";
import { enterNetns, ip, noNetns } from "../../kit/netns.ts";
import { PATIENCE_MS } from "../../kit/patience.ts";

// In its own network if possible, so that two test runs do not use the same ports.
let leave = (): void => {};
beforeAll(() => {
  if (noNetns !== undefined) return;
  leave = enterNetns();
  ip("link", "set", "lo", "up");
});
afterAll(() => leave());

const titled = (name: string): string => (noLocalhost === undefined ? name : `${name} [skipped: ${noLocalhost}]`);

/** A port that no program uses. */
function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  server.stop();
  return server.port;
}

async function awaited<T>(look: () => T | undefined): Promise<T> {
  for (;;) {
    const seen = look();
    if (seen !== undefined) return seen;
    await Bun.sleep(1);
  }
}

async function carry(listening: number, to: Endpoint, from: RegExp): Promise<void> {
  const caller = startConnecting(to);
  await awaited(() => isConnected(caller) || undefined);
  const called = await awaited(() => takeCaller(listening));
  expect(addressPortText(called.from.address, called.from.port)).toMatch(from);
  const memory = new Memory(8);
  memory.bytes[0] = 0x7e;
  expect(libc.write(called.fd, memory.address, 1)).toBe(1);
  memory.view.setInt32(0, caller, true);
  memory.view.setInt16(4, POLLIN, true);
  libc.poll(memory.address, 1, PATIENCE_MS);
  expect(libc.read(caller, memory.address, 1)).toBe(1);
  expect(memory.bytes[0]).toBe(0x7e);
  closeFd(caller);
  closeFd(called.fd);
}

test("a connection each way of addressing; an IPv4 caller is named as one", async () => {
  const port = freePort();
  const four: Endpoint = { family: 4, address: "127.0.0.1", port };
  const everywhere = listenEverywhere(port);
  expect(takeCaller(everywhere)).toBeUndefined();
  await carry(everywhere, four, /^127\.0\.0\.1:\d+$/);
  expect(() => listenOn(four)).toThrow("Address already in use");
  closeFd(everywhere);
  const listening = listenOn(four);
  await carry(listening, four, /^127\.0\.0\.1:\d+$/);
  closeFd(listening);
});

test("nobody at home: the errno, once it is known", async () => {
  const caller = startConnecting({ family: 4, address: "127.0.0.1", port: freePort() });
  const error = await awaited(() => {
    try {
      return isConnected(caller) ? "connected" : undefined;
    } catch (error) {
      return error;
    }
  });
  closeFd(caller);
  expect(error).toBeInstanceOf(OsError);
  expect(hasCode(error, "ECONNREFUSED")).toBe(true);
});

test.skipIf(noLocalhost !== undefined)(titled("a name is looked up by the system"), async () => {
  expect(await lookUp("localhost", 7)).toContainEqual({ family: 4, address: "127.0.0.1", port: 7 });
});

test("an address needs no look-up, and what is no name has none", async () => {
  expect(await lookUp("fe80::1%lo", 7)).toEqual([{ family: 6, address: "fe80::1%lo", port: 7 }]);
  expect(await lookUp("no.such.invalid", 7)).toEqual([]);
  expect(addressPortText("::1", 7)).toBe("[::1]:7");
});

const noDevices = noNetns ?? tunMissing();
test.skipIf(noDevices !== undefined)(
  `a listener of one interface takes nothing that comes in by another${noDevices === undefined ? "" : ` [skipped: ${noDevices}]`}`,
  async () => {
    ip("tuntap", "add", "link0", "mode", "tun");
    ip("addr", "add", "10.9.9.1/24", "dev", "link0");
    ip("link", "set", "link0", "up");
    const where: Endpoint = { family: 4, address: "10.9.9.1", port: 7000 };
    const outcome = (device: string): Promise<string> => {
      const listening = listenOn(where, 1, device);
      const calling = startConnecting(where);
      return awaited(() => {
        try {
          return isConnected(calling) ? "connected" : undefined;
        } catch (error) {
          return hasCode(error, "ECONNREFUSED") ? "refused" : String(error);
        }
      }).finally(() => [listening, calling].forEach(closeFd));
    };
    // We call an address of our own, and Linux takes that as if it came in by the interface that has the address.
    expect(await outcome("link0")).toBe("connected");
    expect(await outcome("lo")).toBe("refused");
    expect(() => listenOn(where, 1, "none0")).toThrow(OsError);
  },
);
