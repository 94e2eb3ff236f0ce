import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { u32 } from "../../../src/bytes/be.ts";
import { thisMachine } from "../../../src/applets/this-machine.ts";
import { Log } from "../../../src/os/log/log-writer.ts";
import { Syslog } from "../../../src/os/log/syslog-client.ts";
import { RTT_FILE_SIZE } from "../../../src/record/rtt-file.ts";
import { RttFile } from "../../../src/run/live/rtt-recorder.ts";

function log(): { log: Log; said: string[] } {
  const said: string[] = [];
  const made = new Log(new Syslog("pppd", "local2", { pid: true, path: "/nonexistent" }), undefined, true);
  made.write = (_level, text) => void said.push(text);
  return { log: made, said };
}

test("the file follows the link: open, answers, closed, and open again with what it held", () => {
  const folder = mkdtempSync(join(tmpdir(), "rtt-"));
  try {
    const path = join(folder, "rtt");
    const file = new RttFile(path, thisMachine, log().log);
    const header = (index: number): number => u32(readFileSync(path), 4 * index);
    file.up(5);
    expect([statSync(path).size, header(1), header(2), header(3)]).toEqual([RTT_FILE_SIZE, 1, 0, 5]);
    file.answered(1500, 2);
    const bytes = readFileSync(path);
    expect(u32(bytes, 24)).toBeGreaterThan(1_700_000_000);
    expect([header(2), u32(bytes, 28)]).toEqual([2, (2 << 24) | 1500]);
    file.down();
    file.answered(1500, 0);
    expect([header(1), header(2)]).toEqual([0, 2]);
    file.up(5);
    file.answered(70, 0);
    expect([header(1), header(2), u32(readFileSync(path), 36)]).toEqual([1, 4, 70]);
    file.down();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a file that cannot be made causes a line in the log and nothing else", () => {
  const { log: to, said } = log();
  const file = new RttFile("/nonexistent/rtt", thisMachine, to);
  file.up(5);
  file.answered(1, 0);
  file.down();
  expect(said).toEqual(["Can't open the RTT log file /nonexistent/rtt: No such file or directory"]);
});
