// What one client of Windows' network may hold.

import { expect, test } from "bun:test";
import { type Search, SmbClient } from "../../../src/files/smb/smb-client.ts";

const searchOf = (names: number): Search => ({ tid: 1, pid: 1, names: new Array(names), at: 0 }) as never;

test("a client's own old searches make room for its new ones, so that others have theirs", () => {
  const site = { held: 0, random: () => {} };
  const [greedy, other] = [new SmbClient(site as never), new SmbClient(site as never)];
  for (let count = 0; count < 16; count++) expect(greedy.addSearch(searchOf(19_000))).toBeNumber();
  expect([...greedy.searches.values()].length).toBe(2);
  expect(site.held).toBe(38_000);
  // A folder with more names is searched alone.
  expect(greedy.addSearch(searchOf(100_000))).toBeNumber();
  expect(site.held).toBe(100_000);
  expect(other.addSearch(searchOf(19_000))).toBeNumber();
  greedy.closeAll(() => true);
  expect(site.held).toBe(19_000);
});
