// Makes the configuration of a Link from the options, which have the names of the manual.

import type { NtJudge } from "../../auth/chap-config.ts";
import type { EapConfig } from "../../auth/eap-config.ts";
import type { MsChapConfig } from "../../auth/mschap.ts";
import type { Names } from "../../auth/names.ts";
import { fromHex } from "../../bytes/text.ts";
import type { MppeConfig } from "../../compress/methods/mppe-method.ts";
import type { CcpConfig } from "../../control/ccp-dialect.ts";
import type { IpcpConfig } from "../../control/ipcp-dialect.ts";
import type { AuthMethod } from "../../wire/auth-method.ts";
import type { MultilinkConfig } from "../../control/options/lcp/multilink.ts";
import type { Account } from "../../link/authentication.ts";
import type { ServerAddress } from "../../control/options/ipcp/server-addresses.ts";
import type { Ipv6cpConfig } from "../../control/ipv6cp-dialect.ts";
import { BpfProgram } from "../../filter/bpf.ts";
import { Filters } from "../../link/filters.ts";
import type { LinkConfig } from "../../link/link-host.ts";
import type { Config } from "../../options/config.ts";
import { parseEndpoint } from "../../options/endpoint.ts";
import type { Network } from "../host/network.ts";
import { EndpointClass } from "../../wire/lcp.ts";
import { AddressPairs } from "./address-pairs.ts";
import { identifiers } from "./identifiers.ts";
import { lcpTimes, networkTimes } from "./restart-times.ts";

const SECOND = 1000;

/** How the two ends may authenticate themselves, as the secrets files and the options say. */
export interface AuthPlan {
  /** The methods that we demand of the peer. Empty: it need not authenticate itself. */
  readonly demand: readonly AuthMethod[];
  /** The methods by which we can authenticate ourselves. */
  readonly accept: readonly AuthMethod[];
  /** Our PAP password. Undefined: not known yet. */
  readonly password: () => string | undefined;
  /** Our secret for a server, found by its name; and the secret of a peer, found by its name. Undefined: none. */
  readonly ourSecret: (server: string) => string | undefined;
  /** Our name and secret from a plugin. Undefined: not known yet. */
  readonly account?: (() => Account | undefined) | undefined;
  readonly peerSecret: (client: string) => string | undefined;
  /** Judges MS-CHAP in place of our secrets. */
  readonly judge?: NtJudge | undefined;
  /** EAP-TLS, if there are certificates for it. */
  readonly clientMethod?: EapConfig["clientMethod"];
  readonly serverMethod?: EapConfig["serverMethod"];
}

/** Questions about the network before the session has an interface. */
type MacSource = Pick<Network, "firstEthernetMac" | "macOf">;
type RouteSource = Pick<Network, "routes">;

/**
 * `complain` gets a message about each option that cannot be satisfied. `servers` are the name servers for the peer where no
 * option names any.
 */
export function linkConfig(
  config: Config,
  plan: AuthPlan,
  network: MacSource & RouteSource,
  complain: (text: string) => void,
  servers: readonly ServerAddress[] = [],
): LinkConfig {
  return {
    lcp: lcpConfig(config, plan, network),
    echo: {
      intervalMs: config.lcpEchoInterval * SECOND,
      failure: config.lcpEchoFailure,
      adaptive: config.lcpEchoAdaptive,
    },
    authentication: authenticationConfig(config, plan),
    networks: {
      ipcp: ipcpConfig(config, network, servers),
      ipv6cp: ipv6cpConfig(config, network, complain),
      ccp: ccpConfig(config),
      filters: filtersOf(config),
    },
    mtu: config.mtu,
    escape: config.escape,
    receiveAll: config.receiveAll,
    needPeerEap: config.needPeerEap,
    callback: config.callback,
    debug: config.debug,
    hidePassword: config.hidePassword,
  };
}

function lcpConfig(config: Config, plan: AuthPlan, network: MacSource): LinkConfig["lcp"] {
  const nothing = config.noOptions;
  return {
    ...lcpSizes(config, network),
    asyncmap: nothing || config.defaultAsyncmap ? undefined : xonxoffMap(config),
    allowAsyncmap: !nothing && !config.defaultAsyncmap,
    escapedAsyncmap: controlMap(config.escape),
    magic: !nothing && !config.nomagic,
    pcomp: !nothing && !config.nopcomp,
    accomp: !nothing && !config.noaccomp,
    endpoint: !nothing && !config.noendpoint,
    qualityPeriod: nothing ? -1 : config.lqrInterval * 100,
    callback: config.callback !== undefined,
    fcs: nothing ? undefined : config.fcs,
    limits: {
      ...limits(config.lcpRestart, config.lcpMaxConfigure, config.lcpMaxTerminate, config.lcpMaxFailure),
      ...lcpTimes(config),
      nudges: config.persist ? 4 : 2,
    },
    // With autodetect the peer has begun. A link that waited for ever would keep the port from the next caller.
    start: config.autodetect.length > 0 ? {} : { passive: config.passive, silent: config.silent },
    authRequired: config.facts.authRequired,
    demand: plan.demand,
    accept: plan.accept,
  };
}

