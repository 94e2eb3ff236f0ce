import { expect, test } from "bun:test";
import { parseSocketAddress } from "../../src/options/socket-address.ts";

test("a host is a name, an address, or an IPv6 address in brackets; only to listen there may be none", () => {
  expect(parseSocketAddress("far.example:5000")).toEqual({ host: "far.example", port: 5000 });
  expect(parseSocketAddress("10.0.0.1:80")).toEqual({ host: "10.0.0.1", port: 80 });
  expect(parseSocketAddress("[fe80::1%eth0]:65535")).toEqual({ host: "fe80::1%eth0", port: 65535 });
  expect(parseSocketAddress("5000")).toEqual({ host: undefined, port: 5000 });
});

test("other words are refused", () => {
  for (const text of [
    "",
    ":",
    "host",
    "host:",
    ":80",
    "host:65536",
    "host:8o",
    "fe80::1:80",
    "[::1]80",
    "[]:80",
    "a:b:1",
  ])
    expect(parseSocketAddress(text)).toBeUndefined();
});
