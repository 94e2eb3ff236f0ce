// Measures what a connection of the stack costs in memory, a thousand and ten thousand at once, and whether a million that were
// opened and closed leave anything behind. By itself: bun scripts/bench/connections.ts [CONNECTIONS]

import { heapStats } from "bun:jsc";
import { ManyConnections } from "../../test/kit/many-connections.ts";
import { table } from "./table.ts";

const WAYS = ["peer", "server", "reset"] as const;

/** Octets of the heap after a collection, and the resident memory of the process. */
function memory(): { heap: number; resident: number } {
  for (let turn = 0; turn < 3; turn++) Bun.gc(true);
  const { heapSize, extraMemorySize } = heapStats();
  return { heap: heapSize + extraMemorySize, resident: process.memoryUsage.rss() };
}

// The code that is compiled meanwhile is not counted.
const first = new ManyConnections(10_000);
for (let opened = 0; opened < 5000; opened++) first.openAndClose("peer");
const rows: string[][] = [];
for (const count of [1000, 10_000, 50_000]) {
  const many = new ManyConnections(count);
  const before = memory();
  for (let opened = 0; opened < count; opened++) many.open();
  const after = memory();
  if (many.stack.connections.table.size !== count) throw new Error("connections are missing");
  rows.push([
    `${count} open, octets each`,
    ((after.heap - before.heap) / count).toFixed(0),
    ((after.resident - before.resident) / count).toFixed(0),
  ]);
}

const total = Number(process.argv[2] ?? 1_000_000);
const many = new ManyConnections(4096);
const begun = performance.now();
const marks: ReturnType<typeof memory>[] = [];
for (let done = 0; done < total; done++) {
  if (done % (total / 10) === 0) marks.push(memory());
  many.openAndClose(WAYS[done % 3]!);
  if (done % 100 === 99) many.wait(50);
}
many.wait(120_000);
marks.push(memory());
const seconds = (performance.now() - begun) / 1000;
for (const [at, { heap, resident }] of marks.entries())
  rows.push([`after ${(at * total) / 10}`, heap.toString(), resident.toString()]);
console.log(table(["connections", "heap", "resident"], rows));
console.log(
  `${total} opened and closed in ${seconds.toFixed(1)} s; left: ${many.stack.connections.table.size} connections, ${many.sockets.open} sockets, ${many.stack.keptOctets} octets`,
);
