// Rows of a link's status that a version before this one did not publish: each may be missing.

import type { AgreedWay } from "../link/agreed.ts";
import type { LineStatus, ModemStatus, QueueStatus, RoundTripStatus, Status } from "../run/live/published-status.ts";
import { count, size, span } from "./status-units.ts";

type Rows = (readonly [name: string, text: string])[];

/** In the order of a breakout box. */
export const SIGNALS = ["dtr", "rts", "cts", "dsr", "dcd", "ri"] as const;

export function lineRows({ modem, roundTrip, agreed, waiting = 0, climbedFrom }: LineStatus): Rows {
  return [
    ...row("signals", modem && modemText(modem)),
    ...row("round trip", roundTrip && roundTripText(roundTrip)),
    ...row("waiting", waiting > 0 ? `${size(waiting)} for the line` : undefined),
    ...row("climb", climbedFrom && `from ${climbedFrom} bits per second`),
    ...row("in form", agreed && wayText(agreed.receive, "proved by")),
    ...row("out form", agreed && wayText(agreed.transmit, "we proved by")),
  ];
}

function row(name: string, text: string | number | undefined): Rows {
  return text === undefined || text === "" ? [] : [[name, String(text)]];
}

function modemText(modem: ModemStatus): string {
  const named = (isOn: boolean): string =>
    SIGNALS.filter((signal) => modem[signal] === isOn)
      .join(" ")
      .toUpperCase();
  return [named(true) && `on ${named(true)}`, named(false) && `off ${named(false)}`].filter(Boolean).join(", ");
}

function roundTripText({ last, least, average, answered, lost, seconds }: RoundTripStatus): string {
  const times = `${milliseconds(last)}, least ${milliseconds(least)}, average ${milliseconds(average)}`;
  const ago = seconds > 0 ? `, ${span(seconds)} ago` : "";
  return `${times}; ${count(answered, "echo", "es")} answered, ${lost} lost${ago}`;
}

export function milliseconds(value: number): string {
  return `${value >= 100 ? value.toFixed(0) : value.toFixed(1)} ms`;
}

function wayText({ mru, accm, pcomp, accomp, fcs, auth, mrru, endpoint }: AgreedWay, proof: string): string {
  const parts = [
    `MRU ${mru}`,
    `ACCM ${accm}`,
    pcomp && "pcomp",
    accomp && "accomp",
    fcs !== 16 && `FCS ${fcs} bits`,
    auth && `${proof} ${auth}`,
    mrru !== undefined && `multilink MRRU ${mrru}`,
    mrru !== undefined && endpoint && `endpoint ${endpoint}`,
  ];
  return parts.filter(Boolean).join(", ");
}

export function queueRows({ queue, interleave = false }: Status): Rows {
  return [...row("interleave", interleave ? "yes" : undefined), ...row("queue", queue && queueText(queue))];
}

function queueText({ packets, octets, dropped, marked, overflowed }: QueueStatus): string {
  return `${count(packets, "packet")} (${size(octets)}), ${dropped} dropped, ${marked} marked, ${overflowed} without room`;
}

export function transferRows({ transfers = [] }: Status): Rows {
  return transfers.flatMap(({ name, to, octets, of, rate }) => {
    const done = of === undefined || of === 0 ? size(octets) : `${Math.floor((100 * octets) / of)} % of ${size(of)}`;
    return row(to === "peer" ? "to peer" : "from peer", `${name}: ${done}, ${size(rate)}/s`);
  });
}
