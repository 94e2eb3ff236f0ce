import { expect, test } from "bun:test";
import type { UnderWay } from "../../../src/files/exchange.ts";
import { parseTransfers, TransferList } from "../../../src/run/files/transfer-list.ts";

function file(name: string, octets: number, of?: number): UnderWay {
  return { name, to: "peer", octets, of };
}

test("a file is told of from its second look on, with its rate, and once more when it is through", () => {
  const list = new TransferList<number>();
  expect(list.nextLookAt).toBe(Infinity);
  expect(list.look([[1, file("a", 0, 10_000)]], 1000)).toBeUndefined();
  expect(list.nextLookAt).toBe(2000);
  expect(list.dueAt).toBe(2000);
  const two = list.look(
    [
      [1, file("a", 3000, 10_000)],
      [2, file("b", 50)],
    ],
    2500,
  )!;
  expect(parseTransfers(two)).toEqual([{ name: "a", to: "peer", octets: 3000, of: 10_000, rate: 2000 }]);
  // The same connection has another file.
  expect(list.look([[1, file("c", 3500)]], 3500)).toBe("[]");
  expect(list.look([[1, file("c", 3600)]], 4500)).toBe('[{"name":"c","to":"peer","octets":3600,"rate":100}]');
  expect(list.look([], 5500)).toBe("[]");
  expect(list.nextLookAt).toBe(Infinity);
  expect(list.look([], 6500)).toBeUndefined();
});

test("a rate is that of the last seconds, because a socket tells of its octets in jumps", () => {
  const list = new TransferList<number>();
  const rates: (number | undefined)[] = [];
  for (let second = 0; second <= 30; second++) {
    const octets = second < 20 ? 3000 * Math.floor(second / 3) : 60_000;
    const line = list.look([[1, file("a", octets)]], 1000 * second);
    rates.push(parseTransfers(line ?? "[]")[0]?.rate);
  }
  for (const rate of rates.slice(8, 19)) {
    expect(rate).toBeGreaterThan(800);
    expect(rate).toBeLessThan(1400);
  }
  // It has stopped.
  expect(rates[30]).toBe(0);
});

test("a line fits into a pipe at once, whatever the names are", () => {
  const list = new TransferList<number>();
  const clients = Array.from({ length: 64 }, (_, at) => [at, file("\u0001".repeat(4000), at)] as const);
  list.look(clients, 0);
  const line = list.look(clients, 1000)!;
  expect(Buffer.byteLength(line)).toBeLessThan(4096);
  expect(parseTransfers(line).length).toBeGreaterThan(2);
});

test("a line of a process that is not ours any more is taken as far as it makes sense", () => {
  expect(parseTransfers("")).toEqual([]);
  expect(parseTransfers("{}")).toEqual([]);
  expect(parseTransfers('[5,{"name":1},{"name":"a","to":"me","octets":1,"rate":1}]')).toEqual([]);
  expect(parseTransfers('[{"name":"a","to":"us","octets":-1,"rate":1}]')).toEqual([]);
});
