import { afterAll, beforeEach, expect, test } from "bun:test";
import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileOfAnother, NoCapture, RotatedFile } from "../../src/commands/capture/rotated-file.ts";
import { NoRegularFile } from "../../src/commands/replaced-file.ts";
import { interfaceBlock, journalBlock, packetBlock, sectionBlock } from "../../src/record/pcapng.ts";
import { readCapture } from "../kit/pcapng-text.ts";

const folder = mkdtempSync(join(tmpdir(), "nullmodem-rotated-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => readdirSync(folder).forEach((name) => rmSync(join(folder, name))));
const path = join(folder, "a.pcapng");

const packet = (line: number, number: number): Uint8Array =>
  packetBlock({ line, isSent: true, time: number, octets: new Uint8Array(100).fill(number) });
/** A second interface comes in the middle. */
const CAPTURE = Buffer.concat([
  sectionBlock(),
  interfaceBlock("ttyS0", "x"),
  ...Array.from({ length: 20 }, (_, at) => packet(0, at)),
  interfaceBlock("ppp0", "x"),
  journalBlock(1, "up"),
  ...Array.from({ length: 20 }, (_, at) => packet(1, 20 + at)),
]);
const numbersOf = (name: string): number[] =>
  readCapture(readFileSync(join(folder, name))).packets.map(({ octets }) => octets[0]!);
const whole = Array.from({ length: 40 }, (_, at) => at);

for (const piece of [1, 7, 500, CAPTURE.length])
  test(`in pieces of ${piece}: each file is a capture of its own, no packet is lost and no file is too large`, () => {
    const file = new RotatedFile(path, 1200, 50);
    for (let at = 0; at < CAPTURE.length; at += piece) file.write(CAPTURE.subarray(at, at + piece));
    file.close();
    const names = readdirSync(folder).toSorted((one, other) => Number(/\d*$/.exec(other)) - Number(/\d*$/.exec(one)));
    expect(names.length).toBeGreaterThan(4);
    expect(names.flatMap(numbersOf)).toEqual(whole);
    for (const name of names) expect(statSync(join(folder, name)).size).toBeLessThanOrEqual(1200);
    const last = readCapture(readFileSync(path)).packets.at(-1)!;
    expect(last.line).toBe("ppp0");
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

test("only so many files are kept, the newest", () => {
  for (const keep of [1, 3]) {
    const file = new RotatedFile(path, 1200, keep);
    file.write(CAPTURE);
    file.close();
    const names = readdirSync(folder).toSorted();
    expect(names).toEqual(["a.pcapng", "a.pcapng.1", "a.pcapng.2"].slice(0, keep));
    expect(numbersOf("a.pcapng").at(-1)).toBe(39);
  }
});

test("without a limit there is one file", () => {
  const file = new RotatedFile(path, Infinity, 5);
  file.write(CAPTURE);
  file.close();
  expect(readFileSync(path).equals(CAPTURE)).toBe(true);
});

test("octets that are no pcapng are an error", () => {
  const file = new RotatedFile(path, Infinity, 5);
  expect(() => file.write(Buffer.from("HTTP/1.1 400 Bad Request\r\n"))).toThrow(NoCapture);
  file.close();
});

test("a device or a symbolic link is written to, and never moved or removed by the turns", () => {
  const target = join(folder, "target");
  writeFileSync(target, "old");
  symlinkSync(target, path);
  const through = new RotatedFile(path, Infinity, 5);
  through.write(CAPTURE);
  through.close();
  expect(readFileSync(target).equals(CAPTURE)).toBe(true);
  expect(() => new RotatedFile(path, 1200, 3)).toThrow(NoRegularFile);
  expect(() => new RotatedFile("/dev/null", 1200, 1)).toThrow(NoRegularFile);
  rmSync(path);
  symlinkSync(target, `${path}.1`);
  expect(() => new RotatedFile(path, 1200, 2)).toThrow(NoRegularFile);
  rmSync(`${path}.1`);
  // It appears between two turns.
  const late = new RotatedFile(path, 1200, 2);
  symlinkSync(target, `${path}.1`);
  expect(() => late.write(CAPTURE)).toThrow(NoRegularFile);
  late.close();
  expect(lstatSync(`${path}.1`).isSymbolicLink()).toBe(true);
});

const noUsers = process.geteuid?.() === 0 ? "" : " [skipped: only root can be two users]";
test.skipIf(noUsers !== "")(
  `a file of another user that others may read is refused, and left as it is${noUsers}`,
  () => {
    const file = join(folder, "shared");
    writeFileSync(file, "old");
    chmodSync(file, 0o666);
    chmodSync(folder, 0o711);
    process.seteuid!(65_534);
    try {
      expect(() => new RotatedFile(file, Infinity, 1)).toThrow(FileOfAnother);
    } finally {
      process.seteuid!(0);
    }
    expect(readFileSync(file, "utf8")).toBe("old");
  },
);
