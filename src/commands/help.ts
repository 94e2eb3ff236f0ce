// What the executable says of itself when nobody asked it to be pppd or chat.

import { defineCommand, renderUsage } from "citty";
import { consola } from "consola";
import { VERSION } from "../options/version.ts";

const SUMMARIES = {
  pppd: "bring up a PPP link on a serial line: pppd /dev/ttyS1 115200 192.168.0.1:192.168.1.1 nodetach",
  chat: "talk to a modem, or to a Windows machine, from a script",
  pon: "start the link described by a file in /etc/ppp/peers",
  poff: "end it",
  plog: "show the last lines of its log",
  pppstats: "show how much went over it",
  pppdump: "print a file made by pppd's record option",
  status: "show the links of this machine and what goes over them; --json for programs",
  service: "print what makes an init or cron start pppd: nullmodem service systemd /dev/ttyS1 115200 local",
};

const nullmodem = defineCommand({
  meta: {
    name: "nullmodem",
    version: VERSION,
    description: "Two computers, one null-modem cable, and a working network between them",
  },
  subCommands: Object.fromEntries(
    Object.entries(SUMMARIES).map(([name, description]) => [name, defineCommand({ meta: { name, description } })]),
  ),
});

const AFTER = `Called by one of these names, status and service apart, it is that program. \`pppd --help\` and \`chat\` explain their own words.
\`--config-dir DIR\` as the first words of pppd or pon: the files of DIR instead of those in /etc/ppp.
A serial cable between two machines, as root:
  here   pppd /dev/ttyS0 115200 local noauth nodetach 192.168.0.1:192.168.1.1
  there  pppd /dev/ttyS0 115200 local noauth nodetach`;

/** Explains the program; the exit code is 0 when that was asked for. */
export async function help(word: string | undefined): Promise<number> {
  if (word === "--version") {
    console.log(`nullmodem ${VERSION}`);
    return 0;
  }
  const asked = word === undefined || word === "--help" || word === "-h" || word === "help";
  // Left alone they go by CI, TEST and CONSOLA_LEVEL: silent there, and coloured in a file.
  consola.level = 3;
  if (!asked) consola.error(`nullmodem has no command ${JSON.stringify(word)}`);
  const usage = `${await renderUsage(nullmodem)}\n${AFTER}\n`;
  const to = asked ? process.stdout : process.stderr;
  to.write(to.isTTY ? usage : Bun.stripANSI(usage));
  return asked ? 0 : 2;
}
