// Options of the program itself: detaching, limits, logging.

import { decoded } from "../../bytes/text.ts";
import { OptionError, OptionExit } from "../error.ts";
import { isFailure } from "../host.ts";
import { quoted } from "../quoted.ts";
import { FILE, GROUP, HIDDEN, INIT_ONLY, NO_INCREASE, oneOf, PRIORITY, PRIVILEGED, row, unset } from "../row.ts";
import { alias, checkNotIncreased, flag, name, number, sets, word } from "../row-kinds.ts";
import { numberWithin, wholeNumber } from "../whole-number.ts";
import { BUNDLE } from "./bundle-rows.ts";
import { FILTERS } from "./filters-rows.ts";
import { PRESET } from "./preset-rows.ts";
import { SCRIPTS } from "./scripts-rows.ts";

const DEBUG = "log control packets; repeat for more detail";

const debug = word("debug", 0, DEBUG, ({ draft }) => void draft.debug++, {
  fields: {
    /** How many times it was given. */
    debug: 0,
  },
  value: (fields) => repeated("debug", fields.debug),
});

const d = row({
  name: "-d",
  about: DEBUG,
  argument: false,
  shares: [debug],
  set({ draft }) {
    draft.debug++;
  },
  value: (fields) => repeated("-d", fields.debug),
});

/** What a dump shows after the first of several. */
function repeated(name: string, times: number): string {
  return Array(Math.max(0, times - 1))
    .fill(name)
    .join(" ");
}

const nodetach = sets(
  "nodetach",
  PRIORITY,
  "stay in the foreground",
  { detach: "nodetach" },
  { fields: { detach: oneOf<"detach" | "nodetach" | "updetach" | "sdnotify">("detach") } },
);

const holdoff = row({
  name: "holdoff",
  rules: PRIORITY,
  about: "seconds to wait before connecting again",
  fields: {
    /** Seconds. Settled by checkOptions: the given value, else 30 with a connect script, and 0 without. */
    holdoff: 30,
    holdoffGiven: false,
  },
  set({ draft }, argument) {
    draft.holdoff = wholeNumber("holdoff", argument);
    draft.holdoffGiven = true;
  },
  value: (fields) => String(fields.holdoff),
});

const domain = row({
  name: "domain",
  rules: PRIORITY | PRIVILEGED,
  about: "the domain to append to our host name",
  fields: { domain: unset<string>() },
  set({ draft, facts, host }, argument) {
    const domain = decoded(argument);
    draft.domain = domain;
    facts.hostname = host.hostname + (domain === "" || domain.startsWith(".") ? "" : ".") + domain;
  },
  value: (fields) => quoted(fields.domain ?? ""),
});

const file = row({
  name: "file",
  rules: HIDDEN,
  about: "read options from a file",
  set({ include, privileged }, argument) {
    include(decoded(argument), "user", privileged);
  },
});

const call = row({
  name: "call",
  rules: HIDDEN,
  about: "read options from a file in peers/",
  fields: {
    /** The word after `call`, for CALL_FILE. */
    callFile: unset<string>(),
  },
  set({ draft, host, include }, argument) {
    const name = decoded(argument);
    if (name === "" || name.startsWith("/") || name.split("/").includes("..")) {
      throw new OptionError("call option value may not contain .. or start with /");
    }
    draft.callFile = name;
    include(`${host.etc}/peers/${name}`, "user", true);
  },
});

const logfile = row({
  name: "logfile",
  rules: PRIORITY,
  about: "append log lines to a file",
  fields: {
    logfile: unset<string>(),
    /**
     * Where log lines go besides syslog. Undefined: nowhere. checkOptions makes sure that it is not the line itself.
     */
    logfd: oneOf<number | undefined>(1),
    /** None of logfile, logfd and nolog was given: the descriptor is standard output until the program detaches. */
    logDefault: true,
  },
  set({ draft, host, priority, privileged }, argument) {
    const path = decoded(argument);
    const fd = host.openLogfile(path, privileged ? "root" : "user");
    if (isFailure(fd)) {
      const trouble = `Can't open log file ${path}: ${fd.reason}`;
      // Root's options file may name a log that an ordinary user with his own rights may not write.
      if (priority !== FILE || host.uid === 0 || host.lendsRights) throw new OptionError(trouble);
      host.warn(trouble);
      return;
    }
    draft.logfile = path;
    draft.logfd = fd;
    draft.logDefault = false;
  },
  value: (fields) => quoted(fields.logfile ?? ""),
});

const logfd = row({
  name: "logfd",
  rules: GROUP,
  about: "write log lines to a descriptor",
  shares: [logfile],
  set({ draft }, argument) {
    const fd = wholeNumber("logfd", argument);
    draft.logfd = fd < 0 ? undefined : fd;
    draft.logDefault = false;
  },
  value: (fields) => String(fields.logfd ?? -1),
});

