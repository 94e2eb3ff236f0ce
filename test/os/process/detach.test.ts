import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { compile } from "../../../scripts/build.ts";
import { closeFd } from "../../../src/os/ffi/libc.ts";
import { openPty } from "../../../src/os/serial/pty.ts";
import { PATIENCE_MS, until } from "../../kit/patience.ts";

const PROGRAM = resolve(import.meta.dir, "../../kit/host-program.ts");

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "nullmodem-detach-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** The child continues after its parent. Its log is complete when it has a line. */
async function awaitLine(path: string): Promise<string> {
  await until(`a line in ${path}`, () => readFileSync(path, "utf8").endsWith("\n"));
  return readFileSync(path, "utf8").trimEnd();
}

function cases(command: () => string[], name: string): void {
  let nth = 0;

  async function run(mode: string, code = 0) {
    const path = join(directory, `${name}-${nth++}.log`);
    const log = openSync(path, "w");
    const program = Bun.spawn([...command(), "detach", mode, "3", String(code)], {
      argv0: "pppd",
      cwd: directory,
      env: { PATH: process.env["PATH"], HOME: directory },
      stdio: ["ignore", "pipe", "inherit", log],
    });
    closeSync(log);
    return { program, path };
  }

  test("in the background at once: the parent exits with 0, and the child prints nothing", async () => {
    const { program, path } = await run("background");
    expect(await program.exited).toBe(0);
    const line = JSON.parse(await awaitLine(path));
    expect(await new Response(program.stdout).text()).toMatch(/^child \d+\n$/);
    expect(line).toEqual({
      ownSession: true,
      argv0: "pppd",
      args: ["detach", "background", "3", "0"],
      comm: "pppd",
      cwd: "/",
      mark: [],
      stdio: ["/dev/null", "/dev/null", "/dev/null"],
    });
  });

  test("until up: what the child prints is shown, then the parent exits with 0", async () => {
    const { program, path } = await run("up");
    expect(await program.exited).toBe(0);
    // The child may write before its parent reports that it has started it.
    const said = (await new Response(program.stdout).text()).split("\n").sort();
    expect(said).toEqual(["", expect.stringMatching(/^child \d+$/), "starting"]);
    const line = JSON.parse(await awaitLine(path));
    expect(line.stdio).toEqual(["/dev/null", "/dev/null", "/dev/null"]);
    expect(line.cwd).toBe("/");
  });

  test("until up: the child's exit code is the parent's", async () => {
    expect(await (await run("fail", 16)).program.exited).toBe(16);
    expect(await (await run("fail", 0)).program.exited).toBe(0);
    expect(await (await run("killed")).program.exited).toBe(137);
  });

  test("until up: a signal to the waiting parent is passed to the child", async () => {
    const { program } = await run("wait");
    let heard = "";
    for await (const piece of program.stdout.pipeThrough(new TextDecoderStream())) {
      heard += piece;
      if (heard.includes("waiting") && heard.includes("child")) break;
    }
    program.kill("SIGTERM");
    expect(await program.exited).toBe(5);
  });
}

test("the handlers that pass a signal on are installed before the child starts", () => {
  const program = `
    import { spawnDetached } from ${JSON.stringify(resolve(import.meta.dir, "../../../src/os/process/detach.ts"))};
    // The child's arguments are put together just before it is started.
    const env = { get NOW() { return String(["SIGTERM", "SIGINT", "SIGHUP"].map((name) => process.listenerCount(name))); } };
    if (process.env.NOW !== undefined) process.exit(0);
    const seen = { ...env };
    process.stdout.write(seen.NOW + " ");
    spawnDetached({ args: [], untilUp: true, env: new Proxy(env, { get: (_, name) => (process.stdout.write(env.NOW), "") }) });
    process.exit(0);
  `;
  const path = join(directory, "early.ts");
  writeFileSync(path, program);
  const { stdout } = Bun.spawnSync([process.execPath, path], { env: { PATH: process.env["PATH"] } });
  expect(stdout.toString()).toBe("0,0,0 1,1,1");
});

describe("run by bun", () => cases(() => [process.execPath, PROGRAM], "bun"));

describe("compiled", () => {
  let executable = "";
  beforeAll(() => {
    executable = join(directory, "program");
    expect(compile(executable, undefined, PROGRAM)).toBe(0);
  }, 5 * PATIENCE_MS);

  cases(() => [executable], "compiled");

  function speedOf(env: Record<string, string>): unknown {
    const { master, slave } = openPty();
    const { stdout, stderr } = Bun.spawnSync([executable, "tty", slave], { env, cwd: directory });
    closeFd(master);
    if (stderr.length > 0) throw new Error(stderr.toString());
    return JSON.parse(stdout.toString());
  }

  test("the serial addon is inside the executable", () => {
    expect(speedOf({ TMPDIR: directory })).toEqual({ addon: true, speed: 31250 });
  });

  test("the serial addon is loaded without being unpacked to a file", () => {
    expect(speedOf({ TMPDIR: "/nonexistent" })).toEqual({ addon: true, speed: 31250 });
  });
});
