import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeSync } from "node:fs";
import { closeFd, ENOTTY, O, openFd, OsError } from "../../../src/os/ffi/libc.ts";
import { inputQueued } from "../../../src/os/serial/modem-lines.ts";
import { openPty, type Pty } from "../../../src/os/serial/pty.ts";
import {
  CC,
  CFLAG,
  changesOf,
  flushTty,
  IFLAG,
  LFLAG,
  OFLAG,
  readTermios,
  sendBreak,
  setSpeed,
  writeTermios,
} from "../../../src/os/serial/termios.ts";

const STANDARD = [
  50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800,
  500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000,
];

let pty: Pty;
let tty: number;

beforeAll(() => {
  pty = openPty();
  tty = openFd(pty.slave, O.RDWR | O.NOCTTY);
});
afterAll(() => {
  closeFd(tty);
  closeFd(pty.master);
});

const stty = (...words: string[]): string => Bun.spawnSync(["stty", "-F", pty.slave, ...words]).stdout.toString();

describe("termios", () => {
  test("reads what stty sets", () => {
    stty("sane", "-icrnl", "ixoff", "cs7", "parenb", "parodd", "min", "7", "time", "3", "9600", "-echo");
    const { iflag, oflag, cflag, lflag, cc, ispeed, ospeed } = readTermios(tty);
    expect(iflag & (IFLAG.ICRNL | IFLAG.IXOFF | IFLAG.IXON)).toBe(IFLAG.IXOFF | IFLAG.IXON);
    expect(oflag & (OFLAG.OPOST | OFLAG.ONLCR)).toBe(OFLAG.OPOST | OFLAG.ONLCR);
    expect(lflag & (LFLAG.ICANON | LFLAG.ECHO | LFLAG.ISIG)).toBe(LFLAG.ICANON | LFLAG.ISIG);
    expect([cc.length, cc[CC.VMIN], cc[CC.VTIME], cc[CC.VINTR], cc[CC.VERASE]]).toEqual([19, 7, 3, 3, 127]);
    expect([ispeed, ospeed]).toEqual([9600, 9600]);
    // A pty always has eight bits and no parity.
    expect(cflag & (CFLAG.CSIZE | CFLAG.PARENB | CFLAG.PARODD)).toBe(CFLAG.CS8 | CFLAG.PARODD);
  });

  test("stty reads what we set", () => {
    const settings = readTermios(tty);
    settings.cflag |= CFLAG.CRTSCTS | CFLAG.CLOCAL;
    settings.lflag = LFLAG.ISIG;
    settings.cc[CC.VMIN] = 5;
    setSpeed(settings, 115200);
    for (const when of ["now", "drain", "flush"] as const) {
      stty("sane");
      writeTermios(tty, settings, when);
      const words = stty("-a");
      expect(words).toStartWith("speed 115200 baud;");
      for (const word of [" crtscts", " clocal", " -icanon", "\nisig", "min = 5;"]) expect(words).toContain(word);
    }
  });

  test("settings that were read can be written back", () => {
    stty("sane", "4800");
    const before = readTermios(tty);
    writeTermios(tty, { ...before, iflag: 0, oflag: 0, lflag: 0 }, "now");
    expect(readTermios(tty)).not.toEqual(before);
    writeTermios(tty, before, "now");
    expect(readTermios(tty)).toEqual(before);
  });

  test("any speed, and zero", () => {
    for (const baud of [50, 9600, 115200, 1_500_000, 12_345, 0]) {
      const settings = readTermios(tty);
      setSpeed(settings, baud);
      writeTermios(tty, settings, "now");
      expect(readTermios(tty)).toMatchObject({ ispeed: baud, ospeed: baud });
    }
    expect(readTermios(tty).cflag & CFLAG.CBAUD).toBe(0);
  });

  test("stty knows every rate that has a code", () => {
    for (const baud of STANDARD) {
      const settings = readTermios(tty);
      setSpeed(settings, baud);
      writeTermios(tty, settings, "now");
      expect(stty("speed")).toBe(`${baud}\n`);
      expect(settings.cflag & CFLAG.CBAUD).not.toBe(CFLAG.BOTHER);
    }
  });

  test("flushTty throws waiting input away", async () => {
    stty("raw", "-echo");
    for (const queue of ["output", "input", "both"] as const) {
      writeSync(pty.master, "abc");
      while (inputQueued(tty) < 3) await Bun.sleep(1);
      flushTty(tty, queue);
      expect(inputQueued(tty)).toBe(queue === "output" ? 3 : 0);
    }
  });

  test("changesOf names the changed settings in stty's words, except flow control, carrier and hang-up", () => {
    const before = readTermios(tty);
    const { CS7, CSIZE, PARENB, CRTSCTS, CLOCAL, HUPCL } = CFLAG;
    const cflag = (((before.cflag & ~CSIZE) | CS7 | PARENB) ^ (CRTSCTS | CLOCAL | HUPCL)) >>> 0;
    expect(changesOf(before, { ...before, cflag, ospeed: 300 })).toEqual(["300", "cs7", "parenb"]);
    expect(changesOf({ ...before, cflag }, before)).toEqual(["cs8", "-parenb"]);
    expect(changesOf(before, before)).toEqual([]);
  });

  test("sendBreak works on a pty", () => expect(() => sendBreak(tty)).not.toThrow());

  test("a file that is no terminal is reported", () => {
    const nothing = openFd("/dev/null", O.RDWR);
    for (const call of [
      () => readTermios(nothing),
      () => writeTermios(nothing, readTermios(tty), "now"),
      () => sendBreak(nothing),
      () => flushTty(nothing, "both"),
    ]) {
      expect(call).toThrow(OsError);
      try {
        call();
      } catch (error) {
        expect(error).toMatchObject({ errno: ENOTTY });
      }
    }
    closeFd(nothing);
  });
});
