import { afterEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closeFd, O, openFd, type OsError } from "../../../src/os/ffi/libc.ts";
import { ExaminedTty, Interrupted } from "../../../src/os/serial/examined-tty.ts";
import { openPty } from "../../../src/os/serial/pty.ts";
import { CFLAG, readTermios, setSpeed, type Termios, writeTermios } from "../../../src/os/serial/termios.ts";
import { latencyOf, setLatency } from "../../../src/os/serial/uart.ts";

let undo: (() => void)[] = [];
afterEach(() => {
  for (const each of undo) each();
  undo = [];
});

function pty() {
  const pair = openPty();
  undo.push(() => closeFd(pair.master));
  return pair;
}

function termiosOf(path: string, change?: (termios: Termios) => void): Termios {
  const fd = openFd(path, O.RDWR | O.NOCTTY | O.NONBLOCK);
  const termios = readTermios(fd);
  change?.(termios);
  if (change !== undefined) writeTermios(fd, termios, "now");
  const now = readTermios(fd);
  closeFd(fd);
  return now;
}

test("an examined port is raw at the speed that was asked for, and as it was found at the end, with its echo", () => {
  const { slave, master } = pty();
  const found = termiosOf(slave, (termios) => {
    setSpeed(termios, 4800);
    termios.cflag = (termios.cflag | CFLAG.CRTSCTS | CFLAG.HUPCL | CFLAG.CSTOPB) >>> 0;
  });
  const tty = new ExaminedTty(slave, () => false);
  expect([tty.speedFound, tty.setSpeed(57600)]).toEqual([4800, 57600]);
  expect(readTermios(master)).toMatchObject({ ospeed: 57600, lflag: 0, oflag: 0 });
  expect(readTermios(master).cflag & (CFLAG.CRTSCTS | CFLAG.CSTOPB)).toBe(0);
  tty.close();
  expect(termiosOf(slave)).toEqual(found);
});

test("a signal ends a wait, and so does a port that is gone, which can still be closed", async () => {
  const { slave } = pty();
  let isEnded = false;
  const tty = new ExaminedTty(slave, () => isEnded);
  const waiting = tty.wait(1e9);
  isEnded = true;
  expect(waiting).rejects.toBeInstanceOf(Interrupted);
  await waiting.catch(() => {});
  tty.close();
  const { slave: gone, master } = openPty();
  const hungUp = new ExaminedTty(gone, () => false);
  closeFd(master);
  expect(await hungUp.wait(1e9).catch((error: OsError) => error.code)).toBe("EIO");
  expect([hungUp.read().length, hungUp.setSpeed(9600), hungUp.write(Uint8Array.of(1))]).toEqual([0, 0, 0]);
  hungUp.close();
});

test("the latency timer of an adapter by FTDI is read and written; other ports have none", () => {
  const sysfs = mkdtempSync(join(tmpdir(), "nullmodem-sysfs-"));
  undo.push(() => rmSync(sysfs, { recursive: true }));
  const device = join(sysfs, "class/tty/ttyUSB0/device");
  mkdirSync(device, { recursive: true });
  writeFileSync(join(device, "latency_timer"), "16\n");
  expect(latencyOf("/dev/ttyUSB0", sysfs)).toBe(16);
  expect(setLatency("/dev/ttyUSB0", 1, sysfs)).toBe(true);
  expect(latencyOf("/dev/ttyUSB0", sysfs)).toBe(1);
  expect([latencyOf("/dev/ttyS0", sysfs), setLatency("/dev/ttyS0", 1, sysfs)]).toEqual([undefined, false]);
});
