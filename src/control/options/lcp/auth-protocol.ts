// Authentication-Protocol: the method by which one side wants the other to authenticate itself (RFC 1661 §6.2).

import { u16 } from "../../../bytes/be.ts";
import { type AuthMethod, methodOption, readMethod } from "../../../wire/auth-method.ts";
import type { Verdict } from "../../../wire/control.ts";
import { ChapDigest, LcpOption, readAuth } from "../../../wire/lcp.ts";
import { Protocol } from "../../../wire/protocols.ts";
import type { Part } from "../../../wire/text-part.ts";
import type { LcpRow, LcpTalk } from "./lcp-row.ts";

interface AuthConfig {
  /** The methods that we demand of the peer, best first. Empty: it need not authenticate itself. */
  readonly demand: readonly AuthMethod[];
  /** The methods by which we can authenticate ourselves, best first. */
  readonly accept: readonly AuthMethod[];
}

interface AuthOptions {
  auth: AuthMethod | undefined;
}

interface AuthAsked extends AuthOptions {
  /** The methods that the peer has not refused, best first. The first is asked for. */
  demand: readonly AuthMethod[];
}

export const authProtocol: LcpRow<AuthConfig, AuthOptions, AuthAsked> = {
  type: LcpOption.Auth,
  got: { auth: undefined, demand: [] },
  peer: { auth: undefined },
  describe: (packet, at, length) => (length >= 2 ? describeAuth(packet, at, at + length) : undefined),
  start({ config, got }) {
    got.demand = config.demand;
    got.auth = got.demand[0];
  },
  ask: ({ got }) => (got.auth === undefined ? undefined : methodOption(got.auth)),
  judge,
  understands: (value) => readAuth(value) !== undefined,
  naked: (value, { got }) => demandNext(got, readMethod(value)),
  rejected: ({ got }) => demandNext(got, undefined),
};

function judge(value: Uint8Array, { config, peer, host }: LcpTalk<AuthConfig, AuthOptions, AuthAsked>): Verdict {
  const { accept } = config;
  const method = readMethod(value);
  if (method !== undefined && !accept.includes(method)) host.cannotProve(method);
  if (accept.length === 0) {
    host.log("debug", "No auth is possible");
    return "reject";
  }
  if (peer.auth !== undefined) return "reject";
  if (method !== undefined && accept.includes(method)) {
    peer.auth = method;
    return "ack";
  }
  // A peer that wants CHAP is offered another digest before another protocol.
  const isChap = readAuth(value)?.protocol === Protocol.CHAP;
  const offer = (isChap ? accept.find(isDigest) : undefined) ?? accept[0]!;
  return methodOption(offer);
}

/**
 * Chooses the next method after the peer refused one. As in pppd, the peer's suggestion comes first, then our next
 * best.
 */
function demandNext(got: AuthAsked, suggested: AuthMethod | undefined): void {
  const asked = got.auth;
  if (suggested === "pap" && asked !== undefined && isDigest(asked))
    got.demand = got.demand.filter((method) => !isDigest(method));
  else got.demand = got.demand.filter((method) => method !== asked);
  // Of the digests of CHAP, only the suggested one stays if it is one of ours.
  if (suggested !== undefined && isDigest(suggested) && got.demand.includes(suggested))
    got.demand = got.demand.filter((method) => !isDigest(method) || method === suggested);
  got.auth = got.demand[0];
}

/** True for CHAP with any digest. */
function isDigest(method: AuthMethod): boolean {
  return method !== "pap" && method !== "eap";
}

const DIGESTS = new Map<number, string>([
  [ChapDigest.Md5, "MD5"],
  [ChapDigest.Ms, "MS"],
  [ChapDigest.MsV2, "MS-v2"],
]);

function describeAuth(packet: Uint8Array, at: number, end: number): Part {
  const protocol = u16(packet, at);
  const next = at + 2;
  switch (protocol) {
    case Protocol.PAP:
      return { text: "auth pap", next };
    case Protocol.EAP:
      return { text: "auth eap", next };
    case Protocol.CHAP: {
      const digest = next < end ? DIGESTS.get(packet[next]!) : undefined;
      return digest === undefined ? { text: "auth chap", next } : { text: `auth chap ${digest}`, next: next + 1 };
    }
    default:
      return { text: `auth 0x${protocol.toString(16)}`, next };
  }
}
