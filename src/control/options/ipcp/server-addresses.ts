// The addresses of name servers that one end tells the other (RFC 1877).

import { u32 } from "../../../bytes/be.ts";
import { option32, read32 } from "../../../wire/control.ts";
import { ipv4Text } from "../../../wire/ip.ts";
import { IpcpOption } from "../../../wire/ipcp.ts";
import type { IpcpRow } from "./ipcp-row.ts";

/** A server for the peer. "ours": it is at our own address of the link. */
export type ServerAddress = number | "ours";

interface ServerConfig {
  /** The servers for the peer, first and second. Empty: none. */
  readonly dns: readonly ServerAddress[];
  readonly wins: readonly ServerAddress[];
  /** Ask the peer for servers. */
  readonly wantDns: boolean;
  readonly wantWins: boolean;
}

/** The servers that were asked for. An address is 0 until it is known. Undefined: not asked for. */
interface Servers {
  dns1: number | undefined;
  dns2: number | undefined;
  wins1: number | undefined;
  wins2: number | undefined;
}

/** Another row negotiates our address, which is 0 until it is known. */
interface Asked extends Servers {
  our: number;
}

const NONE: Servers = { dns1: undefined, dns2: undefined, wins1: undefined, wins2: undefined };

export const dns1 = serverRow(IpcpOption.Dns1, "dns1", "ms-dns1");
export const dns2 = serverRow(IpcpOption.Dns2, "dns2", "ms-dns2");
export const wins1 = serverRow(IpcpOption.Wins1, "wins1", "ms-wins");
export const wins2 = serverRow(IpcpOption.Wins2, "wins2", "ms-wins");

function serverRow(type: number, key: keyof Servers, name: string): IpcpRow<ServerConfig, Asked, object> {
  const isDns = key === "dns1" || key === "dns2";
  const isSecond = key === "dns2" || key === "wins2";
  return {
    type,
    got: { ...NONE, our: 0 },
    peer: {},
    describe: (packet, at, length) =>
      length >= 4 ? { text: `${name} ${ipv4Text(u32(packet, at))}`, next: at + 4 } : undefined,
    start({ config, got }) {
      got[key] = (isDns ? config.wantDns : config.wantWins) ? 0 : undefined;
    },
    ask({ got }) {
      const address = got[key];
      return address === undefined ? undefined : option32(type, address);
    },
    judge(value, { config, got }) {
      const address = read32(value);
      const server = (isDns ? config.dns : config.wins)[isSecond ? 1 : 0];
      const wanted = server === "ours" ? got.our : server;
      if (address === undefined || wanted === undefined || wanted === 0) return "reject";
      return address === wanted ? "ack" : option32(type, wanted);
    },
    understands: (value) => read32(value) !== undefined,
    // UMTS modems name servers without being asked, and insist on them.
    naked(value, { got }, asReject) {
      got[key] = asReject ? undefined : read32(value)!;
    },
    rejected({ got }) {
      got[key] = undefined;
    },
  };
}
