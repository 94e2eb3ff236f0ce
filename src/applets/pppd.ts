// pppd(8): reads options, checks them, goes into the background, and runs a session.

import { basename } from "node:path";
import { encoded } from "../bytes/text.ts";
import { type Config, withFields } from "../options/config.ts";
import { dumpLines, presetLine, showOptionsText, USAGE_HINT, USAGE_TEXT, VERSION_TEXT } from "../options/dump.ts";
import { OptionError, OptionExit } from "../options/error.ts";
import type { OptionHost } from "../options/host.ts";
import { requireFolder } from "../options/check-files.ts";
import { checkOptions, settleAddresses } from "../options/check.ts";
import { hostInForce, parseOptions } from "../options/parse.ts";
import { PPPD_VERSION } from "../options/version.ts";
import { type Attachment, attachment, spawnDetached } from "../os/process/detach.ts";
import { lowerOomScore } from "../os/process/oom.ts";
import { userName } from "../os/net/hosts.ts";
import { ownEnvironment } from "../os/process/inherited.ts";
import { journalAt } from "../os/log/journal.ts";
import { libc, O, openFd } from "../os/ffi/libc.ts";
import { Log } from "../os/log/log-writer.ts";
import { dropCodePages } from "../os/ffi/memory.ts";
import { type Notifier, takeNotifier } from "../os/log/notify.ts";
import { Signals } from "../os/process/signals.ts";
import { Syslog } from "../os/log/syslog-client.ts";
import { Exit } from "../run/exit.ts";
import { ControlDoor } from "./control-door.ts";
import { takeConfigDir } from "./config-dir.ts";
import { systemOptionHost } from "./option-host.ts";
import { OptionsInForce } from "../run/settings/options-in-force.ts";
import { withOwnAddress, withoutOwnAddress } from "./own-address.ts";
import { Passwords } from "../run/peers/passwords.ts";
import { Peers } from "../run/peers/peers.ts";
import type { SessionPlugin } from "../run/session/session-plugin.ts";
import { Session } from "../run/session/session.ts";
import { runDirectory } from "./run-directory.ts";
import { thisMachine } from "./this-machine.ts";
import { linesOf } from "../run/diagnose/finding.ts";
import { carrierOf } from "../run/packets/carrier.ts";

/** Keeps group and others from writing to our new files. */
const UMASK = 0o022;

/** Runs pppd with the words after its name. Returns the exit code. */
export async function pppd(argv: string[]): Promise<number> {
  libc.umask(libc.umask(0) | UMASK);
  const ours = attachment();
  const notifier = takeNotifier();
  const syslog = new Syslog("pppd", "local2", { pid: true });
  // The child in the background reads the same words again. Its parent has printed the messages about them. Standard
  // output may be the line.
  const early = new Log(syslog, ours === undefined && !argv.includes("notty") ? 1 : undefined, false);
  const voice = {
    inform: (text: string) => void (ours === undefined && early.write("info", text)),
    warn: (text: string) => void (ours === undefined && early.write("warn", text)),
    complain: (text: string) => void (ours === undefined && complain(text, "err", syslog)),
  };
  let host: OptionHost;
  let config: Config;
  let given: number[];
  try {
    const { etc, words } = takeConfigDir(argv);
    host = systemOptionHost(voice, etc);
    config = parseOptions(words, host);
    host = hostInForce(config, host);
    if (config.showOptions) {
      process.stderr.write(showOptionsText());
      return Exit.OK;
    }
    const carrier = carrierOf(thisMachine, config, calledAs());
    // A dry run needs no TUN.
    if (carrier.way === "none" && !(config.dryrun && carrier.exit === Exit.NO_KERNEL)) {
      for (const line of linesOf(carrier.finding)) complain(line, "err", syslog);
      return carrier.exit;
    }
    ({ config, given } = handOver(config, ours));
    config = checkOptions(config, withoutOwnAddress(config, host));
    requireFolder(config, host);
    // A process that goes into the background needs no address, except to show it.
    if (!leaves(config, ours, notifier) || config.dryrun || config.dump) {
      const log = logOf(config, syslog, ours);
      config = settleAddresses(config, await withOwnAddress(config, host, (text) => log.write("info", text)));
    }
  } catch (error) {
    return refuse(error, syslog);
  }
  if (ours === undefined && (config.dryrun || config.dump)) {
    const log = new Log(syslog, config.logfd, false);
    for (const line of dumpLines(config)) log.write("notice", line);
  }
  if (config.dryrun) return Exit.OK;
  // Go into the background. The child does all of this again and continues.
  if (leaves(config, ours, notifier)) return detach(argv, config.detach === "updetach", given);
  return await serve(config, host, syslog, ours, notifier);
}

/** True when this process exits and its child continues in the background. */
function leaves({ detach, defaultDevice }: Config, ours: Attachment | undefined, { isService }: Notifier): boolean {
  return ours === undefined && (detach === "detach" || detach === "updetach") && !defaultDevice && !isService;
}

