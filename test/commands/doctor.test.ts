// nullmodem doctor: its words and its texts.

import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { drawingFor, portText } from "../../src/commands/doctor-text.ts";
import { codesText, FINDING_CODES } from "../../src/commands/doctor-codes.ts";
import { wordsOf } from "../../src/commands/doctor.ts";
import type { Finding } from "../../src/run/diagnose/finding.ts";

test("the words: a port with or without /dev, a speed, and what is refused", () => {
  expect(wordsOf(["ttyS1"])).toEqual({ port: "/dev/ttyS1", speed: 115200, json: false, far: false });
  expect(wordsOf(["--json", "/dev/ttyS1", "--speed", "9600"])).toEqual({
    port: "/dev/ttyS1",
    speed: 9600,
    json: true,
    far: false,
  });
  expect(wordsOf(["--speed=4800", "/tmp/tty"])).toMatchObject({ port: "/tmp/tty", speed: 4800 });
  // As pppd takes it, not in the present folder.
  expect(wordsOf(["serial/by-id/usb-x"])).toMatchObject({ port: "/dev/serial/by-id/usb-x" });
  expect(wordsOf(["ttyS1", "--far"])).toMatchObject({ speed: 9600, far: true });
  expect(wordsOf(["ttyS1", "--far", "--speed", "1200"])).toMatchObject({ speed: 1200, far: true });
  expect(wordsOf([])).toStartWith("which port? ");
  expect(wordsOf(["a", "b"])).toBe("one port at a time");
  expect(wordsOf(["a", "--speed", "fast"])).toBe("--speed: not a speed: fast");
  expect(wordsOf(["a", "--speed"])).toBe("--speed: not a speed: ");
  expect(wordsOf(["a", "--sped"])).toBe('there is no option "--sped"');
});

test("the facts of a port fit a terminal, and nothing from the adapter's maker can control it", () => {
  const text = portText(
    {
      port: "/dev/ttyS0",
      driver: "serial8250",
      description: "built-in\x1b[31m UART",
      adapter: undefined,
      uart: { type: "16550A", fifo: 16, base: 115200 },
      latencyMs: undefined,
    },
    {
      speeds: [9600, 115200],
      refused: [230400, 460800],
      errors: { frame: 3, overrun: 0, parity: 0, brk: 1, bufOverrun: 0 },
      lines: { dtr: true, rts: true, cts: true, dsr: false, cd: true, ri: false },
      far: { kind: "ppp", speed: 9600 },
    },
  );
  expect(text).toBe(`/dev/ttyS0: built-in\\x1b[31m UART, serial8250
  chip       16550A, FIFO of 16 octets, at most 115200 bit/s
  speeds     9600 115200; not 230400 460800
  lines up   CTS CD
  far side   PPP at 9600 bit/s
  counters   3 framing errors, 1 breaks since the driver was loaded
`);
});

test("the drawing of a cable comes only with findings about wires", () => {
  const finding = (code: string): Finding => ({ code, text: "", severity: "warning" });
  expect(drawingFor([finding("echo")])).toBe("");
  const drawing = drawingFor([finding("echo"), finding("lines-dead")]);
  for (const word of ["DB9", "DB25", "TxD", "RxD", "RTS", "CTS", "DTR", "DSR", "DCD", "GND"])
    expect(drawing).toContain(word);
  for (const line of drawing.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
});

test("each code of a finding in the source is documented, and no other", () => {
  const root = join(import.meta.dir, "../../src");
  const files = [
    ...readdirSync(join(root, "run/diagnose")).map((name) => join(root, "run/diagnose", name)),
    ...readdirSync(join(root, "run/doctor")).map((name) => join(root, "run/doctor", name)),
    join(root, "commands/doctor.ts"),
  ];
  const text = files.map((file) => readFileSync(file, "utf8")).join("");
  const codes = [...text.matchAll(/(?:code: |warn(?:ing)?\(\s*)"([a-z-]+)"/g)].map(([, code]) => code!);
  expect([...new Set(codes)].sort()).toEqual(Object.keys(FINDING_CODES).sort());
  for (const line of codesText().split("\n")) expect(line.length).toBeLessThanOrEqual(80);
});

test("the program: a port that is not there, and wrong words", () => {
  const run = (...words: string[]) =>
    Bun.spawnSync([process.execPath, join(import.meta.dir, "../../src/main.ts"), "doctor", ...words]);
  const absent = run("/dev/nosuchport", "--json");
  const { findings, facts } = JSON.parse(absent.stdout.toString()) as { findings: Finding[]; facts: { port: string } };
  expect([absent.exitCode, facts.port]).toEqual([1, "/dev/nosuchport"]);
  const about = findings.filter(({ code }) => !["tun", "rights"].includes(code));
  expect(about.map(({ code }) => code)).toEqual(["port", "port-absent"]);
  expect(about[0]!.text).toBe("/dev/nosuchport cannot be opened: No such file or directory");
  const help = run("--help");
  expect([run("--nonsense").exitCode, run().exitCode, help.exitCode]).toEqual([2, 2, 0]);
  for (const line of help.stdout.toString().split("\n")) expect(line.length).toBeLessThanOrEqual(80);
});
