// What the bench measures at length, compared roughly in every run: the CPU of a packet beside the C yardstick's. Both are
// measured in turns and the best of their rounds counts, so that a busy machine changes little. The limits are two to three
// times what was measured when they were written (3). Without the warm-up a first ping costs 13 to 28 times the yardstick's.

import { expect, setDefaultTimeout, test } from "bun:test";
import { costOfPings, firstPacketsMissing, type PingGroup } from "../../scripts/bench/first-packets.ts";
import { type Pair, SIDES } from "../../scripts/bench/station.ts";
import { PATIENCE_MS, until } from "../kit/patience.ts";
import { missing, pppdPath, titled } from "./scene.ts";

setDefaultTimeout(3 * PATIENCE_MS);
const reason = missing ?? firstPacketsMissing();

const ROUNDS = 2;
const FIRST: PingGroup = { count: 50 };
/** Each as soon as the one before is answered. */
const MANY: PingGroup = { count: 250, words: ["-q", "-f", "-s", "1400"] };
const MOST = { first: 8, many: 8 } as const;

/** A side is at rest when it uses so little CPU for so long. */
const REST_SECONDS = 0.002;
const REST_MS = 600;
const LOOK_MS = 50;

/** Waits until nothing is compiled any more. */
async function atRest(pair: Pair): Promise<void> {
  const cpu = (): number => SIDES.reduce((sum, side) => sum + pair.stations[side].cpu(), 0);
  let since = performance.now();
  let before = cpu();
  await until("both sides at rest", async () => {
    // Looking costs CPU too.
    await Bun.sleep(LOOK_MS);
    const used = cpu();
    if (used - before > REST_SECONDS) {
      before = used;
      since = performance.now();
    }
    return performance.now() - since > REST_MS;
  });
}

test.skipIf(reason !== undefined)(
  titled("the CPU of the first pings and of many, in proportion to the C yardstick's", reason),
  async () => {
    const best = { ours: [Infinity, Infinity], yardstick: [Infinity, Infinity] };
    for (let round = 0; round < ROUNDS; round++)
      for (const [who, program] of [
        ["yardstick", undefined],
        ["ours", pppdPath()],
      ] as const)
        for (const [group, { first, others }] of (
          await costOfPings([FIRST, MANY], program, program === undefined ? async () => {} : atRest)
        ).entries())
          best[who][group] = Math.min(best[who][group]!, first + others);
    const ratios = best.ours.map((cost, group) => cost / best.yardstick[group]!);
    console.log(`CPU beside the yardstick's: first pings ${ratios[0]!.toFixed(2)}, many ${ratios[1]!.toFixed(2)}`);
    expect(ratios[0]).toBeLessThan(MOST.first);
    expect(ratios[1]).toBeLessThan(MOST.many);
  },
);
