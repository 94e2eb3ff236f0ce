// The scripts of fixtures/stack: RFC 9293's cases with the exact replies.

import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { casesOf, playScript } from "../kit/stack-script.ts";

const FOLDER = new URL("../../fixtures/stack/", import.meta.url).pathname;

for (const file of readdirSync(FOLDER).toSorted())
  for (const { name, lines } of casesOf(readFileSync(`${FOLDER}${file}`, "utf8")))
    test(`${file.replace(".script", "")}: ${name}`, () => {
      expect(lines.length).toBeGreaterThan(1);
      playScript(lines);
    });
