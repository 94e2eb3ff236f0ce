// Another folder in place of /etc/ppp, as on a stick beside the executable.

import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCable } from "../kit/cable.ts";
import { closeMachines, openMachine } from "../kit/machine.ts";
import { built, Program } from "../kit/program.ts";
import { missing, titled } from "./scene.ts";

const folder = mkdtempSync(join(tmpdir(), "nullmodem-config-"));
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await closeMachines();
});

const FILES: Readonly<Record<string, string>> = {
  options: "noauth\n",
  "options.ttyS0": "115200 local\n",
  "peers/cable": "ttyS0 user zaphod persist\n",
  "pap-secrets": "zaphod * gargleBlaster\n",
  "ip-up": `#!/bin/sh\necho "$4 $5" >/run/up\n`,
};

test.skipIf(missing !== undefined)(
  titled("options, secrets, peers and scripts of --config-dir, also in the background"),
  async () => {
    mkdirSync(join(folder, "peers"));
    for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text, { mode: 0o700 });
    const cable = await openCable();
    const server = await openMachine("server", {
      ttys: { ttyS1: cable.a },
      files: { "/etc/ppp/pap-secrets": "zaphod * gargleBlaster *\n" },
    });
    const client = await openMachine("stick", { ttys: { ttyS0: cable.b } });
    try {
      const words = "ttyS1 115200 local nodetach auth +pap 10.8.0.1:10.8.0.2".split(" ");
      const far = new Program([built("pppd"), ...words], { machine: server });
      // A relative path, and a call by the only name that the executable has on a stick.
      const called = await client.run(
        "sh",
        "-c",
        `cd ${folder}/.. && exec ${built()} --config-dir ./${folder.split("/").at(-1)} pon cable`,
      );
      expect(called).toMatchObject({ status: 0, stderr: "" });
      await far.waitFor("remote IP address 10.8.0.2", { within: 20_000 });
      const { stdout } = await client.run(
        "timeout",
        "20",
        "sh",
        "-c",
        "until [ -s /run/up ]; do sleep 0.05; done; cat /run/up",
      );
      expect(stdout).toBe("10.8.0.2 10.8.0.1\n");
      await client.run("sh", "-c", "kill -TERM $(head -n1 /run/ppp0.pid)");
      expect(await far.exit()).toBe(16);
    } finally {
      await server.close();
      await client.close();
      await cable.close();
    }
  },
);

test.skipIf(missing !== undefined)(titled("a folder that is not there, and a missing word"), async () => {
  const machine = await openMachine("none");
  try {
    expect(await machine.run(built("pppd"), "--config-dir", "/nowhere", "nodetach")).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/pppd: --config-dir \/nowhere: no such directory\n$/),
    });
    expect(await machine.run(built("pon"), "--config-dir")).toMatchObject({
      status: 1,
      stderr: "pon: too few parameters for option --config-dir\n",
    });
  } finally {
    await machine.close();
  }
});
