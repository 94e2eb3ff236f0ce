// What a seed draws: the options of both ends, how long the play lasts, and the faults in it.

import { Rng } from "../kit/rng.ts";
import { type Fault, FAULTS } from "./faults.ts";

/** What both ends must have in common, so that there can be a link. */
export interface Agreement {
  readonly speed: number;
  readonly cables: 1 | 2;
  readonly isFull: boolean;
  readonly latencyMs: number;
  readonly auth: "none" | "pap" | "chap" | "mschap" | "mschap-v2" | "eap";
  readonly isMutual: boolean;
  readonly compression: "none" | "any" | "deflate" | "bsdcomp" | "predictor1" | "lzs" | "mppc" | "mppe";
  /** The client dials when there is a packet, and the server waits for it. */
  readonly isDemand: boolean;
  /** A handshake by chat before each link. */
  readonly hasChat: boolean;
  /** The client logs in at the server's prompts before PPP. */
  readonly hasLogin?: boolean;
  readonly persists: boolean;
  /** The server has no interface: the client uses the Internet through its sockets. */
  readonly hasUsernet?: boolean;
  /** Neither end knows the speed of the other: the server waits with find-speed, and the client joins. */
  readonly isSearching?: boolean;
  /** Both ends change the speed of the line while the link is up. */
  readonly hasClimb?: boolean;
  /** At higher speeds the cable damages octets. Undefined: at none. */
  readonly cleanTo?: number | undefined;
  /** The end that sends nothing before the other has. */
  readonly silent: 0 | 1 | undefined;
  /** The secrets differ: the server must say that the client is not authenticated. */
  readonly hasWrongSecret: boolean;
}

export interface Plan {
  readonly seed: number;
  readonly agreement: Agreement;
  /** The words of each end: those of its first start, and those after a restart with other options. */
  readonly words: readonly [readonly (readonly string[])[], readonly (readonly string[])[]];
  /** How long the play lasts before the faults stop. */
  readonly ms: number;
  /** Between two bursts of packets, and the most packets of one. */
  readonly gapMs: number;
  readonly burst: number;
  readonly faults: readonly Fault[];
}

const MINUTE = 60_000;
const MOST_FAULTS = 12;

export function drawPlan(seed: number): Plan {
  const rng = new Rng(seed);
  const agreement = drawAgreement(rng);
  const words = ([0, 1] as const).map((side) => [0, 1].map(() => drawWords(agreement, side, rng)));
  const ms = agreement.hasWrongSecret ? MINUTE : rng.pick([2, 5, 10, 60, 240, 1440]) * MINUTE;
  const isLong = ms > 10 * MINUTE;
  const kinds = Object.keys(FAULTS);
  const count = agreement.hasWrongSecret || rng.chance(0.1) ? 0 : 1 + rng.below(MOST_FAULTS);
  const faults = Array.from({ length: count }, (): Fault => {
    const at = rng.below(ms);
    const lasts = rng.pick([200, 2000, 10_000, 40_000, 120_000]) * (0.5 + rng.float());
    return {
      kind: rng.pick(kinds),
      at,
      ms: Math.round(Math.min(lasts, ms - at)),
      side: rng.pick([0, 1]),
      n: rng.u32(),
    };
  });
  return {
    seed,
    agreement,
    words: [words[0]!, words[1]!],
    ms,
    gapMs: rng.pick(isLong ? [60_000, 300_000] : [300, 2000, 10_000]),
    burst: rng.pick([1, 3, 8]),
    faults: faults.sort((one, other) => one.at - other.at),
  };
}

