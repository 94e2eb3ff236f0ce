import { expect, test } from "bun:test";
import { fromHex, toHex } from "../../src/bytes/text.ts";
import { endpointText } from "../../src/control/options/lcp/endpoint-discriminator.ts";
import { parseEndpoint as parse } from "../../src/options/endpoint.ts";

const none = (): undefined => undefined;
const parseEndpoint = (word: string, hardwareAddress: (name: string) => Uint8Array | undefined = none) =>
  parse(word, hardwareAddress);

test("words of the endpoint option, and how pppd prints what it made of them", () => {
  // The first seven are from a dump of the real pppd.
  for (const [word, octets, text] of [
    ["null", "00", "null"],
    ["local:01.02", "010102", "local:01.02"],
    ["IP:1.2.3.4", "0201020304", "IP:1.2.3.4"],
    ["MAC:00:11:22:33:44:55", "03001122334455", "MAC:00:11:22:33:44:55"],
    ["magic:1", "0401", "magic:01"],
    ["phone:123", "050123", "phone:01.23"],
    ["7:1", "0701", "7:01"],
    ["ip:192.168.254.255", "02c0a8feff", "IP:192.168.254.255"],
    ["2:10.0.0.1", "020a000001", "IP:10.0.0.1"],
    ["mac.001122334455", "03001122334455", "MAC:00:11:22:33:44:55"],
    ["MAC:0:1:2:3:4:F", "0300010203040f", "MAC:00:01:02:03:04:0f"],
    ["magic:DEADBEEF", "04deadbeef", "magic:deadbeef"],
    ["magic:deadbeef12345678", "04deadbeef12345678", "magic:deadbeef.12345678"],
    ["LOCAL:abcde.f:1.", "010abcde0f01", "local:0a.bc.de.0f.01"],
    ["phone", "05", "phone"],
    ["phone:", "05", "phone"],
    ["MAC", "03", "MAC"],
    ["255:ff", "ffff", "255:ff"],
    ["30", "1e", "30"],
    ["30:", "1e", "30"],
    [" +7", "07", "7"],
    ["-1:1", "ff01", "255:01"],
    ["300:1", "2c01", "44:01"],
    [`local:${"5a".repeat(20)}`, `01${"5a".repeat(20)}`, `local:${Array(20).fill("5a").join(".")}`],
  ] as const) {
    const endpoint = parseEndpoint(word);
    if (endpoint === undefined) throw new Error(`not read: ${word}`);
    expect(toHex(Uint8Array.of(endpoint.class, ...endpoint.value))).toBe(octets);
    expect(endpointText(endpoint)).toBe(text);
    expect(parseEndpoint(text)).toEqual(endpoint);
  }
});

test("what is no endpoint", () => {
  for (const word of [
    "",
    "frob",
    ":1",
    "nullx",
    "local:hello",
    "local:1..2",
    "local::1",
    "local:1 2",
    "IP:1.2.3",
    "IP:1.2.3.256",
    "IP:",
    "MAC:",
    "MAC:00:11:22:33:44",
    "MAC:00:11:22:33:44:55:66",
    "MAC:eth0",
    "0x7",
    "7x",
    "7 :01",
    `magic:${"5a".repeat(21)}`,
  ])
    expect(parseEndpoint(word)).toBeUndefined();
});

test("an interface stands for its hardware address, even one whose name is hex", () => {
  const addresses: Readonly<Record<string, string>> = {
    eth0: "021122334455",
    aabbccddeeff: "020000000001",
    ib0: "00".repeat(20),
  };
  const hardwareAddress = (name: string) => (addresses[name] === undefined ? undefined : fromHex(addresses[name]));
  const read = (word: string) => toHex(parseEndpoint(word, hardwareAddress)?.value ?? new Uint8Array(0));
  expect(read("MAC:eth0")).toBe("021122334455");
  expect(read("MAC:aabbccddeeff")).toBe("020000000001");
  expect(read("MAC:021122334466")).toBe("021122334466");
  expect(parseEndpoint("MAC:ib0", hardwareAddress)).toBeUndefined();
  expect(parseEndpoint("local:eth0", hardwareAddress)).toBeUndefined();
});