function logOf({ detach, logDefault, logfd, debug }: Config, syslog: Syslog, ours: Attachment | undefined): Log {
  const toStdout = ours === undefined || detach === "updetach" || !logDefault;
  return new Log(syslog, toStdout ? logfd : undefined, debug > 0);
}

/** The descriptors named on the command line. The child in the background has them under other numbers. */
function handOver(config: Config, ours: Attachment | undefined): { config: Config; given: number[] } {
  const { logfd, logDefault, passwordfd } = config;
  const given: number[] = [];
  const pass = (fd: number): number => {
    const at = given.push(fd) - 1;
    return ours === undefined ? fd : (ours.fds[at] ?? -1);
  };
  const passed = withFields(config, {
    ...(!logDefault && logfd !== undefined && { logfd: pass(logfd) }),
    ...(config.plugins.includes("passwordfd.so") && passwordfd >= 0 && { passwordfd: pass(passwordfd) }),
  });
  return { config: passed, given };
}

async function detach(argv: string[], untilUp: boolean, given: readonly number[]): Promise<number> {
  // A descriptor that is not open must not change the numbers of the others.
  const fds = given.map((fd) => (isOpen(fd) ? fd : openFd("/dev/null", O.RDWR)));
  const child = spawnDetached({ name: "pppd", args: argv, env: ownEnvironment(), untilUp, fds });
  return await (untilUp ? child.wait() : child.leave());
}

const F_GETFD = 1;

function isOpen(fd: number): boolean {
  return libc.fcntl(fd, F_GETFD, 0) >= 0;
}

async function serve(
  config: Config,
  host: OptionHost,
  syslog: Syslog,
  ours: Attachment | undefined,
  notifier: Notifier,
): Promise<number> {
  if (ours !== undefined && config.detach === "detach") ours.reportUp();
  const log = logOf(config, syslog, ours);
  if (libc.geteuid() === 0) lowerOomScore();
  const user = userName(libc.getuid()) ?? `uid${libc.getuid()}`;
  log.note("notice", `pppd ${PPPD_VERSION} started by ${user}, uid ${libc.getuid()}`);
  const preset = presetLine(config);
  if (preset !== undefined) log.write("info", preset);
  notifier.startsUp = config.detach === "sdnotify";
  const plugin = await pluginOf(config, log);
  const passwords = new Passwords(config, thisMachine, log, plugin);
  const session = new Session({
    machine: thisMachine,
    options: new OptionsInForce(config),
    log,
    peersOf: (options) => new Peers(options, host, thisMachine, log, passwords),
    ready: () => passwords.ready(),
    etc: host.etc,
    user,
    uid: libc.getuid(),
    runDirectory: runDirectory(),
    notifier,
    plugin,
    onUp: () => {
      dropCodePages();
      if (ours === undefined || config.detach !== "updetach") return;
      log.write("debug", "updetach is set. Now detaching.");
      if (config.logDefault) log.dropFd();
      ours.reportUp();
    },
  });
  const door = new ControlDoor(runDirectory(), log, () => [session.steering]);
  door.allow(config.controlGroup);
  const signals = new Signals((event) => session.steering.onSignal(event));
  try {
    return await session.run();
  } catch (error) {
    // This is a bug of ours. Nobody sees stderr in the background. The session has cleaned up already.
    for (const line of String(error instanceof Error ? error.stack : error).split("\n")) log.write("error", line);
    return Exit.FATAL;
  } finally {
    plugin?.end();
    signals.close();
    door.close();
    log.note("info", "Exit.");
  }
}

/** The plugin that is told of the session. */
async function pluginOf({ plugins, ipparam }: Config, log: Log): Promise<SessionPlugin | undefined> {
  if (!plugins.includes("nm-pppd-plugin.so")) return undefined;
  const { openPlugin } = await import("../run/network-manager/plugin.ts");
  const { network, clock } = thisMachine;
  return await openPlugin({ bus: network.messageBus, clock, log, path: encoded(ipparam ?? "") });
}

/** Reports an error in the options, as pppd does. Returns the exit code. */
function refuse(error: unknown, syslog: Syslog): number {
  if (error instanceof OptionExit) {
    if (error.asked === "version") process.stdout.write(VERSION_TEXT);
    else process.stderr.write(USAGE_TEXT + USAGE_HINT);
    return Exit.OK;
  }
  if (!(error instanceof OptionError)) throw error;
  for (const line of error.lines) complain(line, "err", syslog);
  if (error.usage) process.stderr.write(USAGE_TEXT + USAGE_HINT);
  for (const hint of error.hints) process.stderr.write(`${hint}\n`);
  return error.code;
}

/** Prints a message before there is a log: to stderr and to syslog, or only to the journal. */
function complain(text: string, level: "err" | "warning", syslog: Syslog): void {
  if (journalAt(process.stderr.fd)?.write(level, text) === true) return;
  process.stderr.write(`${calledAs()}: ${text}\n`);
  syslog.write(level, text);
}

/** The name we were called by, which pppd puts before its error messages. */
function calledAs(): string {
  return /^-?pppd$/.test(basename(process.argv0)) ? process.argv0 : "pppd";
}
