// What each option of IPCP answers to a peer's value, and what a Nak changes, with every setting that matters.

import { expect, test } from "bun:test";
import { fromHex, toHex } from "../../../src/bytes/text.ts";
import {
  IPCP_OPTIONS,
  type IpcpAsked,
  type IpcpHeard,
  type IpcpOptionsConfig,
} from "../../../src/control/options/ipcp-options.ts";
import type { IpcpHost } from "../../../src/control/options/ipcp/ipcp-row.ts";
import { OptionTalk } from "../../../src/control/options/option-row.ts";
import { Code, type ConfOption } from "../../../src/wire/control.ts";
import { linkConfig } from "../../kit/pair.ts";

type Changes = Partial<IpcpOptionsConfig> & { readonly wantPeer?: number };
const [ONE, TWO] = [0x0a000001, 0x0a000002];

function talk({ wantPeer = 0, ...changes }: Changes): OptionTalk<IpcpOptionsConfig, IpcpAsked, IpcpHeard, IpcpHost> {
  const made: OptionTalk<IpcpOptionsConfig, IpcpAsked, IpcpHeard, IpcpHost> = new OptionTalk(
    IPCP_OPTIONS,
    { ...linkConfig().networks.ipcp!, acceptLocal: false, acceptRemote: false, ...changes },
    { wantPeer },
  );
  made.reset();
  return made;
}

const optionOf = (hex: string): ConfOption => ({ type: fromHex(hex)[0]!, value: fromHex(hex).slice(2) });
const hexOf = ({ type, value }: ConfOption): string => toHex(Uint8Array.of(type, value.length + 2, ...value));

/** "ack", "reject", or the option in the Nak. */
function answerTo(changes: Changes, hex: string): string {
  const { code, options } = talk(changes).judge({ options: [optionOf(hex)], rest: new Uint8Array(0) }, false);
  if (code === Code.ConfAck) return "ack";
  return code === Code.ConfRej ? "reject" : hexOf(options[0]!);
}

const ALL_SLOTS = { maxSlot: 15, compressSlot: true };
const FEW_SLOTS = { maxSlot: 3, compressSlot: false };

test.each([
  // IP-Compression-Protocol
  [{ vj: ALL_SLOTS }, "0206 002d 0f01", "ack"],
  [{ vj: ALL_SLOTS }, "0206 002d 0300", "ack"],
  [{ vj: ALL_SLOTS }, "0206 002d 1001", "0206002d0f01"],
  [{ vj: FEW_SLOTS }, "0206 002d 0300", "ack"],
  [{ vj: FEW_SLOTS }, "0206 002d 0400", "0206002d0300"],
  [{ vj: FEW_SLOTS }, "0206 002d 0301", "0206002d0300"],
  [{ vj: ALL_SLOTS }, "0204 002d", "ack"],
  [{ vj: ALL_SLOTS }, "0204 0037", "ack"],
  [{ vj: undefined }, "0206 002d 0f01", "reject"],
  [{ vj: undefined }, "0204 002d", "reject"],
  [{ vj: ALL_SLOTS }, "0203 00", "reject"],
  // IP-Address of the peer
  [{ wantPeer: TWO }, "0306 0a000002", "ack"],
  [{ wantPeer: TWO }, "0306 0a000003", "03060a000002"],
  [{ wantPeer: TWO }, "0306 00000000", "03060a000002"],
  [{ wantPeer: TWO, acceptRemote: true }, "0306 0a000003", "ack"],
  [{ wantPeer: TWO, acceptRemote: true }, "0306 00000000", "03060a000002"],
  [{ wantPeer: 0 }, "0306 0a000003", "ack"],
  [{ wantPeer: 0 }, "0306 00000000", "reject"],
  [{ wantPeer: 0, acceptRemote: true }, "0306 00000000", "reject"],
  [{ wantPeer: TWO, address: false }, "0306 0a000002", "reject"],
  [{ wantPeer: TWO }, "0305 0a0000", "reject"],
  // IP-Addresses: the peer's, then ours
  [{ our: ONE, wantPeer: TWO }, "010a 0a000002 0a000001", "ack"],
  [{ our: ONE, wantPeer: TWO }, "010a 0a000003 0a000001", "010a0a0000020a000001"],
  [{ our: ONE, wantPeer: TWO }, "010a 0a000002 0a000009", "010a0a0000020a000001"],
  [{ our: ONE, wantPeer: TWO }, "010a 00000000 00000000", "010a0a0000020a000001"],
  [{ our: ONE, wantPeer: TWO, acceptLocal: true }, "010a 0a000002 0a000009", "ack"],
  [{ our: 0, wantPeer: TWO }, "010a 0a000002 0a000009", "ack"],
  [{ our: 0, wantPeer: TWO }, "010a 0a000002 00000000", "ack"],
  [{ our: ONE, wantPeer: 0 }, "010a 00000000 0a000001", "reject"],
  [{ our: ONE, wantPeer: TWO, addresses: false }, "010a 0a000002 0a000001", "reject"],
  [{ our: ONE, wantPeer: TWO }, "0109 0a000002 0a0000", "reject"],
  // Servers for the peer
  ...(["81", "82", "83", "84"] as const).flatMap((type, at): [Changes, string, string][] => {
    // In the order of the types: the first name server, the first WINS server, then the second ones.
    const [all, none] = [
      { dns: [7, 8], wins: [9, 10] },
      { dns: [], wins: [] },
    ];
    const right = [7, 9, 8, 10][at]!.toString(16).padStart(8, "0");
    return [
      [all, `${type}06 ${right}`, "ack"],
      [all, `${type}06 00000000`, `${type}06${right}`],
      [none, `${type}06 00000000`, "reject"],
      [{ dns: [0, 0], wins: [0, 0] }, `${type}06 00000001`, "reject"],
      [all, `${type}05 000000`, "reject"],
      // A name server at our own address.
      [{ dns: ["ours", "ours"], our: 10 }, "8106 00000000", "81060000000a"],
      [{ dns: ["ours", "ours"], our: 10 }, "8306 0000000a", "ack"],
      [{ dns: ["ours", "ours"], our: 0 }, "8106 00000000", "reject"],
    ];
  }),
] as readonly (readonly [Changes, string, string])[])(
  "with %p, the option %s is answered by: %s",
  (changes, hex, answer) => {
    expect(answerTo(changes, hex)).toBe(answer);
  },
);

