// Reads the sessions that running and earlier pppds have noted (run/history).

import { readHistory, type SessionRecord } from "../record/session-record.ts";
import { historyPaths } from "../run/history/history-file.ts";
import { hasCode, type Machine } from "../run/machine.ts";

/** The sessions in the order in which they began. A file that this user may not read, or that is damaged, throws HostError. */
export function readSessions(machine: Pick<Machine, "files" | "processes" | "users">): SessionRecord[] {
  const texts = historyPaths(machine).map((path) => {
    try {
      return Buffer.from(machine.files.read(path)).toString();
    } catch (error) {
      if (hasCode(error, "ENOENT") || hasCode(error, "ENOTDIR")) return "";
      throw error;
    }
  });
  return readHistory(texts.join("\n"));
}
