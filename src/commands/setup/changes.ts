// Compares the wanted files with those of the machine: what has to change, or why nothing may.

import { decoded, inert } from "../../bytes/text.ts";
import { secretEntries } from "../../options/secrets.ts";
import type { Disk, Stored } from "./disk.ts";
import { type Change, type Journal, Refusal } from "./setup-journal.ts";
import { partIn, placePart } from "./marked-part.ts";
import type { WantedFile } from "./plan.ts";

/** In a secrets file: any name. */
const EVERYBODY = "*";

interface Place {
  readonly disk: Disk;
  readonly journal: Journal;
  /** The name of our parts. */
  readonly name: string;
}

/** Throws Refusal when a file is in the way. `stale` are parts that are to be emptied, if they are there. */
export function changesFor(
  wanted: readonly WantedFile[],
  stale: readonly { path: string; name: string }[],
  place: Place,
): Change[] {
  const emptied = stale.flatMap(({ path, name }): [WantedFile, Place][] => {
    if (wanted.some((file) => file.path === path)) return [];
    const text = place.disk.read(path)?.text ?? "";
    return partIn(text, name) === undefined
      ? []
      : [
          [
            { path, kind: "part", lines: [], mode: 0 },
            { ...place, name },
          ],
        ];
  });
  const reasons: string[] = [];
  const files: [WantedFile, Place][] = [...emptied, ...wanted.map((file): [WantedFile, Place] => [file, place])];
  const changes = files.flatMap(([file, where]) => {
    try {
      return changeOf(file, where);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      reasons.push(error.message);
      return [];
    }
  });
  if (reasons.length > 0) throw new Refusal(reasons);
  return changes.filter(({ before, after }) => before?.text !== after.text);
}

function changeOf(file: WantedFile, { disk, journal, name }: Place): Change {
  const { path, kind, lines } = file;
  const before = disk.read(path);
  const after = (text: string): Stored => ({ uid: 0, gid: 0, mode: file.mode, ...before, text });
  if (kind === "whole") {
    const text = lines.join("\n");
    if (before !== undefined && before.text !== text && !journal.made(path, before)) {
      throw new RangeError(`${path} is there already, and not as setup would have written it: remove it first`);
    }
    return { path, before, after: after(text), placed: undefined };
  }
  const old = partIn(before?.text ?? "", name);
  if (kind === "own" && before !== undefined && old === undefined) {
    throw new RangeError(`${path} is there already, and not from setup: give another --name`);
  }
  if (path.endsWith("-secrets") && before !== undefined) checkSecrets(path, before, lines, old ?? "");
  const { text, ...placed } = placePart(before?.text ?? "", name, lines, file.end);
  return { path, before, after: after(text), placed: { name, ...placed } };
}

/** A password must not get into a file that others can read, nor behind an older line that pppd would use instead. */
function checkSecrets(path: string, { text, mode }: Stored, lines: readonly string[], old: string): void {
  if (mode & 0o077) throw new RangeError(`others than its owner may use ${path}: chmod 600 ${path} first`);
  const entries = (one: string) => secretEntries(one, { file: path });
  // A line for everybody, as Debian's file has one, counts only where it stands before ours.
  const named = entries(lines.map((line) => `${line}\n`).join("")).filter(({ client }) => client !== EVERYBODY);
  const ours = named.map(({ client }) => client);
  const theirs = entries(text.replace(old, "")).find(({ client }) => ours.includes(client));
  if (theirs === undefined) return;
  throw new RangeError(
    `${path} has a line for ${inert(decoded(theirs.client))} already: remove that line first, or take another user`,
  );
}
