// The option `peer NAME`: each preset parses, is in force, and yields to other options as a file that `call` names does.

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { dumpLines, presetLine } from "../../src/options/dump.ts";
import { OptionError } from "../../src/options/error.ts";
import { checkOptions } from "../../src/options/check.ts";
import { parseOptions, withPeerOptions } from "../../src/options/parse.ts";
import { PRESETS, presetWords } from "../../src/options/presets.ts";
import { PRIVILEGED } from "../../src/options/row.ts";
import { OPTIONS } from "../../src/options/table.ts";
import { fakeHost, type FakeOptions } from "../kit/optionhost.ts";

function config(line: string, options: FakeOptions = {}) {
  const host = fakeHost(options);
  return checkOptions(parseOptions(line.split(" "), host), host);
}

function errorOf(act: () => unknown): OptionError {
  try {
    act();
  } catch (error) {
    if (error instanceof OptionError) return error;
    throw error;
  }
  throw new Error("no OptionError");
}

/** The options of a dump that have this source. */
function from(source: string, line: string, options: FakeOptions = {}): string {
  return dumpLines(config(line, options))
    .filter((one) => one.endsWith(`\t\t# (from ${source})`))
    .map((one) => one.split("\t")[0])
    .toSorted()
    .join(" ");
}

const sorted = (words: string): string => {
  const options = words.split(" ").flatMap((word, at, all) => {
    const before = OPTIONS.named(all[at - 1] ?? "");
    if (before?.argument) return [];
    return OPTIONS.named(word)?.argument ? [`${word} ${all[at + 1]}`] : [word];
  });
  return options.toSorted().join(" ");
};

test.each(PRESETS.map((preset) => [preset.name, preset] as const))(
  "peer %s: all of its options are in force, for an ordinary user too, and each has a reason",
  (name, preset) => {
    const words = presetWords(preset);
    // None of them undoes another, so the dump has all of them.
    expect(from(`peer ${name}`, `ttyS0 noauth peer ${name}`)).toBe(sorted(words));
    expect(presetLine(config(`ttyS0 noauth peer ${name}`))).toStartWith(`peer ${name} sets `);
    const user = fakeHost({ user: true, files: { "/etc/ppp/options": "" } });
    expect(parseOptions(["ttyS0", "peer", name], user).preset).toBe(name);
    for (const word of words.split(" ")) expect((OPTIONS.named(word)?.rules ?? 0) & PRIVILEGED).toBe(0);
    for (const [, because] of preset.options) expect(because).toMatch(/^[a-z].{10,}[^.]$/i);
    expect(preset.sources.length).toBeGreaterThan(0);
    for (const source of preset.sources) expect(source).toMatch(/https?:|^RFC \d|Microsoft Q\d|\[MS-|VOGONS|HOWTO/);
  },
);

test("names are distinct, and short enough for a table", () => {
  expect(new Set(PRESETS.map(({ name }) => name)).size).toBe(PRESETS.length);
  for (const { name } of PRESETS) expect(name).toMatch(/^[a-z0-9]{3,9}$/);
});

test("README names them all", () => {
  const readme = readFileSync(join(import.meta.dir, "../../README.md"), "utf8");
  const section = readme.slice(readme.indexOf("`peer NAME` sets")).split(". ", 1)[0]!;
  expect([...section.matchAll(/\b(\w+)(?=,| or |$)/g)].map(([, name]) => name)).toEqual(
    PRESETS.map(({ name }) => name),
  );
});

test("an option after it overrides it, and one before it does not", () => {
  expect(config("ttyS0 peer esp32 crtscts").crtscts).toBe("on");
  expect(config("ttyS0 crtscts peer esp32").crtscts).toBe("off");
  expect(presetLine(config("ttyS0 peer esp32 crtscts"))).toBe("peer esp32 sets local noccp");
  expect(presetLine(config("ttyS0 local"))).toBeUndefined();
});

test("its options have the priority of the place where it stands, as with call", () => {
  const files = { "/etc/ppp/options": "crtscts\npeer esp32", "/etc/ppp/options.ttyS0": "peer esp32 modem" };
  expect(config("ttyS0 crtscts", { files }).crtscts).toBe("on");
  expect(from("peer esp32", "ttyS0", { files })).toBe("noccp nocrtscts");
  // What the file of a device says has the priority of a file. The command line is stronger.
  expect(config("ttyS0 peer palm modem", { files: { "/etc/ppp/options.ttyS0": "peer palm" } }).modem).toBe(true);
  const called = { "/etc/ppp/peers/desk": "peer palm\nnoauth" };
  expect(from("peer palm", "ttyS0 call desk", { files: called })).toBe("local noipv6 silent");
});

test("two presets exclude each other, wherever they stand; the same one twice does not matter", () => {
  const files = { "/etc/ppp/options": "peer palm" };
  expect(errorOf(() => config("ttyS0 peer win98", { files })).lines).toEqual([
    "peer win98 and peer palm (from /etc/ppp/options) exclude each other",
  ]);
  expect(config("ttyS0 peer palm", { files }).preset).toBe("palm");
});

test("an unknown name: the nearest ones, or all of them", () => {
  const near = errorOf(() => config("ttyS0 peer win89"));
  expect([near.lines, near.code]).toEqual([["peer win89: there is no such preset"], 2]);
  expect(near.hints).toEqual(["Did you mean win98?"]);
  expect(errorOf(() => config("ttyS0 peer vic20")).hints.join()).toMatch(/^The presets are win95, .*, huawei\.$/);
  expect(errorOf(() => config("ttyS0 peer")).message).toBe("too few parameters for option peer");
});

test("the line of a peer in a secrets file cannot have it: the negotiation has begun", () => {
  const host = fakeHost();
  const { trouble } = withPeerOptions(config("ttyS0 noauth"), ["peer", "palm"], host);
  expect(trouble).toBe("peer option cannot be changed after initialization");
});
