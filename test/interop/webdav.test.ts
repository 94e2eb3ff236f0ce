// WebDAV of the file server as Debian's clients see it: litmus, which tests servers, cadaver and rclone.

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PATIENCE_MS } from "../kit/patience.ts";
import { ServedFolder } from "../kit/served-folder.ts";

setDefaultTimeout(PATIENCE_MS);

const LITMUS = "/usr/libexec/litmus";
/** What each suite of litmus complains about: it sets properties of its own, and asks for shared locks. We have neither. */
const SUITES = [
  ["basic", []],
  ["copymove", []],
  ["props", ["propset", "propmanyns", "propget"]],
  ["locks", ["owner_modify", "lock_shared", "owner_modify"]],
  ["http", []],
] as const;

const place = mkdtempSync(join(tmpdir(), "webdav-"));
const folder = join(place, "served");
let served: ServedFolder;

beforeAll(async () => {
  mkdirSync(folder);
  served = await ServedFolder.of(folder);
});
afterAll(async () => {
  await served[Symbol.asyncDispose]();
  rmSync(place, { recursive: true });
});

async function run(argv: readonly string[], input = ""): Promise<string> {
  const env = { ...process.env, HOME: place, LC_ALL: "C" };
  await using child = Bun.spawn([...argv], {
    cwd: place,
    env,
    stdin: Buffer.from(input),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, error] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  await child.exited;
  return out + error;
}

const hasLitmus = existsSync(LITMUS);

for (const [suite, complaints] of SUITES)
  test.skipIf(!hasLitmus)(`litmus: ${suite}${hasLitmus ? "" : " [skipped: it is not installed]"}`, async () => {
    const out = await run([
      join(LITMUS, suite),
      "--htdocs",
      "/usr/share/litmus/htdocs",
      `http://127.0.0.1:${served.port}/`,
    ]);
    const failed = [...out.matchAll(/\d+\. (\w+)\.+ FAIL/g)].map(([, name]) => name!);
    expect(failed).toEqual([...complaints]);
    expect(out).toContain(`summary for \`${suite}'`);
  });

const hasCadaver = Bun.which("cadaver") !== null;

test.skipIf(!hasCadaver)(
  `cadaver works on a folder${hasCadaver ? "" : " [skipped: it is not installed]"}`,
  async () => {
    writeFileSync(join(place, "local"), "what cadaver sends");
    const address = `http://127.0.0.1:${served.port}/`;
    const commands = ["mkcol box", "cd box", "put local one", "lock one", "put local one", "unlock one"];
    const out = await run(
      ["cadaver", address],
      [
        ...commands,
        "copy one two",
        "move two three",
        "put local four",
        "delete four",
        "ls",
        "get three got",
        "quit",
      ].join("\n") + "\n",
    );
    expect(out).not.toMatch(/failed|Could not/);
    expect(readdirSync(join(folder, "box")).sort()).toEqual(["one", "three"]);
    expect(readFileSync(join(place, "got"), "latin1")).toBe("what cadaver sends");
    expect(out).toMatch(/three +18 /);
    expect(await run(["cadaver", address], "rmcol box\nquit\n")).toContain("succeeded");
    expect(readdirSync(folder)).not.toContain("box");
  },
);

const hasRclone = Bun.which("rclone") !== null;

test.skipIf(!hasRclone)(
  `rclone copies a tree, brings it up to date and finds it the same${hasRclone ? "" : " [skipped: it is not installed]"}`,
  async () => {
    const here = join(place, "tree");
    const name = "a b %#?\u00fc.txt";
    mkdirSync(join(here, "sub"), { recursive: true });
    writeFileSync(join(here, "big"), Buffer.alloc(1_000_000, "octets"));
    writeFileSync(join(here, "sub", name), "one");
    writeFileSync(join(here, "gone"), "");
    const rclone = (...words: readonly string[]): Promise<string> =>
      run(["rclone", "--config", join(place, "none"), "--webdav-url", `http://127.0.0.1:${served.port}/`, ...words]);
    await rclone("copy", here, ":webdav:tree");
    expect(readFileSync(join(folder, "tree", "sub", name), "latin1")).toBe("one");
    rmSync(join(here, "gone"));
    writeFileSync(join(here, "sub", name), "three");
    expect(await rclone("sync", here, ":webdav:tree")).not.toContain("ERROR");
    expect(await rclone("check", "--download", here, ":webdav:tree")).toContain("2 matching files");
    expect(readdirSync(join(folder, "tree")).sort()).toEqual(["big", "sub"]);
    await rclone("moveto", ":webdav:tree/big", ":webdav:tree/sub/moved");
    await rclone("purge", ":webdav:tree/sub");
    expect(readdirSync(join(folder, "tree"))).toEqual([]);
  },
);
