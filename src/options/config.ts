// Everything the program was told: one plain record, its fields named by the manual's words. Filled by parse.ts.
//
// Two kinds of text. `name`, `user`, `password`, `remotename` and everything in the secrets files are byte strings (one
// char a byte, bytes/text.ts): they go onto the wire as they stand. Paths, commands and all other words are text.
//
// Numbers are as given where pppd 2.4.9 takes any: seconds and counts without a lower limit may be negative, like 0.

import type { BpfInstruction } from "../filter/bpf.ts";
import type { PluginName } from "./plugins.ts";

/** What the peer can be asked to prove itself with, in no order. */
export type AuthProtocol = "pap" | "chap-md5" | "mschap" | "mschap-v2" | "eap";

/** Where and how strongly an option was set; `winner` is the member of its group that was given last. */
export interface Given {
  readonly winner: string;
  /** "command line", a file's path, or "secrets file". */
  readonly source: string;
  /** 1 configuration file, 2 command line, 3 secrets file; +100 by root (the manual's rules of precedence). */
  readonly priority: number;
  /** The values of a repeatable option with the source of each, for `dump`. */
  readonly values: readonly { readonly value: string; readonly source: string }[];
}

/** A filter as it was written, and what libpcap made of it. */
export interface FilterExpression {
  readonly expression: string;
  readonly program: readonly BpfInstruction[];
}

export interface Config {
  // ── general ──────────────────────────────────────────────────────────────────────────────────────────────────────
  /** How often `debug` was given. */
  debug: number;
  kdebug: number;
  detach: "detach" | "nodetach" | "updetach" | "sdnotify";
  masterDetach: boolean;
  persist: boolean;
  demand: boolean;
  /** Seconds; settled by checkOptions: 30 with a connect script, 0 without, or what was given. */
  holdoff: number;
  holdoffGiven: boolean;
  maxfail: number;
  /** Seconds; 0 is no limit. */
  idle: number;
  maxconnect: number;
  maxoctets: number;
  moDirection: "sum" | "in" | "out" | "max";
  /** Seconds between two looks at maxoctets. */
  moTimeout: number;
  /** Where log lines go besides syslog; undefined: nowhere. Settled by checkOptions (never the line itself). */
  logfd: number | undefined;
  /** True until logfile, logfd or nolog was given: the descriptor is then stdout, until detaching. */
  logDefault: boolean;
  logfile: string | undefined;
  linkname: string | undefined;
  /** The N of pppN wished for; undefined: the lowest free. */
  unit: number | undefined;
  ifname: string | undefined;
  vrf: string | undefined;
  domain: string | undefined;
  /** Our host name, `domain` appended. */
  hostname: string;
  ktune: boolean;
  connectDelayMs: number;
  childTimeout: number;
  dump: boolean;
  dryrun: boolean;
  showOptions: boolean;
  /** The word after `call`, for CALL_FILE. */
  callFile: string | undefined;
  /** From set and unset, each name once; value undefined: removed. `privileged`: root said so. */
  environment: { readonly name: string; readonly value: string | undefined; readonly privileged: boolean }[];
  ipparam: string | undefined;
  netInitScript: string;
  netPreUpScript: string;
  netDownScript: string;
  authUpScript: string;
  authDownScript: string;
  ipUpScript: string;
  ipDownScript: string;
  ipPreUpScript: string;
  ipv6UpScript: string;
  ipv6DownScript: string;
  multilink: boolean;
  bundle: string | undefined;
  /** Further lines of the bundle, full paths. */
  mpDevices: string[];
  /** Those loaded, in order; one may be there twice. */
  plugins: PluginName[];
  /** passwordfd.so: our password is read from this descriptor; negative: from none. */
  passwordfd: number;
  /** passprompt.so: asks for our PAP password. */
  promptprog: string | undefined;
  /** minconn.so: seconds before `idle` counts. */
  minconnect: number;
  /** winbind.so: the command, a full path first. */
  ntlmAuthHelper: string | undefined;
  passFilter: FilterExpression | undefined;
  activeFilter: FilterExpression | undefined;
  callback: string | undefined;

