// The verb capture: its answer is followed by pcapng until the session ends or the reader leaves.

import { captureWish } from "../live/capture-wish.ts";
import type { ControlStream } from "./control-connection.ts";
import { ControlError } from "./controlled-link.ts";
import type { Verb } from "./verb.ts";

export const CAPTURE: Verb = {
  name: "capture",
  words: "[line|decompressed|both] [since SECONDS]",
  about: "send the packets as pcapng, as nullmodem capture does",
  run({ link, words, reply, note }) {
    const wish = captureWish(words);
    if (typeof wish === "string") throw new ControlError(wish);
    note();
    let hasLeft = false;
    reply.onGone(() => (hasLeft = true));
    let stream: ControlStream | undefined;
    const begin = async (): Promise<void> => {
      const { LiveCapture } = await import("../live/live-capture.ts");
      if (hasLeft) return;
      let capture: InstanceType<typeof LiveCapture> | undefined;
      stream = reply.stream({}, () => capture?.stop());
      capture = new LiveCapture(link.captured, wish, stream);
    };
    begin().catch((fault: unknown) => {
      // The reader would wait for ever.
      reply.fail(`The capture cannot begin: ${String(fault)}`);
      stream?.end();
    });
  },
};
