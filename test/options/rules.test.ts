// What pppd's options are before anybody gives them, and who may give them. fixtures/options/rules.tsv holds the rules
// of each option of pppd.

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  COMMAND,
  DEVICE,
  GONE,
  GROUP,
  HIDDEN,
  INIT_ONLY,
  LIST,
  NO_INCREASE,
  PRIORITY,
  PRIVFIX,
  PRIVILEGED,
} from "../../src/options/row.ts";
import { OPTIONS } from "../../src/options/table.ts";

/** The rules by their names in the fixture. */
const RULES: readonly (readonly [string, number])[] = [
  ["priority", PRIORITY], // the source of higher priority wins, whatever is read last
  ["group", GROUP], // shares the priority of the options before it
  ["root", PRIVILEGED], // only root or a file of root
  ["root-first", PRIVFIX], // what root's file says cannot be overridden
  ["start", INIT_ONLY], // not in the options of a secrets file
  ["device", DEVICE], // not in the options of a device
  ["command", COMMAND], // the HOWTO's readers forget the quotes
  ["hidden", HIDDEN], // not in a dump
  ["lower", NO_INCREASE], // a user may only lower it
  ["list", LIST], // counts more than once
  ["gone", GONE], // has no effect any more
];

test("each option of pppd has its rules", () => {
  const path = join(import.meta.dir, "../../fixtures/options/rules.tsv");
  const lines = readFileSync(path, "utf8").trimEnd().split("\n").slice(1);
  const rows = new Map(OPTIONS.entries.map(({ row }) => [row.name, row]));
  const namesOf = (rules: number): string =>
    RULES.filter(([, rule]) => rules & rule)
      .map(([name]) => name)
      .join(" ") || "-";
  expect(lines.length).toBeGreaterThan(280);
  for (const line of lines) {
    const [option = ""] = line.split("\t");
    expect(`${option}\t${namesOf(rows.get(option)!.rules)}`).toBe(line);
  }
});

test("the numbers have pppd's defaults", () => {
  expect(OPTIONS.defaults("/etc/ppp")).toMatchObject({
    ...{ debug: 0, kdebug: 0, idle: 0, maxconnect: 0, maxoctets: 0, moTimeout: 1, minconnect: 0 },
    ...{ holdoff: 30, maxfail: 10, connectDelayMs: 1000, childTimeout: 5, logfd: 1, passwordfd: -1, speed: 0 },
    ...{ stopBits: 1, datarate: 0, asyncmap: 0, mru: 1500, mtu: 16384, fcs: 16, lqrInterval: 0 },
    ...{ lcpEchoInterval: 0, lcpEchoFailure: 0, defaultrouteMetric: 0, defaultroute6Metric: 0, vjMaxSlots: 16 },
    ...{ lcpRestart: 3, lcpMaxTerminate: 2, lcpMaxConfigure: 10, lcpMaxFailure: 5 },
    ...{ ipcpRestart: 3, ipcpMaxTerminate: 2, ipcpMaxConfigure: 10, ipcpMaxFailure: 100 },
    ...{ ipv6cpRestart: 3, ipv6cpMaxTerminate: 2, ipv6cpMaxConfigure: 10, ipv6cpMaxFailure: 5 },
    ...{ papRestart: 3, papMaxAuthreq: 10, papTimeout: 30 },
    ...{ chapRestart: 3, chapMaxChallenge: 10, chapInterval: 0, chapTimeout: 60 },
    ...{ eapRestart: 3, eapMaxSreq: 30, eapTimeout: 20, eapMaxRreq: 20, eapInterval: 0 },
    ...{ bsdcomp: { receive: 15, transmit: 15 }, deflate: { receive: 15, transmit: 15 } },
  });
});

test("only five switches are on before anybody gives an option", () => {
  const on = Object.entries(OPTIONS.defaults("/etc/ppp")).filter(([, value]) => value === true);
  expect(on.map(([key]) => key)).toEqual(["logDefault", "defaultDevice", "modem", "hidePassword", "ipv6"]);
});
