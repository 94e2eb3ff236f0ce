// A log daemon that is slow or has stopped: only the end of the program waits for it, and it receives everything in
// order.

import { afterEach, expect, test } from "bun:test";
import { Datagrams } from "../kit/datagrams.ts";
import { built, Program } from "../kit/program.ts";
import { missing, Scene, titled } from "./scene.ts";

const on = test.skipIf(missing !== undefined);

let open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open) await one.close();
  open = [];
});

/** The number at the end of a message. */
const numberIn = (message: string): number => Number(/(\d+)$/.exec(message)?.[1]);

on(titled("chat ends well and every line is heard, however slow the daemon"), async () => {
  const scene = await Scene.open();
  const syslogd = new Datagrams(scene.machine.path("/dev/log"));
  open = [syslogd, scene];
  // Each answer is there before it is expected, and logging all of them takes longer than TIMEOUT.
  const LINES = 12;
  const script = ["TIMEOUT", "1", "", "\\c", ...Array.from({ length: LINES }, (_, nth) => [`w${nth};`, "\\c"]).flat()];
  const answers = Array.from({ length: LINES }, (_, nth) => `w${nth};`).join("");
  const feed = `{ printf '%s' '${answers}'; sleep 60; } | { "$0" "$@"; echo "status $?"; }`;
  const chat = new Program(["sh", "-c", feed, built("chat"), "-v", ...script], { machine: scene.machine });
  const heard: string[] = [];
  const isOver = (): boolean => chat.lines.some(({ text }) => text.startsWith("status"));
  const deadline = performance.now() + 30_000;
  while (performance.now() < deadline && !isOver()) {
    heard.push(...syslogd.take(1));
    await Bun.sleep(150);
  }
  heard.push(...syslogd.take());
  expect(chat.lines.map(({ text }) => text)).toEqual(["status 0"]);
  const expected = heard.filter((message) => message.includes("expect (w"));
  expect(expected.map((message) => numberIn(message.replace(/;.*$/, "")))).toEqual([...Array(LINES).keys()]);
  expect(heard.join("\n")).not.toContain("lost");
  await chat.stop();
});

on(titled("pppd with `debug` and a daemon that has stopped: the link lives and ends as if nothing were"), async () => {
  const scene = await Scene.open();
  const syslogd = new Datagrams(scene.machine.path("/dev/log"));
  open = [syslogd, scene];
  scene.far.answer();
  const words = ["10.0.0.1:10.0.0.2", "debug", "lcp-echo-interval", "1", "lcp-echo-failure", "2"];
  const pppd = scene.pppd(words);
  await pppd.waitFor("remote IP address");
  await pppd.waitFor(/rcvd \[LCP EchoRep/);
  pppd.kill();
  const end = await pppd.waitFor("Connection terminated.", { within: 4000 });
  expect(end.text).toBe("Connection terminated.");
  expect(await pppd.exit(15_000)).toBe(5);
  expect(scene.machine.interfaces()).toEqual([]);
});
