// The octets of a peer's name, and of words and variables that are not UTF-8, as hooks and scripts get them.

import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { linkConfig } from "../kit/pair.ts";
import { PATIENCE_MS } from "../kit/patience.ts";
import { missing, pppdPath, Scene, titled, until } from "./scene.ts";

setDefaultTimeout(2 * PATIENCE_MS);
const on = (name: string, play: () => Promise<void>): void => test.skipIf(missing !== undefined)(titled(name), play);

let scene: Scene | undefined;
afterEach(async () => {
  await scene?.close();
  scene = undefined;
});

/** A script that writes its input to /run/NAME, and makes a file when it has ended. */
const hook = (name: string, word: string): string =>
  `#!/bin/sh\nprintf '%s|%s|%s' "$PEERNAME" "$GREETING" "${word}" >/run/${name}; : >/run/${name}.ended\n`;

async function given(it: Scene, name: string): Promise<string> {
  const path = it.machine.path(`/run/${name}`);
  await until(`${name} has run`, () => existsSync(`${path}.ended`));
  return readFileSync(path, "latin1");
}

on(
  "a PAP name with a NUL and with octets that are no UTF-8 runs every hook, with the octets before the NUL",
  async () => {
    scene = await Scene.open({
      "/etc/ppp/pap-secrets": "* * sesame *\n",
      "/etc/ppp/auth-up": hook("auth-up", "$2"),
      "/etc/ppp/ip-up": hook("ip-up", "$6"),
      "/etc/ppp/ip-down": hook("ip-down", "$6"),
      "/etc/ppp/auth-down": hook("auth-down", "$2"),
    });
    const { lcp, authentication } = linkConfig();
    scene.far.answer({
      lcp: { ...lcp, accept: ["pap"] },
      authentication: { ...authentication, user: "\xe9t\xe9\0root", password: () => "sesame" },
    });
    const line = ["/dev/ttyS1", "115200", "local", "nodetach", "auth", "require-pap", "10.0.0.1:10.0.0.2"];
    // The words of a shell's printf are octets. Those of Bun.spawn cannot be.
    const words = `GREETING=$(printf '\\374'); exec "$@" set "GREETING=$GREETING" ipparam "$(printf '\\303\\274\\377')"`;
    const pppd = scene.run(["sh", "-c", words, "sh", pppdPath(), ...line]);
    await pppd.waitFor("remote IP address 10.0.0.2");
    expect(pppd.text).toContain("Peer \\xe9t\\xe9 authenticated with PAP\n");
    expect(await given(scene, "auth-up")).toBe("\xe9t\xe9|\xfc|\xe9t\xe9");
    expect(await given(scene, "ip-up")).toBe("\xe9t\xe9|\xfc|\xc3\xbc\xff");
    pppd.kill();
    expect(await pppd.exit(20_000)).toBe(5);
    expect(await given(scene, "ip-down")).toBe("\xe9t\xe9|\xfc|\xc3\xbc\xff");
    expect(await given(scene, "auth-down")).toBe("\xe9t\xe9|\xfc|\xe9t\xe9");
    expect(pppd.text).not.toContain("Can't execute");
  },
);

on("connect has the words of the options file and the variables of its caller as they are", async () => {
  const script = `connect "printf '%s' \xe9\xfc\\$OURS >/run/connect; : >/run/connect.ended; exit 1"`;
  scene = await Scene.open();
  await Bun.write(scene.machine.path("/etc/ppp/peers/octets"), Buffer.from(`${script}\n`, "latin1"));
  const pppd = [pppdPath(), "/dev/ttyS1", "115200", "local", "noauth", "nodetach", "call", "octets"];
  const program = scene.run(["sh", "-c", `OURS=$(printf '\\377'); export OURS; exec "$@"`, "sh", ...pppd]);
  expect(await given(scene, "connect")).toBe("\xe9\xfc\xff");
  expect(await program.exit(20_000)).toBe(8);
});
