// chat as a program, and inside pppd: descriptors, files, signals, syslog.

import { describe, expect, test } from "bun:test";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { thisMachine } from "../../src/applets/this-machine.ts";
import { chat, type ChatIo } from "../../src/run/line/inside-chat.ts";
import { bytesOf, textOf } from "../../src/bytes/text.ts";
import { closeFd, libc, Memory, O, openFd } from "../../src/os/ffi/libc.ts";
import { inputQueued } from "../../src/os/serial/modem-lines.ts";
import { openPty } from "../../src/os/serial/pty.ts";
import { CC, IFLAG, LFLAG, readTermios, writeTermios } from "../../src/os/serial/termios.ts";
import { play } from "../kit/far-end.ts";
import { stopOutput } from "../kit/flow.ts";
import { PATIENCE_MS, until } from "../kit/patience.ts";

/** The octets that a terminal keeps for its reader. */
const N_TTY_BUFFER = 4096;
const OURS = [process.execPath, join(import.meta.dir, "../kit/chat-main.ts")];

/** A line inside this process, as pppd provides it: a raw pty with a non-blocking descriptor. */
async function withLine(run: (line: { master: number; io: ChatIo; stderr: () => string }) => Promise<void>) {
  const { master, slave } = openPty();
  const tty = openFd(slave, O.RDWR | O.NOCTTY | O.NONBLOCK);
  writeTermios(tty, { ...readTermios(tty), iflag: 0, oflag: 0, lflag: 0 }, "now");
  let said = "";
  const io = {
    machine: thisMachine,
    input: tty,
    output: tty,
    stderr: (bytes: Uint8Array) => void (said += textOf(bytes)),
    environment: {},
  };
  try {
    await run({ master, io, stderr: () => said });
  } finally {
    closeFd(tty);
    closeFd(master);
  }
}

function heard(fd: number): string {
  const memory = new Memory(4096);
  return textOf(memory.bytes, 0, Math.max(libc.read(fd, memory.address, 4096), 0));
}

/** Reads until `end` comes: a pty delivers a moment later than it is written to. */
async function hear(fd: number, end: string): Promise<string> {
  let text = "";
  await until(`${JSON.stringify(end)} is heard`, () => (text += heard(fd)).endsWith(end));
  return text;
}

/** Writes until the pty is full on both sides. */
async function fill(fd: number, master: number) {
  const block = new Memory(4096);
  await until("the master's buffer is full", () => {
    while (libc.write(fd, block.address, 4096) > 0);
    return inputQueued(master) >= N_TTY_BUFFER - 1;
  });
  for (let idle = 0; idle < 10; idle++) {
    while (libc.write(fd, block.address, 4096) > 0) idle = 0;
    await Bun.sleep(5);
  }
}

