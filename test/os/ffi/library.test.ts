import { expect, test } from "bun:test";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SOURCE = join(import.meta.dir, "../../../src/os/ffi/library.ts");

/** A library that is loaded here already, so it can be loaded. */
function realLibrary(): string {
  return /\/\S*\/libm\.so\.6$/m.exec(readFileSync("/proc/self/maps", "latin1"))![0];
}

/** The library that is opened under `name` by a process whose working directory has a library of that name. */
function openedIn(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), "library-"));
  try {
    copyFileSync(realLibrary(), join(folder, name));
    const script = `import { library } from ${JSON.stringify(SOURCE)};
      const open = library([${JSON.stringify(name)}], { cos: { args: ["f64"], returns: "f64" } });
      console.log(open()?.cos(0), await Bun.file("/proc/self/maps").text());`;
    const { stdout, stderr } = Bun.spawnSync([process.execPath, "-e", script], { cwd: folder });
    const [found, maps] = (stdout.toString() + stderr.toString()).split(/ ([^]*)/);
    return `${found}${maps?.includes(folder) ? " from the working directory" : ""}`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("the system's library is opened, not that of the working directory", () => {
  expect(openedIn("libm.so.6")).toBe("1");
});

test("a library that the system does not have is not looked for in the working directory", () => {
  expect(openedIn("libnullmodem-test.so.1")).toBe("undefined");
});
