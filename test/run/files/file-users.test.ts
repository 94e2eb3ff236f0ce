import { expect, test } from "bun:test";
import { closedSecrets, fileUsers } from "../../../src/run/files/file-users.ts";
import type { Machine } from "../../../src/run/machine.ts";
import { SimulatedError } from "../../simulation/errors.ts";

const SECRETS = { papSecrets: "/etc/ppp/pap-secrets", chapSecrets: "/etc/ppp/chap-secrets", name: "here" };

function filesThatFail(code: "EACCES" | "ENOENT"): Pick<Machine, "files"> {
  const read = (path: string): never => {
    throw new SimulatedError("open", path, code);
  };
  return { files: { read } as unknown as Machine["files"] };
}

test("secrets that this process may not read are named, and those that are not there are not", () => {
  expect(fileUsers(filesThatFail("EACCES"), SECRETS)).toEqual([]);
  expect(closedSecrets(filesThatFail("EACCES"), SECRETS)).toBe("/etc/ppp/pap-secrets");
  expect(closedSecrets(filesThatFail("ENOENT"), SECRETS)).toBeUndefined();
});
