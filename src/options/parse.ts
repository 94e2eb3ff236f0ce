// From the words of all sources to a Config: pppd's order of files and command line, and the checks before the start.
// Reads through the host it is handed and prints nothing.

import { printable } from "../bytes/text.ts";
import type { AuthProtocol, Config } from "./config.ts";
import { defaultConfig } from "./defaults.ts";
import { OptionError } from "./error.ts";
import { isFailure, type OptionHost } from "./host.ts";
import { isBadAddress } from "./numbers.ts";
import { COMMAND_LINE, FILE, readCommandLine, readFile, readSecretWords, SECRETS, type Source } from "./read.ts";
import { decoded, encoded } from "./row.ts";
import { asSentence, lineText, missingText } from "./secret-search.ts";
import { findSecret, someAddress } from "./secrets.ts";
import { findTlsEntry } from "./tls-secrets.ts";

/**
 * Reads /etc/ppp/options, ~/.ppprc, the command line and options.TTY. Throws OptionError, or OptionExit for --version
 * and --help. What must be consistent is looked at later, by checkOptions.
 */
export function parseOptions(argv: readonly string[], host: OptionHost): Config {
  const config = defaultConfig(host.etc);
  config.hostname = host.hostname;
  config.privileged = host.privileged;
  const absent: OptionError[] = [];
  try {
    readSources(config, argv, host, absent);
  } finally {
    // Without `persist` the word is the first error, as in pppd, whatever came of the words after it.
    const waits = config.persist || (config.demand && !config.given.has("persist"));
    if (absent[0] !== undefined && !waits) throw absent[0];
  }
  return config;
}

function readSources(config: Config, argv: readonly string[], host: OptionHost, absent: OptionError[]): void {
  const file: Source = {
    absent,
    name: "",
    priority: FILE,
    privileged: true,
    depth: 0,
    deviceFixed: false,
    started: false,
  };
  const options = `${host.etc}/options`;
  readFile(config, host, { ...file, name: options }, options, "root", config.privileged ? "absent ok" : "must exist");
  if (host.home !== undefined) {
    const own = `${host.home}/.ppprc`;
    readFile(config, host, { ...file, name: own, privileged: config.privileged }, own, "user", "absent ok");
  }
  const line: Source = { ...file, name: "command line", priority: COMMAND_LINE, privileged: config.privileged };
  readCommandLine(
    config,
    host,
    line,
    argv.map((word) => encoded(word)),
  );
  if (config.showOptions) return;
  settleDevice(config, host);
  if (config.device !== undefined) {
    const tty = ttyName(config.device);
    const path = `${host.etc}/options.${tty}`;
    if (tty !== "" && tty !== "tty") {
      readFile(config, host, { ...file, name: path, deviceFixed: true }, path, "root", "absent ok");
    }
  }
}

/**
 * The options as the words after `--` in a peer's line of a secrets file have them; `config` stays as it is. `trouble` is
 * what is wrong with a word: those in front of it count, those behind it do not.
 */
export function withPeerOptions(
  config: Config,
  words: readonly string[],
  host: OptionHost,
): { config: Config; trouble: string | undefined } {
  const changed = structuredClone(config);
  const name = "secrets file";
  const source: Source = { name, priority: SECRETS, privileged: true, depth: 0, deviceFixed: true, started: true };
  try {
    readSecretWords(changed, host, source, words);
    return { config: changed, trouble: undefined };
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    return { config: changed, trouble: error.message };
  }
}

/** The part of a device's path that names its options file: all after "/dev/", a dot for each slash. */
function ttyName(device: string): string {
  const at = device.indexOf("/dev/");
  return (at < 0 ? device : device.slice(at + 5)).replaceAll("/", ".");
}

/** The option that makes something else than a device the line. */
function noDeviceOption({ notty, pty, socket, socketListen }: Config): string | undefined {
  if (socketListen !== undefined) return "socket-listen";
  return socket !== undefined ? "socket" : notty ? "notty" : pty !== undefined ? "pty" : undefined;
}

function settleDevice(config: Config, host: OptionHost): void {
  if (noDeviceOption(config) !== undefined || !config.defaultDevice) return;
  if (host.stdin.tty === undefined) throw new OptionError("no device specified and stdin is not a tty");
  config.device = host.stdin.tty;
}

