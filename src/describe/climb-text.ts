// The packets by which two ends of ours agree on a faster line, as debug lines show them. pppd has no words for them.

import { CLIMB_WORDS, ClimbKind, isClimbPacket, parseClimb } from "../wire/climb-packet.ts";
import { parseControl } from "../wire/control.ts";
import type { Part } from "../wire/text-part.ts";

/** Undefined: it is another packet. */
export function describeClimb(packet: Uint8Array, start: number, end: number): Part | undefined {
  const control = parseControl(packet, start, end);
  if (control === undefined || !isClimbPacket(packet, start, control.dataEnd)) return undefined;
  const climb = parseClimb(packet, control);
  if (climb === undefined) return undefined;
  return { text: ` Climb id=0x${control.id.toString(16)} ${wordsOf(climb)}`, next: control.dataEnd };
}

function wordsOf(climb: NonNullable<ReturnType<typeof parseClimb>>): string {
  const word = CLIMB_WORDS[climb.kind];
  switch (climb.kind) {
    case ClimbKind.Offer:
      return `${word}${climb.hasHeard ? " heard" : ""} ${climb.speeds.join(",")}`;
    case ClimbKind.Probe:
      return `${word} trial=${climb.trial} stage=${climb.stage} ${climb.sequence}/${climb.total} sent=${climb.sent}`;
    default:
      return `${word} trial=${climb.trial} ${climb.speed}${climb.hasHeard ? " heard" : ""}`;
  }
}
