import { expect, test } from "bun:test";
import { parseOptions } from "../../../src/options/parse.ts";
import { fitToLine } from "../../../src/run/settings/packet-size.ts";
import { fakeHost } from "../../kit/optionhost.ts";

function sizes(options: string, speed: number): [mru: number, mtu: number] {
  const { mru, mtu } = fitToLine(parseOptions(["ttyS0", ...options.split(" ")], fakeHost({})), speed);
  return [mru, mtu];
}

test("with interactive a packet keeps a slow line for 30 ms at most, unless headers would cost too much", () => {
  expect([9600, 57600, 115200, 230400, 460800, 921600].map((speed) => sizes("interactive", speed)[1])).toEqual([
    296, 296, 345, 691, 1382, 1500,
  ]);
  expect(sizes("interactive", 115200)).toEqual([345, 345]);
});

test("smaller sizes that options ask for stay, and IPv6 has the size that it needs", () => {
  expect(sizes("interactive mtu 200", 115200)).toEqual([345, 200]);
  for (const asked of ["+ipv6", "ipv6 ::1,::2"]) expect(sizes(`interactive ${asked}`, 115200)).toEqual([1280, 1280]);
});

test("where packets are too small for IPv6 there is none, unless an option asks for it", () => {
  const hasIpv6 = (options: string, speed: number): boolean =>
    fitToLine(parseOptions(["ttyS0", ...options.split(" ")], fakeHost({})), speed).ipv6;
  expect([115200, 460800].map((speed) => hasIpv6("interactive", speed))).toEqual([false, true]);
  expect(["interactive +ipv6", "lock"].map((options) => hasIpv6(options, 115200))).toEqual([true, true]);
  expect(hasIpv6("interactive noipv6", 460800)).toBe(false);
});

test("without interactive, and on a line of unknown speed, sizes are those of the options", () => {
  expect(sizes("mru 1400", 9600)).toEqual(sizes("interactive mru 1400", 0));
  expect(sizes("mru 1400", 9600)[0]).toBe(1400);
});
