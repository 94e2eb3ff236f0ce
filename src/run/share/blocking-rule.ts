// Which rule of other programs drops the peer's packets on their way through this machine: the rules of nft, as `nft -j list ruleset` says them, are followed like the
// kernel does it. What a rule asks that we do not know of a packet, such as a port, is taken for a no: so a rule that is found drops
// the packets of all programs, or nearly.

import type { Family } from "./sharing.ts";

/** What is known of a packet. */
export interface ForwardedPacket {
  readonly family: Family;
  readonly iifname: string | undefined;
  readonly oifname: string | undefined;
  readonly source: string | undefined;
  readonly state: "new" | "established";
}

export interface BlockingRule {
  /** "inet filter" */
  readonly table: string;
  readonly chain: string;
  /** Undefined: it is the policy of the chain. */
  readonly handle: number | undefined;
}

type Json = Readonly<Record<string, unknown>>;
/** What becomes of a packet; undefined: the chain has no more to say. */
type Verdict = "accept" | BlockingRule | undefined;

const JUMPS = 16;
/** Our own rules drop what the user wants to be dropped: the tables of nft, and a chain of iptables. */
const OURS = /^nullmodem-\d+$/;
const OUR_LIMITS = /^nullmodem-\d+-to$/;

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function chainKey({ family, table }: Json, chain: unknown): string {
  return [family, table, chain].map(String).join(" ");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function objectIn(value: Json, key: string): Json | undefined {
  const found = value[key];
  return isObject(found) ? found : undefined;
}

export class Ruleset {
  readonly #chains: Json[];
  /** By their chain. */
  readonly #rules: ReadonlyMap<string, readonly Json[]>;

  /** `text` is JSON. There are no rules in anything else. */
  constructor(text: string) {
    const parsed = parse(text);
    const list = isObject(parsed) && Array.isArray(parsed["nftables"]) ? parsed["nftables"].filter(isObject) : [];
    const all = (kind: string): Json[] => list.map((entry) => objectIn(entry, kind)).filter((one) => one !== undefined);
    this.#chains = all("chain").filter(({ table }) => !OURS.test(String(table)));
    this.#rules = Map.groupBy(all("rule"), (rule) => chainKey(rule, rule["chain"]));
  }

  /** Undefined: none that is known to. */
  blocks(packet: ForwardedPacket): BlockingRule | undefined {
    const families = ["inet", packet.family === 4 ? "ip" : "ip6"];
    for (const chain of this.#chains) {
      const seen = seenBy(String(chain["hook"]), packet);
      if (seen === undefined || !families.includes(String(chain["family"]))) continue;
      const verdict = this.#follow(chain, seen, 0) ?? (chain["policy"] === "drop" ? blocking(chain) : undefined);
      if (verdict !== undefined && verdict !== "accept") return verdict;
    }
    return undefined;
  }

  #follow(chain: Json, packet: ForwardedPacket, depth: number): Verdict {
    const rules = this.#rules.get(chainKey(chain, chain["name"])) ?? [];
    for (const rule of rules) {
      const step = verdictOf(rule, packet);
      if (step === undefined) continue;
      if ("return" in step) return undefined;
      if ("accept" in step) return "accept";
      if ("drop" in step || "reject" in step) return blocking(chain, rule);
      const target = (objectIn(step, "jump") ?? objectIn(step, "goto"))?.["target"];
      if (OUR_LIMITS.test(String(target))) continue;
      const next = this.#chains.find(
        ({ family, table, name }) => family === chain["family"] && table === chain["table"] && name === target,
      );
      const verdict = next === undefined || depth >= JUMPS ? undefined : this.#follow(next, packet, depth + 1);
      if (verdict !== undefined || "goto" in step) return verdict;
    }
    return undefined;
  }
}

/** What is known of the packet at a hook; undefined: it does not get there. */
function seenBy(hook: string, packet: ForwardedPacket): ForwardedPacket | undefined {
  if (hook === "forward") return packet;
  if (hook === "prerouting") return { ...packet, oifname: undefined };
  return hook === "postrouting" ? { ...packet, iifname: undefined, source: undefined } : undefined;
}

function blocking(chain: Json, rule?: Json): BlockingRule {
  const handle = rule?.["handle"];
  return {
    table: `${String(chain["family"])} ${String(chain["table"])}`,
    chain: String(chain["name"]),
    handle: typeof handle === "number" ? handle : undefined,
  };
}

