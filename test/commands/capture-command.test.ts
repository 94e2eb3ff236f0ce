// nullmodem capture --file: when the file is opened, who may read it, and what happens when it cannot be written.

import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { capture } from "../../src/commands/capture/capture-command.ts";
import { ControlSocket } from "../../src/os/net/control-socket.ts";
import { networkNamespace } from "../../src/os/net/namespace.ts";
import { interfaceBlock, sectionBlock } from "../../src/record/pcapng.ts";
import { PATIENCE_MS, until } from "../kit/patience.ts";

const HEAD = Buffer.concat([sectionBlock(), interfaceBlock("ttyS0", "x")]);
const STREAM = '{"ok":true,"stream":true}\n';

let folder = "";
let socket: ControlSocket | undefined;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "nullmodem-capture-"))));
afterEach(() => {
  socket?.close();
  rmSync(folder, { recursive: true });
});

/** A process with the link ppp0 that answers capture with this. `left` counts the programs that have left while it streamed. */
function link(answer: string, isOver: boolean) {
  const seen = { left: 0 };
  socket = new ControlSocket(join(folder, "nullmodem-1.ctl"), (wire) => {
    let isStreaming = false;
    return {
      received(bytes) {
        const { verb } = JSON.parse(new TextDecoder().decode(bytes)) as { verb: string };
        isStreaming = verb === "capture";
        const place = { interface: "ppp0", device: "/dev/null", place: "/dev/null", state: "network", pid: 1 };
        const links = [{ ...place, namespace: networkNamespace() }];
        wire.write(Buffer.from(isStreaming ? answer : `${JSON.stringify({ ok: true, links })}\n`));
        if (isStreaming && answer === STREAM) wire.write(HEAD);
        if (isOver) wire.close();
      },
      drained: () => {},
      finished: () => void (seen.left += Number(isStreaming)),
      close: () => void (seen.left += Number(isStreaming)),
    };
  });
  return seen;
}

const captureTo = (path: string): Promise<number> =>
  capture(["ppp0", "--file", path], { directories: () => [folder], patienceMs: PATIENCE_MS });

test("a link that refuses leaves the file as it was", async () => {
  link('{"ok":false,"error":"There is no link ppp0"}\n', true);
  const path = join(folder, "a.pcapng");
  writeFileSync(path, "an older capture");
  expect(await captureTo(path)).toBe(1);
  expect(readFileSync(path, "utf8")).toBe("an older capture");
});

test("a file that others may read is closed to them before packets are written", async () => {
  link(STREAM, true);
  const path = join(folder, "a.pcapng");
  writeFileSync(path, "x".repeat(1000), { mode: 0o644 });
  expect(await captureTo(path)).toBe(0);
  expect(readFileSync(path).equals(HEAD)).toBe(true);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("a disk that is full ends the capture at the link too", async () => {
  const seen = link(STREAM, false);
  expect(await captureTo("/dev/full")).toBe(1);
  await until("the link knows", () => seen.left > 0);
});
