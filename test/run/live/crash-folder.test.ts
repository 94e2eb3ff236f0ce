// Which files of crash-capture are in the folder, whatever the clock says and whoever fails.

import { expect, test } from "bun:test";
import { PacketRing } from "../../../src/record/packet-ring.ts";
import { CrashCapture } from "../../../src/run/live/crash-capture.ts";
import { FileTree, filesOf } from "../../simulation/files.ts";
import type { Process } from "../../simulation/process.ts";

const DIR = "/var/log/faults";
const YEAR_2026 = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;

class Folder {
  readonly tree = new FileTree();
  readonly lines: string[] = [];
  wallMs = YEAR_2026;
  readonly crash = new CrashCapture(
    DIR,
    { clock: { now: () => 0, wall: () => this.wallMs }, files: filesOf(this.tree, {} as Process) } as never,
    { write: (_: string, text: string) => this.lines.push(text) } as never,
    { ring: new PacketRing(), nameOf: (line) => `/dev/ttyS${line}` },
  );

  /** The faults of the files, those of the last number last. */
  get faults(): string[] {
    const number = (name: string): number => Number(/-(\d+)\.pcapng$/.exec(name)?.[1]);
    return this.tree
      .names(DIR)
      .toSorted((one, other) => number(one) - number(other))
      .map((name) => /^nullmodem-ttyS\d-(.+)-\d{8}T/.exec(name)?.[1] ?? name);
  }

  fail(fault: string, line = 0): void {
    this.crash.write(line, fault);
    this.wallMs += MINUTE;
  }
}

test("with a clock that is behind, the file just written stays, and then those before it", () => {
  const folder = new Folder();
  for (let count = 0; count < 10; count++) folder.fail("old");
  folder.wallMs = 0;
  for (const fault of ["a", "a", "b"]) folder.fail(fault);
  expect(folder.faults).toEqual([...Array<string>(7).fill("old"), "a", "a", "b"]);
  for (const line of folder.lines.slice(-3)) expect(folder.tree.files.has(line.split(" are in ")[1]!)).toBe(true);
});

test("a fault that comes again and again has a file a minute, and pushes out only its own", () => {
  const folder = new Folder();
  folder.fail("peer-dead");
  folder.fail("hang-up");
  for (let second = 0; second < 1800; second++, folder.wallMs += 1000) folder.crash.write(0, "peer-not-authenticated");
  expect(folder.faults).toEqual(["peer-dead", "hang-up", ...Array<string>(8).fill("peer-not-authenticated")]);
  expect(folder.lines.filter((line) => line.includes("latest packets are in"))).toHaveLength(32);
  // One line for each file that was not written at once.
  expect(folder.lines.filter((line) => line.includes("are kept already"))).toHaveLength(30);
});

test("another line, another fault and a later process of the same line are told apart", () => {
  const folder = new Folder();
  folder.crash.write(0, "hang-up");
  folder.crash.write(1, "hang-up");
  folder.crash.write(1, "peer-dead");
  folder.crash.write(1, "peer-dead");
  expect(folder.faults).toEqual(["hang-up", "hang-up", "peer-dead"]);
  const next = new Folder();
  for (const [path, node] of folder.tree.files) next.tree.files.set(path, node);
  next.crash.write(1, "peer-dead");
  expect(next.faults).toHaveLength(3);
});

test("a folder with such a name and a file that cannot be removed do not stop the clearing, and the log tells the truth", () => {
  const folder = new Folder();
  const named = (number: number): string => `${DIR}/nullmodem-ttyS0-hang-up-20250101T000000.000Z-${number}.pcapng`;
  folder.tree.put(named(1), "");
  folder.tree.folders.add(named(1));
  folder.tree.put(named(2), "");
  folder.tree.deniesRemoval.add(named(2));
  for (let count = 0; count < 15; count++) folder.fail("hang-up");
  expect(folder.tree.names(DIR)).toHaveLength(12);
  expect(folder.lines.filter((line) => line.startsWith("Couldn't write"))).toEqual([]);
  expect(folder.lines.some((line) => line.startsWith(`Couldn't remove ${named(2)}: `))).toBe(true);
  expect(folder.lines.filter((line) => line.includes("latest packets are in"))).toHaveLength(15);
});