  // ── the line ─────────────────────────────────────────────────────────────────────────────────────────────────────
  /** Full path. Undefined with pty, notty, socket or socket-listen. */
  device: string | undefined;
  /** No device was named, or the one on stdin: foreground, no DTR toggling. */
  defaultDevice: boolean;
  /** Open the device as root: it came from a privileged source, or stdin has it open for reading and writing. */
  devicePrivileged: boolean;
  /** Bits per second; 0: leave the port's. */
  speed: number;
  lock: boolean;
  /** Flow control: RTS/CTS on or off, ^S/^Q, or as the port was found. */
  crtscts: "on" | "off" | "xonxoff" | "unset";
  stopBits: 1 | 2;
  /** False: `local`. */
  modem: boolean;
  sync: boolean;
  /** Octets a second, each way; 0: no limit. */
  datarate: number;
  /** Characters to escape beyond what the peer asks for, ascending. */
  escape: number[];
  /** Commands for /bin/sh -c. "" counts as given (holdoff, carrier wait) and runs nothing. */
  init: string | undefined;
  connect: string | undefined;
  disconnect: string | undefined;
  welcome: string | undefined;
  pty: string | undefined;
  notty: boolean;
  /** HOST:PORT */
  socket: string | undefined;
  /** [ADDRESS:]PORT */
  socketListen: string | undefined;
  record: string | undefined;

  // ── LCP ──────────────────────────────────────────────────────────────────────────────────────────────────────────
  /** The receive map we ask for: bit n set, the peer must escape control character n. All ones: do not ask. */
  asyncmap: number;
  /** default-asyncmap: reject the peer's asyncmap option too. */
  defaultAsyncmap: boolean;
  mru: number;
  /** default-mru: ask for nothing, reject the peer's. */
  defaultMru: boolean;
  mtu: number;
  noaccomp: boolean;
  nopcomp: boolean;
  nomagic: boolean;
  /** -all: ask for no LCP (and IPCP) option and accept none. */
  noOptions: boolean;
  passive: boolean;
  silent: boolean;
  receiveAll: boolean;
  lcpEchoInterval: number;
  lcpEchoFailure: number;
  lcpEchoAdaptive: boolean;
  lcpRttFile: string | undefined;
  /** Seconds between two link quality reports to ask the peer for; 0: only if it asks, -1: never. */
  lqrInterval: number;
  /** Bits (0, 16 or 32) of the FCS to ask the peer for; undefined: have nothing to do with others than 16. */
  fcs: number | undefined;
  lcpRestart: number;
  lcpMaxTerminate: number;
  lcpMaxConfigure: number;
  lcpMaxFailure: number;
  mrru: number | undefined;
  mpshortseq: boolean;
  /** "CLASS:VALUE" as it was written. */
  endpoint: string | undefined;
  noendpoint: boolean;

  // ── authentication ───────────────────────────────────────────────────────────────────────────────────────────────
  /** What was asked for: auth (or a require-…), noauth, or neither. */
  auth: "auth" | "noauth" | "unset";
  requirePap: boolean;
  requireChap: boolean;
  requireMschap: boolean;
  requireMschapV2: boolean;
  requireEap: boolean;
  refusePap: boolean;
  refuseChap: boolean;
  refuseMschap: boolean;
  refuseMschapV2: boolean;
  refuseEap: boolean;
  /** What follows from it, settled by checkOptions: must the peer authenticate, and with what may we ask it to. */
  authRequired: boolean;
  /** Required only because an ordinary user runs us. */
  authByDefault: boolean;
  authProtocols: AuthProtocol[];
  /** Our name for authentication; settled by checkOptions (hostname unless given, or with usehostname). Byte string. */
  name: string;
  /** Who we say we are to the peer; settled by checkOptions (`name` unless given). Byte string. */
  user: string;
  userGiven: boolean;
  /** Undefined: look in the secrets files. "" given explicitly is a password. Byte string. */
  password: string | undefined;
  /** "" when neither given nor taken from a host name. Byte string. */
  remotename: string;
  /** Given by `remotename`, not taken from the address pair: it beats the name the peer sends. */
  remotenameGiven: boolean;
  usehostname: boolean;
  /** The file that +ua read `user` and `password` from. */
  loginFile: string | undefined;
  papSecrets: string;
  chapSecrets: string;
  login: boolean;
  enableSession: boolean;
  papcrypt: boolean;
  hidePassword: boolean;
  /** Address specifications (secrets-file syntax) of peers that need not authenticate. */
  allowIp: string[];
  remotenumber: string | undefined;
  allowNumber: string[];
  papRestart: number;
  papMaxAuthreq: number;
  papTimeout: number;
  chapRestart: number;
  chapMaxChallenge: number;
  chapInterval: number;
  chapTimeout: number;
  chapmsStripDomain: boolean;
  msLanman: boolean;
  mschapChallenge: string | undefined;
  mschap2PeerChallenge: string | undefined;
  eapRestart: number;
  eapMaxSreq: number;
  eapTimeout: number;
  eapMaxRreq: number;
  eapInterval: number;
  needPeerEap: boolean;
  ca: string | undefined;
  capath: string | undefined;
  cert: string | undefined;
  key: string | undefined;
  pkcs12: string | undefined;
  crl: string | undefined;
  crlDir: string | undefined;
  maxTlsVersion: string | undefined;
  tlsVerifyKeyUsage: boolean;
  tlsVerifyMethod: string | undefined;

