// Peers as they are met on serial lines, each as its file in fixtures/peers has it.

import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readScript, ScriptedPeer } from "../kit/scripted-peer.ts";

const FOLDER = join(import.meta.dir, "../../fixtures/peers");
const NAMES = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".txt"))
  .map((name) => name.slice(0, -".txt".length));

test("there are peers", () => {
  expect(NAMES.length).toBeGreaterThan(10);
});

test.each(NAMES)("%s: comes up as it should, stays up, carries packets, and nobody is bothered", (name) => {
  const peer = new ScriptedPeer(readScript(readFileSync(join(FOLDER, `${name}.txt`), "utf8")));
  peer.play();
  expect(peer.complaints).toEqual([]);
});