async function withFolder(run: (folder: string) => Promise<void>) {
  const folder = mkdtempSync(join(tmpdir(), "chat-"));
  try {
    await run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("inside pppd", () => {
  test("the HOWTO's server, on a non-blocking line, leaves what follows on it", () =>
    withLine(async ({ master, io }) => {
      const script = join(import.meta.dir, "../../fixtures/chat/winclient.chat");
      writeSync(master, bytesOf("CLIENT~\xff\x7d#"));
      expect(await chat(["-f", script], io)).toBe(0);
      expect(await hear(master, "SERVER")).toBe("CLIENTSERVER");
      expect(await hear(io.input, "#")).toBe("~\xff\x7d#");
    }));

  test("its words go where it is told, its variables come from there", () =>
    withLine(async ({ master, io, stderr }) => {
      const environment = { NUMBER: "555", ACCENT: "\u00e9" };
      const code = await chat(["-svSE", "", "AT$NUMBER$ACCENT$toString\\c", "SAY", "ready\\n\\c"], {
        ...io,
        environment,
      });
      expect(code).toBe(0);
      expect(await hear(master, "\xa9")).toBe("AT555\xc3\xa9");
      expect(stderr()).toBe("send (AT555M-CM-))\nready\n");
    }));

  test("why it failed is told: a file that is missing, a script that is wrong, a line that is no terminal", () =>
    withLine(async ({ io }) => {
      const reasons: string[] = [];
      const failing = { ...io, failed: (why: string) => void reasons.push(why) };
      expect(await chat(["-S", "-f", "nofile"], failing)).toBe(1);
      expect(await chat(["-S", "", "@/nofile"], failing)).toBe(1);

      const nowhere = openFd("/dev/null", O.RDWR);
      expect(await chat(["-S", "", "x"], { ...failing, input: nowhere })).toBe(2);
      closeFd(nowhere);
      expect(await chat(["-S", "NEVER"], { ...failing, signal: AbortSignal.abort() })).toBe(2);
      expect(reasons).toEqual([
        "failed: nofile -- open failed: No such file or directory",
        "failed: /nofile -- open failed: No such file or directory",
        "failed: Can't get terminal parameters: Inappropriate ioctl for device",
      ]);
    }));

  test("a byte order mark before a script, and before a file to be sent, is skipped", () =>
    withLine(async ({ master, io }) =>
      withFolder(async (folder) => {
        const mark = "\ufeff";
        writeFileSync(join(folder, "words"), `${mark}AT\\c\n`);
        writeFileSync(join(folder, "script"), `${mark}# a comment\n"" @${join(folder, "words")}\n`);
        expect(await chat(["-S", "-f", join(folder, "script")], io)).toBe(0);
        expect(await hear(master, "AT")).toBe("AT");
      }),
    ));

  test("an aborted signal is a SIGTERM", () =>
    withLine(async ({ io, stderr }) => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 50);
      expect(await chat(["-sS", "-t", "0", "NEVER"], { ...io, signal: controller.signal })).toBe(2);
      expect(stderr()).toBe("SIGTERM\n");
      expect(await chat(["-sS", "NEVER"], { ...io, signal: AbortSignal.abort() })).toBe(2);
    }));

  test("leaves the event loop its turn", () =>
    withLine(async ({ master, io }) => {
      setTimeout(() => writeSync(master, bytesOf("OK")), 50);
      expect(await chat(["-S", "-t", "60", "OK"], io)).toBe(0);
    }));

  test("a full line is waited for until the alarm", () =>
    withLine(async ({ master, io, stderr }) => {
      await fill(io.output, master);
      expect(await chat(["-svS", "-t", "1", "", "AT"], io)).toBe(1);
      expect(stderr()).toBe("send (AT^M)\nalarm\n -- write timed out\nFailed\n");
      setTimeout(() => {
        while (heard(master) !== "");
      }, 50);
      expect(await chat(["-S", "-t", "60", "", "AT"], io)).toBe(0);
      expect(await hear(master, "AT\r")).toEndWith("AT\r");
    }));

  test("takes no signal handler of the process", () =>
    withLine(async ({ io }) => {
      const before = process.listenerCount("SIGTERM");
      const running = chat(["-S", "-t", "1", "NEVER"], io);
      expect(process.listenerCount("SIGTERM")).toBe(before);
      expect(await running).toBe(3);
    }));

  test("BREAK on a line", () =>
    withLine(async ({ master, io }) => {
      expect(await chat(["-S", "", "BREAK", "", "x"], io)).toBe(0);
      expect(await hear(master, "x\r")).toBe("x\r");
    }));
});

describe("the terminal", () => {
  test("is raw while chat runs and as it was afterwards, however it ends", async () => {
    for (const signal of [undefined, "SIGTERM"] as const) {
      const step = { on: "a", look: true as const, ...(signal ? { afterMs: 50, signal } : { say: "OK" }) };
      const { before, during, after } = await play(OURS, { argv: ["", "a\\c", "OK"], far: [step], cooked: true });
      expect(before.lflag & LFLAG.ICANON).not.toBe(0);
      expect(during).toMatchObject([{ oflag: 0, lflag: 0, cflag: before.cflag, ospeed: before.ospeed }]);
      expect(during[0]!.iflag).toBe(before.iflag | IFLAG.IGNBRK | IFLAG.IGNPAR);
      expect([CC.VERASE, CC.VKILL, CC.VTIME, CC.VMIN].map((at) => during[0]!.cc[at])).toEqual([0, 0, 0, 1]);
      expect(after).toEqual(before);
    }
  });

  test(
    "that is full does not hold a blocking write beyond the alarm",
    () =>
      withLine(async ({ master, io }) => {
        const slave = readlinkSync(`/proc/self/fd/${io.output}`);
        await fill(io.output, master);
        const blocking = openSync(slave, O.RDWR | O.NOCTTY);
        const child = Bun.spawn([...OURS, "-s", "-t", "1", "", "AT"], { stdio: [blocking, blocking, "pipe"] });
        closeSync(blocking);
        const exitCode = await Promise.race([child.exited, Bun.sleep(PATIENCE_MS)]);
        child.kill("SIGKILL");
        expect([exitCode, await new Response(child.stderr).text()]).toEqual([1, "Failed\n"]);
      }),
    2 * PATIENCE_MS,
  );
});

