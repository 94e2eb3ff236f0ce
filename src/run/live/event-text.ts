// What happens to a link, as a capture shows it.

import { addressText } from "../../bytes/prefix.ts";
import { decoded } from "../../bytes/text.ts";
import type { LinkEvent } from "../../link/events.ts";
import { ipv4Text } from "../../wire/ip.ts";
import { linkLocalAddress } from "../../wire/ipv6cp.ts";

/** Undefined: nothing to show. The text has no password of the event. */
export function eventText(event: LinkEvent): string | undefined {
  switch (event.type) {
    case "log":
      return event.level === "debug" ? undefined : event.text;
    case "phase":
      return `phase ${event.phase}`;
    case "lcp-up":
      return `LCP is up, MTU ${event.mtu}`;
    case "lcp-down":
      return "LCP is down";
    case "peer-authenticated":
      return `the peer is ${decoded(event.name)}, proved by ${event.method}`;
    case "unproven":
      return `the peer asks for ${event.method}, which we cannot do`;
    case "ipv4-up":
      return `IPv4 is up: ${ipv4Text(event.our)}, peer ${ipv4Text(event.peer)}`;
    case "ipv4-down":
      return "IPv4 is down";
    case "ipv6-up":
      return `IPv6 is up: ${addressText(linkLocalAddress(event.our))}, peer ${addressText(linkLocalAddress(event.peer))}`;
    case "ipv6-down":
      return "IPv6 is down";
    case "failure":
      return `failure: ${event.failure}`;
    case "terminated":
      return event.byPeer ? "terminated by the peer" : "terminated";
    case "pap-request":
    case "overhead":
    case "round-trip":
    case "unanswered":
    case "caught-up":
      return undefined;
    default:
      return event satisfies never;
  }
}
