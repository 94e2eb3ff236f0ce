// What tells a process from another one of the same number.

import { expect, test } from "bun:test";
import { processIdentity } from "../../../src/os/process/process-start.ts";

test("a process that runs has the same identity each time, another one has another, and one that has ended has none", async () => {
  const child = Bun.spawn(["sleep", "60"], { stdio: ["ignore", "ignore", "ignore"] });
  const ours = processIdentity(process.pid);
  const theirs = processIdentity(child.pid);
  expect(ours).toMatch(/^[\da-f-]{36}\/\d+$/);
  expect(processIdentity(process.pid)).toBe(ours!);
  expect(theirs).not.toBe(ours);
  child.kill();
  await child.exited;
  expect(processIdentity(child.pid)).toBeUndefined();
});
