// The first times of the restart timers (RFC 1661 §4.6), from the line's speed. Every later time is twice as long, up to the
// options' lcp-restart, ipcp-restart and ipv6cp-restart.

import type { Limits } from "../../control/dialect.ts";
import type { Config } from "../../options/config.ts";

export type RestartTimes = Pick<Limits, "firstMs" | "patienceMs" | "unheardMs" | "hurryMs" | "eagerMs">;

/**
 * The octets of LCP's frame on one cable: a request with authentication, MRRU and an endpoint, with its control characters
 * escaped, or its answer. Other links of a bundle have a few more, for a longer endpoint.
 */
const FRAME_OCTETS = 80;
const OCTET_BITS = 10;
/** What the drivers and the programs of both ends take, on a machine that is not idle. */
const ANSWER_MS = 60;
/** Requests and answers of three network protocols may share the line. */
const NETWORK_FRAMES = 6;
const NETWORK_ANSWER_MS = 200;
/** A peer that is in its network phase answers within this time, though a script may hold it up. */
const NETWORK_PATIENCE_MS = 1000;
/** So does one that has sent its first request, though its machine may be busy. */
const LCP_PATIENCE_MS = 2000;
/** The same for one that perhaps did not listen yet when our request came. */
const HURRY_MS = 300;
/** A person does not notice so short a wait. */
const SHORT_MS = 150;
/** Requests to a peer that is not there take this part of the line. */
const EAGER_SHARE = 1 / 8;
/** A modem, or a network under the line, may delay an answer by this time. It rarely does. */
const DISTANT = { firstMs: 1500, patienceMs: 1500, unheardMs: 200 };
/** The speed is not known yet. It is rarely lower. */
const LIKELY_SPEED = 9600;

type LineOptions = Pick<Config, "device" | "modem" | "speed" | "findSpeed">;

/** True when more than a cable is between the ends. */
function isDistant({ device, modem }: LineOptions): boolean {
  return modem || device === undefined;
}

function frameMs({ speed, findSpeed }: LineOptions): number {
  return (FRAME_OCTETS * OCTET_BITS * 1000) / (speed === 0 || findSpeed ? LIKELY_SPEED : speed);
}

export function lcpTimes(line: LineOptions): RestartTimes {
  if (isDistant(line)) return DISTANT;
  const frame = frameMs(line);
  const firstMs = ANSWER_MS + 2 * frame;
  return {
    firstMs,
    patienceMs: LCP_PATIENCE_MS,
    hurryMs: Math.max(HURRY_MS, 2 * firstMs),
    eagerMs: Math.max(SHORT_MS, frame / EAGER_SHARE),
  };
}

export function networkTimes(line: LineOptions): RestartTimes {
  if (isDistant(line)) return DISTANT;
  const firstMs = NETWORK_ANSWER_MS + NETWORK_FRAMES * frameMs(line);
  return { firstMs, patienceMs: Math.max(NETWORK_PATIENCE_MS, firstMs) };
}
