// A port that other programs read, and whose settings they change.

import { afterEach, expect, test } from "bun:test";
import { closeFd, O, openFd } from "../../../src/os/ffi/libc.ts";
import { openPty } from "../../../src/os/serial/pty.ts";
import {
  CC,
  CFLAG,
  IFLAG,
  LFLAG,
  OFLAG,
  readTermios,
  setSpeed,
  type Termios,
  writeTermios,
} from "../../../src/os/serial/termios.ts";
import { openTty, type Tty } from "../../../src/os/serial/tty.ts";
import { type Finding, linesOf } from "../../../src/run/diagnose/finding.ts";
import { type FrameCounts, PortWatch } from "../../../src/run/diagnose/port-watch.ts";

const NONE: FrameCounts = { good: 0, bad: 0, sent: 0 };

let undo: (() => void)[] = [];
afterEach(() => {
  for (const each of undo) each();
  undo = [];
});

async function watched() {
  const { master, slave } = openPty();
  const other = openFd(slave, O.RDWR | O.NOCTTY | O.NONBLOCK);
  const tty: Tty = await openTty(slave, { speed: 115200, modem: true, flow: "crtscts", stopBits: 1 });
  tty.configure(true);
  undo.push(() => {
    tty.close();
    closeFd(other);
    closeFd(master);
  });
  const said: string[] = [];
  const openers: Finding[] = [];
  const searches: string[] = [];
  const watch = new PortWatch(
    tty,
    0,
    (findings) => said.push(...findings.flatMap(linesOf)),
    (path) => {
      searches.push(path);
      return openers;
    },
  );
  /** The action of another program on the port. */
  const change = (act: (termios: Termios) => void): void => {
    const termios = readTermios(other);
    act(termios);
    writeTermios(other, termios, "now");
  };
  return { tty, slave, watch, said, openers, searches, change, read: () => readTermios(other) };
}

test("settings that another program changed are put back and named, flow control and modem lines left alone", async () => {
  const { tty, slave, watch, said, change, read } = await watched();
  const ours = read();
  const cases: [words: string, act: (termios: Termios) => void][] = [
    ["icanon echo", (termios) => void (termios.lflag |= LFLAG.ICANON | LFLAG.ECHO)],
    ["9600", (termios) => setSpeed(termios, 9600)],
    ["istrip icrnl ixon", (termios) => void (termios.iflag |= IFLAG.ISTRIP | IFLAG.ICRNL | IFLAG.IXON)],
    ["opost onlcr", (termios) => void (termios.oflag = OFLAG.OPOST | OFLAG.ONLCR)],
    ["min 0", (termios) => void (termios.cc[CC.VMIN] = 0)],
  ];
  for (const [nth, [words, act]] of cases.entries()) {
    change(act);
    watch.look(60_000 * (nth + 1), NONE);
    expect(said.splice(0)).toEqual([
      `Another program has changed the settings of ${slave} (${words}); they are put back`,
    ]);
    expect(read()).toEqual(ours);
  }
  change((termios) => void (termios.cflag = (termios.cflag & ~CFLAG.CRTSCTS) | CFLAG.CLOCAL));
  watch.look(600_000, NONE);
  expect(said).toEqual([]);
  expect(read().cflag & (CFLAG.CRTSCTS | CFLAG.CLOCAL)).toBe(CFLAG.CLOCAL);
  // The other settings are not restored to their earlier values either.
  change((termios) => void (termios.lflag |= LFLAG.ECHO));
  expect(tty.mend()).toEqual(["echo"]);
  expect(read().cflag & (CFLAG.CRTSCTS | CFLAG.CLOCAL)).toBe(CFLAG.CLOCAL);
});

test("a program that changes them over and over is put right each second, and in the log now and then", async () => {
  const { watch, said, searches, change, read } = await watched();
  for (let now = 1000; now <= 60_000; now += 1000) {
    expect(watch.nextLookAt).toBe(now);
    change((termios) => void (termios.lflag |= LFLAG.ICANON));
    watch.look(now, NONE);
    expect(read().lflag).toBe(0);
  }
  expect(said).toHaveLength(3);
  // The program that did it may have the port open.
  expect(searches.length).toBeGreaterThan(0);
});

test("after bad frames, and when frames stop, other programs that have the port open are looked for", async () => {
  const { slave, watch, said, openers, searches } = await watched();
  watch.look(1000, { good: 5, bad: 0, sent: 5 });
  expect(searches).toEqual([]);
  openers.push({ code: "port-shared", text: "cat has it", severity: "warning" });
  watch.look(2000, { good: 6, bad: 1, sent: 5 });
  expect([said.splice(0), searches]).toEqual([["cat has it"], [slave]]);
  // It is not repeated at once.
  watch.look(3000, { good: 6, bad: 2, sent: 5 });
  expect(said).toEqual([]);
  watch.look(30_000, { good: 7, bad: 2, sent: 9 });
  expect(said).toEqual([]);
  // Silence on both sides is no trouble. A missing answer is.
  watch.look(50_000, { good: 7, bad: 2, sent: 9 });
  expect(said).toEqual([]);
  watch.look(50_500, { good: 7, bad: 2, sent: 10 });
  expect(said).toEqual(["cat has it"]);
});

test("on a bad line without another program it looks less and less often", async () => {
  const { watch, searches } = await watched();
  for (let bad = 1; bad <= 3600; bad++) watch.look(bad * 1000, { good: bad, bad, sent: bad });
  expect(searches.length).toBeGreaterThan(5);
  expect(searches.length).toBeLessThan(20);
});

test("a port that has hung up is left alone", async () => {
  const { tty } = await watched();
  tty.close();
  expect(tty.mend()).toEqual([]);
});
