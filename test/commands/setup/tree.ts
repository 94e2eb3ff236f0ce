// A root folder for setup to write into, and what is in it to the last octet.

import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setup } from "../../../src/commands/setup/setup.ts";
import { Disk } from "../../../src/commands/setup/disk.ts";
import type { Asker } from "../../../src/commands/setup/terminal.ts";

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** What ends the program at a step. */
export class Killed extends Error {}

export class Tree {
  readonly root = mkdtempSync(join(tmpdir(), "nullmodem-setup-"));

  put(path: string, text: string | Buffer, mode = 0o644, owner = 0): void {
    const at = join(this.root, path);
    mkdirSync(dirname(at), { recursive: true });
    writeFileSync(at, text);
    chmodSync(at, mode);
    if (process.getuid?.() === 0) chownSync(at, owner, owner);
  }

  text(path: string): string {
    return readFileSync(join(this.root, path), "latin1");
  }

  mode(path: string): number {
    return lstatSync(join(this.root, path)).mode & 0o7777;
  }

  remove(path = ""): void {
    rmSync(join(this.root, path), { recursive: true });
  }

  /** Throws when it is not empty. */
  removeFolder(path: string): void {
    rmdirSync(join(this.root, path));
  }

  /** Each path with its kind, mode, owner and octets. */
  snapshot(folder = ""): string[] {
    return readdirSync(join(this.root, folder))
      .toSorted()
      .flatMap((name) => {
        const path = `${folder}/${name}`;
        const { mode, uid, gid } = lstatSync(join(this.root, path));
        const line = `${path} ${mode.toString(8)} ${uid}:${gid}`;
        const isFolder = lstatSync(join(this.root, path)).isDirectory();
        return isFolder ? [line, ...this.snapshot(path)] : [`${line} ${JSON.stringify(this.text(path))}`];
      });
  }

  /** Runs setup here. With `steps`, it is killed before the step after that many. */
  async run(words: string, { asker, steps }: { asker?: Asker; steps?: number } = {}): Promise<Said> {
    let [out, err] = ["", ""];
    let left = steps ?? Infinity;
    const host = {
      asker,
      isRoot: true,
      print: (text: string) => void (out += text),
      complain: (text: string) => void (err += text),
    };
    const step = (): void => {
      if (left-- <= 0) throw new Killed();
    };
    const argv = words.split(" ").filter((word) => word !== "");
    const code = await setup([`--root=${this.root}`, ...argv], host, (root) => new Disk(root, step, () => {}));
    return { code, out, err };
  }
}
