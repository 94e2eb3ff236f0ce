// The keys h and c of status --watch reach the link that was chosen, and no other of its name.

import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { linkCommands } from "../../../src/commands/watch/link-commands.ts";
import { ControlSocket } from "../../../src/os/net/control-socket.ts";
import { FULL_STATUS } from "../full-status.ts";

let folder = "";
const sockets: ControlSocket[] = [];
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "nullmodem-keys-"))));
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
  rmSync(folder, { recursive: true });
});

/** A process with the link ppp0. Returns the verbs that it was asked for, but for that which lists its links. */
function processWithLink(pid: number): string[] {
  const verbs: string[] = [];
  const place = { interface: "ppp0", device: "/dev/null", place: "/dev/null", state: "network", pid, namespace: "" };
  const socket = new ControlSocket(join(folder, `nullmodem-${pid}.ctl`), (wire) => ({
    received(bytes) {
      const { verb } = JSON.parse(new TextDecoder().decode(bytes)) as { verb: string };
      if (verb !== "links") verbs.push(verb);
      wire.write(new TextEncoder().encode(`${JSON.stringify({ ok: true, links: [place] })}\n`));
      wire.close();
    },
    drained: () => {},
    finished: () => {},
    close: () => {},
  }));
  sockets.push(socket);
  return verbs;
}

const commands = () => linkCommands([folder]);

test("h hangs up the link of the process that was chosen", async () => {
  const [other, chosen] = [processWithLink(9000001), processWithLink(9000002)];
  expect(await commands().hangUp({ ...FULL_STATUS, pid: 9000002 })).toBe("ppp0 hangs up");
  expect([other, chosen]).toEqual([[], ["hangup"]]);
});

test("a link that has ended takes no other of its name with it", async () => {
  const other = processWithLink(9000001);
  const ended = { ...FULL_STATUS, pid: 9000002 };
  expect(await commands().hangUp(ended)).toBe("ppp0 of process 9000002 has ended");
  await expect(commands().capture(ended, () => {})).rejects.toThrow("ppp0 of process 9000002 has ended");
  expect(other).toEqual([]);
});
