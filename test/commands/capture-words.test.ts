import { expect, test } from "bun:test";
import { captureUsage, captureWords } from "../../src/commands/capture/capture-words.ts";

const PLAIN = { link: "ppp0", packets: "line", since: 0, file: undefined, size: Infinity, keep: 5 } as const;
const read = (words: string) => captureWords(words.split(" ").filter((word) => word !== ""));

test("what is asked for", () => {
  expect(read("ppp0")).toEqual(PLAIN);
  expect(read("--decompressed ppp0")).toEqual({ ...PLAIN, packets: "decompressed" });
  expect(read("ppp0 --both --since 30s")).toEqual({ ...PLAIN, packets: "both", since: 30 });
  expect(read("ppp0 --since=5m")).toEqual({ ...PLAIN, since: 300 });
  expect(read("ppp0 --since 2h")).toEqual({ ...PLAIN, since: 7200 });
  expect(read("ppp0 --file a --rotate 10M --keep 3")).toEqual({ ...PLAIN, file: "a", size: 10 * 1024 ** 2, keep: 3 });
  expect([read("--help"), read("ppp0 -h")]).toEqual(["", ""]);
});

test.each([
  ["", "which link?"],
  ["ppp0 ppp1", "one link at a time"],
  ["ppp0 --hex", 'no option "--hex"'],
  ["ppp0 --link x", 'no option "--link"'],
  ["ppp0 --both=1", 'no option "--both=1"'],
  ["ppp0 --both --decompressed", "--both has the packets"],
  ["ppp0 --since", "--since needs a value"],
  ["ppp0 --since soon", "30s or 5m"],
  ["ppp0 --since 5d", "30s or 5m"],
  ["ppp0 --rotate 1M", "go with --file"],
  ["ppp0 --file a --keep 2", "--keep goes with --rotate"],
  ["ppp0 --file a --rotate big", "such as 10M"],
  ["ppp0 --file a --rotate 10", "such as 10M"],
  ["ppp0 --file a --rotate 1M --keep 0", "from 1 to 1000"],
])("what is wrong with %s", (words, text) => {
  expect(read(words)).toBeString();
  expect(read(words)).toContain(text);
});

test("the help names each option", async () => {
  const usage = await captureUsage();
  for (const word of ["--decompressed", "--both", "--since", "--file", "--rotate", "--keep", "wireshark -k -i -"])
    expect(usage).toContain(word);
});
