// Options of the program itself: detaching, limits, logging, scripts.

import type { Config } from "../config.ts";
import { OptionError, OptionExit } from "../error.ts";
import { isFailure } from "../host.ts";
import { loadPlugin } from "../plugins.ts";
import {
  alias,
  decoded,
  flag,
  GROUP,
  HIDDEN,
  INIT_ONLY,
  LIST,
  name,
  NO_INCREASE,
  number,
  PRIORITY,
  PRIVILEGED,
  quoted,
  special,
  text,
  wholeNumber,
  type Row,
  type Setting,
} from "../row.ts";

/** A word that needs no argument and is not a fact about the Config. */
function word(name: string, rules: number, about: string, set: (setting: Setting) => void): Row {
  return { ...special(name, rules, about, set), argument: false };
}

function counted(name: string): Row {
  return {
    ...word(name, 0, "log the control packets, and more the more often it is given", ({ config }) => config.debug++),
    value: (config) =>
      Array(Math.max(0, config.debug - 1))
        .fill(name)
        .join(" "),
  };
}

function setDomain({ config, host }: Setting, argument: string): void {
  const domain = decoded(argument);
  config.domain = domain;
  config.hostname = host.hostname + (domain === "" || domain.startsWith(".") ? "" : ".") + domain;
}

function readCallFile(setting: Setting, argument: string): void {
  const name = decoded(argument);
  if (name === "" || name.startsWith("/") || name.split("/").includes("..")) {
    throw new OptionError("call option value may not contain .. or start with /");
  }
  setting.config.callFile = name;
  setting.include(`${setting.host.etc}/peers/${name}`, "user", true);
}

function openLogfile({ config, host, privileged }: Setting, argument: string): void {
  const path = decoded(argument);
  const fd = host.openLogfile(path, privileged ? "root" : "user");
  if (isFailure(fd)) throw new OptionError(`Can't open log file ${path}: ${fd.reason}`);
  Object.assign(config, { logfile: path, logfd: fd, logDefault: false } satisfies Partial<Config>);
}

function setEnvironment(setting: Setting, argument: string): void {
  const pair = decoded(argument);
  const at = pair.indexOf("=");
  if (at < 0) throw new OptionError(`missing = in name=value: ${pair}`);
  if (at === 0) throw new OptionError(`missing variable name: ${pair}`);
  putVariable(setting, pair.slice(0, at), pair.slice(at + 1));
}

function unsetEnvironment(setting: Setting, argument: string): void {
  const name = decoded(argument);
  if (name.includes("=")) throw new OptionError(`unexpected = in name: ${name}`);
  if (name === "") throw new OptionError("missing variable name for unset");
  putVariable(setting, name, undefined);
}

/** An ordinary user's word does not count where root has said something. */
function putVariable({ config, privileged }: Setting, name: string, value: string | undefined): void {
  const at = config.environment.findIndex((one) => one.name === name);
  if (config.environment[at]?.privileged && !privileged) return;
  config.environment.splice(at < 0 ? config.environment.length : at, 1, { name, value, privileged });
}

function filter(name: string, key: "passFilter" | "activeFilter", about: string): Row {
  return special(
    name,
    PRIORITY,
    about,
    ({ config, host }, argument) => {
      const expression = decoded(argument);
      const program = host.compileFilter(expression, config.netmask ?? 0);
      if (!isFailure(program)) config[key] = { expression, program };
      else if (program.errno === "ENOENT") throw new OptionError(`the ${name} option needs ${program.reason}`);
      else throw new OptionError(`error in ${name} expression: ${program.reason}`);
    },
    (config) => quoted(config[key]?.expression ?? ""),
  );
}

const DIRECTIONS: Readonly<Record<string, Config["moDirection"]>> = { in: "in", out: "out", max: "max" };

const nodetach = flag("nodetach", PRIORITY, "stay in the foreground", { detach: "nodetach" });
const multilink = flag("multilink", PRIORITY, "join links into a bundle", { multilink: true });
const nomultilink = flag("nomultilink", GROUP, "keep to one link", { multilink: false });
const maxoctets = (name: string): Row =>
  number(name, "maxoctets", PRIORITY | NO_INCREASE, "end the link after that many bytes", { min: 0 });
const moTimeout = number("mo-timeout", "moTimeout", PRIORITY, "seconds between two looks at maxoctets", { min: 0 });
const help = word("--help", HIDDEN, "print the most common options", () => {
  throw new OptionExit("help");
});
const version = word("--version", HIDDEN, "print the version", () => {
  throw new OptionExit("version");
});
const nolog = flag("nolog", GROUP, "log to syslog only", { logfd: undefined, logDefault: false });

