// A line that needs a carrier and has none. A pty has no modem lines, so simulated ones of a UART are used.

import { afterEach, expect, mock, spyOn, test } from "bun:test";
import { type Pointer, toArrayBuffer } from "bun:ffi";
import { withFields } from "../../../src/options/config.ts";
import { parseOptions } from "../../../src/options/parse.ts";
import { OptionsInForce } from "../../../src/run/settings/options-in-force.ts";
import { closeFd, libc } from "../../../src/os/ffi/libc.ts";
import { Log } from "../../../src/os/log/log-writer.ts";
import { openPty } from "../../../src/os/serial/pty.ts";
import { Notifier } from "../../../src/os/log/notify.ts";
import { Syslog } from "../../../src/os/log/syslog-client.ts";
import { thisMachine } from "../../../src/applets/this-machine.ts";
import { Hooks } from "../../../src/run/scripts/hooks.ts";
import { Line } from "../../../src/run/line/line.ts";
import { fakeHost } from "../../kit/optionhost.ts";

const TIOCMGET = 0x5415;
const TIOCGSERIAL = 0x541e;
const PORT_16450 = 2;
const PORT_16550A = 4;
const PORT_AMBA = 32;
const CTS_AND_DSR = 0x120;
const CARRIER = 0x40;

let clean: (() => void)[] = [];
afterEach(() => {
  mock.restore();
  for (const undo of clean) undo();
  clean = [];
});

/** A line on a pty with the modem lines of `uart`. */
function lineOn(uart: { lines: number; type?: number }, ...words: string[]) {
  const { master, slave } = openPty();
  const { ioctl } = libc;
  spyOn(libc, "ioctl").mockImplementation(((fd: number, request: number, at: Pointer | null) => {
    if (request === TIOCGSERIAL && uart.type !== undefined) {
      const serial = new DataView(toArrayBuffer(at!, 0, 72));
      serial.setInt32(0, uart.type, true);
      serial.setInt32(28, 115_200, true);
      return 0;
    }
    if (request !== TIOCMGET) return ioctl(fd, request, at);
    new DataView(toArrayBuffer(at!, 0, 4)).setInt32(0, uart.lines, true);
    return 0;
  }) as typeof ioctl);
  const said: string[] = [];
  const log = new Log(new Syslog("pppd", "local2", { pid: true, path: "/nonexistent" }), undefined, true);
  log.write = (_level, text) => void said.push(text);
  // Time passes only in the waits.
  let now = 0;
  spyOn(performance, "now").mockImplementation(() => now);
  const state = { quitting: false, waits: 0, onWait: (): void => {} };
  const config = parseOptions(["/dev/ttyS1", "115200", "nodetach", ...words], fakeHost());
  const line = new Line({
    machine: thisMachine,
    options: new OptionsInForce(withFields(config, { device: slave })),
    log,
    hooks: new Hooks(thisMachine, () => {}),
    notifier: new Notifier(undefined),
    whereabouts: undefined,
    lineChanged: () => {},
    sleep: async (milliseconds) => {
      state.waits++;
      state.onWait();
      now += milliseconds;
    },
    quitting: () => state.quitting,
  });
  clean.push(() => {
    line.close();
    closeFd(master);
  });
  return { line, said, state, slave };
}

test("without a carrier it says after three seconds what it waits for and what helps, once; the carrier ends the wait", async () => {
  const uart = { lines: CTS_AND_DSR };
  const { line, said, state, slave } = lineOn(uart);
  const saidAt: number[] = [];
  state.onWait = () => {
    if (said.length > saidAt.length) saidAt.push(performance.now());
    if (performance.now() > 6000) uart.lines |= CARRIER;
  };
  await line.open();
  expect(said).toEqual([`Waiting for carrier on ${slave}; a 3-wire cable has none: use the local option`]);
  expect(saidAt).toHaveLength(1);
  expect(saidAt[0]).toBeWithin(3000, 3300);
});

test("a UART that cannot do the speed is reported when the port is opened, one of another kind is not", async () => {
  const able = "it can do 115200, 57600, 38400, 19200, 9600, 4800";
  for (const [type, speed, says] of [
    [PORT_16550A, "50000", [`runs at 57600, 15 % off; ${able}`]],
    [PORT_16550A, "57600", []],
    [PORT_AMBA, "50000", []],
  ] as const) {
    const { line, said, slave } = lineOn({ lines: CARRIER, type }, speed);
    await line.open();
    expect(said).toEqual(says.map((end) => `${slave} cannot do ${speed} bit/s and ${end}`));
    mock.restore();
  }
});

test("the wait ends when the session is to end", async () => {
  const { line, state } = lineOn({ lines: 0 });
  state.onWait = () => void (state.quitting = true);
  await line.open();
  expect(state.waits).toBe(1);
});

test("local, a connect script, and a port without modem lines need no carrier", async () => {
  for (const words of [["local"], ["connect", ""]]) {
    const { line, state } = lineOn({ lines: 0 }, ...words);
    await line.open();
    expect(state.waits).toBe(0);
    mock.restore();
  }
  const { line, state } = lineOn({ lines: 0 });
  mock.restore();
  await line.open();
  expect(state.waits).toBe(0);
});

test("a chip without a FIFO is named when the port is opened", async () => {
  const { line, said, slave } = lineOn({ lines: CARRIER, type: PORT_16450 }, "57600");
  await line.open();
  expect(said).toEqual([
    `The chip of ${slave} is a 16450 without a FIFO, which loses octets at high speeds; use 38400 bit/s or less, and crtscts`,
  ]);
});
