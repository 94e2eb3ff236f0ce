// The control socket of a process: who may connect, clients that leave, stall or stop, and what is left of it.

import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Caller, ControlSocket, type Wire } from "../../../src/os/net/control-socket.ts";
import { until } from "../../kit/patience.ts";

let folder = "";
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "nullmodem-control-"))));
afterEach(() => rmSync(folder, { recursive: true }));

/** Notes what comes from one program. */
class Program implements Caller {
  readonly wire: Wire;
  heard = "";
  drains = 0;
  hasFinished = false;
  isGone = false;

  constructor(wire: Wire) {
    this.wire = wire;
  }

  received(bytes: Uint8Array): void {
    this.heard += new TextDecoder().decode(bytes);
  }

  drained(): void {
    this.drains++;
  }

  finished(): void {
    this.hasFinished = true;
  }

  close(): void {
    this.isGone = true;
  }
}

function open(name = "nullmodem-1.ctl") {
  const programs: Program[] = [];
  const path = join(folder, name);
  const socket = new ControlSocket(path, (wire) => {
    const program = new Program(wire);
    programs.push(program);
    return program;
  });
  return { path, socket, programs };
}

function connect(path: string) {
  let said = "";
  let hasEnded = false;
  const socket = Bun.connect({
    unix: path,
    socket: {
      data: (_, bytes) => void (said += new TextDecoder().decode(bytes)),
      close: () => void (hasEnded = true),
      end: () => void (hasEnded = true),
    },
  });
  return {
    socket,
    get said() {
      return said;
    },
    get hasEnded() {
      return hasEnded;
    },
  };
}

const mode = (path: string): number => statSync(path).mode & 0o777;

test("only the owner may connect, until a group is allowed to; closing removes it", () => {
  const before = process.umask(0);
  try {
    const { path, socket } = open();
    expect(mode(path)).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["nullmodem-1.ctl"]);
    const group = process.getgid!();
    socket.allow(group);
    expect([mode(path), statSync(path).gid]).toEqual([0o660, group]);
    socket.close();
    socket.close();
    expect(existsSync(path)).toBe(false);
  } finally {
    process.umask(before);
  }
});

test("a socket that another process has put in its place stays", () => {
  const { path, socket } = open();
  rmSync(path);
  writeFileSync(path, "");
  socket.close();
  expect(existsSync(path)).toBe(true);
});

test("it takes the place of one that a killed process has left", () => {
  writeFileSync(join(folder, "nullmodem-1.ctl"), "");
  writeFileSync(join(folder, "nullmodem-1.ctl.new"), "");
  const { path, socket } = open();
  expect(statSync(path).isSocket()).toBe(true);
  socket.close();
  expect(readdirSync(folder)).toEqual([]);
});

test("the user of a program is known, and what it says and gets goes through", async () => {
  const { path, socket, programs } = open();
  const client = connect(path);
  await client.socket.then((one) => one.write("hello"));
  await until("it is heard", () => programs[0]?.heard === "hello");
  expect(programs[0]!.wire.user).toBe(`uid ${process.getuid!()}`);
  expect(programs[0]!.wire.write(new TextEncoder().encode("answer"))).toBe(6);
  programs[0]!.wire.close();
  await until("it is answered", () => client.said === "answer" && client.hasEnded);
  await until("it is gone", () => programs[0]!.isGone);
  socket.close();
});

test("a program that leaves is gone, also when nothing is sent to it", async () => {
  const { path, socket, programs } = open();
  const client = connect(path);
  await client.socket.then((one) => one.write("x"));
  await until("it is heard", () => programs[0]?.heard === "x");
  await client.socket.then((one) => one.terminate());
  await until("it is gone", () => programs[0]!.isGone);
  expect(programs[0]!.wire.write(new Uint8Array(10))).toBeLessThan(1);
  socket.close();
});

const noSocat = Bun.which("socat") === null ? "no socat (Debian package socat)" : undefined;
const halfClosed = `a program that only ends what it says still reads${noSocat === undefined ? "" : ` [skipped: ${noSocat}]`}`;
test.skipIf(noSocat !== undefined)(halfClosed, async () => {
  const { path, socket, programs } = open();
  const client = Bun.spawn(["socat", "-t", "60", "-", `UNIX-CONNECT:${path}`], { stdin: "pipe", stdout: "pipe" });
  client.stdin.write("x");
  await client.stdin.end();
  await until("it has ended its side", () => programs[0]?.hasFinished === true);
  expect(programs[0]!.isGone).toBe(false);
  programs[0]!.wire.write(new TextEncoder().encode("late answer"));
  programs[0]!.wire.close();
  expect(await new Response(client.stdout).text()).toBe("late answer");
  socket.close();
});

test("a write to a program that does not read takes a part, and tells when there is room again", async () => {
  const { path, socket, programs } = open();
  let read = 0;
  const client = await Bun.connect({
    unix: path,
    socket: { open: (one) => one.pause(), data: (_, bytes) => void (read += bytes.length) },
  });
  await until("it is connected", () => programs.length === 1);
  const much = new Uint8Array(4 << 20);
  const taken = programs[0]!.wire.write(much);
  expect(taken).toBeWithin(1, much.length);
  client.resume();
  await until("there is room", () => programs[0]!.drains > 0);
  await until("all is read", () => read >= taken);
  client.terminate();
  socket.close();
});
