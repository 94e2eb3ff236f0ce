import { describe, expect, test } from "bun:test";
import { circlesIn, complaintsOf, importsOf, unusedExports } from "../../scripts/imports.ts";
import { readSource } from "../../scripts/source-text.ts";

const everything = (): boolean => true;
const complaints = (file: string, text: string): string[] => complaintsOf(file, text, everything);

describe("folders", () => {
  test("a layer imports those below it and itself", () => {
    expect(complaints("link/link.ts", 'import { Lcp } from "../control/lcp.ts";\nimport "./timers.ts";\n')).toEqual([]);
    expect(complaints("main.ts", 'import { pppd } from "./applets/pppd.ts";\n')).toEqual([]);
    expect(complaints("describe/lcp-text.ts", 'import { Code } from "../wire/control.ts";\n')).toEqual([]);
  });

  test("not those above it", () => {
    expect(complaints("frame/fcs.ts", '// one\n\nimport { Link } from "../link/link.ts";\n')).toEqual([
      'src/frame/fcs.ts:3: frame/ may not import "../link/link.ts": it imports its own, bytes, crypto',
    ]);
    expect(complaints("bytes/be.ts", 'export { x } from "../os/libc.ts";')[0]).toContain("nothing but its own");
    expect(complaints("run/loop.ts", 'import "../applets/chat.ts";')).toHaveLength(1);
    expect(complaints("link/link.ts", 'import "../main.ts";')).toHaveLength(1);
  });

  test("types count, and imports at run time", () => {
    expect(complaints("chat/engine.ts", 'import type { Tty } from "../os/tty.ts";')).toHaveLength(1);
    expect(complaints("os/tty.ts", 'const x = import("../run/loop.ts");')).toHaveLength(1);
    expect(complaints("os/tty.ts", "const x = require('../run/loop.ts');")).toHaveLength(1);
  });

  test("a folder without a place", () => {
    expect(complaints("utils/x.ts", "")[0]).toContain("utils/ has no place");
  });

  test("the suffix, and files that are not there", () => {
    expect(complaints("os/tty.ts", 'import "./libc";')[0]).toBe('src/os/tty.ts:1: "./libc" does not say .ts');
    expect(complaintsOf("os/tty.ts", 'import "./gone.ts";', () => false)[0]).toContain("does not exist");
    expect(complaints("os/tty.ts", 'import "../../test/kit/rng.ts";')[0]).toContain("lies outside src/");
    expect(complaints("applets/pppd.ts", 'import info from "../../package.json";')).toEqual([]);
    expect(complaints("wire/lcp.ts", 'import info from "../../package.json";')).toHaveLength(1);
  });
});

describe("packages", () => {
  test.each([
    ["commands/setup.ts", "citty", true],
    ["run/session.ts", "consola", false],
    ["os/tty.ts", "bun:ffi", true],
    ["run/line/line.ts", "bun:ffi", false],
    ["run/line/line.ts", "node:fs", false],
    ["run/peers/tls-engine.ts", "node:crypto", false],
    ["applets/pppd.ts", "node:fs", true],
    ["wire/ip.ts", "node:fs", false],
    ["wire/ip.ts", "bun", false],
    ["crypto/digests.ts", "node:crypto", true],
    ["auth/chap-client.ts", "node:crypto", false],
    ["compress/deflate.ts", "pako", true],
    ["compress/bsd.ts", "pako", false],
    ["os/serialport.ts", "@serialport/bindings-cpp/prebuilds/x.node", true],
    ["os/serialport.ts", "left-pad", false],
  ])("%s importing %s: %p", (file, name, allowed) => {
    expect(complaints(file, `import * as x from "${name}";`)).toHaveLength(allowed ? 0 : 1);
  });
});

describe("run/ asks its Machine", () => {
  test("it does not import os/", () => {
    expect(complaints("run/line/line.ts", 'import type { Tty } from "../../os/serial/tty.ts";')).toHaveLength(1);
    expect(complaints("applets/this-machine.ts", 'import { openTty } from "../os/serial/tty.ts";')).toEqual([]);
  });

  test.each(["Date.now()", "performance.now()", "setTimeout(f, 1)", "process.pid", "Bun.sleep(1)"])(
    "nor say %s",
    (code) => {
      expect(complaints("run/line/line.ts", `const x = ${code};`)).toEqual([
        expect.stringMatching(/^src\/run\/line\/line\.ts:1: run\/ does not know /),
      ]);
    },
  );

  test("but it may wait", () => {
    expect(complaints("run/line/line.ts", "const x = async () => await new Promise(f);")).toEqual([]);
  });
});

