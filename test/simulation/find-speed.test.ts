// A port with autodetect and find-speed in simulated time: callers who stay at a speed that the port does not know.

import { expect, test } from "bun:test";
import { Laplink } from "./laplink.ts";

const OPTIONS = ["/dev/ttyUSB0", "noauth", "nodetach", "local", "noipv6", "noccp"];
const SERVER = [...OPTIONS, "autodetect", "find-speed", "10.0.0.1:10.0.0.2"];
const SPEEDS = [115200, 57600, 38400, 19200, 9600, 230400, 460800, 921600];

const LOOKED_FOR = "Heard octets that are neither PPP nor text; the caller has another speed, which is looked for";

/** How long it takes until the link is up, from the caller's start on; then both end. */
function meets(words: readonly string[], serverWords: readonly string[]) {
  const link = new Laplink({ seed: 1 });
  const { time, computers } = link;
  const server = computers[0].start([...SERVER, ...serverWords]);
  time.run(1000);
  const client = computers[1].start([...OPTIONS, "noipdefault", ...words]);
  const began = time.now;
  expect(time.runUntil(() => link.isUp, 60_000)).toBe(true);
  const tookMs = time.now - began;
  for (const one of [server, client]) one.signal("SIGTERM");
  expect(time.runUntil(() => !server.isRunning && !client.isRunning, 10_000)).toBe(true);
  expect([server.fault, client.fault, link.leftOn(0)]).toEqual([undefined, undefined, []]);
  return { link, tookMs, heard: server.lines.filter((line) => /^(Recognised|Heard octets)/.test(line)) };
}

for (const speed of SPEEDS)
  test(`a pppd that stays at ${speed} is found within two seconds`, () => {
    const { tookMs, heard } = meets([String(speed)], []);
    expect(heard).toEqual([...(speed === 115200 ? [] : [LOOKED_FOR]), `Recognised PPP, at ${speed}`]);
    expect(tookMs).toBeLessThan(speed === 115200 ? 100 : 2000);
  });

test("a port that waits at a slow speed finds fast callers too, with their second or third request", () => {
  for (const speed of [57600, 115200, 921600]) expect(meets([String(speed)], ["9600"]).tookMs).toBeLessThan(10_000);
});

test("Windows is found by its second CLIENT, a modem program by its second command", () => {
  const windows = "chat TIMEOUT 3 '' CLIENT\\c CLIENTSERVER-CLIENT\\c-CLIENTSERVER-CLIENT\\c-CLIENTSERVER";
  const { tookMs, heard } = meets(["19200", "connect", windows], []);
  expect(heard).toEqual([LOOKED_FOR, "Recognised Windows, which called CLIENT, at 19200"]);
  expect(tookMs).toBeLessThan(4000);
  const modem = "chat TIMEOUT 3 '' ATZ OK-ATZ-OK ATDT777 CONNECT";
  expect(meets(["38400", "connect", modem], []).heard.at(-1)).toBe(
    "Recognised a modem program, which dialled, at 38400",
  );
});

test("the speed that was found is tried first the next time; a damaged file costs nothing", () => {
  const { link } = meets(["9600"], []);
  const [server, client] = link.computers;
  const file = "/var/lib/nullmodem-speeds";
  expect(server.files.text(file)).toBe("usb%2F0403%3A6001%2FA0%2F00 9600\n");
  const again = (): number => {
    const [one, other] = [server.start(SERVER), client.start([...OPTIONS, "noipdefault", "9600"])];
    const began = link.time.now;
    expect(link.time.runUntil(() => link.isUp, 60_000)).toBe(true);
    const tookMs = link.time.now - began;
    for (const end of [one, other]) end.signal("SIGTERM");
    link.time.runUntil(() => !one.isRunning && !other.isRunning, 10_000);
    return tookMs;
  };
  expect(again()).toBeLessThan(500);
  for (const text of ["", "\0\xff", `${"x ".repeat(20_000)}\n`, "usb%2F0403%3A6001%2FA0%2F00 0\n", "usb 1\n"]) {
    server.files.put(file, text);
    expect(again()).toBeLessThan(2000);
    expect(server.files.text(file)).toEndWith("usb%2F0403%3A6001%2FA0%2F00 9600\n");
  }
});

test("without find-speed the port stays at its speed", () => {
  const link = new Laplink({ seed: 1 });
  const server = link.computers[0].start([...OPTIONS, "115200", "autodetect", "10.0.0.1:10.0.0.2"]);
  link.computers[1].start([...OPTIONS, "9600"]);
  expect(link.time.runUntil(() => link.isUp, 20_000)).toBe(false);
  expect(server.isRunning).toBe(true);
});
