import { expect, test } from "bun:test";
import { parseOptions } from "../../src/options/parse.ts";
import { fakeHost } from "../kit/optionhost.ts";
import { dryRun } from "../kit/optionrun.ts";

const PROGRAM = [{ code: 6, jt: 0, jf: 0, k: 65535 }];

test("a filter is compiled when its option is read, for the netmask there is then", () => {
  const asked: unknown[] = [];
  const compileFilter = (...given: unknown[]) => {
    asked.push(given);
    return PROGRAM;
  };
  const words = [
    "ttyS0",
    "active-filter",
    "tcp",
    "netmask",
    "255.255.255.0",
    "pass-filter",
    "ip broadcast",
    "pass-filter",
    "udp",
  ];
  const config = parseOptions(words, fakeHost({ changes: { compileFilter } }));
  expect(asked).toEqual([
    ["tcp", 0],
    ["ip broadcast", 0xffffff00],
    ["udp", 0xffffff00],
  ]);
  expect(config.activeFilter).toEqual({ expression: "tcp", program: PROGRAM });
  // A clone is used to undo the options of a peer.
  expect(structuredClone(config).passFilter).toEqual({ expression: "udp", program: PROGRAM });
});

test("a filter that a source of higher priority overrides is not compiled", () => {
  const host = fakeHost({ files: { "/etc/ppp/options.ttyS0": "pass-filter 'not a filter ('" } });
  expect(dryRun(["ttyS0", "dryrun", "pass-filter", "tcp"], host)).toMatchObject({ code: 0, stderr: "" });
});

test("what is wrong with it, or with this machine", () => {
  for (const name of ["pass-filter", "active-filter"]) {
    expect(dryRun(["ttyS0", "dryrun", name, "("], fakeHost())).toMatchObject({
      code: 2,
      stderr: `pppd: error in ${name} expression: can't parse filter expression: syntax error\n`,
    });
    const compileFilter = () => ({ errno: "ENOENT", reason: "a library" });
    expect(dryRun(["ttyS0", "dryrun", name, "tcp"], fakeHost({ changes: { compileFilter } }))).toMatchObject({
      code: 2,
      stderr: `pppd: the ${name} option needs a library\n`,
    });
  }
});