describe("words that the core may not use", () => {
  test.each([
    "Date.now()",
    "Math.random()",
    "setTimeout(f, 1)",
    "console.log(1)",
    "process.exit()",
    "async () => 1",
    "await x",
    "Buffer.from(x)",
    "crypto.getRandomValues(x)",
    "`${Date.now()}`",
    "`a${`b${process.pid}`}`",
    "{ a: `${x}` }, Date.now()",
  ])("%s", (code) => {
    expect(complaints("wire/ip.ts", `const x = 1;\nconst y = ${code};\n`)).toHaveLength(1);
    expect(complaints("wire/ip.ts", `\nconst y = ${code};\n`)[0]).toStartWith(
      "src/wire/ip.ts:2: the core does not know ",
    );
    expect(complaints("os/tty.ts", `const y = ${code};`)).toEqual([]);
  });

  test.each([
    "// Date, async and await in a comment",
    "/* console.log() */",
    '"a process, await"',
    "`no async console`",
    "/await process/",
    "/[/] console/",
    "config.process",
    "{ process: 1 }",
    "asyncmap + updated",
    "a / b; // console\nc / d",
    "`${{ a: 1 }.a} process`",
    '"\\" process"',
  ])("but may write %s", (code) => {
    expect(complaints("wire/ip.ts", `const y = ${code}\n`)).toEqual([]);
  });
});

test("quotes keep their place, and comments keep their lines", () => {
  const { code, quoted } = readSource("a('b'); /* x\ny */ c(`d${'e'}f`)");
  expect(code).toBe("a(' ');     \n     c(` ${' '} `)");
  expect([...quoted]).toEqual([
    [2, "b"],
    [24, "e"],
  ]);
});

describe("the whole graph", () => {
  test("files that import each other in a circle are one group, whichever is asked first", () => {
    const graph = new Map([
      ["a.ts", ["b.ts", "e.ts"]],
      ["b.ts", ["c.ts"]],
      ["c.ts", ["a.ts", "d.ts"]],
      ["d.ts", []],
      ["e.ts", ["d.ts"]],
    ]);
    expect(circlesIn(graph)).toEqual([["a.ts", "b.ts", "c.ts"]]);
    expect(circlesIn(new Map([...graph].reverse()))).toEqual([["a.ts", "b.ts", "c.ts"]]);
    expect(circlesIn(new Map([...graph, ["c.ts", ["d.ts"]]]))).toEqual([]);
  });

  test("imports with the names taken", () => {
    const text = `import { type A, b as c } from "../x.ts";\nimport type { D } from "./y.ts";\nimport * as z from "./z.ts";
      const { e } = await import("./lazy.ts");\nexport { f } from "./f.ts";\n// import { no } from "./no.ts";\n`;
    expect(importsOf("one/two.ts", text)).toEqual([
      { target: "x.ts", names: ["A", "b"] },
      { target: "one/y.ts", names: ["D"] },
      { target: "one/z.ts", names: ["*"] },
      { target: "one/lazy.ts", names: ["*"] },
      { target: "one/f.ts", names: ["f"] },
    ]);
  });

  test("an export that nothing uses", () => {
    const sources = new Map([
      ["a.ts", "export const used = 1, more = 2;\nexport function idle(given: Shape): void {}\nexport class Idle {}\n"],
      ["b.ts", 'import { used } from "./a.ts";\nexport interface Dead {}\n'],
    ]);
    sources.set("a.ts", `${sources.get("a.ts")}export interface Shape {}\n`);
    const tests = new Map([["t.test.ts", 'import { idle } from "./a.ts";']]);
    expect(unusedExports(sources, tests)).toEqual(["a.ts: Idle", "b.ts: Dead"]);
    expect(unusedExports(sources, new Map())).toEqual(["a.ts: idle", "a.ts: Idle", "b.ts: Dead"]);
  });
});