// ── before the start ─────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Settles what depends on several options and refuses what does not fit together. To be called once, after the checks
 * for root and for a tunnel device, before a dump. Throws OptionError.
 */
export function checkOptions(config: Config, host: OptionHost): void {
  checkNumber(config, host);
  checkAuth(config, host);
  settleAddresses(config, host);
  checkLine(config, host);
}

/** Telephone numbers that may call: a trailing star stands for any digits. */
function checkNumber({ allowNumber, remotenumber = "" }: Config, host: OptionHost): void {
  if (allowNumber.length === 0) return;
  const number = remotenumber.toLowerCase();
  const fits = (pattern: string): boolean =>
    pattern.endsWith("*") ? number.startsWith(pattern.slice(0, -1)) : number === pattern;
  if (allowNumber.some((pattern) => fits(pattern.toLowerCase()))) return;
  host.warn(`calling number ${remotenumber} is not authorized`);
  throw new OptionError([], { code: 21 });
}

function checkAuth(config: Config, host: OptionHost): void {
  if (config.name === "" || config.usehostname) config.name = encoded(config.hostname);
  if (config.user === "" && !config.userGiven) config.user = config.name;
  config.authByDefault = config.auth === "unset" && !config.privileged && host.hasDefaultRoute();
  config.authRequired = config.auth === "auth" || config.authByDefault;
  config.authProtocols = config.authRequired ? protocolsToAsk(config) : [];
  if (!config.authRequired) return;
  const found = usableSecret(config, host);
  if (found === "yes" || config.allowIp.length > 0) return;
  const lines = config.authByDefault
    ? [
        "By default the remote system is required to authenticate itself",
        "(because this system has a default route to the internet)",
      ]
    : config.remotenameGiven
      ? [`The remote system (${decoded(config.remotename)}) is required to authenticate itself`]
      : ["The remote system is required to authenticate itself"];
  lines.push("but I couldn't find any suitable secret (password) for it to use to do so.");
  if (found === "no address") lines.push("(None of the available passwords would let it use an IP address.)");
  throw new OptionError(lines, { code: 1, hints: missingSecrets(config, host) });
}

/** Which lines would have done, and what does without. */
function missingSecrets(config: Config, host: OptionHost): string[] {
  const { name, remotename, remotenameGiven, authProtocols, papSecrets, chapSecrets } = config;
  const client = (remotenameGiven && remotename) || undefined;
  const files = new Set(authProtocols.map((protocol) => (protocol === "pap" ? papSecrets : chapSecrets)));
  const missing = [...files].map((path) => {
    const file = host.readFile(path, "root");
    const text = isFailure(file) ? undefined : file.text;
    const found = text === undefined ? undefined : findSecret(text, client, name || undefined, { file: path });
    if (found !== undefined) return asSentence(`${lineText(path, found.entry)} allows the peer no address`);
    return asSentence(missingText({ file: path, client, server: name || undefined }, text));
  });
  return [...missing, `A line is: CLIENT ${printable(name)} SECRET ADDRESS, with * for any; noauth does without`];
}

function protocolsToAsk(config: Config): AuthProtocol[] {
  const wanted: [boolean, AuthProtocol][] = [
    [config.requireEap, "eap"],
    [config.requireChap, "chap-md5"],
    [config.requireMschapV2, "mschap-v2"],
    [config.requireMschap, "mschap"],
    [config.requirePap, "pap"],
  ];
  const chosen = wanted.filter(([required]) => required);
  // Samba has no password to make an MD5 digest of.
  if (config.plugins.includes("winbind.so")) wanted.splice(1, 1);
  return (chosen.length > 0 ? chosen : wanted).map(([, protocol]) => protocol);
}

