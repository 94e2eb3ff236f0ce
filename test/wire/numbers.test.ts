// The assigned numbers (IANA's registries of PPP and EAP numbers). Many of them we only read or name, so that no
// conversation with another implementation would show a wrong one.

import { expect, test } from "bun:test";
import { ChapCode } from "../../src/wire/chap.ts";
import { CbcpCode, CbcpOption } from "../../src/wire/cbcp.ts";
import { CcpOption } from "../../src/wire/ccp.ts";
import { Code } from "../../src/wire/control.ts";
import { EapCode, EapType } from "../../src/wire/eap.ts";
import { IpcpOption } from "../../src/wire/ipcp.ts";
import { LcpOption } from "../../src/wire/lcp.ts";
import { PapCode } from "../../src/wire/pap.ts";

/** The names in the order of their numbers, from `first` on. A "-" is a number without a name. */
function numbered(names: string, first = 1): [string, number][] {
  return names
    .split(" ")
    .map((name, at): [string, number] => [name, first + at])
    .filter(([name]) => name !== "-");
}

const REGISTRIES: readonly (readonly [string, Readonly<Record<string, number>>, readonly [string, number][]])[] = [
  [
    "codes of LCP and of the network control protocols",
    Code,
    numbered(
      "Vendor ConfReq ConfAck ConfNak ConfRej TermReq TermAck CodeRej ProtRej EchoReq EchoRep DiscReq Ident TimeRem " +
        "ResetReq ResetAck",
      0,
    ),
  ],
  [
    "options of LCP",
    LcpOption,
    numbered(
      "Vendor Mru Asyncmap Auth Quality Magic - Pcomp Accomp FcsAlternatives SelfDescribingPad NumberedMode " +
        "MultiLinkProcedure Callback ConnectTime CompoundFrames NominalEncapsulation Mrru Ssnhf Endpoint Proprietary " +
        "DceIdentifier MultiLinkPlus LinkDiscriminator LcpAuthentication Cobs PrefixElision MultilinkHeaderFormat " +
        "Internationalization SimpleDataLink",
      0,
    ),
  ],
  [
    "options of IPCP",
    IpcpOption,
    [...numbered("Addresses Compression Address MobileIpv4"), ...numbered("Dns1 Wins1 Dns2 Wins2", 129)],
  ],
  [
    "options of CCP",
    CcpOption,
    [
      ...numbered("Oui Predictor1 Predictor2 Puddle", 0),
      ...numbered("HpPpc Stac Mppe Gandalf V42bis BsdCompress - LzsDcp DeflateDraft Dce Deflate", 16),
    ],
  ],
  ["codes of PAP", PapCode, numbered("AuthReq AuthAck AuthNak")],
  ["codes of CHAP", ChapCode, numbered("Challenge Response Success Failure")],
  ["codes of EAP", EapCode, numbered("Request Response Success Failure")],
  [
    "types of EAP",
    EapType,
    [
      ...numbered("Identity Notification Nak Md5Challenge Otp TokenCard"),
      ["Tls", 13],
      ["Srp", 19],
      ["Ttls", 21],
      ["Peap", 25],
      ["MsChapV2", 26],
    ],
  ],
  ["codes of CBCP", CbcpCode, numbered("Request Response Ack")],
  ["options of CBCP", CbcpOption, numbered("NoCallback UserSpecified AdminSpecified List")],
];

test.each(REGISTRIES)("%s", (_, ours, assigned) => {
  expect(Object.entries(ours)).toEqual([...assigned]);
});
