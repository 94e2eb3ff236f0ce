// The share folder: what tar makes of the stick's archive, and that the shells find each program by its name in it.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shareFiles } from "../../scripts/share-files.ts";
import { tarOf } from "../../scripts/stick/tar-archive.ts";
import { APPLETS } from "../../src/applets/applets.ts";

let folder = "";
let files = new Map<string, string>();
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "nullmodem-share-"));
  files = await shareFiles();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PROGRAMS = ["nullmodem", ...Object.keys(APPLETS)];
const absent = ["tar", "bash", "fish"].filter((name) => Bun.which(name) === null);

test.skipIf(absent.length > 0)(
  `the archive is unpacked by tar, and bash and fish know each program${absent.map((name) => ` [skipped: no ${name}]`).join("")}`,
  () => {
    const share = join(folder, "share");
    mkdirSync(share);
    const archive = tarOf(files);
    expect(Buffer.from(tarOf(new Map([...files].reverse()))).equals(archive)).toBe(true);
    expect(Bun.spawnSync(["tar", "-xf", "-"], { cwd: share, stdin: archive }).exitCode).toBe(0);
    for (const [name, text] of files)
      expect([name, readFileSync(join(share, name), "utf8") === text]).toEqual([name, true]);
    for (const name of PROGRAMS) {
      const bash = `. ${share}/bash-completion/completions/${name} && complete -p ${name}`;
      const found = Bun.spawnSync(["bash", "--norc", "-c", bash]).stdout.toString();
      expect(found).toBe(`complete -F _nullmodem ${name}\n`);
      const fish = `source ${share}/fish/vendor_completions.d/${name}.fish; complete -c ${name}`;
      const shown = Bun.spawnSync(["fish", "--no-config", "-c", fish], { env: { ...process.env, HOME: folder } });
      expect(shown.stdout.toString()).toContain("__nullmodem_complete");
      expect(files.get("zsh/site-functions/_nullmodem")!.split("\n")[0]).toContain(` ${name}`);
    }
  },
);

test("a page of each program is there", () => {
  const pages = [...files.keys()]
    .filter((name) => name.startsWith("man/"))
    .map((name) => name.replace(/.*\/|\.\d$/g, ""));
  expect(pages.sort()).toEqual(["chat", "nullmodem", "nullmodem-options", "pon", "pppd", "pppdump", "pppstats"].sort());
});
