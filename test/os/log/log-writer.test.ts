import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closeFd, O, openFd } from "../../../src/os/ffi/libc.ts";
import { Log } from "../../../src/os/log/log-writer.ts";
import { drainOutboxes } from "../../../src/os/log/outbox.ts";
import { Syslog } from "../../../src/os/log/syslog-client.ts";
import { PATIENCE_MS } from "../../kit/patience.ts";

const folder = mkdtempSync(join(tmpdir(), "nullmodem-log-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("a line is one line, and does nothing to the terminal it is read on", () => {
  const path = join(folder, "log");
  const fd = openFd(path, O.WRONLY | O.CREAT, 0o600);
  const log = new Log(new Syslog("pppd", "local2", { pid: true, path: "/nonexistent" }), fd, false);
  // Octets of a peer, as Samba's helper or PAM may pass them on.
  log.write("notice", "unrecognised input - \x1b]0;owned\x07\x1b[2J\r\nExit.\x7f\x9b2J\u{202e}\udce9");
  log.write("notice", "nodetach\t\t# (from été)");
  drainOutboxes(PATIENCE_MS);
  expect(readFileSync(path, "utf8")).toBe(
    "unrecognised input - \\x1b]0;owned\\x07\\x1b[2J\\x0d\\x0aExit.\\x7f\\xc2\\x9b2J\\xe2\\x80\\xae\\xe9\nnodetach\t\t# (from été)\n",
  );
  log.dropFd();
  closeFd(fd);
});
