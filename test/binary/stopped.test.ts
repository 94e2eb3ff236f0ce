// A line that takes nothing any more, because its CTS stays low or no device is connected: every end comes in time. An
// end that waited for the line would never come.

import { afterEach, describe, expect, test } from "bun:test";
import type { Side } from "../kit/pair.ts";
import { PATIENCE_MS } from "../kit/patience.ts";
import type { Program } from "../kit/program.ts";
import { missing, pppdPath, Scene, titled, until } from "./scene.ts";

const on = test.skipIf(missing !== undefined);

let scenes: Scene[] = [];
afterEach(async () => {
  await Promise.all(scenes.map((scene) => scene.close()));
  scenes = [];
});

const ADDRESSES = "10.0.0.1:10.0.0.2";
const QUICK = ["lcp-restart", "1", "lcp-max-terminate", "1", "child-timeout", "1", "crtscts"];

type How = "flow" | "reader";

async function linkUp(words: readonly string[]): Promise<{ scene: Scene; pppd: Program; peer: Side }> {
  const scene = await Scene.open();
  scenes.push(scene);
  const peer = scene.far.answer();
  const pppd = scene.pppd([ADDRESSES, ...QUICK, ...words]);
  await pppd.waitFor("remote IP address");
  return { scene, pppd, peer };
}

/** More packets for the peer than a pty holds. */
async function fill(scene: Scene): Promise<void> {
  await scene.machine.run("ping", "-q", "-c", "25", "-i", "0.005", "-s", "1400", "-W", "0.1", "10.0.0.2");
}

const ENDINGS: readonly [how: string, words: string[], status: number, end: (pppd: Program, peer: Side) => void][] = [
  ["SIGTERM", [], 16, (pppd) => pppd.kill("SIGTERM")],
  ["SIGINT", [], 16, (pppd) => pppd.kill("SIGINT")],
  ["SIGHUP", [], 16, (pppd) => pppd.kill("SIGHUP")],
  ["idle", ["idle", "1"], 16, () => {}],
  ["maxconnect", ["maxconnect", "2"], 16, () => {}],
  ["a peer that does not answer echoes", ["lcp-echo-interval", "1", "lcp-echo-failure", "1"], 16, () => {}],
  ["the peer's Terminate-Request", [], 16, (_, peer) => peer.link.close("User request", performance.now())],
];

for (const how of ["flow", "reader"] as const satisfies How[])
  describe(how === "flow" ? "flow control holds the line up" : "nobody reads at the far end", () => {
    on(titled(ENDINGS.map(([what]) => what).join(", ")), async () => {
      const ended = ENDINGS.map(async ([what, words, , end]) => {
        const { scene, pppd, peer } = await linkUp(words);
        scene.far.stop(how);
        if (what !== "idle") await fill(scene);
        end(pppd, peer);
        return [what, await pppd.exit(PATIENCE_MS), await scene.leftBehind()];
      });
      expect(await Promise.all(ended)).toEqual(ENDINGS.map(([what, , status]) => [what, status, []]));
    });

    on(titled("a disconnect script, and our chat in its place"), async () => {
      for (const script of ["echo bye >&2; sleep 1000", "chat -vs -t 1 '' ATH OK"]) {
        const { scene, pppd } = await linkUp(["disconnect", script]);
        scene.far.stop(how);
        await fill(scene);
        pppd.kill("SIGTERM");
        await pppd.waitFor(script.startsWith("chat") ? "send (ATH^M)" : "bye");
        if (!script.startsWith("chat")) pppd.kill("SIGTERM");
        expect(await pppd.exit(PATIENCE_MS)).toBe(script.startsWith("chat") ? 16 : 5);
        expect(await scene.leftBehind()).toEqual([]);
      }
    });

    on(titled("our chat in a connect script gives up by its own clock, or by a signal"), async () => {
      for (const [timeout, signal] of [
        ["1", undefined],
        ["100", "SIGTERM"],
      ] as const) {
        const scene = await Scene.open();
        scenes.push(scene);
        scene.far.stop(how);
        const word = "x".repeat(how === "flow" ? 1 : 60_000);
        const pppd = scene.pppd([ADDRESSES, ...QUICK, "connect", `chat -vs -t ${timeout} '' ${word} OK`]);
        await pppd.waitFor("send (x");
        if (signal !== undefined) pppd.kill(signal);
        expect(await pppd.exit(PATIENCE_MS)).toBe(8);
        expect(await scene.leftBehind()).toEqual([]);
      }
    });

    on(titled("in the background"), async () => {
      const scene = await Scene.open();
      scenes.push(scene);
      scene.far.answer();
      const words = ["/dev/ttyS1", "115200", "local", "lock", "noauth", "updetach", ADDRESSES, ...QUICK];
      const parent = scene.run([pppdPath(), ...words]);
      expect(await parent.exit()).toBe(0);
      scene.far.stop(how);
      await fill(scene);
      await scene.machine.run("sh", "-c", "kill $(head -n 1 /run/ppp0.pid)");
      await until("it has gone", () => scene.machine.processes().length === 0);
      expect(await scene.leftBehind()).toEqual([]);
    });
  });
