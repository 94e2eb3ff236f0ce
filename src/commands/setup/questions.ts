// Completes the answers: from flags, else from the person at the terminal, else with the usual value. What has no usual
// value is reported as missing.

import { basename } from "node:path";
import { parseIpv4 } from "../../options/numbers.ts";
import { ttyName } from "../../options/parse.ts";
import { presetHint, presetNamed, PRESETS } from "../../options/presets.ts";
import { type Kind, KINDS } from "../service-texts.ts";
import { type Answers, type Authentication, FLOWS, ROLES, SHARES } from "./setup-answers.ts";
import { type FlagName, type Flags, FLAGS } from "./setup-flags.ts";
import type { Asker, Choice } from "./terminal.ts";

export interface Surroundings {
  /** Undefined: nobody can be asked. */
  readonly asker: Asker | undefined;
  /** The serial ports with the names of their adapters. */
  readonly ports: readonly Choice[];
  /** The inits that this machine has. */
  readonly services: readonly Kind[];
  /** Addresses for a link that no network of this machine has. */
  readonly addresses: string;
  /** The first line of a file. Throws RangeError. */
  readPassword(file: string): string;
}

/** Flags that are missing, as lines for the user. */
export class Missing extends Error {
  readonly flags: readonly string[];

  constructor(flags: readonly string[]) {
    super(`missing: ${flags.join("; ")}`);
    this.flags = flags;
  }
}

const LINUX = "linux";
const USUAL_SPEED = "115200";
const MOST_BITS = 16_000_000;

/** Throws RangeError for a wrong value, Missing, or Cancelled. */
export async function answersFrom(flags: Flags, around: Surroundings): Promise<Answers> {
  const ask = new Questions(flags, around);
  const role = await ask.choice("role", "This machine", [
    { value: "serve", label: "waits for the other machine (server)" },
    { value: "join", label: "calls the other machine (client)" },
  ]);
  const port = await ask.port();
  const peer = await ask.choice("peer", "The other system", systems(role), LINUX);
  const speed = speedOf(await ask.text("speed", "Bits a second", USUAL_SPEED));
  const flow =
    peer === LINUX || flags.flow !== undefined ? await ask.choice("flow", "The cable", FLOW, "rtscts") : undefined;
  const authentication = await ask.authentication(role);
  const share = role === "serve" ? await ask.choice("share", "The other machine reaches", SHARE, "no") : "no";
  const addresses = share === "lan" ? await ask.text("addresses", LAN_ADDRESSES) : flags.addresses;
  const defaultRoute = role === "join" && (await ask.yes("default-route", "Use its network and name servers?"));
  const service =
    flags.service ?? (await ask.choice("service", "Start the link with the machine", ask.services, "none"));
  ask.complete();
  const answers: Answers = {
    role: oneOf(ROLES, role),
    port,
    speed,
    preset: peer === LINUX ? undefined : peer,
    flow: flow === undefined ? undefined : oneOf(FLOWS, flow),
    authentication,
    addresses: role === "serve" ? (addresses ?? around.addresses) : addresses,
    share: oneOf(SHARES, share),
    defaultRoute,
    number: flags.number ?? "*99#",
    apn: flags.apn,
    name: flags.name ?? basename(port),
    service: oneOf(["none", ...KINDS], service),
  };
  check(answers, flags);
  return answers;
}

const FLOW: readonly Choice[] = [
  { value: "rtscts", label: "has all wires: RTS/CTS flow control" },
  { value: "none", label: "has three wires: no flow control" },
];
const LAN_ADDRESSES = "This machine's address in that network, a colon, and a free address for the other";
const SHARE: readonly Choice[] = [
  { value: "no", label: "only this machine" },
  { value: "internet", label: "all that this machine reaches, and the Internet (share)" },
  { value: "lan", label: "the local network too, with an address of that network (proxyarp, ktune)" },
];

function systems(role: string): Choice[] {
  const able = PRESETS.filter(({ greeting }) => role === "join" || greeting !== "modem");
  return [
    { value: LINUX, label: "Linux, with pppd or nullmodem" },
    ...able.map(({ name, about }) => ({ value: name, label: about })),
  ];
}

/** Asks for one thing after the other, and collects what is missing. */
class Questions {
  readonly #flags: Flags;
  readonly #around: Surroundings;
  readonly #missing: string[] = [];

  constructor(flags: Flags, around: Surroundings) {
    this.#flags = flags;
    this.#around = around;
  }

  get services(): Choice[] {
    const kinds = this.#around.services.map((kind) => ({ value: kind, label: `yes, by ${kind}` }));
    return [{ value: "none", label: "no" }, ...kinds];
  }

