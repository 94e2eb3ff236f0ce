// nullmodem join PORT: finds out the speed and the kind of the other end of a cable, and runs pppd with it.

import { defineCommand } from "citty";
import { consola } from "consola";
import { existsSync, readFileSync } from "node:fs";
import { isCharacterDevice } from "../os/ffi/host-files.ts";
import { reasonOf } from "../os/ffi/libc.ts";
import { proxyPlaceOf } from "../options/table/socks-rows.ts";
import { print } from "../os/log/print.ts";
import { askHidden, pipeWith } from "../os/process/hidden-input.ts";
import { portsHere } from "../os/serial/ports.ts";
import { hasLentRights, isPrivileged } from "../os/users/rights.ts";
import { Exit } from "../run/exit.ts";
import { usageText } from "./usage-text.ts";

const command = defineCommand({
  meta: { name: "nullmodem join", description: "Find the other end of a serial line and bring up a link with it" },
  args: {
    port: { type: "positional", description: "the serial line (/dev/ttyS0)", required: true },
    user: { type: "string", description: "our name, if the other end asks for one" },
    "password-file": { type: "string", description: "a file with our password (asked for on a terminal)" },
    number: { type: "string", description: "the number to dial if a modem answers (777)" },
    speed: { type: "string", description: "the only speed to try" },
    socks: {
      type: "string",
      description: "[ADDRESS:]PORT of a SOCKS and HTTP proxy instead of an interface; needs no root",
    },
  },
});

const AFTER = `Words after -- are pppd's own options. It stays in the foreground, tries again when
the link ends, and takes the default route and the name servers that are offered.
With --socks there is no interface and no route: programs that use the proxy reach
the link's network, and the far end resolves their names.
  nullmodem join /dev/ttyUSB0
  nullmodem join ttyS0 --user zaphod --speed 19200 -- nodefaultroute
  nullmodem join ttyUSB0 --socks 1080   # curl -x socks5h://127.0.0.1:1080 …

Exit codes: 5 after SIGTERM or SIGINT, 2 for wrong words, 3 without the rights,
others as pppd's.
`;

/** What suits a cable. Words of the user come after these. */
const ALWAYS = [
  "join",
  "nodetach",
  "lock",
  "modem-if-carrier",
  "climb-if-cable",
  "noauth",
  "persist",
  "maxfail",
  "0",
  "holdoff",
  "1",
];
const LINK = ["interleave", "usepeerdns", "address-pair", "0", "ipcp-accept-local", "ipcp-accept-remote"];
/** Without a carrier only echoes show that the other end is gone. */
const ECHOES = ["lcp-echo-interval", "5", "lcp-echo-failure", "4"];
/** Other default routes come first, but for those that a network manager has found to lead nowhere (20000 and more). */
const LAST = ["defaultroute-metric", "10000"];
const FLAGS = ["user", "password-file", "number", "speed", "socks"] as const;

export interface JoinWords {
  readonly port: string;
  readonly flags: Readonly<Partial<Record<(typeof FLAGS)[number], string>>>;
  /** pppd's own. */
  readonly words: readonly string[];
}

/** Runs join with the words after its name. Returns the exit code. */
export async function join(argv: readonly string[]): Promise<number> {
  consola.level = 3;
  const usage = await usageText(command, AFTER);
  const [first = ""] = argv;
  if (["--help", "-h"].includes(first) || ownWords(argv).includes("--help")) {
    print(usage);
    return 0;
  }
  const asked = joinWords(argv);
  if (typeof asked === "string") {
    consola.error(asked);
    process.stderr.write(usage);
    return 2;
  }
  const hasInterface = asked.flags.socks === undefined && !asked.words.includes("usernet");
  if (!isPrivileged() && (hasInterface || hasLentRights())) {
    consola.error("join must be run as root or with CAP_NET_ADMIN; try: sudo nullmodem join …");
    consola.error("or without root, for programs that use a proxy: nullmodem join … --socks 1080");
    return Exit.NOT_ROOT;
  }
  if (!isCharacterDevice(asked.port)) {
    if (existsSync(asked.port)) {
      consola.error(`${asked.port} is not a serial port`);
      return 2;
    }
    // An adapter may be plugged in later, so pppd waits for it. A mistyped name is waited for as well.
    process.stderr.write(`${asked.port} does not exist. ${portsHere()}\n`);
  }
  const password = passwordOf(asked);
  if (typeof password === "object") {
    consola.error(password.trouble);
    return 2;
  }
  const fd = password === undefined ? undefined : pipeWith(password);
  const { pppd } = await import("../applets/pppd.ts");
  return await pppd(pppdWords(asked, fd));
}
join.definition = command;

/** The words before "--". */
function ownWords(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf("--");
  return end < 0 ? argv : argv.slice(0, end);
}

/** Returns a text when a word is wrong. */
export function joinWords(argv: readonly string[]): JoinWords | string {
  const end = argv.indexOf("--");
  const ours = ownWords(argv);
  const ports: string[] = [];
  const flags: Record<string, string> = {};
  for (let at = 0; at < ours.length; at++) {
    const word = ours[at]!;
    const [, name = "", , inside] = /^--([a-z-]+)(=(.*))?$/s.exec(word) ?? [];
    if (FLAGS.some((flag) => flag === name)) {
      const value = inside ?? ours[++at];
      if (value === undefined || value === "") return `--${name} needs a value`;
      flags[name] = value;
    } else if (word.startsWith("-"))
      return `there is no option ${JSON.stringify(word)}; pppd's own options come after --`;
    else ports.push(word);
  }
  const { speed, socks } = flags;
  if (speed !== undefined && !(/^\d+$/.test(speed) && Number(speed) > 0)) return `--speed: not a speed: ${speed}`;
  if (socks !== undefined && proxyPlaceOf(socks) === undefined) return `--socks: not [ADDRESS:]PORT: ${socks}`;
  const [port] = ports;
  if (port === undefined) return `which port? ${portsHere()}`;
  if (ports.length > 1) return "one port at a time; pppd's own options come after --";
  return { port: port.startsWith("/") ? port : `/dev/${port}`, flags, words: end < 0 ? [] : argv.slice(end + 1) };
}

/** The words of the pppd that does it. `passwordFd`: where it reads our password. */
export function pppdWords({ port, flags, words }: JoinWords, passwordFd?: number): string[] {
  const { user, number, speed, socks } = flags;
  return [
    port,
    ...(speed === undefined ? [] : [speed]),
    ...ALWAYS,
    ...(socks === undefined ? ["defaultroute"] : ["socks", socks]),
    ...(socks !== undefined || words.includes("replacedefaultroute") ? [] : LAST),
    ...LINK,
    ...ECHOES,
    ...(user === undefined ? [] : ["user", user]),
    ...(passwordFd === undefined ? [] : ["plugin", "passwordfd.so", "passwordfd", String(passwordFd)]),
    ...(number === undefined ? [] : ["join-number", number]),
    ...words,
  ];
}

/** Undefined: pppd looks for it in its secrets files. */
function passwordOf({ flags }: JoinWords): string | undefined | { readonly trouble: string } {
  const { user, "password-file": file } = flags;
  if (file === undefined) {
    if (user === undefined || !process.stdin.isTTY) return undefined;
    const given = askHidden(`Password for ${user} (Return: the one in pap-secrets): `);
    return given === "" ? undefined : given;
  }
  try {
    return readFileSync(file, "utf8").split(/\r?\n/, 1)[0]!;
  } catch (error) {
    return { trouble: `cannot read the password from ${file}: ${reasonOf(error)}` };
  }
}