/** Does a secrets file have an entry with which the peer, as far as we know it, could authenticate? */
export function usableSecret(config: Config, host: OptionHost): "yes" | "no" | "no address" {
  const asks = config.authProtocols;
  const client = config.remotenameGiven ? config.remotename || undefined : undefined;
  let found: "no" | "no address" = "no";
  const samba = config.plugins.includes("winbind.so");
  if (samba && config.ntlmAuthHelper !== undefined && asks.some((protocol) => protocol !== "eap")) return "yes";
  const files: [path: string, asked: boolean, inSystem: boolean][] = [
    [config.papSecrets, asks.includes("pap") && !samba, config.login],
    [config.chapSecrets, asks.some((protocol) => (samba ? protocol === "eap" : protocol !== "pap")), false],
  ];
  for (const [path, asked, inSystem] of files) {
    if (!asked) continue;
    if (inSystem) return "yes";
    const file = host.readFile(path, "root");
    if (isFailure(file)) continue;
    const secret = findSecret(file.text, client, config.name || undefined, { file: path, warn: host.complain });
    if (secret === undefined) continue;
    if (someAddress(secret.addresses)) return "yes";
    found = "no address";
  }
  if (!asks.includes("eap")) return found;
  const path = `${host.etc}/eaptls-server`;
  const file = host.readFile(path, "root");
  const entry = isFailure(file) ? undefined : findTlsEntry(file.text, client, config.name || undefined, path);
  if (entry === undefined) return found;
  return someAddress(entry.addresses) ? "yes" : "no address";
}

/**
 * Our address is our host name's unless given, and then not to be insisted on. To be called again when that name could
 * not be looked up at first.
 */
export function settleAddresses(config: Config, host: OptionHost): void {
  if (config.ourAddress === undefined && !config.noipdefault) {
    const address = host.resolveHost(config.hostname);
    if (address !== undefined && address !== 0 && !isBadAddress(address)) {
      config.ourAddress = address;
      config.ourAddressFrom = "hostname";
    }
  }
  if (config.ourAddressFrom !== "given") config.acceptLocal = true;
  if (config.peerAddress === undefined) config.acceptRemote = true;
}

function checkLine(config: Config, host: OptionHost): void {
  const { connect, demand, notty, pty, socket, socketListen } = config;
  if (demand && notty) throw new OptionError("demand-dialling is incompatible with notty");
  if (demand && socketListen !== undefined) throw new OptionError("demand-dialling is incompatible with socket-listen");
  if (demand && connect === undefined && pty === undefined && socket === undefined) {
    throw new OptionError("connect script is required for demand-dialling");
  }
  if (!config.holdoffGiven) config.holdoff = connect === undefined ? 0 : 30;
  // demand keeps the program up unless nopersist says otherwise.
  if (demand && !config.given.has("persist")) config.persist = true;
  const option = noDeviceOption(config);
  if (option !== undefined) checkNoDevice(config, option);
  else settleDefaultDevice(config, host);
  if (config.defaultDevice) config.detach = "nodetach";
  if (config.sync && !config.dryrun) {
    throw new OptionError("the sync option needs a synchronous port, which makes the frames itself, and its driver");
  }
}

function checkNoDevice(config: Config, option: string): void {
  const { notty, pty, socket, socketListen } = config;
  if (!config.defaultDevice) throw new OptionError(`${option} option precludes specifying device name`);
  if (pty !== undefined && notty) throw new OptionError("pty option is incompatible with notty option");
  if (socket !== undefined && (pty !== undefined || notty)) {
    throw new OptionError("socket option is incompatible with pty and notty");
  }
  if (socketListen !== undefined && (pty !== undefined || notty || socket !== undefined)) {
    throw new OptionError("socket-listen option is incompatible with pty, notty and socket");
  }
  config.defaultDevice = notty;
  config.lock = false;
  config.modem = false;
  if (notty && config.logfd !== undefined && config.logfd <= 1) config.logfd = undefined;
}

/** The port on standard input is not ours to hang up; and no log line may go onto the line itself. */
function settleDefaultDevice(config: Config, host: OptionHost): void {
  const found = config.device === undefined ? undefined : host.statDevice(config.device);
  const device = found === undefined || isFailure(found) ? undefined : found.device;
  if (device === undefined) return;
  if (host.stdin.device === device) {
    config.defaultDevice = true;
    if (host.stdin.readWrite) config.devicePrivileged = true;
  }
  if (config.logfd !== undefined && host.deviceOfFd(config.logfd) === device) config.logfd = undefined;
}