/** What LCP asks for that depends on the sizes of packets. */
export function lcpSizes(config: Config, network: MacSource): Pick<LinkConfig["lcp"], "mru" | "multilink"> {
  const mru = config.noOptions || config.defaultMru ? undefined : config.mru;
  return { mru, multilink: multilinkConfig(config, network) };
}

function authenticationConfig(config: Config, plan: AuthPlan): LinkConfig["authentication"] {
  return {
    pap: {
      restartMs: config.papRestart * SECOND,
      maxAuthreq: config.papMaxAuthreq,
      timeoutMs: config.papTimeout * SECOND,
    },
    chap: {
      ...names(config),
      ...challenges(config),
      restartMs: config.chapRestart * SECOND,
      maxChallenge: config.chapMaxChallenge,
      intervalMs: config.chapInterval * SECOND,
      timeoutMs: config.chapTimeout * SECOND,
      judge: plan.judge,
    },
    eap: {
      ...names(config),
      ...challenges(config),
      restartMs: config.eapRestart * SECOND,
      maxRequests: config.eapMaxSreq,
      intervalMs: config.eapInterval * SECOND,
      timeoutMs: config.eapTimeout * SECOND,
      maxReceived: config.eapMaxRreq,
      clientMethod: plan.clientMethod,
      serverMethod: plan.serverMethod,
    },
    name: config.name,
    user: config.user,
    password: plan.password,
    ourSecret: plan.ourSecret,
    account: plan.account,
    peerSecret: plan.peerSecret,
  };
}

/** RFC 1661 §4.6, times in seconds. */
function limits(restart: number, configure: number, terminate: number, failure: number) {
  return { restartMs: restart * SECOND, maxConfigure: configure, maxTerminate: terminate, maxFailure: failure };
}

/** Undefined: neither pass-filter nor active-filter. */
export function filtersOf({ passFilter, activeFilter }: Config): Filters | undefined {
  if (passFilter === undefined && activeFilter === undefined) return undefined;
  const pass = passFilter && new BpfProgram(passFilter.program);
  return new Filters(pass, activeFilter && new BpfProgram(activeFilter.program));
}

const OURS: readonly ServerAddress[] = ["ours"];

/** Undefined with noip. */
export function ipcpConfig(
  config: Config,
  network: RouteSource,
  servers: readonly ServerAddress[],
): IpcpConfig | undefined {
  if (config.noip) return undefined;
  const nothing = config.noOptions;
  return {
    ...addressConfig(config, network),
    acceptLocal: config.acceptLocal,
    acceptRemote: config.acceptRemote,
    dns: pair(config.msDns.length > 0 ? config.msDns : servers),
    // Windows asks a name server first, and a broadcast does not always reach us.
    wins: pair(config.msWins.length === 0 && config.files !== undefined && config.filesSmb ? OURS : config.msWins),
    wantDns: config.usepeerdns || config.socks !== undefined,
    wantWins: config.usepeerwins,
    sendAddress: !config.nosendip,
    address: !nothing && !config.ipcpNoAddress,
    addresses: !nothing && !config.ipcpNoAddresses,
    noRemote: config.noremoteip,
    vj: nothing || config.novj ? undefined : { maxSlot: config.vjMaxSlots - 1, compressSlot: !config.novjccomp },
    limits: {
      ...limits(config.ipcpRestart, config.ipcpMaxConfigure, config.ipcpMaxTerminate, config.ipcpMaxFailure),
      ...networkTimes(config),
    },
  };
}

/** The addresses that options give. With `address-pair` the others come from its list. */
function addressConfig(
  { ourAddress, peerAddress, addressPair, join }: Config,
  { routes }: RouteSource,
): Pick<IpcpConfig, "our" | "peer" | "choice" | "proposal"> {
  if (addressPair === undefined) return { our: ourAddress ?? 0, peer: peerAddress ?? 0 };
  const pairs = new AddressPairs(routes.used());
  const { server, client } = addressPair === 0 ? { server: 0, client: 0 } : pairs.first(addressPair);
  const isGiven = ourAddress !== undefined && peerAddress !== undefined;
  const choice = isGiven ? undefined : pairs;
  const last = join ? pairs.first(1) : undefined;
  const proposal = last && { our: last.client, peer: last.server };
  return { our: ourAddress ?? server, peer: peerAddress ?? client, choice, proposal };
}

