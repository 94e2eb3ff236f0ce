// The addresses that users write for get, put and sync.

import { encoded } from "../../bytes/text.ts";
import type { Status } from "../../run/live/published-status.ts";
import type { Place } from "../../transfer/http-connection.ts";
import { unescapePath } from "../../transfer/remote-path.ts";

/** A file or a folder of a server. */
export interface RemotePlace {
  readonly place: Place;
  /** Of octets, with its slash in front. */
  readonly path: string;
  /** Escaped, "?…" or "". */
  readonly query: string;
  /** Of the Authorization header. */
  readonly authorization: string | undefined;
}

const PEER = "peer:";
export const NO_LINK = "no link is up here, so there is no peer; give an address like http://192.168.0.1/";

export function isRemote(word: string): boolean {
  return /^https?:\/\//i.test(word) || word.startsWith(PEER);
}

/** Reads "http://HOST/path" and "peer:/path". Returns a text when it is wrong. */
export function remotePlace(word: string, links: () => readonly Status[]): RemotePlace | string {
  if (!word.startsWith(PEER)) return urlPlace(word);
  const peer = peerPlace(links());
  if (typeof peer === "string") return peer;
  const path = encoded(word.slice(PEER.length));
  return { place: peer, path: path.startsWith("/") ? path : `/${path}`, query: "", authorization: undefined };
}

function urlPlace(word: string): RemotePlace | string {
  let url: URL;
  try {
    url = new URL(word);
  } catch {
    return `${JSON.stringify(word)} is no address; one is like http://192.168.0.1/folder/`;
  }
  const isSecure = url.protocol === "https:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const user = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return {
    place: { host, port: url.port === "" ? (isSecure ? 443 : 80) : Number(url.port), isSecure },
    path: unescapePath(url.pathname),
    query: url.search,
    authorization: user === ":" ? undefined : `Basic ${Buffer.from(user, "utf8").toString("base64")}`,
  };
}

/** The other end of the only link of this machine. */
function peerPlace(links: readonly Status[]): Place | string {
  const up = links.filter(({ up, ipv4, ipv6 }) => up !== undefined && (ipv4 !== undefined || ipv6 !== undefined));
  const [link, other] = up;
  if (link === undefined) return NO_LINK;
  if (other !== undefined) {
    const peers = up.map(({ interface: name, ipv4, ipv6 }) => `${name}: ${ipv4?.peer ?? ipv6?.peer}`);
    return `more than one link is up (${peers.join(", ")}); give an address like http://192.168.0.1/`;
  }
  const host = link.ipv4?.peer ?? `${link.ipv6?.peer}%${link.interface}`;
  const [, proxyHost, proxyPort] = /^(.*):(\d+)$/.exec(link.proxy ?? "") ?? [];
  const proxy = proxyHost === undefined ? undefined : { host: proxyHost, port: Number(proxyPort) };
  return { host, port: 80, otherPort: 8080, isSecure: false, ...(proxy === undefined ? {} : { proxy }) };
}
