// A pppd that does not share loads nothing of what makes the kernel share: it is imported only when it is needed.

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const SOURCES = join(import.meta.dir, "../../../src");

/** The files that are loaded with this one, without those of later imports. */
function loadedWith(file: string): Set<string> {
  const transpiler = new Bun.Transpiler({ loader: "ts" });
  const found = new Set([join(SOURCES, file)]);
  for (const path of found)
    for (const { path: to, kind } of transpiler.scanImports(readFileSync(path, "utf8")))
      if (kind === "import-statement" && to.startsWith(".")) found.add(join(dirname(path), to));
  return new Set([...found].map((path) => path.slice(SOURCES.length + 1)));
}

test("pppd loads no maker of rules at its start, and with the services of a session that shares it does", () => {
  const makers = ["kernel-sharing", "packet-filter", "nft-rules", "iptables-rules", "firewalld", "blocking-rule"];
  const loaded = (file: string): string[] => {
    const files = loadedWith(file);
    return makers.filter((name) => files.has(`run/share/${name}.ts`));
  };
  expect(loaded("applets/pppd.ts")).toEqual([]);
  expect(loaded("run/session/session.ts")).toEqual([]);
  expect(loaded("run/share/session-services.ts")).toEqual(makers);
});
