import { afterEach, describe, expect, spyOn, test } from "bun:test";
import { fstatSync, writeSync } from "node:fs";
import { textOf } from "../../../src/bytes/text.ts";
import { closeFd, EAGAIN, errno, libc, Memory, O, openFd, OsError, POLLIN } from "../../../src/os/ffi/libc.ts";
import {
  carrier,
  inputQueued,
  isHungUp,
  lineErrors,
  linesText,
  modemLines,
  outputQueued,
  setDtr,
} from "../../../src/os/serial/modem-lines.ts";
import { openPty } from "../../../src/os/serial/pty.ts";
import * as serialport from "../../../src/os/serial/serialport.ts";
import { type OpenOptions, openSerial, serialAddon } from "../../../src/os/serial/serialport.ts";
import { CC, CFLAG, IFLAG, LFLAG, readTermios, setSpeed, writeTermios } from "../../../src/os/serial/termios.ts";
import { adoptTty, BaudRateError, openTty, type TtySettings } from "../../../src/os/serial/tty.ts";
import { openedSince, openFds } from "../../kit/fds.ts";
import { PATIENCE_MS } from "../../kit/patience.ts";

const F_GETFD = 1;
const F_GETFL = 3;
const F_SETFL = 4;
const FD_CLOEXEC = 1;

const LOCAL: TtySettings = { speed: 115200, modem: false, flow: "nocrtscts", stopBits: 1 };

let opened: number[] = [];
function pty() {
  const pair = openPty();
  opened.push(pair.master);
  return pair;
}
afterEach(() => {
  for (const fd of opened) closeFd(fd);
  opened = [];
});

/** The settings by `stty`, read from a descriptor that is not the tested one. */
function termiosOf(path: string) {
  const fd = openFd(path, O.RDWR | O.NOCTTY | O.NONBLOCK);
  const termios = readTermios(fd);
  closeFd(fd);
  return termios;
}

/** Waits for input, because octets written to a master arrive a moment later. */
function awaitInput(fd: number): void {
  const set = new Memory(8);
  set.view.setInt32(0, fd, true);
  set.view.setInt16(4, POLLIN, true);
  expect(libc.poll(set.address, 1, PATIENCE_MS)).toBe(1);
}

/** Reads this many bytes, or fewer when no more come. */
function readMaster(master: number, size: number): string {
  const block = new Memory(4096);
  let text = "";
  for (let length = 1; length > 0 && text.length < size; text += textOf(block.bytes, 0, length)) {
    awaitInput(master);
    length = libc.read(master, block.address, 4096);
  }
  return text;
}

function flagsOf(fd: number): number {
  return libc.fcntl(fd, F_GETFL, 0);
}

async function troubleOf(action: () => unknown): Promise<unknown> {
  try {
    await action();
  } catch (error) {
    return error;
  }
  return undefined;
}

const OPTIONS: OpenOptions = {
  baudRate: 57600,
  dataBits: 8,
  stopBits: 1,
  parity: "none",
  rtscts: true,
  xon: false,
  xoff: false,
  xany: false,
  hupcl: true,
  vmin: 1,
  vtime: 0,
  lock: false,
};

test("the addon loads here and opens a line by itself", async () => {
  expect(serialAddon()).not.toBeInstanceOf(Error);
  const { slave } = pty();
  const fd = await openSerial(slave, OPTIONS);
  expect(fd).toBeGreaterThan(2);
  const termios = readTermios(fd!);
  expect(termios.ospeed).toBe(57600);
  expect(termios.cflag & CFLAG.CRTSCTS).not.toBe(0);
  expect(flagsOf(fd!) & O.NONBLOCK).toBe(O.NONBLOCK);
  expect(libc.fcntl(fd!, F_GETFD, 0)).toBe(FD_CLOEXEC);
  closeFd(fd!);
});

test("a refusal by the addon gives no answer, and no exception", async () => {
  expect(await openSerial("/dev/null", OPTIONS)).toBeUndefined();
  expect(await openSerial("/dev/nosuch", OPTIONS)).toBeUndefined();
  expect(await openSerial("/dev/null", { ...OPTIONS, parity: 7 as never })).toBeUndefined();
});