export const GENERAL: readonly Row[] = [
  counted("debug"),
  counted("-d"),
  number("kdebug", "kdebug", PRIORITY, "trace frames in the kernel: there are none"),
  nodetach,
  alias(nodetach, "-detach", GROUP),
  flag("up_sdnotify", GROUP, "stay in the foreground and tell systemd when the link is up", { detach: "sdnotify" }),
  flag("updetach", GROUP, "detach once the link is up", { detach: "updetach" }),
  flag("master_detach", 0, "one process has all links of a bundle", { masterDetach: true }),
  {
    ...number("holdoff", "holdoff", PRIORITY, "seconds to wait before connecting again"),
    set({ config }, argument) {
      config.holdoff = wholeNumber("holdoff", argument);
      config.holdoffGiven = true;
    },
  },
  number("idle", "idle", PRIORITY, "end the link after that many seconds without traffic"),
  number("maxconnect", "maxconnect", PRIORITY | NO_INCREASE, "end the link after that many seconds", { min: 0 }),
  special("domain", PRIORITY | PRIVILEGED, "what to append to our host name", setDomain, (config) =>
    quoted(config.domain ?? ""),
  ),
  special("file", HIDDEN, "read options from a file", (setting, argument) => {
    setting.include(decoded(argument), "user", setting.privileged);
  }),
  special("call", HIDDEN, "read options from a file in peers/", readCallFile),
  flag("persist", PRIORITY, "connect again after the link has ended", { persist: true }),
  flag("nopersist", GROUP, "end with the link", { persist: false }),
  flag("demand", INIT_ONLY, "connect when there is traffic", { demand: true }),
  version,
  alias(version, "-v"),
  flag("show-options", HIDDEN, "list all options", { showOptions: true }),
  help,
  alias(help, "-h"),
  special("logfile", PRIORITY, "append log lines to a file", openLogfile, (config) => quoted(config.logfile ?? "")),
  special(
    "logfd",
    GROUP,
    "write log lines to a descriptor",
    ({ config }, argument) => {
      const fd = wholeNumber("logfd", argument);
      Object.assign(config, { logfd: fd < 0 ? undefined : fd, logDefault: false } satisfies Partial<Config>);
    },
    (config) => String(config.logfd ?? -1),
  ),
  nolog,
  alias(nolog, "nologfd"),
  name("linkname", "linkname", PRIORITY | PRIVILEGED, "a name for the link, and for its pid file"),
  number("maxfail", "maxfail", PRIORITY, "give up after that many failed attempts (0: never)"),
  flag("ktune", PRIORITY, "set the kernel's switches that the link needs", { ktune: true }),
  flag("noktune", GROUP, "leave the kernel's switches alone", { ktune: false }),
  number("connect-delay", "connectDelayMs", PRIORITY, "milliseconds to wait for the peer after connecting", {
    min: 0,
    outside: "moved",
  }),
  number("unit", "unit", PRIORITY, "the N of pppN", { min: 0 }),
  name("ifname", "ifname", PRIORITY | PRIVILEGED, "a name for the interface instead of pppN"),
  name("vrf", "vrf", PRIORITY | PRIVILEGED, "the routing domain the interface joins"),
  flag("dump", 0, "print the options in effect", { dump: true }),
  flag("dryrun", 0, "print the options in effect and exit", { dryrun: true }),
  number("child-timeout", "childTimeout", PRIORITY, "seconds to wait for scripts at the end (0: for ever)"),
  {
    ...special("set", 0, "set a variable for scripts", setEnvironment),
    values: ({ environment }) =>
      environment.flatMap(({ name, value }) => (value === undefined ? [] : [quoted(`${name}=${value}`)])),
  },
  {
    ...special("unset", 0, "remove a variable for scripts", unsetEnvironment),
    values: ({ environment }) => environment.flatMap(({ name, value }) => (value === undefined ? [quoted(name)] : [])),
  },
  number("defaultroute-metric", "defaultrouteMetric", PRIVILEGED | INIT_ONLY, "the metric of the default route", {
    min: -1,
  }),
  text("net-init-script", "netInitScript", PRIVILEGED, "run when the interface is known"),
  text("net-pre-up-script", "netPreUpScript", PRIVILEGED, "run before the network protocols start"),
  text("net-down-script", "netDownScript", PRIVILEGED, "run when the link goes down"),
  text("auth-up-script", "authUpScript", PRIVILEGED, "run when the peer has proved its name"),
  text("auth-down-script", "authDownScript", PRIVILEGED, "run when such a link goes down"),
  text("ip-up-script", "ipUpScript", PRIVILEGED, "run when IP is up"),
  text("ip-down-script", "ipDownScript", PRIVILEGED, "run when IP is down"),
  text("ip-pre-up-script", "ipPreUpScript", PRIVILEGED, "run before IP is up, and waited for"),
  text("ipv6-up-script", "ipv6UpScript", PRIVILEGED, "run when IPv6 is up"),
  text("ipv6-down-script", "ipv6DownScript", PRIVILEGED, "run when IPv6 is down"),
  multilink,
  alias(multilink, "mp", GROUP),
  nomultilink,
  alias(nomultilink, "nomp"),
  text("bundle", "bundle", PRIORITY, "a name for the bundle"),
  special("mpdevice", PRIVILEGED | LIST, "a further line for the bundle", ({ config }, argument) => {
    const path = decoded(argument);
    config.mpDevices.push(path.startsWith("/") ? path : `/dev/${path}`);
  }),
  special(
    "plugin",
    PRIVILEGED | LIST,
    "load a plugin",
    ({ config, host }, argument) => void config.plugins.push(loadPlugin(decoded(argument), host)),
  ),
  filter("pass-filter", "passFilter", "packets that may pass"),
  filter("active-filter", "activeFilter", "packets that count as traffic"),
  maxoctets("maxoctets"),
  maxoctets("mo"),
  special(
    "mo-direction",
    0,
    "what maxoctets counts: in, out, max or sum",
    ({ config }, argument) => (config.moDirection = DIRECTIONS[argument] ?? "sum"),
    (config) => config.moDirection,
  ),
  {
    ...moTimeout,
    set(setting, argument) {
      moTimeout.set(setting, argument);
      setting.config.moTimeout ||= 1;
    },
  },
];
