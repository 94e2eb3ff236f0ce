// `status --watch` on a terminal that can only print, or without one: a line a link, again and again.

import { inert } from "../../bytes/text.ts";
import type { Status } from "../../run/live/published-status.ts";
import { milliseconds } from "../status-rows.ts";
import { size } from "../status-units.ts";
import { badFrames, LinkHistory, waitingOf } from "./link-history.ts";
import { rateText, stateText } from "./list-view.ts";
import { MOST_A_SECOND } from "./watcher.ts";
import { keyOf } from "./watch-state.ts";

const EVERY_MS = 2000;

export interface LinesHost {
  /** Why there is no screen. */
  readonly why: string;
  readonly isSignalled: Promise<void>;
  print(text: string): void;
}

export async function watchLines(
  links: () => readonly Status[],
  { why, isSignalled, print }: LinesHost,
): Promise<void> {
  print(`${why}: lines instead of it, until Ctrl-C\n`);
  let known = new Map<string, LinkHistory>();
  for (let isOver = false; !isOver;) {
    const now = performance.now();
    const statuses = links();
    known = new Map(
      statuses.map((status) => {
        const history = known.get(keyOf(status));
        history?.add(status, now);
        return [keyOf(status), history ?? new LinkHistory(status, now)];
      }),
    );
    const text = [...known.values()].map((history) => `${lineOf(history)}\n`).join("") || "no link is running\n";
    print(text);
    // So many links that their lines would be more than the screen writes.
    const pause = Math.max(EVERY_MS, (1000 * Buffer.byteLength(text)) / MOST_A_SECOND);
    isOver = await Promise.race([isSignalled.then(() => true), Bun.sleep(pause).then(() => false)]);
  }
}

function lineOf(history: LinkHistory): string {
  const { latest } = history;
  const [received, sent] = [history.last("received"), history.last("sent")];
  const trip = history.last("roundTrip");
  const parts = [
    latest.interface,
    stateText(latest),
    latest.peer && `peer ${latest.peer}`,
    !Number.isNaN(received) && `in ${rateText(received)}`,
    !Number.isNaN(sent) && `out ${rateText(sent)}`,
    !Number.isNaN(trip) && `echo ${milliseconds(trip)}`,
    `bad ${badFrames(latest)}`,
    `waiting ${size(waitingOf(latest))}`,
  ];
  return inert(parts.filter(Boolean).join("  "));
}
