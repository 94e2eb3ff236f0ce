// Checks that the options fit together, and settles those that depend on several others.

import { checkAuth } from "./check-auth.ts";
import { warnOfIdleFiles } from "./check-files.ts";
import { type Config, type Draft, draftOf, finished } from "./config.ts";
import { OptionError } from "./error.ts";
import { isFailure, type OptionHost } from "./host.ts";
import { noDeviceOption } from "./no-device.ts";
import { isBadAddress } from "./numbers.ts";
import { parseSocketAddress } from "./socket-address.ts";

const LOOPBACK = /^(127\.[\d.]+|::1|localhost)$/;

/**
 * Returns the Config with all dependent options settled. To be called once: after the checks for root and for a tunnel
 * device, before a dump. Throws OptionError when options do not fit together.
 */
export function checkOptions(config: Config, host: OptionHost): Config {
  checkNumber(config, host);
  const draft = draftOf(config);
  checkAuth(draft, host);
  setAddresses(draft, host);
  checkLine(draft, host);
  warnOfIdleRules(draft, host);
  return finished(draft);
}

/** Checks the telephone number of the caller. A star at the end of an allowed number stands for any digits. */
function checkNumber({ allowNumber, remotenumber = "" }: Config, host: OptionHost): void {
  if (allowNumber.length === 0) return;
  const number = remotenumber.toLowerCase();
  const fits = (pattern: string): boolean =>
    pattern.endsWith("*") ? number.startsWith(pattern.slice(0, -1)) : number === pattern;
  if (allowNumber.some((pattern) => fits(pattern.toLowerCase()))) return;
  host.warn(`calling number ${remotenumber} is not authorized`);
  throw new OptionError([], { code: 21 });
}

/** Returns the Config with our address looked up, if that was not possible earlier. */
export function settleAddresses(config: Config, host: OptionHost): Config {
  const draft = draftOf(config);
  setAddresses(draft, host);
  return finished(draft);
}

/** Our address is that of our host name unless an option gives it. The peer may then change it. */
function setAddresses(draft: Draft, host: OptionHost): void {
  if (draft.ourAddress === undefined && !draft.noipdefault && draft.addressPair === undefined) {
    const address = host.resolveHost(draft.facts.hostname);
    if (address !== undefined && address !== 0 && !isBadAddress(address)) {
      draft.ourAddress = address;
      draft.ourAddressFrom = "hostname";
    }
  }
  if (draft.ourAddressFrom !== "given") draft.acceptLocal = true;
  if (draft.peerAddress === undefined) draft.acceptRemote = true;
}

function checkLine(draft: Draft, host: OptionHost): void {
  const { autodetect, connect, demand, join, notty, pty, socket, socketListen } = draft;
  if (demand && autodetect.length > 0) throw new OptionError("demand-dialling is incompatible with autodetect");
  if (join && autodetect.length > 0)
    throw new OptionError("join calls, and autodetect waits for a call: give one of them");
  if (demand && draft.usernet) throw new OptionError("demand-dialling needs an interface, and usernet has none");
  if (draft.socks !== undefined && (demand || draft.usernet || draft.share))
    throw new OptionError("socks calls out from here: it is incompatible with demand, usernet and share");
  if (demand && notty) throw new OptionError("demand-dialling is incompatible with notty");
  if (demand && socketListen !== undefined) throw new OptionError("demand-dialling is incompatible with socket-listen");
  if (demand && connect === undefined && pty === undefined && socket === undefined) {
    throw new OptionError("connect script is required for demand-dialling");
  }
  if (!draft.holdoffGiven) draft.holdoff = connect === undefined ? 0 : 30;
  // With demand the program stays, unless nopersist is given.
  if (demand && draft.given["persist"] === undefined) draft.persist = true;
  const option = noDeviceOption(draft);
  checkGetty(draft, option);
  if (option !== undefined) checkNoDevice(draft, option);
  else settleDefaultDevice(draft, host);
  if (draft.defaultDevice) draft.detach = "nodetach";
  if (draft.sync && !draft.dryrun) {
    throw new OptionError("the sync option needs a synchronous port, which makes the frames itself, and its driver");
  }
  checkCallers(draft);
}

/** Rules limit what other options open. */
function warnOfIdleRules(draft: Draft, host: OptionHost): void {
  const { share, usernet, forwards, shareAllow, shareDeny } = draft;
  warnOfIdleFiles(draft, host);
  if (share || usernet || forwards.length > 0) return;
  const given = { "share-allow": shareAllow, "share-deny": shareDeny };
  for (const [name, { length }] of Object.entries(given))
    if (length > 0) host.warn(`${name} has no effect without share, usernet or forward`);
}

function checkGetty({ autodetect, autodetectGetty, multilink }: Draft, noDevice: string | undefined): void {
  if (autodetectGetty === undefined) return;
  if (noDevice !== undefined) throw new OptionError(`autodetect-getty needs a serial port, and ${noDevice} has none`);
  if (autodetect.length === 0) throw new OptionError("autodetect-getty needs autodetect");
  if (multilink) throw new OptionError("autodetect-getty is incompatible with multilink");
  if (autodetect.includes("login"))
    throw new OptionError("with login in autodetect's list a person gets login prompts: leave autodetect-getty out");
}

/** Whoever reaches a TCP port can call. */
function checkCallers({ facts, socketListen }: Draft): void {
  if (socketListen === undefined || facts.authRequired) return;
  const { host, port } = parseSocketAddress(socketListen) ?? {};
  if (LOOPBACK.test(host ?? "")) return;
  throw new OptionError([
    `socket-listen ${socketListen} needs auth: anybody who reaches this address could join the network`,
    `Give auth, with a line for the caller in pap-secrets or chap-secrets; or listen on this machine only: 127.0.0.1:${port}`,
  ]);
}

function checkNoDevice(draft: Draft, option: string): void {
  const { notty, pty, socket, socketListen } = draft;
  if (!draft.defaultDevice) throw new OptionError(`${option} option precludes specifying device name`);
  if (pty !== undefined && notty) throw new OptionError("pty option is incompatible with notty option");
  if (socket !== undefined && (pty !== undefined || notty)) {
    throw new OptionError("socket option is incompatible with pty and notty");
  }
  if (socketListen !== undefined && (pty !== undefined || notty || socket !== undefined)) {
    throw new OptionError("socket-listen option is incompatible with pty, notty and socket");
  }
  draft.defaultDevice = notty;
  draft.lock = false;
  draft.modem = false;
  if (notty && draft.logfd !== undefined && draft.logfd <= 1) draft.logfd = undefined;
}

/** The port on standard input is not hung up, because it is not ours. No log line may go onto the line itself. */
function settleDefaultDevice(draft: Draft, host: OptionHost): void {
  const found = draft.device === undefined ? undefined : host.statDevice(draft.device);
  const device = found === undefined || isFailure(found) ? undefined : found.device;
  if (device === undefined) return;
  if (host.stdin.device === device) {
    draft.defaultDevice = true;
    if (host.stdin.readWrite) draft.devicePrivileged = true;
  }
  if (draft.logfd !== undefined && host.deviceOfFd(draft.logfd) === device) draft.logfd = undefined;
}
