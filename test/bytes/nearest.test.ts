import { expect, test } from "bun:test";
import { editDistance, nearestNames } from "../../src/bytes/nearest.ts";

test("the distance of two words: letters put in, left out, replaced, swapped", () => {
  const rows: [string, string, number][] = [
    ["local", "local", 0],
    ["locl", "local", 1],
    ["loccal", "local", 1],
    ["lokal", "local", 1.1],
    ["stauts", "status", 1],
    ["LOCK", "lock", 1],
    ["", "lock", 4],
    ["kitten", "sitting", 3.2],
  ];
  for (const [from, to, distance] of rows) {
    expect(editDistance(from, to)).toBeCloseTo(distance);
    expect(editDistance(to, from)).toBeCloseTo(distance);
  }
});

test("the nearest names, if they are near", () => {
  const names = ["status", "service", "pon", "poff", "plog", "nomppe-40", "nomppe-56", "nomppe-128"];
  expect(nearestNames("stauts", names)).toEqual(["status"]);
  expect(nearestNames("pof", names)).toEqual(["poff"]);
  expect(nearestNames("nompe-4", names)).toEqual(["nomppe-40"]);
  expect(nearestNames("nomppe-x0", names)).toEqual(["nomppe-40"]);
  expect(nearestNames("nomppe-", names)).toEqual(["nomppe-40", "nomppe-56"]);
  for (const word of ["frobnicate", "x", "", "status"]) expect([word, nearestNames(word, names)]).toEqual([word, []]);
});
