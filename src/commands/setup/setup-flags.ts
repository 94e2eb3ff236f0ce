// The words after `nullmodem setup`.

import type { ArgsDef } from "citty";
import { nearestNames } from "../../bytes/nearest.ts";
import { KINDS } from "../service-texts.ts";
import { FLOWS, ROLES, SHARES } from "./setup-answers.ts";

const text = (description: string, valueHint: string) => ({ type: "string", description, valueHint }) as const;
const plain = (description: string) => ({ type: "boolean", description }) as const;

export const FLAGS = {
  role: text("serve: this machine waits; join: it calls", ROLES.join("|")),
  port: text("the serial line", "/dev/ttyS1"),
  speed: text("bits a second (115200)", "N"),
  peer: text("the other system: linux, or a name of nullmodem presets", "NAME"),
  flow: text("rtscts for a cable with all wires, none for three wires", FLOWS.join("|")),
  auth: text("how a caller proves who he is; login: as a user here", "none|password|login"),
  user: text("the name of the one who calls", "NAME"),
  "password-file": text("a file whose first line is the password (-: standard input)", "FILE"),
  addresses: text("the addresses; with --share lan those of that network", "OURS:PEERS"),
  share: text(
    "what the caller reaches: internet with share, lan with an address of the local network",
    SHARES.join("|"),
  ),
  "default-route": plain("with join: use its network and name servers"),
  number: text("what to dial if the other system is a modem (*99#)", "TEXT"),
  apn: text("the access point of the mobile network", "NAME"),
  name: text("the file in /etc/ppp/peers, with join (the name of the port)", "NAME"),
  service: text(`what starts the link with the machine: none, ${KINDS.join(", ")}`, "KIND"),
  root: text("the root folder of another system to set up", "FOLDER"),
  yes: plain("ask nothing, and write"),
  "dry-run": plain("show the changes, and write nothing"),
  undo: plain("take the last setup back"),
} as const satisfies ArgsDef;

export type FlagName = keyof typeof FLAGS;
/** The given flags. A flag without a value is "". */
export type Flags = Partial<Record<FlagName, string>>;

function isFlag(name: string): name is FlagName {
  return Object.hasOwn(FLAGS, name);
}

/** Throws RangeError with the reason when a word is wrong. */
export function flagsOf(argv: readonly string[]): Flags {
  const flags: Flags = {};
  for (let at = 0; at < argv.length; at++) {
    const [, name = "", , value] = /^--([^=]+)(=(.*))?$/s.exec(argv[at] ?? "") ?? [];
    if (!isFlag(name)) {
      const near = nearestNames(name, Object.keys(FLAGS));
      const hint = near.length === 0 ? "" : ` (did you mean --${near.join(" or --")}?)`;
      throw new RangeError(`there is no option ${JSON.stringify(argv[at])}${hint}`);
    }
    const given = FLAGS[name].type === "boolean" ? "" : (value ?? argv[++at]);
    if (
      given === undefined ||
      (value === undefined && given.startsWith("--")) ||
      (value !== undefined && FLAGS[name].type === "boolean")
    ) {
      throw new RangeError(`--${name} ${FLAGS[name].type === "boolean" ? "takes no value" : "needs a value"}`);
    }
    flags[name] = given;
  }
  return flags;
}
