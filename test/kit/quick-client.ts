// A client for tests: it waits for nothing longer than it must, and says nothing.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, PATIENCE, type Watcher } from "../../src/transfer/client.ts";

export function quickClient(port: number, settings: Partial<Watcher & { giveUpMs: number }> = {}): Client {
  const { waiting = () => undefined, moving = () => undefined, giveUpMs = 60_000 } = settings;
  const patience = { ...PATIENCE, tickMs: 5, quietMs: 40, answerMs: 200, retryMs: 1, connectMs: 500, giveUpMs };
  return new Client({ host: "127.0.0.1", port, isSecure: false }, {}, patience, { waiting, moving });
}

/** Runs `act` with an empty folder, and removes it. */
export async function inFolder(act: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "nullmodem-transfer-"));
  try {
    await act(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