function drawAgreement(rng: Rng): Agreement {
  const isDemand = rng.chance(0.15);
  const compression = rng.pick(["none", "any", "deflate", "bsdcomp", "predictor1", "lzs", "mppc", "mppe"] as const);
  const auth =
    compression === "mppe"
      ? rng.pick(["mschap", "mschap-v2"] as const)
      : rng.pick(["none", "none", "pap", "chap", "mschap", "mschap-v2", "eap"] as const);
  const hasWrongSecret = auth !== "none" && !isDemand && rng.chance(0.1);
  const hasLogin = auth === "pap" && !isDemand && !hasWrongSecret && rng.chance(0.5);
  const cables = !isDemand && !hasLogin && compression !== "mppe" && rng.chance(0.15) ? 2 : 1;
  const isSearching = !isDemand && !hasWrongSecret && !hasLogin && cables === 1 && rng.chance(0.15);
  const hasChat = !isDemand && !hasLogin && !isSearching && rng.chance(0.15);
  const silent = rng.chance(0.2) ? rng.pick([0, 1] as const) : undefined;
  const hasClimb = rng.chance(0.5);
  return {
    hasClimb,
    cleanTo: hasClimb ? rng.pick([undefined, 921600, 1_500_000, 2_000_000]) : undefined,
    hasLogin,
    isSearching,
    speed: rng.pick([9600, 38400, 115200, 115200, 921600]),
    cables,
    isFull: rng.chance(0.5),
    latencyMs: rng.pick([0, 0, 1, 16, 200]),
    auth,
    isMutual: !hasWrongSecret && compression !== "mppe" && auth !== "none" && rng.chance(0.2),
    compression,
    isDemand,
    hasChat,
    persists: isDemand || isSearching || (!hasWrongSecret && rng.chance(0.7)),
    // A silent server that has answered CLIENT waits for ever when the answer was lost, pppd's too.
    silent: isDemand ? 0 : isSearching || (hasChat && silent === 0) ? undefined : silent,
    hasWrongSecret,
    hasUsernet: !isDemand && !hasWrongSecret && rng.chance(0.2),
  };
}

/** Adds words with a probability. */
class Words {
  readonly list: string[];
  readonly #rng: Rng;

  constructor(rng: Rng, ...words: string[]) {
    this.#rng = rng;
    this.list = words;
  }

  add(...words: string[]): void {
    this.list.push(...words);
  }