/** Our request after a Nak with this option: the option of its type; "none": it is not in the request any more. */
function askedAfterNak(changes: Changes, hex: string, isLast = false): string {
  const one = talk(changes);
  const nak = optionOf(hex);
  if (!one.understands([nak])) return "malformed";
  one.naked(nak, isLast);
  const option = one.request().find(({ type }) => type === nak.type);
  return option === undefined ? "none" : hexOf(option);
}

test.each([
  [{ vj: ALL_SLOTS }, "0206 002d 0300", "0206002d0300"],
  [{ vj: FEW_SLOTS }, "0206 002d 0f01", "0206002d0300"],
  [{ vj: ALL_SLOTS }, "0204 002d", "0204002d"],
  [{ vj: ALL_SLOTS }, "0204 0061", "none"],
  [{ vj: undefined }, "0206 002d 0f01", "none"],
  [{ our: ONE }, "0306 0a000009", "03060a000001"],
  [{ our: ONE, acceptLocal: true }, "0306 0a000009", "03060a000009"],
  [{ our: 0 }, "0306 0a000009", "03060a000009"],
  [{ our: 0 }, "0306 00000000", "030600000000"],
  [{ our: ONE }, "0305 0a0000", "malformed"],
  [{ our: ONE, wantPeer: TWO, address: false }, "010a 0a000009 0a000003", "010a0a0000010a000002"],
  [{ our: ONE, wantPeer: TWO, address: false, acceptLocal: true }, "010a 0a000009 0a000003", "010a0a0000090a000002"],
  [{ our: ONE, wantPeer: TWO, address: false, acceptRemote: true }, "010a 0a000009 0a000003", "010a0a0000010a000003"],
  [{ our: ONE, wantPeer: TWO, address: false, acceptLocal: true }, "010a 00000000 00000000", "010a0a0000010a000002"],
  [{ our: ONE, wantPeer: TWO, address: false, acceptRemote: true }, "010a 00000000 00000000", "010a0a0000010a000002"],
  [{ our: ONE, wantPeer: TWO, address: false, acceptLocal: true }, "010a 00000001 00000000", "010a000000010a000002"],
  [{ our: ONE, wantPeer: TWO }, "010a 0a000009 0a000003", "010a0a0000010a000002"],
  [{ our: ONE, wantPeer: TWO, addresses: false }, "010a 0a000009 0a000003", "none"],
  [{ our: ONE, wantPeer: TWO, sendAddress: false }, "010a 0a000009 0a000003", "none"],
  [{ our: ONE }, "0109 0a000009 0a0000", "malformed"],
  [{ wantDns: true }, "8106 00000007", "810600000007"],
  [{ wantDns: false }, "8306 00000008", "830600000008"],
  [{ wantWins: true }, "8206 00000009", "820600000009"],
  [{ wantWins: false }, "8406 0000000a", "84060000000a"],
  [{ wantDns: true }, "8105 000007", "malformed"],
] as readonly (readonly [Changes, string, string])[])(
  "with %p, a Nak with %s leads to the request: %s",
  (changes, hex, asked) => {
    expect(askedAfterNak(changes, hex)).toBe(asked);
  },
);

test("after the last Nak that is allowed, an option is not requested any more", () => {
  for (const [changes, hex] of [
    [{ vj: ALL_SLOTS }, "0206 002d 0300"],
    [{ our: ONE, acceptLocal: true }, "0306 0a000009"],
    [{ wantDns: true }, "8106 00000007"],
    [{ wantWins: true }, "8406 00000007"],
  ] as const)
    expect([hex, askedAfterNak(changes, hex, true)]).toEqual([hex, "none"]);
});

test("the request with each option switched on, and off", () => {
  const asked = (changes: Changes): string[] => talk(changes).request().map(hexOf);
  expect(asked({ our: ONE })).toEqual(["03060a000001"]);
  expect(asked({ our: ONE, sendAddress: false })).toEqual([]);
  expect(asked({ our: ONE, address: false, wantPeer: TWO })).toEqual(["010a0a0000010a000002"]);
  expect(asked({ our: ONE, address: false, addresses: false })).toEqual([]);
  expect(asked({ our: ONE, vj: FEW_SLOTS, wantDns: true, wantWins: true })).toEqual([
    "0206002d0300",
    "03060a000001",
    "810600000000",
    "830600000000",
    "820600000000",
    "840600000000",
  ]);
});
