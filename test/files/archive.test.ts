import { expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "../../src/files/crc32.ts";
import { joined, TAR } from "../../src/files/tar.ts";
import { Zip } from "../../src/files/zip.ts";
import { FileExchange } from "../kit/file-exchange.ts";

const LONG = `${"long/".repeat(30).slice(0, -1).replaceAll("/", "-")}.txt`;
const BIG = "0123456789".repeat(30_000);

function archive(kind: "tar" | "zip"): string {
  const one = new FileExchange();
  one.folder.makeFolder(["top"]);
  one.folder.makeFolder(["top", "sub"]);
  one.folder.makeFolder(["top", "empty"]);
  one.folder.put("top/a.txt", "hello");
  one.folder.put("top/sub/big", BIG);
  one.folder.put("top/sub/none", "");
  one.folder.put("top/.nullmodem-part-x", "hidden");
  one.folder.put(`top/caf\xc3\xa9-${LONG}`, "long");
  const answer = one.ask(`GET /top/?${kind}`);
  expect(answer.headers.get("content-disposition")).toBe(`attachment; filename="top.${kind}"`);
  expect(one.folder.open_).toBe(0);
  return answer.body;
}

for (const [kind, command] of [
  ["tar", ["tar", "xf"]],
  ["zip", ["unzip", "-q"]],
] as const) {
  const missing = Bun.which(command[0]) === null ? ` [skipped: no ${command[0]}]` : "";
  test.skipIf(missing !== "")(`${command[0]} unpacks a folder as .${kind}${missing}`, () => {
    const place = mkdtempSync(join(tmpdir(), "archive-"));
    try {
      writeFileSync(join(place, "x"), Buffer.from(archive(kind), "latin1"));
      const { exitCode, stderr } = Bun.spawnSync([...command, "x"], {
        cwd: place,
        env: { ...process.env, LC_ALL: "C.UTF-8", TZ: "UTC" },
      });
      expect([exitCode, stderr.toString()]).toEqual([0, ""]);
      const text = (name: string): string => readFileSync(join(place, "top", name), "latin1");
      expect([text("a.txt"), text("sub/none"), text(`café-${LONG}`)]).toEqual(["hello", "", "long"]);
      expect(text("sub/big") === BIG).toBe(true);
      expect(statSync(join(place, "top/a.txt")).mtimeMs).toBe(1_000_000_000_000);
      expect(statSync(join(place, "top/empty")).isDirectory()).toBe(true);
      expect(existsSync(join(place, "top/.nullmodem-part-x"))).toBe(false);
    } finally {
      rmSync(place, { recursive: true });
    }
  });
}

test("files over 4 and 8 GB have the headers that hold their size", () => {
  const stat = { kind: "file", size: 9 * 2 ** 30, mtime: 1e9, version: "", isLink: false } as const;
  const entry = { path: ["big"], stat };
  const tar = Buffer.from(TAR.before(entry, "top/big", 0)).toString("latin1");
  expect(tar).toContain(`19 size=${9 * 2 ** 30}\n`);
  const zip = new Zip(() => 0);
  zip.before(entry, "top/big", 0);
  const view = new DataView(zip.before({ path: ["b"], stat: { ...stat, size: 1 } }, "top/b", 0).buffer);
  expect(view.getUint32(18, true)).toBe(1);
  const end = Buffer.from(zip.end());
  const central = end.indexOf(Buffer.from("PK\x01\x02"), 4);
  // The offset of the second file does not fit in 32 bits: 9 GB and the header of 30 + 7 + 20 octets.
  expect(end.readUInt32LE(central + 42)).toBe(0xffffffff);
  expect(end.readBigUInt64LE(central + 46 + 5 + 4)).toBe(BigInt(9 * 2 ** 30 + 57));
  expect(end.indexOf(Buffer.from("PK\x06\x06"))).toBeGreaterThan(0);
});

test("the CRC is that of Ethernet", () => {
  const bytes = Buffer.from("xx123456789");
  expect(crc32(0, bytes, 2, 11)).toBe(0xcbf43926);
  expect(crc32(crc32(0, bytes, 2, 7), bytes, 7, 11)).toBe(0xcbf43926);
});

test("an archive has more files than a call has arguments", () => {
  const parts = Array.from({ length: 800_000 }, () => Uint8Array.of(1));
  expect(joined(parts)).toHaveLength(800_000);
});