test("the line is raw and echoes nothing before the addon is loaded, at each opening", async () => {
  const { slave } = pty();
  const before = openFd(slave, O.RDWR | O.NOCTTY | O.NONBLOCK);
  expect(readTermios(before).lflag & LFLAG.ECHO).not.toBe(0);
  for (let opening = 0; opening < 2; opening++) {
    const cooked = { ...readTermios(before), lflag: LFLAG.ECHO | LFLAG.ICANON, iflag: IFLAG.ICRNL, oflag: 1 };
    writeTermios(before, cooked, "now");
    let seen: number[] = [];
    const open = spyOn(serialport, "openSerial").mockImplementation(async () => {
      const { iflag, oflag, lflag } = readTermios(before);
      seen = [iflag, oflag, lflag];
      return undefined;
    });
    const tty = await openTty(slave, LOCAL);
    open.mockRestore();
    expect(seen).toEqual([IFLAG.IGNBRK | IFLAG.IGNPAR, 0, 0]);
    tty.close();
    // Restored except for the echo.
    const { iflag, oflag, lflag } = readTermios(before);
    expect([iflag, oflag, lflag]).toEqual([IFLAG.ICRNL, 1, LFLAG.ICANON]);
  }
  closeFd(before);
});

describe("settings", () => {
  test("local: 8N1 raw, CLOCAL, no HUPCL, whatever was set before", async () => {
    const { slave } = pty();
    const first = openFd(slave, O.RDWR | O.NOCTTY | O.NONBLOCK);
    const odd = readTermios(first);
    odd.cflag |= CFLAG.CSTOPB | CFLAG.PARODD | CFLAG.CRTSCTS | CFLAG.HUPCL;
    odd.iflag |= IFLAG.ISTRIP | IFLAG.IXON | IFLAG.INLCR;
    odd.cc[CC.VMIN] = 5;
    writeTermios(first, odd, "now");
    const tty = await openTty(slave, LOCAL);
    const { iflag, oflag, cflag, lflag, cc } = readTermios(tty.fd);
    expect([iflag, oflag, lflag]).toEqual([IFLAG.IGNBRK | IFLAG.IGNPAR, 0, 0]);
    const { CSIZE, CSTOPB, PARENB, CREAD, HUPCL, CLOCAL, CRTSCTS, CS8 } = CFLAG;
    expect(cflag & (CSIZE | CSTOPB | PARENB | CREAD | HUPCL | CLOCAL)).toBe(CS8 | CREAD | CLOCAL);
    expect(cflag & CRTSCTS).toBe(0);
    expect([cc[CC.VMIN], cc[CC.VTIME]]).toEqual([1, 0]);
    tty.close();
    closeFd(first);
  });

  test("modem: HUPCL, and CLOCAL until the carrier is to be watched", async () => {
    const { slave } = pty();
    const tty = await openTty(slave, { ...LOCAL, modem: true, stopBits: 2 });
    const flags = () => readTermios(tty.fd).cflag & (CFLAG.HUPCL | CFLAG.CLOCAL | CFLAG.CSTOPB);
    expect(flags()).toBe(CFLAG.HUPCL | CFLAG.CLOCAL | CFLAG.CSTOPB);
    tty.configure(true);
    expect(flags()).toBe(CFLAG.HUPCL | CFLAG.CSTOPB);
    tty.configure(false);
    expect(flags()).toBe(CFLAG.HUPCL | CFLAG.CLOCAL | CFLAG.CSTOPB);
    tty.close();
  });

  test("local: the carrier is not watched, asked for or not", async () => {
    const { slave } = pty();
    const tty = await openTty(slave, LOCAL);
    tty.configure(true);
    expect(readTermios(tty.fd).cflag & CFLAG.CLOCAL).toBe(CFLAG.CLOCAL);
    tty.close();
  });

  describe.each(["opened", "adopted"] as const)("%s", (how) => {
    test.each([
      ["crtscts", false, true],
      ["nocrtscts", true, false],
      ["unchanged", true, true],
      ["unchanged", false, false],
      ["xonxoff", true, true],
      ["xonxoff", false, false],
    ] as const)("flow control %s, CRTSCTS found %p, left %p", async (flow, before, after) => {
      const { slave } = pty();
      const first = openFd(slave, O.RDWR | O.NOCTTY | O.NONBLOCK);
      const found = readTermios(first);
      found.cflag = before ? found.cflag | CFLAG.CRTSCTS : found.cflag & ~CFLAG.CRTSCTS;
      writeTermios(first, found, "now");
      const settings = { ...LOCAL, flow };
      const tty = how === "opened" ? await openTty(slave, settings) : adoptTty(first, slave, settings);
      const { cflag, iflag, cc } = readTermios(tty.fd);
      expect((cflag & CFLAG.CRTSCTS) !== 0).toBe(after);
      const soft = IFLAG.IXON | IFLAG.IXOFF;
      expect(iflag & soft).toBe(flow === "xonxoff" ? soft : 0);
      if (flow === "xonxoff") expect([cc[CC.VSTART], cc[CC.VSTOP]]).toEqual([0x11, 0x13]);
      tty.close();
      closeFd(first);
    });
  });

  test.each([115200, 300, 4000000, 31250, 12345, 250000])("%d baud is what the line runs at", async (speed) => {
    const { slave } = pty();
    const tty = await openTty(slave, { ...LOCAL, speed });
    expect(tty.speed).toBe(speed);
    expect(readTermios(tty.fd).ispeed).toBe(speed);
    tty.close();
  });

  test("the speed can be changed, and stays so; what has come before is thrown away", async () => {
    const { master, slave } = pty();
    const tty = await openTty(slave, LOCAL);
    writeSync(master, "at the old speed");
    awaitInput(tty.fd);
    expect(tty.setSpeed(9600)).toBe(true);
    expect(inputQueued(tty.fd)).toBe(0);
    tty.configure(true);
    expect([tty.speed, readTermios(tty.fd).ospeed, tty.mend()]).toEqual([9600, 9600, []]);
    tty.close();
    expect(tty.setSpeed(19200)).toBe(false);
  });

  test("damaged characters are received while they are wanted, and not afterwards", async () => {
    const { slave } = pty();
    const tty = await openTty(slave, LOCAL);
    const dropped = (): number => readTermios(tty.fd).iflag & (IFLAG.IGNBRK | IFLAG.IGNPAR);
    tty.hearDamage(true);
    tty.configure(true);
    expect([dropped(), tty.mend()]).toEqual([0, []]);
    tty.hearDamage(false);
    expect([dropped(), tty.mend()]).toEqual([IFLAG.IGNBRK | IFLAG.IGNPAR, []]);
    tty.close();
  });

  test.each([19200, 31250])("no speed: %d baud found, %d baud left", async (speed) => {
    const { slave } = pty();
    const first = openFd(slave, O.RDWR | O.NOCTTY | O.NONBLOCK);
    const found = readTermios(first);
    setSpeed(found, speed);
    writeTermios(first, found, "now");
    const tty = await openTty(slave, { ...LOCAL, speed: 0 });
    expect(tty.speed).toBe(speed);
    tty.close();
    closeFd(first);
  });

  test("no speed is given, and the line has none", async () => {
    const { slave } = pty();
    const first = openFd(slave, O.RDWR | O.NOCTTY | O.NONBLOCK);
    const found = readTermios(first);
    setSpeed(found, 0);
    writeTermios(first, found, "now");
    const before = openFds();
    const trouble = await troubleOf(() => openTty(slave, { ...LOCAL, speed: 0 }));
    expect(trouble).toBeInstanceOf(BaudRateError);
    expect(String(trouble)).toContain(`Baud rate for ${slave} is 0; need explicit baud rate`);
    expect(openedSince(before)).toEqual([]);
    closeFd(first);
  });
});

