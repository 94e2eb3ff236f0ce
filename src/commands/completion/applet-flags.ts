// The flags of the classic programs other than pppd, in the manual and for the shells.

import type { Applet } from "../../applets/applets.ts";

export interface FlagRow {
  readonly names: readonly string[];
  /** The word for its value. Undefined: it has none. */
  readonly value?: string | undefined;
  readonly about: string;
}

export interface AppletWords {
  /** As a heading: "Bring up a link …" without a full stop. */
  readonly about: string;
  readonly flags: readonly FlagRow[];
  /** The words that are no flags. The last one may be repeated. */
  readonly places: readonly string[];
}

const CONFIG_DIR: FlagRow = {
  names: ["--config-dir"],
  value: "DIR",
  about: "the files of this folder instead of those in /etc/ppp; before all other words",
};

export const APPLET_WORDS: Readonly<Record<Exclude<Applet, "pppd">, AppletWords>> = {
  chat: {
    about: "talk to a modem, or to a Windows machine, from a script",
    flags: [
      { names: ["-f"], value: "FILE", about: "take the script from a file" },
      { names: ["-t"], value: "N", about: "seconds to wait for each text (45; 0: for ever)" },
      { names: ["-v"], about: "log what is sent and heard to syslog" },
      { names: ["-V"], about: "copy what is heard to standard error" },
      { names: ["-s"], about: "log to standard error too" },
      { names: ["-S"], about: "do not log to syslog" },
      { names: ["-e"], about: "begin with ECHO ON" },
      { names: ["-E"], about: "replace $NAME in the script by the variable of the environment" },
      { names: ["-r"], value: "FILE", about: "append the lines of REPORT to a file" },
      { names: ["-T"], value: "TEXT", about: "the text for \\T" },
      { names: ["-U"], value: "TEXT", about: "the text for \\U" },
    ],
    places: ["WORD"],
  },
  pppstats: {
    about: "show what goes over a PPP interface",
    flags: [
      { names: ["-a"], about: "totals instead of differences" },
      { names: ["-d"], about: "rates, in kilobytes per second" },
      { names: ["-v"], about: "more about Van Jacobson compression" },
      { names: ["-r"], about: "compression ratios" },
      { names: ["-z"], about: "the counters of the compressor" },
      { names: ["-c"], value: "N", about: "so many lines (without -w: 1)" },
      { names: ["-w"], value: "N", about: "seconds between two lines (5)" },
    ],
    places: ["LINK"],
  },
  pppdump: {
    about: "print a file that pppd's option record has made",
    flags: [
      { names: ["-h"], about: "octets in hex; without it as text" },
      { names: ["-p"], about: "PPP packets" },
      { names: ["-d"], about: "with -p: packets as they were before compression" },
      { names: ["-r"], about: "the directions swapped" },
      { names: ["-m"], value: "N", about: "the largest packet that is no error (1500)" },
      { names: ["-a"], about: "the time of day instead of the time that has passed" },
      { names: ["--pcapng"], value: "FILE", about: "make a capture for Wireshark of it (-: on standard output)" },
    ],
    places: ["FILE"],
  },
  pon: {
    about: "start the link that a file in /etc/ppp/peers describes",
    flags: [CONFIG_DIR, { names: ["-q", "--quick"], about: "hang up when the scripts of ip-up have run" }],
    places: ["PEER", "OPTION"],
  },
  poff: {
    about: "end a link",
    flags: [
      { names: ["-r"], about: "drop the line and dial again" },
      { names: ["-d"], about: "switch pppd's option debug on or off" },
      { names: ["-c"], about: "negotiate compression again" },
      { names: ["-a"], about: "end all links" },
      { names: ["-h"], about: "show a help text" },
      { names: ["-v"], about: "show the version" },
    ],
    places: ["PEER"],
  },
  plog: {
    about: "show the last lines of pppd's log",
    flags: [
      { names: ["-n"], value: "N", about: "so many lines" },
      { names: ["-f"], about: "go on with the lines that come later" },
    ],
    places: [],
  },
};

/** Words that pppd has besides its options. */
export const PPPD_FLAGS: readonly FlagRow[] = [CONFIG_DIR];
