// The tables of options and methods as tables.

import { expect, test } from "bun:test";
import { METHODS } from "../../../src/compress/methods.ts";
import { IPCP_OPTIONS } from "../../../src/control/options/ipcp-options.ts";
import { IPV6CP_OPTIONS } from "../../../src/control/options/ipv6cp-options.ts";
import {
  LCP_OPTIONS,
  type LcpAsked,
  type LcpOptions,
  type LcpOptionsConfig,
} from "../../../src/control/options/lcp-options.ts";
import type { LcpHost } from "../../../src/control/options/lcp/lcp-row.ts";
import { OptionTalk } from "../../../src/control/options/option-row.ts";
import { fromHex } from "../../../src/bytes/text.ts";
import { Code } from "../../../src/wire/control.ts";
import { LcpOption } from "../../../src/wire/lcp.ts";
import { linkConfig } from "../../kit/pair.ts";

const ALL = {
  ...linkConfig().lcp,
  mru: 1400,
  demand: ["chap-md5"],
  accept: ["chap-md5"],
  qualityPeriod: 300,
  callback: true,
  fcs: 32,
  multilink: { mrru: 1600, shortSequence: true, endpoint: { class: 1, value: Uint8Array.of(1, 2) } },
} as const;

function talk(config: LcpOptionsConfig): OptionTalk<LcpOptionsConfig, LcpAsked, LcpOptions, LcpHost> {
  let drawn = 0;
  const made: OptionTalk<LcpOptionsConfig, LcpAsked, LcpOptions, LcpHost> = new OptionTalk(LCP_OPTIONS, config, {
    log: () => {},
    random32: () => ++drawn,
    cannotProve: () => {},
  });
  made.reset();
  return made;
}

test("no two rows of a table have one type", () => {
  for (const table of [LCP_OPTIONS, IPCP_OPTIONS, IPV6CP_OPTIONS, METHODS]) {
    const types = table.map(({ type }) => type);
    expect(new Set(types).size).toBe(types.length);
  }
});

test("each row of LCP accepts from a peer what it requests itself, except a callback", () => {
  const options = talk(ALL).request();
  const other = talk(ALL);
  other.got.magic = 99;
  const answer = other.judge({ options, rest: new Uint8Array(0) }, false);
  expect(answer).toEqual({ code: Code.ConfRej, options: [{ type: LcpOption.Callback, value: fromHex("06") }] });
  expect(other.peer).toMatchObject({
    mru: 1400,
    asyncmap: 0,
    auth: "chap-md5",
    quality: 300,
    callback: false,
    magic: 1,
    pcomp: true,
    accomp: true,
    fcs: 32,
    mrru: 1600,
    shortSequence: true,
    endpoint: { class: 1, value: Uint8Array.of(1, 2) },
  });
});

test("an option that is refused is not requested any more, and the others are", () => {
  const asked = talk(ALL).request();
  expect(asked.length).toBeGreaterThan(11);
  for (const option of asked) {
    const ours = talk(ALL);
    const before = ours.request();
    ours.rejected(option);
    expect(ours.request()).toEqual(before.filter(({ type }) => type !== option.type));
  }
});
