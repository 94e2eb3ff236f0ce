// What a start of pppd loads. What a plain link does not use costs time and memory there, and is loaded when it is used.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PATIENCE_MS } from "../kit/patience.ts";

const ROOT = join(import.meta.dir, "../..");
const STARTS = ["src/main.ts", "src/applets/pppd.ts"];

interface Meta {
  readonly outputs: Readonly<
    Record<
      string,
      {
        readonly bytes: number;
        readonly entryPoint?: string;
        readonly imports: readonly { readonly path: string; readonly kind: string }[];
        readonly inputs: Readonly<Record<string, unknown>>;
      }
    >
  >;
}

const folder = mkdtempSync(join(tmpdir(), "nullmodem-start-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let loaded: string[] = [];
let octets = 0;

beforeAll(() => {
  const metafile = join(folder, "meta.json");
  const options = ["--target=bun", "--minify", "--format=esm", "--splitting", "--loader=.node:file"];
  const { exitCode } = Bun.spawnSync(
    [process.execPath, "build", ...options, `--metafile=${metafile}`, `--outdir=${folder}`, STARTS[0]!],
    { cwd: ROOT, stdio: ["ignore", "ignore", "ignore"] },
  );
  expect(exitCode).toBe(0);
  const { outputs } = JSON.parse(readFileSync(metafile, "utf8")) as Meta;
  const parts = new Set<string>();
  const visit = (name: string): void => {
    if (parts.has(name)) return;
    parts.add(name);
    for (const { path, kind } of outputs[name]?.imports ?? [])
      if (kind === "import-statement" && path in outputs) visit(path);
  };
  for (const [name, { entryPoint }] of Object.entries(outputs)) if (STARTS.includes(entryPoint ?? "")) visit(name);
  loaded = [...parts].flatMap((name) => Object.keys(outputs[name]!.inputs));
  octets = [...parts].reduce((sum, name) => sum + outputs[name]!.bytes, 0);
}, PATIENCE_MS);

test("it has the link, and nothing of other programs, of other ways for packets, or of files", () => {
  expect(loaded).toContain("src/link/link.ts");
  const strange =
    /^src\/(commands\/(?!commands\.ts)|stack\/(?!destinations|flow-count)|proxy|files|transfer|front\/far-|run\/(doctor|serve))/;
  expect(loaded.filter((path) => strange.test(path))).toEqual([]);
  expect(
    loaded.filter((path) => /^node_modules\/(?!pako\/|@serialport\/bindings-cpp\/prebuilds\/)/.test(path)),
  ).toEqual([]);
});

test("it has none of the runtime's modules that take 5 ms or more", () => {
  const heavy =
    /^import (?!type\b)[^;]*? from "node:(crypto|stream|net|tls|http|readline|child_process|util|dns|assert)[/"]/m;
  const sources = loaded.filter((path) => path.startsWith("src/"));
  expect(sources.filter((path) => heavy.test(readFileSync(join(ROOT, path), "utf8")))).toEqual([]);
});

test("its code, minified, has no more than 720,000 octets", () => {
  expect(octets).toBeGreaterThan(400_000);
  expect(octets).toBeLessThan(720_000);
});
