// The list that `nullmodem presets` prints.

import { expect, test } from "bun:test";
import { presetList, presetText } from "../../src/commands/preset-list.ts";
import { presetNamed, PRESETS } from "../../src/options/presets.ts";

test("the list has each preset with its options, and one preset has reasons and sources", () => {
  const list = presetList();
  for (const { name, about } of PRESETS) expect(list).toContain(`${name.padEnd(10)} ${about}\n`);
  expect(list).toContain("\n  local silent noipv6\n");
  const text = presetText(presetNamed("palm")!);
  expect(text).toContain("  silent\n      the Palm begins when its user taps Connect\n");
  expect(text).toContain("  sources\n      https://zipcon.net/");
});
