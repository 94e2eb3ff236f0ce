// `files`: a folder that the other machine reads and writes with Debian's programs, as root over an interface, and as an ordinary
// user through the stack.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closeMachines, type Machine, machinesMissing, openMachine, tunMissing } from "../kit/machine.ts";
import { PATIENCE_MS, until } from "../kit/patience.ts";
import { built, builtFor, Program } from "../kit/program.ts";
import { PATIENT_WORDS } from "./patient-options.ts";

setDefaultTimeout(5 * PATIENCE_MS);

const NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs", "--bounding-set=-all"];
const BROWSERS = [
  ["lynx", ["-dump", "-nolist"]],
  ["w3m", ["-dump"]],
  ["links2", ["-dump"]],
] as const;
const OCTETS = Buffer.alloc(300_000, "what a file has ");

const why =
  machinesMissing() ??
  tunMissing() ??
  (process.getuid?.() === 0 ? undefined : "it needs root, to serve as another user") ??
  (["setpriv", "curl", "wget"].every((tool) => Bun.which(tool)) ? undefined : "setpriv, curl or wget is not installed");

for (const [way, rights, option] of [
  ["an interface of root's", [], "nodetach"],
  ["sockets of an ordinary user", NOBODY, "usernet"],
] as const)
  describe.skipIf(why !== undefined)(`files by ${way}${why === undefined ? "" : ` [skipped: ${why}]`}`, () => {
    let near: Machine;
    let far: Machine;
    let client: Program;
    const place = mkdtempSync(join(tmpdir(), "files-"));

    beforeAll(async () => {
      chmodSync(place, 0o755);
      chownSync(place, 65534, 65534);
      mkdirSync(join(place, "sub"));
      chownSync(join(place, "sub"), 65534, 65534);
      writeFileSync(join(place, "sub", "caf\u00e9.txt"), "coffee");
      writeFileSync(join(place, "big"), OCTETS);
      [near, far] = await Promise.all([
        openMachine("near", {
          files: { "/etc/ppp/options": "", "/etc/ppp/ip-up": `#!/bin/sh\necho "$FILES_URL" >${place}/url\n` },
        }),
        openMachine("far", { files: { "/etc/ppp/options": "" } }),
      ]);
      const server = near.argv([
        ...[...rights, builtFor(near, "pppd"), "notty", option, "noauth", "10.0.0.1:10.0.0.2", "noipv6"],
        ...["files", place, "files-write", "logfd", "2", ...PATIENT_WORDS],
      ]);
      const pty = server.map((word) => `'${word}'`).join(" ");
      const words = ["nodetach", "noauth", "noipv6", "nodefaultroute", ...PATIENT_WORDS, "pty", pty];
      client = new Program([built("pppd"), ...words], { machine: far });
      await client.waitFor("remote IP address 10.0.0.1");
    });
    afterAll(async () => {
      await client?.stop();
      await closeMachines();
      rmSync(place, { recursive: true });
    });

    async function run(...argv: readonly string[]): Promise<string> {
      const { status, stdout, stderr } = await far.run(...argv);
      if (status !== 0) throw new Error(`${argv.join(" ")}: ${status} ${stderr}`);
      return stdout;
    }

    test("curl fetches parts, and sends a file that the server's user then has", async () => {
      expect(await run("curl", "-sS", "-r", "299990-", "http://10.0.0.1/big")).toBe(OCTETS.toString().slice(299_990));
      const got = `${place}-sent`;
      writeFileSync(got, OCTETS);
      await run("curl", "-sS", "-f", "-T", got, "http://10.0.0.1/sub/sent");
      rmSync(got);
      expect(readFileSync(join(place, "sub", "sent")).equals(OCTETS)).toBe(true);
      expect(statSync(join(place, "sub", "sent")).uid).toBe(65534);
      const form = await far.run(
        "curl",
        "-sS",
        "-F",
        "file=@/etc/hostname;filename=C:\\DOS\\A.TXT",
        "http://10.0.0.1/",
      );
      expect(form.status).toBe(0);
      expect(statSync(join(place, "A.TXT")).isFile()).toBe(true);
      const outside = await run("curl", "-sS", "--path-as-is", "http://10.0.0.1/../../etc/passwd");
      expect(outside).toContain("Refused");
    });

    test("wget continues a file that broke off", async () => {
      const part = `${place}-part`;
      writeFileSync(part, OCTETS.subarray(0, 100_000));
      const { stderr } = await far.run("wget", "-c", "-O", part, "http://10.0.0.1/big");
      expect(stderr).toContain("206 Partial Content");
      expect(readFileSync(part).equals(OCTETS)).toBe(true);
      rmSync(part);
    });

    for (const [browser, flags] of BROWSERS)
      test.skipIf(Bun.which(browser) === null)(
        `${browser} shows the page${Bun.which(browser) === null ? " [skipped: it is not installed]" : ""}`,
        async () => {
          const page = await run("env", "LC_ALL=C.UTF-8", "HOME=/tmp", browser, ...flags, "http://10.0.0.1/");
          expect(page).toMatch(/^ *big +300000 +\d{4}-\d\d-\d\d \d\d:\d\d$/m);
          expect(page).toMatch(/^ *sub\/ +\d{4}/m);
        },
      );

    test("ip-up has the address, and the process goes with the link", async () => {
      await until("ip-up has run", () => existsSync(join(place, "url")));
      await until("its line is there", () => readFileSync(join(place, "url"), "utf8") === "http://10.0.0.1/\n");
      expect(near.processes().length).toBeGreaterThanOrEqual(2);
      await client.stop();
      await until("no process of ours is left", () => near.processes().length === 0);
    });
  });
