// What `nullmodem doctor` prints for people: facts, findings, and the drawing of a cable.

import { inert } from "../bytes/text.ts";
import type { Facts } from "../run/doctor/examination.ts";
import { CABLE_CODES } from "../run/diagnose/modem-line-trouble.ts";
import type { Finding } from "../run/diagnose/finding.ts";
import type { LineErrors, Uart } from "../run/host/serial.ts";

export interface PortFacts {
  readonly port: string;
  /** "ftdi_sio". Undefined for a pty. */
  readonly driver: string | undefined;
  /** "FTDI FT232R USB UART" */
  readonly description: string | undefined;
  /** "0403:6001" */
  readonly adapter: string | undefined;
  readonly uart: Uart | undefined;
  readonly latencyMs: number | undefined;
}

const COUNTERS: Readonly<Record<keyof LineErrors, string>> = {
  frame: "framing errors",
  overrun: "overruns",
  parity: "parity errors",
  brk: "breaks",
  bufOverrun: "buffer overruns",
};

/** A null-modem cable with all wires that PPP can use. */
const DRAWING = `
A null-modem cable, by the pins of its plugs:

      DB9  DB25                      DB25  DB9
  TxD  3    2  ----------\\/----------  2    3  TxD
  RxD  2    3  ----------/\\----------  3    2  RxD
  RTS  7    4  ----------\\/----------  4    7  RTS
  CTS  8    5  ----------/\\----------  5    8  CTS
  DTR  4   20  ----------\\/---------- 20    4  DTR
  DSR  6    6  --+-------/\\-------+--  6    6  DSR
  DCD  1    8  --+                +--  8    1  DCD
  GND  5    7  ----------------------  7    5  GND

With TxD, RxD and GND alone give pppd the options local and nocrtscts.
`;

export function portText(facts: PortFacts, examined: Facts | undefined): string {
  const { port, driver, description, adapter, uart, latencyMs } = facts;
  const lines = [
    `${port}: ${[description, driver, adapter].filter((word) => word !== undefined).join(", ") || "a port"}`,
  ];
  if (uart?.type !== undefined)
    lines.push(`  chip       ${uart.type}, FIFO of ${uart.fifo} octets, at most ${uart.base} bit/s`);
  if (latencyMs !== undefined) lines.push(`  latency    ${latencyMs} ms`);
  if (examined !== undefined) lines.push(...examinedText(examined));
  return `${lines.map(inert).join("\n")}\n`;
}

function examinedText({ speeds, refused, lines, far, errors }: Facts): string[] {
  const up = lines === undefined ? "" : (["cts", "dsr", "cd", "ri"] as const).filter((name) => lines[name]).join(" ");
  const kinds: Readonly<Record<Facts["far"]["kind"], string>> = {
    nothing: "silent",
    ppp: "PPP",
    "seven bits": "octets with 7 bits or parity",
    text: "text",
    noise: "octets that make no sense",
    loopback: "a loopback plug",
    echo: "an echo",
  };
  const counted = Object.entries(errors ?? {})
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${COUNTERS[name as keyof LineErrors]}`)
    .join(", ");
  const at = far.speed === undefined ? "" : ` at ${far.speed} bit/s`;
  return [
    `  speeds     ${speeds.join(" ")}${refused.length === 0 ? "" : `; not ${refused.join(" ")}`}`,
    `  lines up   ${lines === undefined ? "the port has no modem lines" : up.toUpperCase() || "none"}`,
    `  far side   ${kinds[far.kind]}${at}`,
    ...(counted === "" ? [] : [`  counters   ${counted} since the driver was loaded`]),
  ];
}

/** The drawing, if a finding is about wires. */
export function drawingFor(findings: readonly Finding[]): string {
  return findings.some(({ code }) => CABLE_CODES.includes(code)) ? DRAWING : "";
}
