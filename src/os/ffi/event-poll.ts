// Finds Bun's own epoll descriptors by their name in /proc. One of them becomes readable when a child has ended, a
// signal has arrived, or a socket or promise of Bun is ready. This is undocumented, so callers need a fall-back.

import { readdirSync, readlinkSync } from "node:fs";

/** Descriptors of epoll(7) that this program has made itself. They say nothing of Bun. */
export const ownEventPolls = new Set<number>();

export function eventPollDescriptors(): number[] {
  try {
    return readdirSync("/proc/self/fd")
      .map(Number)
      .filter((fd) => !ownEventPolls.has(fd) && isEventPoll(fd));
  } catch {
    return [];
  }
}

function isEventPoll(fd: number): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`) === "anon_inode:[eventpoll]";
  } catch {
    // This was the descriptor of the directory itself, which is closed by now.
    return false;
  }
}
