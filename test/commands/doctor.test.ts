// nullmodem doctor: its words and its texts.

import { expect, test } from "bun:test";
import { drawingFor, portText } from "../../src/commands/doctor-text.ts";
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
  expect(wordsOf(["--speed=4800", "./tty"])).toMatchObject({ port: "./tty", speed: 4800 });
  expect(wordsOf(["ttyS1", "--far"])).toMatchObject({ speed: 9600, far: true });
  expect(wordsOf(["ttyS1", "--far", "--speed", "1200"])).toMatchObject({ speed: 1200, far: true });
  expect(wordsOf([])).toBe("which port?");
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
      lines: { dtr: true, rts: true, cts: true, dsr: false, cd: true, ri: false },
      far: { kind: "ppp", speed: 9600 },
    },
  );
  expect(text).toBe(`/dev/ttyS0: built-in\\x1b[31m UART, serial8250
  chip       16550A, FIFO of 16 octets, at most 115200 bit/s
  speeds     9600 115200
  lines up   CTS CD
  far side   PPP at 9600 bit/s
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
