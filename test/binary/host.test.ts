// What a session makes of the machine around it, and what is left of one that was killed.

import { afterEach, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { missing, Scene, titled, until } from "./scene.ts";

const on = test.skipIf(missing !== undefined);
const SCORE = "/proc/self/oom_score_adj";
/** A container may have taken CAP_SYS_RESOURCE away, or have a score of its own. */
const noScore =
  missing ??
  (readFileSync(SCORE, "latin1").trim() === "0" && Bun.spawnSync(["sh", "-c", `echo -500 >${SCORE}`]).exitCode === 0
    ? undefined
    : "needs the right to lower oom_score_adj");

let scenes: Scene[] = [];
async function openScene(files: Readonly<Record<string, string>> = {}): Promise<Scene> {
  const scene = await Scene.open(files);
  scenes.push(scene);
  return scene;
}
afterEach(async () => {
  await Promise.all(scenes.map((scene) => scene.close()));
  scenes = [];
});

const ADDRESSES = "10.0.0.1:10.0.0.2";

test.skipIf(noScore !== undefined)(
  titled("when memory runs out, other things than the link go first; its scripts are not the link", noScore),
  async () => {
    const scene = await openScene({
      "/etc/ppp/ip-up": `#!/bin/sh\ncat ${SCORE} >/run/score.new; mv /run/score.new /run/score\n`,
    });
    scene.far.answer();
    const pppd = scene.pppd([ADDRESSES]);
    await pppd.waitFor("remote IP address");
    expect(readFileSync(`/proc/${pppd.pid}/oom_score_adj`, "latin1")).toBe("-500\n");
    const read = (): string => Bun.spawnSync(["cat", scene.machine.path("/run/score")]).stdout.toString();
    await until("ip-up", () => read() !== "");
    expect(read()).toBe("0\n");
  },
);

on(titled("`lock` where there is no lock directory"), async () => {
  const scene = await openScene();
  await scene.machine.run("rm", "-rf", "/run/lock");
  scene.far.answer();
  const pppd = scene.pppd([ADDRESSES, "lock"]);
  await pppd.waitFor("remote IP address");
  expect((await scene.machine.run("cat", "/run/lock/LCK..ttyS1")).stdout.trim()).toBe(String(pppd.pid));
});
