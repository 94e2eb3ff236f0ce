// Measures which pages of the executable a start touches, up to the first octet on the line, and writes the list for
// read-ahead.ts. To be run as root after each change of Bun: bun scripts/start-pages.ts

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compileBare } from "./build.ts";
import { firstOctet } from "./bench/first-octet.ts";
import { SlowDisk, slowDiskMissing } from "./bench/slow-disk.ts";
import { PAGE, residentPages } from "./page-cache.ts";
import { buildIdOf, type Pages } from "./read-ahead.ts";

const RUNS = 3;
/** A disk of 120 reads and 25 MB a second reads so many pages in the time of one more read. */
const GAP = 24;

/** The runs of pages that are touched, joined where fewer than GAP pages lie between them. */
function rangesOf(touched: Uint8Array): Pages[] {
  const ranges: [number, number][] = [];
  touched.forEach((isTouched, page) => {
    if (isTouched === 0) return;
    const last = ranges.at(-1);
    if (last !== undefined && page - last[1] < GAP) last[1] = page + 1;
    else ranges.push([page, page + 1]);
  });
  return ranges;
}

/** The length of Bun's part of the file. After it comes what the program consists of, and Bun reads that ahead itself. */
function runtimeLength(file: Uint8Array): number {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const headers = Number(view.getBigUint64(40, true));
  const offsetOf = (index: number): number => Number(view.getBigUint64(headers + index * 64 + 24, true));
  const names = offsetOf(view.getUint16(62, true));
  for (let index = 0; index < view.getUint16(60, true); index++) {
    const name = names + view.getUint32(headers + index * 64, true);
    if (new TextDecoder().decode(file.subarray(name, name + 5)) === ".bun\0") return offsetOf(index);
  }
  throw new Error("no section .bun");
}

const missing = slowDiskMissing();
if (missing !== undefined) {
  console.error(`The pages of a start cannot be measured here: ${missing}`);
  process.exit(1);
}
const disk = new SlowDisk();
try {
  disk.setReadAhead(0);
  mkdirSync(join(disk.folder, "bin"));
  const pppd = join(disk.folder, "bin/pppd");
  if (compileBare(pppd) !== 0) throw new Error("it does not build");
  const file = readFileSync(pppd);
  const all = new Uint8Array(runtimeLength(file) / PAGE);
  for (let count = 0; count < RUNS; count++) {
    await disk.forget(pppd);
    await firstOctet(pppd);
    residentPages(pppd)
      .subarray(0, all.length)
      .forEach((page, index) => (all[index]! |= page));
  }
  const ranges = rangesOf(all);
  const id = buildIdOf(file);
  const name = join(import.meta.dir, "start-pages", `${id}.txt`);
  writeFileSync(name, ranges.map(([first, end]) => `${first} ${end}\n`).join(""));
  const octets = ranges.reduce((sum, [first, end]) => sum + (end - first) * PAGE, 0);
  console.log(`${ranges.length} ranges, ${(octets / 1e6).toFixed(1)} MB: ${name}`);
} finally {
  disk.close();
}