describe("flow control that holds the line up for good", () => {
  for (const [what, words, code] of [
    ["a word", ["AT"], 1],
    ["a break", ["BREAK", "", "AT"], 1],
    ["the last word, not sent at all", ["a\\c"], 1],
  ] as const)
    test(`${what} does not keep chat beyond its alarm`, () =>
      withLine(async ({ io }) => {
        const blocking = openSync(readlinkSync(`/proc/self/fd/${io.output}`), O.RDWR | O.NOCTTY);
        stopOutput(blocking);
        const child = Bun.spawn([...OURS, "-s", "-t", "1", "", ...words], { stdio: [blocking, blocking, "pipe"] });
        closeSync(blocking);
        const exitCode = await Promise.race([child.exited, Bun.sleep(PATIENCE_MS)]);
        child.kill("SIGKILL");
        expect(exitCode).toBe(code);
      }));

  test("a signal ends it at once", () =>
    withLine(async ({ io }) => {
      const blocking = openSync(readlinkSync(`/proc/self/fd/${io.output}`), O.RDWR | O.NOCTTY);
      stopOutput(blocking);
      const child = Bun.spawn([...OURS, "-vs", "-t", "100", "", "AT"], { stdio: [blocking, blocking, "pipe"] });
      closeSync(blocking);
      await child.stderr.getReader().read(); // send (AT^M)
      child.kill("SIGTERM");
      const exitCode = await Promise.race([child.exited, Bun.sleep(PATIENCE_MS)]);
      child.kill("SIGKILL");
      expect(exitCode).toBe(2);
    }));
});

describe("@file", () => {
  test("a FIFO is waited for", () =>
    withFolder(async (folder) => {
      const fifo = join(folder, "fifo");
      Bun.spawnSync(["mkfifo", fifo]);
      await withLine(async ({ master, io }) => {
        const running = chat(["-S", "-t", "60", "", "PIN\\c", "", `@${fifo}`, "OK"], io);
        expect(await hear(master, "PIN")).toBe("PIN");
        const writer = Bun.spawn(["/bin/sh", "-c", `printf 12 >"$0"`, fifo]);
        await writer.exited;
        expect(await hear(master, "\r")).toBe("12\r");
        writeSync(master, bytesOf("OK"));
        expect(await running).toBe(0);
      });
    }));

  test("a signal ends the wait for a FIFO", () =>
    withFolder(async (folder) => {
      Bun.spawnSync(["mkfifo", join(folder, "fifo")]);
      const argv = ["-s", "", "a", "", `@${folder}/fifo`];
      const seen = await play(OURS, { argv, far: [{ on: "a\r", afterMs: 50, signal: "SIGTERM" }] });
      expect(seen).toMatchObject({ code: 2, stderr: "SIGTERM\n", sent: "a\r" });
    }));

  test("a name that is not ASCII", () =>
    withFolder(async (folder) => {
      const path = join(folder, "\u00fc");
      writeFileSync(path, "word\\sword\n");
      const file = `'' @${textOf(Buffer.from(path))}\n`;
      expect(await play(OURS, { argv: ["-f", "%FILE%"], file })).toMatchObject({ code: 0, sent: "word word\r" });
    }));
});

describe("the program", () => {
  test("usage", async () => {
    const seen = await play(OURS, { argv: ["-x"] });
    expect(seen).toMatchObject({
      code: 1,
      stderr:
        "Usage: chat [-e] [-E] [-v] [-V] [-t timeout] [-r report-file]\n" +
        "     [-T phone-number] [-U phone-number2] {-f chat-file | chat-script}\n",
    });
  });

  test("report lines carry the time they were matched, as 2.4.9 writes it", () =>
    withLine(async ({ master, io, stderr }) => {
      writeSync(master, bytesOf("CONN 9600\nOK"));
      const before = Date.now();
      expect(await chat(["-S", "REPORT", "CONN", "OK"], io)).toBe(0);
      const [, date] = /^chat: {2}(\w{3} \d\d \d\d:\d\d:\d\d) CONN 9600\n$/.exec(stderr()) ?? [];
      const time = Date.parse(`${date} ${new Date(before).getFullYear()}`);
      expect(time).toBeGreaterThan(before - 1001);
      expect(time).toBeLessThanOrEqual(Date.now());
    }));

  test("a report file is appended to", () =>
    withFolder(async (folder) => {
      const path = join(folder, "report");
      for (const round of [1, 2])
        await withLine(async ({ master, io }) => {
          writeSync(master, bytesOf(`CONN ${round}\nOK`));
          expect(await chat(["-S", "-v", "-r", path, "REPORT", "CONN", "OK"], io)).toBe(0);
        });
      const lines = readFileSync(path, "utf8").replace(/\w{3} \d\d \d\d:\d\d:\d\d/g, "DATE");
      const once = (round: number) => `Opening "${path}"...\nchat:  DATE CONN ${round}\nClosing "${path}".\n`;
      expect(lines).toBe(once(1) + once(2));
    }));
});
