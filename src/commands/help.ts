// The help text of the executable, for calls by its own name.

import { consola } from "consola";
import type { Applet } from "../applets/applets.ts";
import { nearestNames } from "../bytes/nearest.ts";
import { VERSION } from "../options/version.ts";
import type { Command } from "./commands.ts";

/** What a new user needs comes first, and the names of pppd's own programs last. */
const SUMMARIES = {
  serve: "serve ports: recognise each caller and give it a link",
  join: "find the other end of a serial line, and bring up a link with it",
  files: "give the other machine's browser a folder, while a link is up",
  doctor: "examine a serial port, its cable and the far side",
  setup: "write pppd's files for a link, after showing the changes; --undo",
  presets: "show what pppd's option peer NAME sets for Windows, Palm, ESP32, …",
  status: "show the links of this machine: text, a live screen, JSON, metrics",
  ctl: "control a link that runs: hang up, redial, …",
  capture: "show a running link's packets to Wireshark, or write them to files",
  log: "show past and present sessions: users, octets, why they ended",
  report: "write a page with graphs of a session, for a report of a fault",
  get: "fetch files from the other machine, over a line that comes and goes",
  put: "send files to the other machine, over a line that comes and goes",
  sync: "make a folder like one of the other machine; send what differs",
  service: "print a service file for an init, or a line for cron",
  completion: "print what makes bash, zsh or fish complete words",
  cleanup: "undo changes to the machine that a killed pppd has left",
  pppd: "bring up a PPP link on a serial line",
  chat: "talk to a modem, or to a Windows machine, from a script",
  pon: "start the link that a file in /etc/ppp/peers describes",
  poff: "end a link",
  plog: "show the last lines of pppd's log",
  pppstats: "show the traffic of a link",
  pppdump: "print a file made by pppd's record option",
} satisfies Record<Applet | Command, string>;

/** The text must fit 80 columns. A test checks that. */
const USAGE = `\
nullmodem ${VERSION}: two computers, one null-modem cable, and a working network
between them

Usage: nullmodem COMMAND [WORDS]; nullmodem COMMAND --help explains its words

${Object.entries(SUMMARIES)
  .map(([name, about]) => `  ${name.padEnd(10)} ${about}\n`)
  .join("")}
Called by one of the last seven names, nullmodem is that program. pppd
show-options lists all options of pppd. Begin the words of pppd or pon with
--config-dir DIR to use the files in DIR instead of those in /etc/ppp.

A serial cable between two machines, as root:
  here   nullmodem serve ttyS0
  there  nullmodem join ttyS0
The same with pppd's own words:
  here   pppd /dev/ttyS0 115200 local noauth nodetach 192.168.0.1:192.168.1.1
  there  pppd /dev/ttyS0 115200 local noauth nodetach
`;

/** Prints the help. The exit code is 0 when the user asked for it. */
export async function help(word: string | undefined): Promise<number> {
  if (word === "--version") {
    console.log(`nullmodem ${VERSION}`);
    return 0;
  }
  if (word === undefined || word === "--help" || word === "-h" || word === "help") {
    process.stdout.write(USAGE);
    return 0;
  }
  // By default consola uses CI, TEST and CONSOLA_LEVEL, and would print nothing there.
  consola.level = 3;
  consola.error(`nullmodem has no command ${JSON.stringify(word)}`);
  const near = nearestNames(word, Object.keys(SUMMARIES));
  if (near.length > 0) process.stderr.write(`Did you mean ${near.join(" or ")}?\n`);
  process.stderr.write(USAGE);
  return 2;
}