describe("opening", () => {
  test.each([
    ["/dev/nosuch", "open", "ENOENT"],
    ["/etc", "open", "EISDIR"],
    ["/dev/null", "tcgetattr", "ENOTTY"],
  ])("%s fails in %s with %s", async (path, call, code) => {
    const before = openFds();
    const trouble = await troubleOf(() => openTty(path, LOCAL));
    expect(trouble).toBeInstanceOf(OsError);
    const { call: failed, path: named, code: why } = trouble as OsError;
    expect([failed, named, why]).toEqual([call, path, code]);
    expect(openedSince(before)).toEqual([]);
  });

  test("is non-blocking, close-on-exec, and one descriptor more", async () => {
    const { slave } = pty();
    (await openTty(slave, LOCAL)).close(); // the addon's threads and their pipes are there from now on
    const before = openFds();
    const tty = await openTty(slave, LOCAL);
    expect(openedSince(before)).toEqual([`${tty.fd} ${slave}`]);
    expect(tty.isPty).toBe(true);
    expect(flagsOf(tty.fd) & O.NONBLOCK).toBe(O.NONBLOCK);
    expect(libc.fcntl(tty.fd, F_GETFD, 0)).toBe(FD_CLOEXEC);
    const block = new Memory(16);
    expect(libc.read(tty.fd, block.address, 16)).toBe(-1);
    expect(errno()).toBe(EAGAIN);
    tty.close();
    expect(openedSince(before)).toEqual([]);
  });

  test("throws away what was received before, and carries what comes after", async () => {
    const { master, slave } = pty();
    const first = openFd(slave, O.RDWR | O.NOCTTY | O.NONBLOCK);
    writeSync(master, "old\n");
    awaitInput(first);
    const tty = await openTty(slave, LOCAL);
    expect(inputQueued(tty.fd)).toBe(0);
    writeSync(master, "new");
    awaitInput(tty.fd);
    expect(inputQueued(tty.fd)).toBe(3);
    tty.configure(false);
    expect(inputQueued(tty.fd)).toBe(3);
    tty.flush("input");
    expect(inputQueued(tty.fd)).toBe(0);
    tty.close();
    closeFd(first);
  });

  test("configure makes a descriptor that a script had non-blocking again", async () => {
    const { slave } = pty();
    const tty = await openTty(slave, LOCAL);
    libc.fcntl(tty.fd, F_SETFL, flagsOf(tty.fd) & ~O.NONBLOCK);
    tty.configure(false);
    expect(flagsOf(tty.fd) & O.NONBLOCK).toBe(O.NONBLOCK);
    tty.close();
  });
});

