// Bun's own epoll descriptors, found by their name: one of them is ready when a child has ended, a signal came, or a
// socket or promise of Bun's wants its turn. Undocumented, so whoever polls them has a fall-back.

import { readdirSync, readlinkSync } from "node:fs";

export function eventPollDescriptors(): number[] {
  try {
    return readdirSync("/proc/self/fd").map(Number).filter(isEventPoll);
  } catch {
    return [];
  }
}

function isEventPoll(fd: number): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`) === "anon_inode:[eventpoll]";
  } catch {
    // The descriptor of the directory itself, closed by now.
    return false;
  }
}