const LIMIT = "end the link after that many octets";
const maxoctets = number("maxoctets", "maxoctets", 0, PRIORITY | NO_INCREASE, LIMIT, { min: 0 });
const mo = row({
  name: "mo",
  rules: PRIORITY | NO_INCREASE,
  about: LIMIT,
  shares: [maxoctets],
  set(setting, argument) {
    const value = numberWithin("mo", argument, { min: 0 }, setting.host);
    checkNotIncreased("mo", value, setting.draft.maxoctets, setting);
    setting.draft.maxoctets = value;
  },
  value: (fields) => String(fields.maxoctets),
});

type Direction = "sum" | "in" | "out" | "max";
const DIRECTIONS: Readonly<Record<string, Direction>> = { in: "in", out: "out", max: "max" };

const moDirection = row({
  name: "mo-direction",
  about: "what maxoctets counts: in, out, max or sum",
  fields: { moDirection: oneOf<Direction>("sum") },
  set({ draft }, argument) {
    draft.moDirection = DIRECTIONS[argument] ?? "sum";
  },
  value: (fields) => fields.moDirection,
});

const moTimeout = row({
  name: "mo-timeout",
  rules: PRIORITY,
  about: "seconds between two checks of maxoctets",
  fields: { moTimeout: 1 },
  set({ draft, host }, argument) {
    draft.moTimeout = numberWithin("mo-timeout", argument, { min: 0 }, host) || 1;
  },
  value: (fields) => String(fields.moTimeout),
});

const help = word("--help", HIDDEN, "print the most common options", () => {
  throw new OptionExit("help");
});
const version = word("--version", HIDDEN, "print the version", () => {
  throw new OptionExit("version");
});
const nolog = sets(
  "nolog",
  GROUP,
  "log to syslog only",
  { logfd: undefined, logDefault: false },
  { shares: [logfile] },
);
const persist = flag("persist", "persist", PRIORITY, "connect again after the link has ended");
const ktune = flag("ktune", "ktune", PRIORITY, "set the kernel parameters that the link needs");

export const GENERAL = [
  debug,
  d,
  number("kdebug", "kdebug", 0, PRIORITY, "the kernel's debug level"),
  nodetach,
  alias(nodetach, "-detach", GROUP),
  sets(
    "up_sdnotify",
    GROUP,
    "stay in the foreground and tell systemd when the link is up",
    { detach: "sdnotify" },
    { shares: [nodetach] },
  ),
  sets("updetach", GROUP, "detach once the link is up", { detach: "updetach" }, { shares: [nodetach] }),
  flag("master_detach", "masterDetach", 0, "one process serves all links of a bundle"),
  holdoff,
  // 0 means no limit.
  number("idle", "idle", 0, PRIORITY, "end the link after that many seconds without traffic"),
  number("maxconnect", "maxconnect", 0, PRIORITY | NO_INCREASE, "end the link after that many seconds", { min: 0 }),
  domain,
  file,
  call,
  PRESET,
  persist,
  sets("nopersist", GROUP, "exit when the link has ended", { persist: false }, { shares: [persist] }),
  flag("demand", "demand", INIT_ONLY, "connect when there is traffic"),
  version,
  alias(version, "-v"),
  flag("show-options", "showOptions", HIDDEN, "list all options"),
  help,
  alias(help, "-h"),
  logfile,
  logfd,
  nolog,
  alias(nolog, "nologfd"),
  name("linkname", "linkname", PRIORITY | PRIVILEGED, "a name for the link, and for its pid file"),
  number("maxfail", "maxfail", 10, PRIORITY, "give up after that many failed attempts (0: never)"),
  ktune,
  sets("noktune", GROUP, "leave the kernel parameters as they are", { ktune: false }, { shares: [ktune] }),
  number("connect-delay", "connectDelayMs", 1000, PRIORITY, "milliseconds to wait for the peer after connecting", {
    min: 0,
    outside: "moved",
  }),
  // Without this option, the lowest free number.
  number("unit", "unit", undefined, PRIORITY, "the number of the interface pppN", { min: 0 }),
  name("ifname", "ifname", PRIORITY | PRIVILEGED, "a name for the interface instead of pppN"),
  name("vrf", "vrf", PRIORITY | PRIVILEGED, "the routing domain (VRF) that the interface joins"),
  flag("nohistory", "nohistory", PRIVILEGED | INIT_ONLY, "the session is not kept for nullmodem log and report"),
  flag("dump", "dump", 0, "print the options in effect"),
  flag("dryrun", "dryrun", 0, "print the options in effect and exit"),
  ...SCRIPTS,
  ...BUNDLE,
  ...FILTERS,
  maxoctets,
  mo,
  moDirection,
  moTimeout,
] as const;
