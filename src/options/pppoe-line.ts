// PPPoE by the program pppoe(8), which takes PPP's frames on a pseudo terminal. pppd's plugin hands the session to the
// kernel's PPP, which this program does without. What it makes of other options, this does too (RFC 2516 §7).

import { shellWord } from "../bytes/shell-word.ts";
import type { Draft } from "./config.ts";
import { OptionError } from "./error.ts";
import type { OptionHost } from "./host.ts";

/** What Ethernet carries besides the headers of PPPoE and PPP (RFC 2516 §7). */
const LONGEST_PACKET = 1492;

/** The options that the program does not have. Nobody is to get a session that is not the one that was asked for. */
const MISSING = { "pppoe-mac": "pppoeMac", "pppoe-host-uniq": "pppoeHostUniq" } as const;
/** The same where the session is no other one without them. */
const IDLE = ["pppoe-verbose", "pppoe-padi-timeout", "pppoe-padi-attempts"];

/** Makes the line of an interface that was given for PPPoE. Throws OptionError. */
export function settlePppoe(draft: Draft, host: OptionHost): void {
  const { pppoeInterface, pppoeService, pppoeAc, pppoeSess } = draft;
  if (pppoeInterface === undefined) return;
  if (draft.pty !== undefined) throw new OptionError("pty option precludes specifying device name");
  for (const [name, field] of Object.entries(MISSING))
    if (draft[field] !== undefined) throw new OptionError(`${name}: the program pppoe has no such option`);
  for (const name of IDLE)
    if (draft.given[name] !== undefined) host.warn(`${name} has no effect: the program pppoe has no such option`);
  if (pppoeSess !== undefined && !/^\d+(:[0-9a-f]{1,2}){6}$/i.test(pppoeSess))
    throw new OptionError("Illegal value for pppoe-sess option");
  const program = host.findTool("pppoe");
  if (program === undefined)
    throw new OptionError("rp-pppoe.so: the program pppoe is not installed", {
      hints: ["Its package is pppoe in Debian (apt-get install pppoe), and rp-pppoe elsewhere"],
    });
  const words = [
    ...["exec", program, "-I", pppoeInterface, "-U"],
    ...(pppoeService === undefined ? [] : ["-S", pppoeService]),
    ...(pppoeAc === undefined ? [] : ["-C", pppoeAc]),
    ...(pppoeSess === undefined ? [] : ["-e", pppoeSess]),
  ];
  draft.pty = words.map(shellWord).join(" ");
  draft.mru = Math.min(draft.mru, LONGEST_PACKET);
  draft.mtu = Math.min(draft.mtu, LONGEST_PACKET);
  draft.noaccomp = draft.nopcomp = draft.defaultAsyncmap = draft.novj = true;
  draft.bsdcomp = draft.deflate = { receive: 0, transmit: 0 };
}