/** What is needed for a bundle, or for packets in pieces. Undefined: neither. */
function multilinkConfig(config: Config, network: MacSource): MultilinkConfig | undefined {
  const { multilink, interleave, mrru, mru, mpshortseq, endpoint, noendpoint, noOptions } = config;
  if (!multilink) {
    // Without an endpoint of its own, the peer might join the link with another one to us.
    if (!interleave || noendpoint || noOptions) return undefined;
    return { mrru: mrru ?? mru, shortSequence: true, endpoint: "own" };
  }
  const mac = endpoint === undefined ? network.firstEthernetMac() : undefined;
  const given = endpoint === undefined ? undefined : parseEndpoint(endpoint, (name) => network.macOf(name));
  const ours = given ?? (mac && { class: EndpointClass.Mac, value: mac });
  return { mrru: mrru ?? mru, shortSequence: mpshortseq, endpoint: noendpoint ? undefined : ours };
}

function names({ remotename, remotenameGiven, chapmsStripDomain }: Config): Names {
  return { remotename, remotenameGiven, stripDomain: chapmsStripDomain };
}

function challenges({ msLanman, mschapChallenge, mschap2PeerChallenge }: Config): Omit<MsChapConfig, "random32"> {
  return {
    msLanman,
    fixedChallenge: fixed(mschapChallenge),
    fixedPeerChallenge: fixed(mschap2PeerChallenge),
  };
}

/** The octets of a debugging option, which are given in hex. */
function fixed(hex: string | undefined): Uint8Array | undefined {
  return hex !== undefined && /^([0-9a-f]{2})+$/i.test(hex) ? fromHex(hex) : undefined;
}

/** Undefined with noipv6. */
function ipv6cpConfig(config: Config, network: MacSource, complain: (text: string) => void): Ipv6cpConfig | undefined {
  if (!config.ipv6) return undefined;
  return {
    ...identifiers(config, () => network.firstEthernetMac(), complain),
    acceptLocal: config.ipv6cpAcceptLocal,
    acceptRemote: config.ipv6cpAcceptRemote,
    noRemote: config.ipv6cpNoremote,
    noSend: config.ipv6cpNosend,
    limits: {
      ...limits(config.ipv6cpRestart, config.ipv6cpMaxConfigure, config.ipv6cpMaxTerminate, config.ipv6cpMaxFailure),
      ...networkTimes(config),
    },
  };
}

/** The values of RFC 1661: pppd has no options for those of CCP. */
const CCP_RESTART = 3;
const CCP_CONFIGURE = 10;
const CCP_TERMINATE = 2;
const CCP_FAILURE = 5;

/** Undefined with noccp. */
function ccpConfig(config: Config): CcpConfig | undefined {
  if (config.noccp) return undefined;
  const { deflate, nodeflatedraft, bsdcomp, predictor1, lzs, mppc } = config;
  return {
    deflate,
    deflateDraft: !nodeflatedraft,
    bsd: bsdcomp,
    predictor1,
    lzs,
    mppc,
    mppe: mppeConfig(config),
    limits: { ...limits(CCP_RESTART, CCP_CONFIGURE, CCP_TERMINATE, CCP_FAILURE), ...networkTimes(config) },
  };
}

function mppeConfig({ mppe, nomppe40, nomppe56, nomppe128, mppeStateful }: Config): MppeConfig | undefined {
  if (mppe === "no") return undefined;
  return {
    bits40: !nomppe40 && (mppe === "require" || mppe === "require-40"),
    bits56: !nomppe56 && (mppe === "require" || mppe === "require-56"),
    bits128: !nomppe128 && (mppe === "require" || mppe === "require-128"),
    stateful: mppeStateful,
  };
}

/** The bit map of the control characters among the octets. */
function controlMap(octets: readonly number[]): number {
  return octets.filter((octet) => octet < 32).reduce((map, octet) => (map | (1 << octet)) >>> 0, 0);
}

/** With xonxoff, ^S and ^Q stop and start the line, so the peer must escape them. */
function xonxoffMap({ asyncmap, crtscts }: Config): number {
  return crtscts === "xonxoff" ? (asyncmap | 0x000a0000) >>> 0 : asyncmap;
}

/** A single server is used twice. */
function pair(servers: readonly ServerAddress[]): ServerAddress[] {
  return servers.length === 1 ? [servers[0]!, servers[0]!] : [...servers];
}
