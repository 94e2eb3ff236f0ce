// From the options as the manual names them to what a Link wants to know.

import type { IpcpConfig } from "../control/ipcp.ts";
import type { AuthMethod } from "../control/lcp.ts";
import type { LinkConfig } from "../link/link.ts";
import type { Config } from "../options/config.ts";

const SECOND = 1000;

/** What the secrets files and the rules of auth.ts said. */
export interface AuthPlan {
  /** Ways the peer may prove itself to us; empty: it need not. */
  readonly demand: readonly AuthMethod[];
  /** Ways we can prove ourselves. */
  readonly accept: readonly AuthMethod[];
  readonly password: () => string;
}

export function linkConfig(config: Config, plan: AuthPlan): LinkConfig {
  const nothing = config.noOptions;
  return {
    lcp: {
      mru: nothing || config.defaultMru ? undefined : config.mru,
      asyncmap: nothing || config.defaultAsyncmap ? undefined : xonxoffMap(config),
      allowAsyncmap: !nothing && !config.defaultAsyncmap,
      magic: !nothing && !config.nomagic,
      pcomp: !nothing && !config.nopcomp,
      accomp: !nothing && !config.noaccomp,
      endpoint: !nothing && !config.noendpoint,
      limits: {
        restartMs: config.lcpRestart * SECOND,
        maxConfigure: config.lcpMaxConfigure,
        maxTerminate: config.lcpMaxTerminate,
        maxFailure: config.lcpMaxFailure,
        patienceMs: patience(config),
      },
      start: { passive: config.passive, silent: config.silent },
      demand: plan.demand,
      accept: plan.accept,
    },
    echo: {
      intervalMs: config.lcpEchoInterval * SECOND,
      failure: config.lcpEchoFailure,
      adaptive: config.lcpEchoAdaptive,
    },
    pap: {
      restartMs: config.papRestart * SECOND,
      maxAuthreq: config.papMaxAuthreq,
      timeoutMs: config.papTimeout * SECOND,
    },
    ipcp: ipcpConfig(config),
    mtu: config.mtu,
    escape: config.escape,
    receiveAll: config.receiveAll,
    user: config.user,
    password: plan.password,
    debug: config.debug,
    hidePassword: config.hidePassword,
  };
}

/** A cable has no latency but that of its speed; behind a modem anything may be. */
function patience({ modem, speed }: Config): number {
  const frameMs = 60 * 10 * (1000 / (speed === 0 ? 9600 : speed));
  return modem ? 1500 : 60 + 2 * frameMs;
}

/** Undefined: no IPv4 (noip). */
export function ipcpConfig(config: Config): IpcpConfig | undefined {
  if (config.noip) return undefined;
  const nothing = config.noOptions;
  return {
    our: config.ourAddress ?? 0,
    peer: config.peerAddress ?? 0,
    acceptLocal: config.acceptLocal,
    acceptRemote: config.acceptRemote,
    dns: pair(config.msDns),
    wins: pair(config.msWins),
    wantDns: config.usepeerdns,
    wantWins: config.usepeerwins,
    sendAddress: !config.nosendip,
    address: !nothing && !config.ipcpNoAddress,
    addresses: !nothing && !config.ipcpNoAddresses,
    noRemote: config.noremoteip,
    limits: {
      restartMs: config.ipcpRestart * SECOND,
      maxConfigure: config.ipcpMaxConfigure,
      maxTerminate: config.ipcpMaxTerminate,
      maxFailure: config.ipcpMaxFailure,
      patienceMs: patience(config),
    },
  };
}

/** ^S and ^Q stop and start the line itself, so the peer must not send them bare. */
function xonxoffMap({ asyncmap, crtscts }: Config): number {
  return crtscts === "xonxoff" ? (asyncmap | 0x000a0000) >>> 0 : asyncmap;
}

/** One server given serves as both. */
function pair(servers: readonly number[]): number[] {
  return servers.length === 1 ? [servers[0]!, servers[0]!] : [...servers];
}