  async choice(flag: FlagName, question: string, choices: readonly Choice[], usual?: string): Promise<string> {
    const values = choices.map(({ value }) => value);
    const given = this.#flags[flag];
    if (given !== undefined) {
      if (values.includes(given)) return given;
      const known = flag === "peer" ? peerTrouble(given) : `one of ${values.join(", ")}`;
      throw new RangeError(`--${flag} ${given}: ${known}`);
    }
    const { asker } = this.#around;
    if (asker !== undefined) return asker.choose(question, choices, usual ?? values[0] ?? "");
    if (usual === undefined) this.#missing.push(`--${flag} ${values.join(" or ")}`);
    return usual ?? "";
  }

  async text(flag: "port" | "speed" | "user" | "addresses", question: string, usual?: string): Promise<string> {
    const given = this.#flags[flag];
    if (given !== undefined) return given;
    const { asker } = this.#around;
    if (asker !== undefined) {
      for (;;) {
        const answer = await asker.text(question, usual ?? "");
        if (answer !== "") return answer;
      }
    }
    if (usual === undefined) this.#missing.push(`--${flag} ${FLAGS[flag].valueHint}`);
    return usual ?? "";
  }

  async yes(flag: FlagName, question: string): Promise<boolean> {
    return this.#flags[flag] !== undefined || ((await this.#around.asker?.confirm(question)) ?? false);
  }

  async port(): Promise<string> {
    const { asker, ports } = this.#around;
    const other = { value: "", label: "another one" };
    if (this.#flags.port === undefined && asker !== undefined && ports.length > 0) {
      const chosen = await asker.choose("The serial port", [...ports, other], ports[0]?.value ?? "");
      if (chosen !== "") return chosen;
    }
    const port = await this.text("port", "The serial port", asker === undefined ? undefined : "/dev/ttyS0");
    return port.startsWith("/") || port === "" ? port : `/dev/${port}`;
  }

  async authentication(role: string): Promise<Authentication> {
    const flags = this.#flags;
    const named = flags.user !== undefined && flags.auth === undefined;
    const kind = named ? "password" : await this.choice("auth", ...authQuestion(role));
    if (kind === "login") return { kind };
    if (kind !== "password") return { kind: "none" };
    const user = await this.text("user", role === "join" ? "Our name there" : "The caller's name");
    return { kind: "password", user, password: await this.#password() };
  }

  async #password(): Promise<string> {
    const { asker, readPassword } = this.#around;
    const file = this.#flags["password-file"];
    if (file !== undefined) return readPassword(file);
    if (asker === undefined) {
      this.#missing.push("--password-file FILE (-: standard input)");
      return "";
    }
    for (;;) {
      const password = await asker.password("The password");
      if (password === (await asker.password("Once more"))) return password;
    }
  }

  /** Throws Missing. */
  complete(): void {
    if (this.#missing.length > 0) throw new Missing(this.#missing);
  }
}

/** A caller without a name is the usual thing for a client; a server has to say whom it lets in. */
function authQuestion(role: string): [question: string, choices: Choice[], usual?: string] {
  const none = { value: "none", label: role === "serve" ? "nothing: whoever has the cable may join" : "nothing" };
  const password = { value: "password", label: "a name and a password" };
  const login = { value: "login", label: "the name and password of a user of this machine" };
  return role === "serve"
    ? ["A caller proves who he is by", [password, login, none]]
    : ["The other machine wants", [none, password], "none"];
}

function peerTrouble(name: string): string {
  const preset = presetNamed(name);
  return preset === undefined ? `there is no such preset. ${presetHint(name)}` : "such a modem is dialled: --role join";
}

function oneOf<const Value extends string>(values: readonly Value[], given: string): Value {
  const found = values.find((value) => value === given);
  if (found === undefined) throw new RangeError(`${given}: one of ${values.join(", ")}`);
  return found;
}

function speedOf(text: string): number {
  const speed = Number(text);
  if (/^\d+$/.test(text) && speed > 0 && speed <= MOST_BITS) return speed;
  throw new RangeError(`${JSON.stringify(text)} is not a speed`);
}

function check({ addresses, authentication, name, number, apn, port }: Answers, flags: Flags): void {
  const wrong = (flag: FlagName, text: string): never => {
    throw new RangeError(`--${flag} ${JSON.stringify(flags[flag] ?? "")}: ${text}`);
  };
  if (!/^\/[^\0-\x20\x7f]+$/.test(port) || ttyName(port) === "") wrong("port", "not the path of a serial port");
  const pair = addresses?.split(":") ?? [];
  if (addresses !== undefined && (pair.length !== 2 || pair.some((one) => one !== "" && parseIpv4(one) === undefined)))
    wrong("addresses", "not OURS:PEERS");
  if (!/^\w[\w.-]*$/.test(name)) wrong("name", "letters, digits, dots and hyphens only");
  if (!/^[\w*#+,-]+$/.test(number)) wrong("number", "not a number to dial");
  if (apn !== undefined && !/^[\w.-]+$/.test(apn)) wrong("apn", "not the name of an access point");
  if (authentication.kind !== "password") return;
  if (authentication.user === "") wrong("user", "a name is needed");
  if (authentication.password === "") wrong("password-file", "the password is empty");
}
