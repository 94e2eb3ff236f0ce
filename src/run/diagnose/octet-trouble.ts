// What is wrong with octets on their way: those that never arrive, those that a sender inserts, and bit 7.

import type { Heard } from "../../link/heard.ts";
import type { Finding } from "./finding.ts";

const XON = 0x11;
const XOFF = 0x13;

/** Checks which of all 256 octets arrived. `lost` are the others, in their order. */
export function lostOctetsTrouble(lost: readonly number[]): Finding[] {
  if (lost.length === 0) return [];
  if (lost.every((octet) => octet === XON || octet === XOFF))
    return [
      {
        code: "xonxoff",
        text: "The octets XON and XOFF do not arrive: a port or a device on the way uses them for flow control",
        remedy: "switch that off there (stty -ixon -ixoff), or give pppd at both ends asyncmap a0000",
        severity: "warning",
      },
    ];
  if (lost.length >= 128 && lost.every((octet) => octet >= 0x80)) return [sevenBits("bit 7 does not arrive")];
  const list = lost.map((octet) => octet.toString(16).padStart(2, "0"));
  const some = list.length > 8 ? `${list.slice(0, 8).join(" ")} and ${list.length - 8} more` : list.join(" ");
  return [
    {
      code: "octets-lost",
      text: `Octets do not arrive: ${some}`,
      remedy: "a lower speed may help; for single octets give pppd at both ends escape, with this list",
      severity: "warning",
    },
  ];
}

/** Checks what was heard at the right speed. */
export function heardTrouble(heard: Heard): Finding[] {
  const { parity } = heard;
  const found: Finding[] = parity === undefined ? [] : [sevenBits(`the octets that came ${parity}`)];
  const lone = heard.countOf(XOFF);
  if (parity === undefined && lone > 0 && lone + heard.countOf(XON) < heard.octetCount / 4)
    found.push({
      code: "xonxoff",
      text: "The far side sends XOFF, which stops the sender in software flow control",
      remedy: "switch that off there (stty -ixoff), or give pppd at both ends xonxoff and asyncmap a0000",
      severity: "warning",
    });
  return found;
}

function sevenBits(why: string): Finding {
  return {
    code: "seven-bits",
    text: `The line carries 7 bits or parity: ${why}`,
    remedy: "set both ports to 8 data bits and no parity (stty cs8 -parenb -istrip)",
    severity: "warning",
  };
}
