// The file of the history stays small, and loses no line of another process.

import { expect, test } from "bun:test";
import { HistoryFile, historyPaths } from "../../../src/run/history/history-file.ts";
import type { SessionRecord } from "../../../src/record/session-record.ts";

const RECORD: SessionRecord = { began: 1, pid: 1, device: "/dev/ttyS0", seconds: 1, in: 0, out: 0, bad: 0 };

/** `looked` is called after a size was read. */
function machine(
  closed: readonly string[] = [],
  { files = new Map<string, string>(), pid = 1, looked = (_path: string): void => {} } = {},
) {
  const open = new Map<number, string>();
  const folders = new Set<string>();
  const host = {
    files: {
      size: (path: string) => {
        const length = files.get(path)?.length ?? 0;
        looked(path);
        return length;
      },
      makeFolder: (path: string) => void folders.add(path),
      read: (path: string) => Buffer.from(files.get(path)!),
      remove: (path: string) => void files.delete(path),
      move(from: string, to: string) {
        files.set(to, files.get(from)!);
        files.delete(from);
      },
      open(path: string) {
        if (closed.includes(path) || (path.startsWith("/home") && !folders.has(path.slice(0, path.lastIndexOf("/")))))
          throw new Error("EACCES");
        open.set(3 + open.size, path);
        return 2 + open.size;
      },
      write: (fd: number, bytes: Uint8Array) =>
        void files.set(open.get(fd)!, `${files.get(open.get(fd)!) ?? ""}${Buffer.from(bytes).toString()}`),
    },
    descriptors: { close: () => {} },
    processes: { environment: () => ({ HOME: "/home/zaphod" }), pid },
    users: { hasLentRights: () => false },
  } as never;
  return { files, host };
}

test("a full file is continued in a new one, and the one before the last is gone", () => {
  const { files, host } = machine();
  const history = new HistoryFile(host);
  for (let began = 0; began < 12_000; began++) history.append({ ...RECORD, began });
  expect([...files.keys()].sort()).toEqual(["/var/lib/nullmodem-history", "/var/lib/nullmodem-history.1"]);
  for (const text of files.values()) expect(text.length).toBeLessThanOrEqual(256 * 1024);
  // None is missing from the oldest that is kept to the latest.
  const kept = [
    ...`${files.get("/var/lib/nullmodem-history.1")}${files.get("/var/lib/nullmodem-history")}`.matchAll(
      /"began":(\d+)/g,
    ),
  ];
  const numbers = kept.map(([, began]) => Number(began));
  expect(numbers.at(-1)).toBe(11_999);
  expect(numbers.length).toBe(12_000 - numbers[0]!);
  expect(numbers.length).toBeGreaterThan(3000);
});

test("who may not write the system's file has one of his own, and whoever may write none has no history", () => {
  const { files, host } = machine(["/var/lib/nullmodem-history"]);
  new HistoryFile(host).append(RECORD);
  expect([...files.keys()]).toEqual(["/home/zaphod/.local/state/nullmodem-history"]);
  expect(historyPaths(host)).toContain("/home/zaphod/.local/state/nullmodem-history.1");
  const none = machine(["/var/lib/nullmodem-history", "/home/zaphod/.local/state/nullmodem-history"]);
  new HistoryFile(none.host).append(RECORD);
  expect(none.files.size).toBe(0);
});

test("two processes find the file full at the same time: nothing but the oldest is lost", () => {
  const { files, host } = machine();
  const other = new HistoryFile(host);
  const path = "/var/lib/nullmodem-history";
  let turns = 0;
  let began = 0;
  const append = (history: HistoryFile): void => history.append({ ...RECORD, began: began++ });
  const looked = (at: string): void => {
    if (at === path && (files.get(path)?.length ?? 0) > 256 * 1024 - 200 && turns++ === 0) append(other);
    else turns = 0;
  };
  const ours = new HistoryFile(machine([], { files, pid: 2, looked }).host);
  while (began < 9000) append(ours);
  const kept = [...`${files.get(`${path}.1`)}${files.get(path)}`.matchAll(/"began":(\d+)/g)].map(([, at]) =>
    Number(at),
  );
  expect(kept.length).toBe(9000 - Math.min(...kept));
  expect(kept.length).toBeGreaterThan(3000);
  expect([...files.keys()].sort()).toEqual([path, `${path}.1`]);
});

test("a line that another process left unfinished does not spoil the next one", () => {
  const { files, host } = machine();
  files.set("/var/lib/nullmodem-history", '{"began":1,"pi');
  const history = new HistoryFile(host);
  history.append(RECORD);
  history.append(RECORD);
  const lines = files.get("/var/lib/nullmodem-history")!.split("\n");
  expect(lines.slice(1, 3).map((line) => JSON.parse(line))).toEqual([RECORD, RECORD]);
});