  // ── IPCP ─────────────────────────────────────────────────────────────────────────────────────────────────────────
  noip: boolean;
  /** IPv4 addresses are uint32; undefined: not known, the peer says. */
  ourAddress: number | undefined;
  /** "hostname": only the default, not to be insisted on. */
  ourAddressFrom: "given" | "hostname" | "none";
  peerAddress: number | undefined;
  /** Per-side precedence of the address pair. */
  ourAddressPriority: number;
  peerAddressPriority: number;
  /** ipcp-accept-local, and also whenever the address was not given (settled by checkOptions). */
  acceptLocal: boolean;
  acceptRemote: boolean;
  noipdefault: boolean;
  /** The one or two last given; [primary, secondary]. Empty: none to give. */
  msDns: number[];
  msWins: number[];
  usepeerdns: boolean;
  usepeerwins: boolean;
  noresolvconf: boolean;
  defaultroute: boolean;
  /** nodefaultroute: the option may not be used any more. */
  nodefaultroute: boolean;
  defaultrouteMetric: number;
  replacedefaultroute: boolean;
  proxyarp: boolean;
  noproxyarp: boolean;
  netmask: number | undefined;
  noremoteip: boolean;
  nosendip: boolean;
  ipcpNoAddress: boolean;
  ipcpNoAddresses: boolean;
  ipcpRestart: number;
  ipcpMaxTerminate: number;
  ipcpMaxConfigure: number;
  ipcpMaxFailure: number;
  novj: boolean;
  novjccomp: boolean;
  vjMaxSlots: number;

  // ── IPv6CP ───────────────────────────────────────────────────────────────────────────────────────────────────────
  ipv6: boolean;
  /** 64-bit interface identifiers. */
  ipv6Local: bigint | undefined;
  ipv6Remote: bigint | undefined;
  ipv6cpAcceptLocal: boolean;
  ipv6cpAcceptRemote: boolean;
  ipv6cpUseIpaddr: boolean;
  ipv6cpUsePersistent: boolean;
  ipv6cpUseRemotenumber: boolean;
  ipv6cpNoremote: boolean;
  ipv6cpNosend: boolean;
  ipv6cpRestart: number;
  ipv6cpMaxTerminate: number;
  ipv6cpMaxConfigure: number;
  ipv6cpMaxFailure: number;
  defaultroute6: boolean;
  nodefaultroute6: boolean;
  defaultroute6Metric: number;

  // ── CCP ──────────────────────────────────────────────────────────────────────────────────────────────────────────
  noccp: boolean;
  /** Code sizes for what the peer sends and for what we send; 0: not that way. */
  bsdcomp: { readonly receive: number; readonly transmit: number };
  deflate: { readonly receive: number; readonly transmit: number };
  nodeflatedraft: boolean;
  predictor1: "request" | "accept" | "no";
  lzs: "request" | "accept" | "no";
  mppc: "request" | "accept" | "no";
  mppe: "no" | "require" | "require-40" | "require-56" | "require-128";
  nomppe40: boolean;
  nomppe56: boolean;
  nomppe128: boolean;
  mppeStateful: boolean;

  // ── how it came about ────────────────────────────────────────────────────────────────────────────────────────────
  /** Run by root, or by a member of a privgroup. */
  privileged: boolean;
  /** Leader of the option's group (an option in no group leads itself) → how it was set. */
  given: Map<string, Given>;
}
