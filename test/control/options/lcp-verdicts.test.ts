// What each option of LCP answers to a peer's value, what a Nak changes, with every setting that matters.

import { expect, test } from "bun:test";
import { fromHex, toHex } from "../../../src/bytes/text.ts";
import {
  LCP_OPTIONS,
  type LcpAsked,
  type LcpOptions,
  type LcpOptionsConfig,
} from "../../../src/control/options/lcp-options.ts";
import type { LcpHost } from "../../../src/control/options/lcp/lcp-row.ts";
import { OptionTalk } from "../../../src/control/options/option-row.ts";
import { Code, type ConfOption } from "../../../src/wire/control.ts";
import { linkConfig } from "../../kit/pair.ts";

type Changes = Partial<LcpOptionsConfig>;
const BUNDLE = { mrru: 1600, shortSequence: true, endpoint: { class: 1, value: Uint8Array.of(1, 2) } };

function talk(changes: Changes): OptionTalk<LcpOptionsConfig, LcpAsked, LcpOptions, LcpHost> {
  let drawn = 0;
  const made: OptionTalk<LcpOptionsConfig, LcpAsked, LcpOptions, LcpHost> = new OptionTalk(
    LCP_OPTIONS,
    { ...linkConfig().lcp, ...changes },
    { log: () => {}, random32: () => drawn++, cannotProve: () => {} },
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

test.each([
  // Maximum-Receive-Unit
  [{ mru: 1500 }, "0104 0080", "ack"],
  [{ mru: 1500 }, "0104 4000", "ack"],
  [{ mru: 1500 }, "0104 007f", "01040080"],
  [{ mru: undefined }, "0104 05dc", "reject"],
  [{ mru: 1500 }, "0103 05", "reject"],
  // Async-Control-Character-Map
  [{ allowAsyncmap: true }, "0206 00000000", "ack"],
  [{ allowAsyncmap: false }, "0206 00000000", "reject"],
  [{ escapedAsyncmap: 0x80000000 }, "0206 00000001", "020680000001"],
  [{ escapedAsyncmap: 0x80000000 }, "0206 80000001", "ack"],
  [{}, "0205 000000", "reject"],
  // Authentication-Protocol
  [{ accept: ["pap"] }, "0304 c023", "ack"],
  [{ accept: ["pap"] }, "0305 c22305", "0304c023"],
  [{ accept: ["mschap-v2", "chap-md5"] }, "0304 c023", "0305c22381"],
  [{ accept: ["pap", "chap-md5"] }, "0305 c22380", "0305c22305"],
  [{ accept: [] }, "0304 c023", "reject"],
  // Quality-Protocol
  [{ qualityPeriod: 0 }, "0408 c025 00000064", "ack"],
  [{ qualityPeriod: 0 }, "0408 c025 00000063", "0408c02500000064"],
  [{ qualityPeriod: 0 }, "0408 c025 00000001", "0408c02500000064"],
  [{ qualityPeriod: 0 }, "0408 c025 00000000", "ack"],
  [{ qualityPeriod: 0 }, "0404 c025", "0408c02500000000"],
  [{ qualityPeriod: 0 }, "0408 c027 00000064", "0408c02500000064"],
  [{ qualityPeriod: -1 }, "0408 c025 00000064", "reject"],
  [{ qualityPeriod: 0 }, "0403 c0", "reject"],
  // Magic-Number; ours is 1
  [{ magic: true }, "0506 00000007", "ack"],
  [{ magic: true }, "0506 00000001", "050600000001"],
  [{ magic: false }, "0506 00000007", "reject"],
  [{ magic: true }, "0505 000007", "reject"],
  // Protocol-Field- and Address-and-Control-Field-Compression
  [{ pcomp: true }, "0702", "ack"],
  [{ pcomp: false }, "0702", "reject"],
  [{ pcomp: true }, "0703 01", "reject"],
  [{ accomp: true }, "0802", "ack"],
  [{ accomp: false }, "0802", "reject"],
  [{ accomp: true }, "0803 01", "reject"],
  // FCS-Alternatives
  [{ fcs: 16 }, "0903 01", "ack"],
  [{ fcs: 16 }, "0903 02", "ack"],
  [{ fcs: 16 }, "0903 04", "ack"],
  [{ fcs: 16 }, "0903 07", "090304"],
  [{ fcs: 16 }, "0903 03", "090302"],
  [{ fcs: 16 }, "0903 08", "090302"],
  [{ fcs: undefined }, "0903 02", "reject"],
  [{ fcs: 16 }, "0902", "reject"],
  [{ fcs: 16 }, "0904 0202", "reject"],
  // Callback, and options that are unknown
  [{ callback: true }, "0d03 06", "reject"],
  [{}, "0f02", "reject"],
  // Multilink
  [{ multilink: BUNDLE }, "1104 0640", "ack"],
  [{ multilink: undefined }, "1104 0640", "reject"],
  [{ multilink: BUNDLE }, "1103 06", "reject"],
  [{ multilink: BUNDLE }, "1202", "ack"],
  [{ multilink: undefined }, "1202", "reject"],
  [{ multilink: BUNDLE }, "1203 01", "reject"],
  // Endpoint-Discriminator
  [{ endpoint: true }, "1303 00", "ack"],
  [{ endpoint: true }, `1317 01 ${"05".repeat(20)}`, "ack"],
  [{ endpoint: true }, `1318 01 ${"05".repeat(21)}`, "reject"],
  [{ endpoint: true }, "1302", "reject"],
  [{ endpoint: false }, "1303 00", "reject"],
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
  [{ mru: 1400 }, "0104 0080", "01040080"],
  [{ mru: 1400 }, "0104 007f", "01040578"],
  [{ mru: 1400 }, "0104 05dc", "010405dc"],
  [{ mru: 1400 }, "0104 05dd", "01040578"],
  [{ mru: 4000 }, "0104 0fa0", "01040fa0"],
  [{ mru: 4000 }, "0104 0fa1", "01040fa0"],
  [{ mru: 1400 }, "0103 05", "malformed"],
  [{ asyncmap: 1 }, "0206 80000000", "020680000001"],
  [{ asyncmap: 0xffffffff }, "0206 80000000", "none"],
  [{ asyncmap: 1 }, "0205 800000", "malformed"],
  [{ demand: ["chap-md5", "pap"] }, "0304 c023", "0304c023"],
  [{ demand: ["chap-md5", "pap"] }, "0305 c22380", "0304c023"],
  [{ demand: ["chap-md5", "mschap-v2", "pap"] }, "0305 c22381", "0305c22381"],
  [{ demand: ["eap", "mschap-v2", "chap-md5"] }, "0305 c22305", "0305c22305"],
  [{ demand: ["pap"] }, "0305 c22305", "none"],
  [{ demand: ["pap"] }, "0303 c0", "malformed"],
  [{ qualityPeriod: 300 }, "0408 c025 000003e8", "0408c025000003e8"],
  [{ qualityPeriod: 300 }, "0408 c027 000003e8", "none"],
  [{ qualityPeriod: 300 }, "0404 c025", "none"],
  [{ qualityPeriod: 0 }, "0408 c025 000003e8", "none"],
  [{ qualityPeriod: 300 }, "0403 c0", "malformed"],
  [{ callback: true }, "0d03 00", "none"],
  [{ magic: true }, "0506 00000009", "050600000001"],
  [{ magic: true }, "0505 000009", "malformed"],
  [{ fcs: 32 }, "0903 02", "none"],
  [{ multilink: BUNDLE }, "1104 0640", "11040640"],
  [{ multilink: BUNDLE }, "1104 0641", "11040640"],
  [{ multilink: BUNDLE }, "1104 0080", "11040080"],
  [{ multilink: BUNDLE }, "1104 007f", "11040640"],
  [{ multilink: undefined }, "1104 0080", "none"],
  [{ multilink: BUNDLE }, "1103 06", "malformed"],
] as readonly (readonly [Changes, string, string])[])(
  "with %p, a Nak with %s leads to the request: %s",
  (changes, hex, asked) => {
    expect(askedAfterNak(changes, hex)).toBe(asked);
  },
);

test("the request with the defaults, and with each option switched on", () => {
  const asked = (changes: Changes): string[] => talk(changes).request().map(hexOf);
  // The magic number is a random number that is not 0.
  expect(asked({})).toEqual(["020600000000", "050600000001", "0702", "0802"]);
  expect(asked({ mru: 1500, asyncmap: 0xffffffff, magic: false, pcomp: false, accomp: false, fcs: 16 })).toEqual([]);
  const off = { asyncmap: undefined, magic: false, pcomp: false, accomp: false };
  for (const [changes, hex] of [
    [{ mru: 1499 }, ["010405db"]],
    [{ demand: ["pap", "eap"] }, ["0304c023"]],
    [{ qualityPeriod: 100 }, ["0408c02500000064"]],
    [{ qualityPeriod: -1 }, []],
    [{ callback: true }, ["0d0306"]],
    [{ fcs: 0 }, ["090301"]],
    [{ fcs: 32 }, ["090304"]],
    [{ multilink: BUNDLE }, ["11040640", "1202", "1305010102"]],
    [{ multilink: { ...BUNDLE, shortSequence: false, endpoint: undefined } }, ["11040640"]],
  ] as readonly (readonly [Changes, readonly string[]])[])
    expect(asked({ ...off, ...changes })).toEqual([...hex]);
});
