// The difference between two versions of a file as diff -u shows it. Setup changes one place in a file, so one hunk is
// enough: all lines between the common beginning and the common end.

const CONTEXT = 3;
const NO_NEWLINE = "\\ No newline at end of file";

/** Undefined as `before`: the file is new. Empty when both are the same. */
export function unifiedDiff(path: string, before: string | undefined, after: string): string {
  const [old, young] = [linesOf(before ?? ""), linesOf(after)];
  let start = 0;
  while (start < old.length && start < young.length && old[start] === young[start]) start++;
  let same = 0;
  const shorter = Math.min(old.length, young.length) - start;
  while (same < shorter && old.at(-1 - same) === young.at(-1 - same)) same++;
  if (start === old.length && start === young.length) return "";

  const first = Math.max(0, start - CONTEXT);
  const after3 = Math.min(same, CONTEXT);
  const shown = [
    ...old.slice(first, start).map((line) => ` ${line}`),
    ...old.slice(start, old.length - same).map((line) => `-${line}`),
    ...young.slice(start, young.length - same).map((line) => `+${line}`),
    ...young.slice(young.length - same, young.length - same + after3).map((line) => ` ${line}`),
  ];
  const count = (lines: readonly string[]): number => lines.length - same + after3 - first;
  return [
    `--- ${before === undefined ? "/dev/null" : path}`,
    `+++ ${path}`,
    `@@ -${range(first, count(old))} +${range(first, count(young))} @@`,
    ...shown.map((line) => (line.endsWith("\n") ? line.slice(0, -1) : `${line}\n${NO_NEWLINE}`)),
    "",
  ].join("\n");
}

/** Each line with its line end, which the last one may lack. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** A range without lines has the number of the line before it. */
function range(first: number, count: number): string {
  return count === 1 ? String(first + 1) : `${count === 0 ? first : first + 1},${count}`;
}