describe("closing", () => {
  test("restores all but the echo, once", async () => {
    const { slave } = pty();
    const first = openFd(slave, O.RDWR | O.NOCTTY | O.NONBLOCK);
    const found = readTermios(first);
    expect(found.lflag & LFLAG.ECHO).toBe(LFLAG.ECHO);
    const tty = await openTty(slave, { ...LOCAL, flow: "xonxoff", speed: 1200 });
    tty.setExclusive(true);
    tty.close();
    tty.close();
    expect(termiosOf(slave)).toEqual({ ...found, lflag: found.lflag & ~(LFLAG.ECHO | LFLAG.ECHONL) });
    closeFd(first);
  });

  test("does not wait for a far end that never reads", async () => {
    const { slave } = pty();
    const tty = await openTty(slave, { ...LOCAL, flow: "crtscts" });
    const block = new Memory(4096);
    while (libc.write(tty.fd, block.address, 4096) > 0);
    expect(errno()).toBe(EAGAIN);
    tty.close();
  });

  test("does not wait for a far end that said XOFF", async () => {
    const { master, slave } = pty();
    const tty = await openTty(slave, { ...LOCAL, flow: "xonxoff" });
    writeSync(master, "\x13");
    const block = new Memory(4096);
    while (libc.write(tty.fd, block.address, 4096) > 0);
    tty.close();
  });

  test("a line that has hung up says so, and is closed like any other", async () => {
    const { master, slave } = openPty();
    const tty = await openTty(slave, LOCAL);
    expect(isHungUp(tty.fd)).toBe(false);
    closeFd(master);
    expect(isHungUp(tty.fd)).toBe(true);
    expect([carrier(tty.fd), outputQueued(tty.fd), inputQueued(tty.fd), setDtr(tty.fd, true)]).toEqual([
      undefined,
      0,
      0,
      false,
    ]);
    tty.flush("input");
    tty.flush("output");
    tty.configure(true);
    expect(tty.speed).toBe(LOCAL.speed);
    const { fd } = tty;
    tty.close();
    expect(() => fstatSync(fd)).toThrow();
  });
});