const VERDICTS = ["accept", "drop", "reject", "return", "jump", "goto"];
/** Statements that let a packet go on to the next one. */
const PASSING = ["counter", "log", "mangle", "meter", "set", "ct helper", "notrack"];

/** What the rule does with the packet; undefined: nothing, or that is not known. */
function verdictOf(rule: Json, packet: ForwardedPacket): Json | undefined {
  let isGuess = false;
  for (const statement of Array.isArray(rule["expr"]) ? rule["expr"].filter(isObject) : []) {
    if (VERDICTS.some((verdict) => verdict in statement))
      return isGuess && !("accept" in statement) ? undefined : statement;
    const match = objectIn(statement, "match");
    const map = objectIn(statement, "vmap");
    const extension = objectIn(statement, "xt");
    if (match !== undefined) {
      if (!matches(match, packet)) return undefined;
    } else if (map !== undefined) return mapped(map, packet);
    else if (extension !== undefined) {
      // An extension of iptables says its name only. A rule that accepts by the state of a connection is there for the answers.
      if (extension["type"] === "target") return extension["name"] === "REJECT" ? { reject: null } : undefined;
      if (extension["name"] === "comment") continue;
      if (packet.state === "new" || !["conntrack", "state"].includes(String(extension["name"]))) return undefined;
      isGuess = true;
    } else if (!PASSING.some((word) => word in statement)) return undefined;
  }
  return undefined;
}

function mapped(map: Json, packet: ForwardedPacket): Json | undefined {
  const value = known(map["key"], packet);
  const data = map["data"];
  const entries = isObject(data) && Array.isArray(data["set"]) ? data["set"] : [];
  if (value === undefined) return undefined;
  const entry = entries.find((one) => Array.isArray(one) && equals(one[0], value));
  return Array.isArray(entry) && isObject(entry[1]) ? entry[1] : undefined;
}

function matches({ op, left, right }: Json, packet: ForwardedPacket): boolean {
  const value = known(left, packet);
  if (value === undefined) return false;
  const found = within(right, value);
  if (found === undefined) return false;
  return op === "!=" ? !found : found;
}

/** Undefined: it is not known. */
function within(right: unknown, value: string): boolean | undefined {
  if (isObject(right)) {
    if ("set" in right) return within(right["set"], value);
    const prefix = objectIn(right, "prefix");
    return prefix === undefined ? undefined : isInside(value, String(prefix["addr"]), Number(prefix["len"]));
  }
  if (!Array.isArray(right))
    return typeof right === "string" && right.startsWith("@") ? undefined : equals(right, value);
  const answers = right.map((one) => within(one, value));
  return answers.includes(true) ? true : answers.includes(undefined) ? undefined : false;
}

function equals(pattern: unknown, value: string): boolean {
  const text = String(pattern);
  return text.endsWith("*") ? value.startsWith(text.slice(0, -1)) : text === value;
}

/** IPv4 only: of IPv6 prefixes nothing is known. */
function isInside(address: string, prefix: string, bits: number): boolean | undefined {
  if (address.includes(":") || prefix.includes(":")) return undefined;
  const digits = (text: string): string =>
    text
      .split(".")
      .map((octet) => Number(octet).toString(2).padStart(8, "0"))
      .join("");
  return digits(address).slice(0, bits) === digits(prefix).slice(0, bits);
}

/** The packet's value of an expression; undefined: it is not known. */
function known(left: unknown, { family, iifname, oifname, source, state }: ForwardedPacket): string | undefined {
  if (!isObject(left)) return undefined;
  const meta = objectIn(left, "meta")?.["key"];
  if (meta === "iifname" || meta === "iif") return iifname;
  if (meta === "oifname" || meta === "oif") return oifname;
  if (meta === "nfproto") return family === 4 ? "ipv4" : "ipv6";
  if (meta === "l4proto") return "tcp";
  const ct = objectIn(left, "ct")?.["key"];
  if (ct === "state") return state;
  const payload = objectIn(left, "payload");
  if (payload?.["protocol"] === (family === 4 ? "ip" : "ip6") && payload["field"] === "saddr") return source;
  return undefined;
}

/** The rule's own text in what `nft -a list chain` says. */
export function ruleText(listed: string, handle: number): string | undefined {
  const line = listed.split("\n").find((one) => one.endsWith(` # handle ${handle}`));
  return line
    ?.replace(/ # handle \d+$/, "")
    .replace(/ counter packets \d+ bytes \d+/, "")
    .trim();
}
