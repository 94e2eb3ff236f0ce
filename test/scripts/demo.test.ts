import { expect, test } from "bun:test";
import { progress } from "../../scripts/demo.ts";

test("the demo's progress stays in one line of the terminal, whatever its width", () => {
  for (const columns of [1, 20, 40, 79, 80, 81, 100, 200])
    for (const bytes of [0, 1, 60_000, 119_999, 120_000, 130_000])
      for (const ms of [0, 1, 11_000]) {
        const { done, left, text } = progress(bytes, ms, 10_983, columns);
        const width = 2 + done.length + left.length + 1 + text.length;
        // A terminal of one or two columns is too narrow for any text.
        expect({ columns, width, fits: width < Math.max(columns, 4) }).toMatchObject({ fits: true });
        if (columns >= 80) expect(done.length + left.length).toBeGreaterThan(20);
      }
  expect(progress(60_000, 6000, 10_000, 80)).toEqual({
    done: "█".repeat(15),
    left: "░".repeat(15),
    text: "  60 of 120 kB  10.00 kB/s, 100 % of the line",
  });
});
