// Peers that are found on serial lines, as the files of fixtures/peers describe them.

import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readScript, ScriptedPeer } from "../kit/scripted-peer.ts";

const FOLDER = join(import.meta.dir, "../../fixtures/peers");
const SCRIPTS = new Map(
  readdirSync(FOLDER)
    .filter((name) => name.endsWith(".txt"))
    .map((name) => [name.slice(0, -".txt".length), readFileSync(join(FOLDER, name), "utf8")]),
);

test("there are peers", () => {
  expect(SCRIPTS.size).toBeGreaterThan(15);
});

test.each([...SCRIPTS])("%s: comes up as it should, stays up, carries packets, and nobody is bothered", (_, script) => {
  const peer = new ScriptedPeer(readScript(script));
  peer.play();
  expect(peer.complaints).toEqual([]);
});

test.each([...SCRIPTS])("%s: starts later and hears a request within 0.2 s, and the rest is the same", (_, script) => {
  const steps = [...readScript(script), { line: 0, word: "options", text: "local" }];
  for (const lateMs of [50, 300, 1000, 2650, 4500]) {
    const peer = new ScriptedPeer(steps);
    expect(peer.play(lateMs)).toBeLessThan(200);
    expect(peer.complaints).toEqual([]);
  }
});

test("a script that differs in any line is not played to its end", () => {
  const script = SCRIPTS.get("umts-modem")!;
  const otherwise: [from: string, to: string, complaint: RegExp][] = [
    ["us: [IPCP ConfNak id=0x0 <addr 0.0.0.0>]", "us: [IPCP ConfAck id=0x0]", /came \[IPCP ConfNak/],
    ["us: [IPCP ConfAck id=0x1]\n", "", /came \[IPCP ConfAck id=0x1\]\n {2}for \[IPCP ConfReq id=0x3/],
    ["wait: 1000", "wait: 70000", /came \[IPCP ConfReq id=0x2/],
    ["up: 10.96.14.3", "up: 10.96.14.4", /up with 10\.96\.14\.3/],
    ["us plain", "us vj 0f 01", /VJ is not as it should be/],
    ["us plain", "us mppc", /no packet of ours went as 0xfd/],
  ];
  for (const [from, to, complaint] of otherwise)
    expect(() => new ScriptedPeer(readScript(script.replace(from, to))).play()).toThrow(complaint);
  const unforgiving = new ScriptedPeer(readScript(script.replace(/^warns:.*\n/m, "")));
  unforgiving.play();
  expect(unforgiving.complaints).toEqual(["Could not determine remote IP address: defaulting to 10.64.64.64"]);
});
