// Where pid files and the status of a process are.

import { afterAll, expect, test } from "bun:test";
import { chmodSync, chownSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runDirectories } from "../../src/applets/run-directory.ts";
import { asStranger, PUBLIC_ROOT } from "../kit/stranger.ts";

const folder = mkdtempSync(join(tmpdir(), "nullmodem-run-"));
chmodSync(folder, 0o755);
afterAll(() => rmSync(folder, { recursive: true }));

const why = process.getuid?.() === 0 && Bun.which("setpriv") !== null ? undefined : "needs root and setpriv";

test.skipIf(why !== undefined)(
  `an ordinary user has a folder of his own, if it is his and no rights are lent to him${why ? ` [skipped: ${why}]` : ""}`,
  () => {
    const source = `console.log((await import("${PUBLIC_ROOT}/src/applets/run-directory.ts")).runDirectories().join())`;
    const said = (XDG_RUNTIME_DIR: string, ...rights: readonly string[]): string =>
      Bun.spawnSync([...asStranger(rights), process.execPath, "-e", source], {
        env: { ...process.env, HOME: folder, XDG_RUNTIME_DIR },
      })
        .stdout.toString()
        .trim();
    expect(said(folder)).toBe("/var/run");
    chownSync(folder, 65534, 65534);
    expect(said(folder)).toBe(`/var/run,${folder}`);
    expect(said("relative")).toBe("/var/run");
    expect(said(`${folder}/none`)).toBe("/var/run");
    expect(said(folder, "--inh-caps=+net_admin", "--ambient-caps=+net_admin")).toBe("/var/run");
    expect(runDirectories()).toEqual(["/var/run"]);
  },
);
