// Bun's own epoll descriptors, and not ours: a loop that took ours for Bun's would give Bun a turn for each packet.

import { expect, test } from "bun:test";
import { eventPollDescriptors } from "../../../src/os/ffi/event-poll.ts";
import { SocketSet } from "../../../src/os/net/socket-set.ts";

test("the epoll descriptor of a set of sockets is none of Bun's", () => {
  const before = eventPollDescriptors();
  const sockets = new SocketSet();
  try {
    expect(before).not.toContain(sockets.fd);
    expect(eventPollDescriptors()).toEqual(before);
  } finally {
    sockets.end();
  }
});
