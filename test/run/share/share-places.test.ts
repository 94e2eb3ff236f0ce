// What status calls the kernel's rules of a link.

import { expect, test } from "bun:test";
import { placesText } from "../../../src/run/share/share-observer.ts";

test.each([
  ["nft's table ip6 nullmodem-3", ["nft's table ip6 nullmodem-3"]],
  ["nft's tables ip and ip6 nullmodem-3", ["nft's table ip6 nullmodem-3", "nft's table ip nullmodem-3"]],
  ["iptables and ip6tables", ["iptables", "ip6tables"]],
  ["nft's table ip nullmodem-3 and ip6tables", ["nft's table ip nullmodem-3", "ip6tables"]],
])("%s", (text, places) => {
  expect(placesText(places)).toBe(text);
});
