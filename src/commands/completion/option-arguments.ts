// The word that stands for the argument of each option of pppd, in the manual and for the shells.

import { PLUGIN_NAMES } from "../../options/plugins.ts";
import { COMMAND, type Row } from "../../options/row.ts";

/**
 * FILE, DIR, COMMAND, DEVICE, PEER and PRESET are completed by the shells, and words in small letters with `|` between
 * them are offered. A test checks that each key is an option.
 */
export const OPTION_ARGUMENTS: Readonly<Record<string, string>> = {
  domain: "NAME",
  file: "FILE",
  call: "PEER",
  peer: "PRESET",
  logfile: "FILE",
  linkname: "NAME",
  unit: "N",
  ifname: "NAME",
  vrf: "NAME",
  set: "NAME=VALUE",
  unset: "NAME",
  bundle: "NAME",
  mpdevice: "DEVICE",
  plugin: PLUGIN_NAMES.join("|"),
  "pass-filter": "EXPRESSION",
  "active-filter": "EXPRESSION",
  "mo-direction": "in|out|max|sum",
  name: "NAME",
  "+ua": "FILE",
  user: "NAME",
  password: "PASSWORD",
  remotename: "NAME",
  privgroup: "GROUP",
  "allow-ip": "ADDRESSES",
  remotenumber: "NUMBER",
  "allow-number": "NUMBER",
  ca: "FILE",
  capath: "DIR",
  cert: "FILE",
  key: "FILE",
  "crl-dir": "DIR",
  crl: "FILE",
  "max-tls-version": "1.0|1.1|1.2|1.3",
  "tls-verify-method": "none|name|subject|suffix",
  pkcs12: "FILE",
  "ntlm_auth-helper": "COMMAND",
  promptprog: "FILE",
  passwordfd: "N",
  socket: "HOST:PORT",
  "socket-listen": "[ADDRESS:]PORT",
  logfd: "N",
  mo: "N",
  "address-pair": "N",
  "control-group": "GROUP",
  "pppoe-service": "NAME",
  rp_pppoe_service: "NAME",
  "pppoe-ac": "NAME",
  rp_pppoe_ac: "NAME",
  "pppoe-sess": "N:ADDRESS",
  rp_pppoe_sess: "N:ADDRESS",
  "pppoe-mac": "ADDRESS",
  "pppoe-host-uniq": "HEX",
  "host-uniq": "HEX",
  rp_pppoe_verbose: "N",
  record: "FILE",
  "crash-capture": "DIR",
  "stop-bits": "1|2",
  escape: "XX,YY",
  "modem-connect": "TEXT",
  phone: "NUMBER=HOST:PORT",
  phonebook: "FILE",
  "join-number": "NUMBER",
  files: "DIR",
  "files-names": "8.3|long",
  "files-quota": "SIZE",
  "files-port": "N",
  "share-allow": "PREFIX",
  "share-deny": "PREFIX",
  asyncmap: "MAP",
  "-as": "MAP",
  "lcp-rtt-file": "FILE",
  fcs: "16|32|null",
  mrru: "N",
  endpoint: "ENDPOINT",
  "mschap-challenge": "HEX",
  "mschap2-peer-challenge": "HEX",
  callback: "NUMBER",
  ipparam: "WORD",
  "ms-dns": "ADDRESS",
  "ms-wins": "ADDRESS",
  netmask: "MASK",
  ipv6: "OURS,THEIRS",
  bsdcomp: "N[,N]",
  deflate: "N[,N]",
};

/** An `about` may begin with the argument: "DIR: the folder …". */
const LEADING = /^(\S+): /;

/** The word for the argument. Undefined for an option without one. */
export function argumentOf(row: Row): string | undefined {
  if (!row.argument) return undefined;
  return OPTION_ARGUMENTS[row.name] ?? LEADING.exec(row.about)?.[1] ?? argumentByKind(row);
}

/** The description without the argument that it may begin with. */
export function meaningOf({ about }: Row): string {
  return about.replace(LEADING, "");
}

const ETC = "/etc/ppp";

function argumentByKind(row: Row): string {
  if (row.rules & COMMAND) return "COMMAND";
  const defaults = Object.values(row.fields(ETC));
  if (defaults.some((value) => typeof value === "string" && value.startsWith(ETC))) return "FILE";
  return defaults.some((value) => typeof value === "number") ? "N" : "WORD";
}
