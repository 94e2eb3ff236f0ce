// Endpoint-Discriminator: identifies the system of a side, so that links to the same system can be bundled (RFC 1990
// §5.1.3).

import { put32, u32 } from "../../../bytes/be.ts";
import { toHex } from "../../../bytes/text.ts";
import { ipv4Text } from "../../../wire/ip.ts";
import {
  type Endpoint,
  EndpointClass,
  endpointOption,
  LcpOption,
  MAX_ENDPOINT_LENGTH,
  readEndpoint,
} from "../../../wire/lcp.ts";
import type { LcpRow } from "./lcp-row.ts";
import type { MultilinkConfig } from "./multilink.ts";

interface EndpointConfig {
  /** Accept the peer's discriminator. It means nothing on a single link. */
  readonly endpoint: boolean;
  readonly multilink: MultilinkConfig | undefined;
}

interface EndpointOptions {
  endpoint: Endpoint | undefined;
}

export const endpointDiscriminator: LcpRow<EndpointConfig, EndpointOptions> = {
  type: LcpOption.Endpoint,
  got: { endpoint: undefined },
  peer: { endpoint: undefined },
  describe(packet, at, length) {
    if (length < 1) return undefined;
    const next = Math.min(at + 1 + MAX_ENDPOINT_LENGTH, at + length);
    return { text: `endpoint [${endpointText({ class: packet[at]!, value: packet.slice(at + 1, next) })}]`, next };
  },
  start({ config, got, host }) {
    const endpoint = config.multilink?.endpoint;
    got.endpoint = endpoint === "own" ? ownEndpoint(host.random32()) : endpoint;
  },
  ask: ({ got }) => (got.endpoint === undefined ? undefined : endpointOption(got.endpoint)),
  judge(value, { config, peer }) {
    if (!config.endpoint || value.length < 1 || value.length > 1 + MAX_ENDPOINT_LENGTH) return "reject";
    peer.endpoint = readEndpoint(value);
    return "ack";
  },
};

function ownEndpoint(number: number): Endpoint {
  const value = new Uint8Array(4);
  put32(value, 0, number);
  return { class: EndpointClass.Magic, value };
}

const ENDPOINT_CLASSES = ["null", "local", "IP", "MAC", "magic", "phone"];

/** CLASS:VALUE as in pppd's log and in the name of a bundle. */
export function endpointText(endpoint: Endpoint): string {
  const name = ENDPOINT_CLASSES[endpoint.class] ?? `${endpoint.class}`;
  const value = endpoint.value.subarray(0, MAX_ENDPOINT_LENGTH);
  if (value.length === 0) return name;
  if (endpoint.class === EndpointClass.Ip && value.length === 4) return `${name}:${ipv4Text(u32(value, 0))}`;
  if (endpoint.class === EndpointClass.Mac && value.length === 6) return `${name}:${toHex(value, 0, 6, ":")}`;
  // A magic number is a group of 32 bits.
  const group = endpoint.class === EndpointClass.Magic && value.length % 4 === 0 ? 4 : 1;
  const groups: string[] = [];
  for (let at = 0; at < value.length; at += group) groups.push(toHex(value, at, at + group));
  return `${name}:${groups.join(".")}`;
}
