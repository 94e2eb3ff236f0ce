// nullmodem join as an executable: its help, wrong words, and the password that it asks for on a terminal.

import { expect, test } from "bun:test";
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { built } from "../kit/program.ts";

function run(argv: readonly string[], input = ""): { status: number | null; stdout: string; stderr: string } {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...argv], {
    stdin: Buffer.from(input),
    stdout: "pipe",
    stderr: "pipe",
  });
  return { status: exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

test("it explains itself, and names wrong words", () => {
  expect(run([built(), "join", "--help"])).toMatchObject({
    status: 0,
    stdout: expect.stringContaining("nullmodem join ttyS0"),
  });
  expect(run([built(), "join", "--sped"])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('no option "--sped"'),
  });
  const unreadable = run([built(), "join", "ttyS0", "--user", "zaphod", "--password-file", "/nosuch", "--", "usernet"]);
  const reason = "cannot read the password from /nosuch: No such file or directory";
  expect(unreadable).toMatchObject({ status: 2, stderr: expect.stringContaining(reason) });
  const file = run([built(), "join", "/etc/passwd", "--", "usernet"]);
  expect(file).toMatchObject({ status: 2, stderr: expect.stringContaining("/etc/passwd is not a serial port") });
});

const setpriv = process.getuid?.() === 0 ? Bun.which("setpriv") : null;
test.skipIf(setpriv === null)("an ordinary user is told to use sudo, and not of an option he has not given", () => {
  const folder = mkdtempSync(join(tmpdir(), "nullmodem-join-"));
  try {
    chmodSync(folder, 0o755);
    const copy = join(folder, "nullmodem");
    copyFileSync(built(), copy);
    const user = [setpriv!, "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    expect(run([...user, copy, "join", "/dev/null"])).toMatchObject({
      status: 3,
      stderr: expect.stringContaining("sudo nullmodem join"),
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const script = Bun.which("script");
const PROMPT = "Password for zaphod (Return: the one in pap-secrets): ";

/** Types the answer when the prompt is there. Returns what was on the terminal. */
async function answer(text: string): Promise<string> {
  const command = `${built()} join /dev/null --user zaphod -- dryrun dump`;
  const child = Bun.spawn([script!, "-qec", command, "/dev/null"], { stdio: ["pipe", "pipe", "inherit"] });
  let said = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    const before = said;
    said += chunk;
    if (before.includes(PROMPT) || !said.includes(PROMPT)) continue;
    child.stdin.write(text);
    await child.stdin.flush();
  }
  expect(await child.exited).toBe(0);
  return said;
}

test.skipIf(script === null)(
  "a password is asked for without echo, and Return means the one in pap-secrets",
  async () => {
    const said = await answer("gargleBlaster\n");
    expect(said).toContain("passwordfd.so");
    expect(said).not.toContain("gargle");
    expect(await answer("\n")).not.toContain("passwordfd.so");
  },
);