  maybe(probability: number, ...words: string[]): void {
    if (this.#rng.chance(probability)) this.list.push(...words);
  }
}

function drawWords(agreement: Agreement, side: 0 | 1, rng: Rng): readonly string[] {
  const { speed, auth, isMutual, isFull, cables } = agreement;
  const words = new Words(rng, "/dev/ttyUSB0", "nodetach", "debug", "name", side === 0 ? "srv" : "cli");
  if (agreement.isSearching !== true) words.add(String(speed));
  else words.add(...(side === 0 ? ["autodetect", "find-speed", String(speed)] : ["join"]));
  const isModem = isFull && rng.chance(0.4);
  words.add(isModem ? "modem" : "local");
  words.maybe(0.3, "nocrtscts");
  words.maybe(0.8, "lock");
  if (agreement.hasClimb === true) words.add("climb");
  if (cables === 2) words.add("multilink", "mpdevice", "/dev/ttyUSB1");
  words.maybe(0.5, "interleave");
  words.maybe(0.1, "interactive");
  words.add(...(auth !== "none" && (side === 0 || isMutual) ? [`require-${auth}`] : ["noauth"]));
  addStart(words, agreement, side, rng);
  addLcp(words, agreement, rng);
  addCompression(words, agreement, rng);
  addNetwork(words, agreement, side, rng);
  words.maybe(0.3, "linkname", "cable");
  words.maybe(0.2, "record", `/var/log/record${side}`);
  words.maybe(0.1, "lcp-rtt-file", `/var/log/rtt${side}`);
  words.add("child-timeout", String(1 + rng.below(20)));
  return words.list;
}

/** How an end begins and goes on. */
function addStart(words: Words, agreement: Agreement, side: 0 | 1, rng: Rng): void {
  const { isDemand, hasChat, hasLogin, persists, silent } = agreement;
  if (isDemand && side === 1) words.add("demand", "connect", "true", "holdoff", String(rng.below(5)));
  if (persists) words.add("persist", "maxfail", "0", "holdoff", String(1 + rng.below(10)));
  if (silent === side) words.add(rng.pick(["silent", "passive"]));
  // \c: without a carriage return.
  if (hasChat) {
    const script = side === 0 ? "-t 60 CLIENT CLIENTSERVER\\c" : "-t 5 '' CLIENT\\c CLIENTSERVER";
    words.add("connect", `chat -v ${script}`);
  }
  const login = "-t 5 '' '\\r' ogin:--ogin: cli ssword: '\\qsecret'";
  if (hasLogin) words.add(...(side === 0 ? ["autodetect", "ppp,windows,modem,login"] : ["connect", `chat ${login}`]));
  words.maybe(0.1, "init", "sleep 0.2");
  words.maybe(0.1, "welcome", "sleep 0.1");
  words.maybe(0.1, "disconnect", "sleep 0.3; exit 1");
  words.maybe(0.1, "maxconnect", String(20 + rng.below(300)));
  words.maybe(isDemand ? 0.8 : 0.1, "idle", String(5 + rng.below(60)));
  words.maybe(0.05, "maxoctets", String(20_000 + rng.below(1e6)));
}

function addLcp(words: Words, { silent, hasChat, hasLogin, isDemand, isSearching }: Agreement, rng: Rng): void {
  // Where one end only waits, the other's death must be noticed.
  if (silent !== undefined || hasChat || hasLogin === true || isDemand || isSearching === true || rng.chance(0.6)) {
    words.add("lcp-echo-interval", String(2 + rng.below(15)), "lcp-echo-failure", String(2 + rng.below(3)));
    words.maybe(0.3, "lcp-echo-adaptive");
  }
  words.maybe(0.2, "nopcomp");
  words.maybe(0.2, "noaccomp");
  words.maybe(0.2, "asyncmap", rng.pick(["ffffffff", "a0000", "0"]));
  words.maybe(0.1, "default-asyncmap");
  words.maybe(0.1, "escape", "11,13,91");
  words.maybe(0.2, "mru", String(rng.pick([296, 576, 1500, 1500, 2000])));
  words.maybe(0.2, "mtu", String(rng.pick([296, 576, 1400, 1500])));
  words.maybe(0.15, "fcs", "32");
  words.maybe(0.15, "lqr-interval", String(5 + rng.below(20)));
}

function addCompression(words: Words, { compression }: Agreement, rng: Rng): void {
  switch (compression) {
    case "none":
      words.add("noccp");
      break;
    case "any":
      words.maybe(0.2, "noccp");
      break;
    case "deflate":
      words.add("deflate", `${9 + rng.below(7)},${9 + rng.below(7)}`, "nobsdcomp");
      break;
    case "bsdcomp":
      words.add("nodeflate", "bsdcomp", `${9 + rng.below(7)},${9 + rng.below(7)}`);
      break;
    case "mppe":
      words.add(rng.pick(["require-mppe", "require-mppe-128"]));
      words.maybe(0.3, "mppc");
      break;
    default:
      words.add("nodeflate", "nobsdcomp", compression);
  }
  words.maybe(0.2, "novj");
  words.maybe(0.1, "novjccomp");
  words.maybe(0.1, "vj-max-slots", String(2 + rng.below(14)));
}

function addNetwork(words: Words, { isDemand, hasUsernet }: Agreement, side: 0 | 1, rng: Rng): void {
  if (side === 0) {
    words.add("10.0.0.1:10.0.0.2");
    if (hasUsernet === true) words.add("usernet");
    else words.maybe(0.3, "share");
    words.maybe(0.3, "proxyarp");
    words.maybe(0.3, "ktune");
    words.maybe(0.3, "ms-dns", "10.0.0.1");
  } else {
    if (isDemand || rng.chance(0.3)) words.add("10.0.0.2:10.0.0.1");
    else words.add("noipdefault");
    words.maybe(0.4, "defaultroute");
    words.maybe(0.3, "replacedefaultroute", "defaultroute");
    words.maybe(0.4, "usepeerdns");
    words.maybe(0.2, "defaultroute6");
  }
  words.maybe(0.3, "noipv6");
  words.maybe(0.1, "unit", String(rng.below(5)));
}
