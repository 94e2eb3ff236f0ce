// The Config is made from the rows of the option table, and is read-only.

import { expect, test } from "bun:test";
import { checkOptions } from "../../src/options/check.ts";
import { type Config, withFields } from "../../src/options/config.ts";
import { dumpLines, showOptionsText } from "../../src/options/dump.ts";
import { parseOptions, withPeerOptions } from "../../src/options/parse.ts";
import { type FieldsOf, list, PRIORITY, row } from "../../src/options/row.ts";
import { flag, number } from "../../src/options/row-kinds.ts";
import { OPTIONS, OptionTable } from "../../src/options/table.ts";
import { fakeHost } from "../kit/optionhost.ts";

const LINE = ["/dev/ttyS1", "115200", "noauth"];

test("one row is all that an option needs: it is read, shown, listed, and a field of the Config", () => {
  const shout = row({
    name: "shout",
    rules: PRIORITY,
    about: "words to shout",
    fields: { shouted: list<string>() },
    set({ draft }, word) {
      draft.shouted = [...draft.shouted, word.toUpperCase()];
    },
    value: ({ shouted }) => shouted.join(" "),
  });
  const fields: FieldsOf<readonly [typeof shout]> = { shouted: [] };
  const table = new OptionTable([...OPTIONS.sections, ["Test", [shout]]]);
  expect(table.defaults("/etc/ppp")).toMatchObject(fields);

  const host = fakeHost({ files: { "/etc/ppp/options": "shout hello\n" } });
  const config = checkOptions(parseOptions([...LINE, "shout", "world"], host, table), host);
  expect(config).toMatchObject({ shouted: ["HELLO", "WORLD"], speed: 115200 });
  expect(dumpLines(config, table)).toContain("shout HELLO WORLD\t\t# (from command line)");
  expect(showOptionsText(table)).toContain("Test options:\n    shout                  words to shout\n");
  expect(() => parseOptions([...LINE, "shuot", "x"], host, table)).toThrow("unrecognized option 'shuot'");
  expect(() => parseOptions([...LINE, "shout", "x"], host)).toThrow("In file /etc/ppp/options: unrecognized option");
});

test("each field has one owner, and a row shares fields with rows of the table only", () => {
  const rows = OPTIONS.entries.map(({ row }) => row);
  const twice = new OptionTable([["Test", [flag("a", "same", 0, ""), number("b", "same", 1, 0, "")]]]);
  expect(() => twice.defaults("")).toThrow("the b option owns a field that another one owns: same");
  const owners = rows.flatMap(({ fields }) => Object.keys(fields("/etc/ppp")));
  expect(Object.keys(OPTIONS.defaults("/etc/ppp"))).toEqual(owners);
  for (const { name, shares } of rows)
    expect([name, shares.filter((owner) => !rows.includes(owner))]).toEqual([name, []]);
});

/** The records and lists in a value, and the value itself. */
function parts(value: unknown): object[] {
  return typeof value === "object" && value !== null ? [value, ...Object.values(value).flatMap(parts)] : [];
}

test("a Config cannot be written, nor a list in it, whoever made it", () => {
  const host = fakeHost();
  const words = ["set", "A=1", "allow-ip", "10.0.0.1", "ms-dns", "10.0.0.2", "escape", "11,13"];
  const parsed = parseOptions([...LINE, ...words], host);
  const made: Record<string, Config> = {
    parsed,
    checked: checkOptions(parsed, host),
    "with a peer's options": withPeerOptions(parsed, ["idle", "7", "set", "B=2"], host).config,
    "with a peer's options that are wrong": withPeerOptions(parsed, ["idle", "7", "frob"], host).config,
    changed: withFields(parsed, { mpDevices: ["/dev/ttyS2"] }),
  };
  for (const [how, config] of Object.entries(made)) {
    expect([how, parts(config).filter((part) => !Object.isFrozen(part))]).toEqual([how, []]);
    expect(() => Object.assign(config, { idle: 9 })).toThrow(TypeError);
    expect(() => Object.assign(config.facts, { hostname: "x" })).toThrow(TypeError);
    expect(() => Array.prototype.push.call(config.environment, 1)).toThrow(TypeError);
  }
  // A Config is made from another without changing that.
  expect([parsed.idle, parsed.environment.length, parsed.mpDevices, parsed.facts.authProtocols]).toEqual([
    0,
    1,
    [],
    [],
  ]);
  expect([parsed.given["idle"], made["with a peer's options"]?.given["idle"]?.source]).toEqual([
    undefined,
    "secrets file",
  ]);
  expect(made["with a peer's options"]?.environment.map(({ name }) => name)).toEqual(["A", "B"]);
});

test("the defaults of one Config are not those of the next", () => {
  const first = parseOptions([...LINE, "allow-ip", "10.0.0.1", "nodeflate"], fakeHost());
  const second = parseOptions(LINE, fakeHost());
  expect([first.allowIp, second.allowIp, second.deflate.receive]).toEqual([["10.0.0.1"], [], 15]);
});