describe("adopting a tty that is open", () => {
  test("leaves the descriptor open and the settings as they were", () => {
    const { slave } = pty();
    const fd = openFd(slave, O.RDWR | O.NOCTTY);
    const found = readTermios(fd);
    const tty = adoptTty(fd, slave, { ...LOCAL, modem: true, speed: 4800 });
    expect(flagsOf(fd) & O.NONBLOCK).toBe(O.NONBLOCK);
    expect(tty.speed).toBe(4800);
    expect(readTermios(fd).lflag).toBe(0);
    tty.close();
    expect(flagsOf(fd) & O.NONBLOCK).toBe(0);
    expect(readTermios(fd)).toEqual(found);
    closeFd(fd);
  });

  test("throws away what was received before, but nothing on its way out", () => {
    const { master, slave } = pty();
    const fd = openFd(slave, O.RDWR | O.NOCTTY);
    writeSync(fd, "login:");
    writeSync(master, "old\n");
    awaitInput(fd);
    const tty = adoptTty(fd, slave, LOCAL);
    expect(inputQueued(fd)).toBe(0);
    writeSync(fd, "bye");
    tty.close();
    // The echo of the first line is in between.
    expect(readMaster(master, 14)).toBe("login:old\r\nbye");
    closeFd(fd);
  });

  test("leaves a non-blocking descriptor non-blocking", () => {
    const { slave } = pty();
    const fd = openFd(slave, O.RDWR | O.NOCTTY | O.NONBLOCK);
    adoptTty(fd, slave, LOCAL).close();
    expect(flagsOf(fd) & O.NONBLOCK).toBe(O.NONBLOCK);
    closeFd(fd);
  });

  test("refuses a file that is no tty, and leaves it alone", async () => {
    const fd = openFd("/dev/null", O.RDWR);
    const trouble = (await troubleOf(() => adoptTty(fd, "/dev/null", LOCAL))) as OsError;
    expect([trouble.call, trouble.code]).toEqual(["tcgetattr", "ENOTTY"]);
    expect(flagsOf(fd) & O.NONBLOCK).toBe(0);
    closeFd(fd);
  });
});

test("octets that were written before the end still arrive", async () => {
  const { master, slave } = pty();
  const tty = await openTty(slave, LOCAL);
  // More than the far end's line discipline accepts at once.
  const written = writeSync(tty.fd, Buffer.alloc(16000, "last words "));
  expect(await tty.drain(1000)).toBe(true);
  tty.close();
  expect(readMaster(master, written)).toHaveLength(written);
});

test("a pty has no modem lines and counts no errors", async () => {
  const { slave } = pty();
  const tty = await openTty(slave, LOCAL);
  expect([carrier(tty.fd), modemLines(tty.fd), lineErrors(tty.fd), setDtr(tty.fd, false)]).toEqual([
    undefined,
    undefined,
    undefined,
    false,
  ]);
  const start = performance.now();
  await tty.sendBreak(50);
  expect(performance.now() - start).toBeGreaterThan(250);
  tty.close();
});

test("linesText names the lines that are up", () => {
  const down = { dtr: false, rts: false, cts: false, dsr: false, cd: false, ri: false };
  expect(linesText(down)).toBe("");
  expect(linesText({ ...down, dtr: true, rts: true, cd: true })).toBe("RTS|DTR|CD");
});
