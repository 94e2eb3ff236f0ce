// The `--help` texts of programs whose originals print a short usage line or nothing. pppd, pon and poff have their
// own.

import type { Applet } from "./applets.ts";

const CHAT = `\
Usage: chat [-e] [-E] [-v] [-V] [-t timeout] [-r report-file]
     [-T phone-number] [-U phone-number2] {-f chat-file | chat-script}
Talks to a modem on standard input and output: waits for a text, sends one, and
so on: chat '' ATZ OK ATDT555 CONNECT expects nothing, sends ATZ, waits for OK.
  -f FILE    take the script from a file
  -t N       seconds to wait for each text (45)
  -v         log what is sent and heard to syslog; -s: to standard error too
  -S         no syslog
  -V         copy what is heard to standard error
  -e         as the word ECHO ON
  -E         replace $NAME in the script by the environment's
  -r FILE    append the lines of REPORT to a file
  -T, -U     the texts for \\T and \\U
`;

const PPPSTATS = `\
Usage: pppstats [-a|-d] [-v|-r|-z] [-c count] [-w wait] [interface]
Shows what went over a PPP interface (ppp0), every few seconds.
  -a         totals, not differences; -d: rates in KB/s
  -v         more about Van Jacobson compression
  -r, -z     compression ratios; the compressor's counters
  -c COUNT   so many lines
  -w WAIT    seconds between two lines (5)
`;

const PPPDUMP = `\
Usage: pppdump [-h | -p[d]] [-r] [-m mru] [-a] [file ...]
Prints a file that pppd's record option has made.
  -h         octets in hex; without it as text
  -p         PPP packets; -d: decompressed
  -r         the directions swapped
  -m MRU     the largest packet that is no error (1500)
  -a         absolute times
  --pcapng FILE   make a capture for Wireshark of it (-: on standard output)
`;

const PLOG = `\
Usage: plog [tail's options]
Shows the last lines of pppd's and chat's log: plog -n 50, plog -f.
`;

const TEXTS: Partial<Record<Applet, string>> = { chat: CHAT, pppstats: PPPSTATS, pppdump: PPPDUMP, plog: PLOG };

/** The text for `--help`. Undefined: the program answers itself. */
export function appletHelp(applet: Applet, argv: readonly string[]): string | undefined {
  return argv[0] === "--help" ? TEXTS[applet] : undefined;
}
