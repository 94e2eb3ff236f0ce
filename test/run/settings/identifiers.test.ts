import { expect, test } from "bun:test";
import { fromHex } from "../../../src/bytes/text.ts";
import { type IdentifierOptions, identifiers } from "../../../src/run/settings/identifiers.ts";
import { linkLocalText } from "../../../src/wire/ipv6cp.ts";

const MAC = fromHex("0050b6112233");
const noMac = (): undefined => undefined;
const NONE = "fe80::0000:0000:0000:0000";

/** Our identifier, the peer's, and the complaints. */
function settled(changes: Partial<IdentifierOptions>, firstMac = (): Uint8Array | undefined => MAC): string[] {
  const complaints: string[] = [];
  const options: IdentifierOptions = {
    ipv6Local: undefined,
    ipv6Remote: undefined,
    ipv6cpUsePersistent: false,
    ipv6cpUseIpaddr: false,
    ipv6cpUseRemotenumber: false,
    remotenumber: undefined,
    ourAddress: 0x0a000001,
    peerAddress: undefined,
    ...changes,
  };
  const { our, peer } = identifiers(options, firstMac, (text) => void complaints.push(text));
  return [linkLocalText(our), linkLocalText(peer), ...complaints];
}

test("identifiers are those given, then a hardware address, then the IPv4 addresses, then none", () => {
  const all = { ipv6cpUsePersistent: true, ipv6cpUseIpaddr: true, peerAddress: 0x0a000002 };
  const id = 0xdeadbeef_00000001n;
  expect(settled({ ...all, ipv6Local: id, ipv6Remote: 2n }, noMac)).toEqual([
    "fe80::dead:beef:0000:0001",
    "fe80::0000:0000:0000:0002",
  ]);
  expect(settled(all)).toEqual(["fe80::0250:b6ff:fe11:2233", "fe80::0000:0000:0a00:0002"]);
  expect(settled({ ...all, ipv6cpUsePersistent: false, peerAddress: undefined })).toEqual([
    "fe80::0000:0000:0a00:0001",
    NONE,
  ]);
  expect(settled({})).toEqual([NONE, NONE]);
});

test("a machine without Ethernet has no persistent identifier, and says so", () => {
  const complaint = "ipv6cp: no persistent id can be found";
  expect(settled({ ipv6cpUsePersistent: true }, noMac)).toEqual([NONE, NONE, complaint]);
  expect(settled({ ipv6cpUsePersistent: true, ipv6cpUseIpaddr: true }, noMac)).toEqual([
    "fe80::0000:0000:0a00:0001",
    NONE,
    complaint,
  ]);
});

test.each([
  ["00:50:b6:11:22:33", "fe80::0250:b6ff:fe11:2233"],
  ["192.168.1.2", "fe80::0000:0000:c0a8:0102"],
  ["2001:db8::5:6:7:8", "fe80::0005:0006:0007:0008"],
  ["1:2:3:4:5::8", "fe80::0005:0000:0000:0008"],
  ["::ffff:10.0.0.1", "fe80::0000:ffff:0a00:0001"],
  ["2001:db8::", NONE],
  ["fe80::1%eth0", NONE],
  ["+4930123456", "fe80::0000:0001:25db:b6c0"],
  ["18446744073709551616", NONE],
  ["0", NONE],
  ["zaphod", NONE],
  ["", NONE],
])("the remote number %p makes the peer %p", (remotenumber, peer) => {
  expect(settled({ ipv6cpUseRemotenumber: true, remotenumber })[1]).toBe(peer);
  expect(settled({ remotenumber })[1]).toBe(NONE);
  expect(settled({ ipv6cpUseRemotenumber: true, remotenumber, ipv6Remote: 9n })[1]).toBe("fe80::0000:0000:0000:0009");
});
