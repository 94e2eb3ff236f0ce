// What one line and the link on it are doing, for the published status.

import type { EchoTimes } from "../../control/echo-times.ts";
import type { Link } from "../../link/link.ts";
import type { LineWatch } from "../diagnose/line-watch.ts";
import type { Device, ModemLines } from "../host/serial.ts";
import type { LinePort } from "../loop/line-port.ts";
import type { Machine } from "../machine.ts";
import type { ClimbLine } from "../session/climb-line.ts";
import type { LineStatus, ModemStatus, RoundTripStatus } from "./published-status.ts";

const SECOND = 1000;

/** `climb` is for a line that may change its speed. */
export function lineStatus(
  link: Link,
  machine: Machine,
  tty: Device,
  port: LinePort,
  watch: LineWatch,
  climb: ClimbLine | undefined,
): LineStatus {
  const now = machine.clock.now();
  const { frames, badFcs, runts, overlong, aborted, faults } = link.deframer.stats;
  const silentMs = watch.silentMs(now);
  const { output } = port.buffers;
  const given = link.given.count();
  const { ways, echoTimes } = link.agreed;
  return {
    device: tty.path,
    speed: Math.round(port.pacer.speed),
    phase: link.phase,
    silent: silentMs === undefined || link.given.isOn ? undefined : Math.floor(silentMs / SECOND),
    framesReceived: frames + given.received,
    framesSent: link.framesSent + given.sent,
    badFcs,
    runts,
    overlong: overlong + given.overlong,
    aborted,
    faults,
    roundTrip: roundTripOf(echoTimes, now),
    // The driver may have to ask the adapter: it is asked when somebody reads the signals.
    get modem() {
      const modemLines = machine.serial.modemLines(tty.fd);
      return modemLines && modemStatus(modemLines);
    },
    waiting: Math.round(port.backlog(now)),
    ring: { octets: output.length, size: output.length + output.free },
    agreed: ways,
    climbedFrom: climb?.earlierSpeed,
  };
}

/** Undefined: no echo was answered. */
function roundTripOf(
  { last, least, sum, answered, lost, answeredAt }: EchoTimes,
  now: number,
): RoundTripStatus | undefined {
  if (answered === 0) return undefined;
  const rounded = (milliseconds: number): number => Math.round(milliseconds * 1000) / 1000;
  const times = { last: rounded(last), least: rounded(least), average: rounded(sum / answered) };
  return { ...times, answered, lost, seconds: Math.floor((now - answeredAt) / SECOND) };
}

function modemStatus({ cd, ...others }: ModemLines): ModemStatus {
  return { ...others, dcd: cd };
}
