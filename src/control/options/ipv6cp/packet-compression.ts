// IPv6-Compression-Protocol (RFC 5072 §4.2): described, and refused, because no such compression is known here.

import { u16 } from "../../../bytes/be.ts";
import { Ipv6cpOption } from "../../../wire/ipv6cp.ts";
import type { OptionRow } from "../option-row.ts";

export const packetCompression: OptionRow<object, object, object, object> = {
  type: Ipv6cpOption.Compression,
  got: {},
  peer: {},
  describe: (packet, at, length) =>
    length >= 2 ? { text: `compress 0x${u16(packet, at).toString(16)}`, next: at + 2 } : undefined,
};
