// `files-smb`: the folder in Windows' network, as Debian's smbclient in all its dialects and nmblookup see it.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closeMachines, type Machine, machinesMissing, openMachine, tunMissing } from "../kit/machine.ts";
import { PATIENCE_MS } from "../kit/patience.ts";
import { built, builtFor, Program } from "../kit/program.ts";
import { PATIENT_WORDS } from "./patient-options.ts";

setDefaultTimeout(5 * PATIENCE_MS);

const NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs", "--bounding-set=-all"];
const OCTETS = Buffer.from(Array.from({ length: 200_000 }, (_, at) => (at * 7 + (at >> 8)) & 0xff));
const BIG = 2 ** 31 + 5;
const SECRETS = "zaphod * Gargle1\n";

const why =
  machinesMissing() ??
  tunMissing() ??
  (process.getuid?.() === 0 ? undefined : "it needs root, to serve as another user") ??
  (["setpriv", "smbclient", "nmblookup"].every((tool) => Bun.which(tool))
    ? undefined
    : "setpriv, smbclient or nmblookup is not installed");

for (const [way, rights, options] of [
  ["an interface of root's", [], ["nodetach"]],
  ["sockets of an ordinary user, and with users", NOBODY, ["usernet", "files-auth"]],
] as const)
  describe.skipIf(why !== undefined)(
    `Windows' network by ${way}${why === undefined ? "" : ` [skipped: ${why}]`}`,
    () => {
      const place = mkdtempSync(join(tmpdir(), "files-smb-"));
      const share = join(place, "share");
      const needsUser = rights.length > 0;
      let near: Machine;
      let far: Machine;
      let client: Program;

      beforeAll(async () => {
        for (const path of [place, share]) {
          await Bun.$`mkdir -p ${path}`;
          chmodSync(path, 0o755);
          chownSync(path, 65534, 65534);
        }
        writeFileSync(join(share, "Gr\u00fc\u00dfe aus K\u00f6ln.text"), "hello");
        writeFileSync(join(share, "bad:name.txt"), "hello");
        writeFileSync(join(share, "big.img"), "");
        truncateSync(join(share, "big.img"), BIG);
        writeFileSync(join(place, "octets"), OCTETS);
        [near, far] = await Promise.all([
          openMachine("near", { files: { "/etc/ppp/options": "", "/etc/ppp/pap-secrets": SECRETS } }),
          openMachine("far", { files: { "/etc/ppp/options": "" } }),
        ]);
        await near.run("chmod", "644", "/etc/ppp/pap-secrets");
        const server = near.argv([
          ...[...rights, builtFor(near, "pppd"), "notty", "noauth", "10.0.0.1:10.0.0.2", "noipv6", ...options],
          ...["files", share, "files-write", "files-smb", "logfd", "2", ...PATIENT_WORDS],
        ]);
        const pty = server.map((word) => `'${word}'`).join(" ");
        const words = ["nodetach", "noauth", "noipv6", "nodefaultroute", ...PATIENT_WORDS, "pty", pty];
        client = new Program([built("pppd"), ...words], { machine: far });
        await client.waitFor("remote IP address 10.0.0.1");
        await client.waitFor("Files of ");
      });
      afterAll(async () => {
        await client?.stop();
        await closeMachines();
        rmSync(place, { recursive: true });
      });

      /** What smbclient says. */
      async function smb(commands: string, dialect = "NT1", ...more: readonly string[]): Promise<string> {
        const user = needsUser ? ["-U", "zaphod%Gargle1"] : ["-N"];
        const old = ["client min protocol=CORE", "client lanman auth=yes", "client ntlmv2 auth=no"].map(
          (option) => `--option=${option}`,
        );
        const words = ["-p", "139", ...user, ...old, "-m", dialect, ...more, "//10.0.0.1/FILES", "-c", commands];
        const { stdout, stderr } = await far.run("smbclient", ...words);
        return stdout + stderr;
      }

      test("files go there and back, and folders and names are changed", async () => {
        const back = join(place, "back");
        const listed = await smb(
          `put ${place}/octets "W\u00f6rter.bin"; ls; get "w\u00d6RTER.BIN" ${back}; allinfo big.img`,
        );
        expect(listed).toContain("Gr\u00fc\u00dfe aus K\u00f6ln.text");
        expect(listed).toMatch(/BAD~[0-9A-Z]{4}\.TXT +A +5 /);
        expect(listed).toContain(`big.img                             A ${BIG} `);
        expect(readFileSync(back).equals(OCTETS)).toBe(true);
        expect(readFileSync(join(share, "W\u00f6rter.bin")).equals(OCTETS)).toBe(true);
        writeFileSync(back, OCTETS.subarray(0, 77_777));
        const changed = await smb(
          `reget W\u00f6rter.bin ${back}; mkdir new; rename W\u00f6rter.bin new\\words; cd new; utimes words -1 -1 2001:02:03-04:05:06 -1; ls; del words; cd ..; rmdir new`,
        );
        expect(readFileSync(back).equals(OCTETS)).toBe(true);
        expect(changed).toMatch(/words +A +200000 +Sat Feb {2}3 04:05:06 2001/);
        expect(await smb("ls new")).toContain("NT_STATUS_NO_SUCH_FILE");
      });

      test("the oldest dialects", async () => {
        const back = join(place, "back");
        for (const dialect of needsUser ? ["LANMAN1", "LANMAN2"] : ["CORE", "COREPLUS", "LANMAN1", "LANMAN2"]) {
          const text = await smb(`put ${place}/octets x.bin; get x.bin ${back}; ls; del x.bin`, dialect);
          expect([dialect, readFileSync(back).equals(OCTETS)]).toEqual([dialect, true]);
          expect([dialect, text]).toEqual([dialect, expect.stringMatching(/x\.bin +A +200000/i)]);
          rmSync(back);
        }
      });

      test("what is shared and who serves it, and wrong passwords", async () => {
        const list = await smb("", "NT1", "-L", "10.0.0.1");
        expect(list).toMatch(/FILES +Disk +Files over the cable/);
        // By default smbclient has its own rules for users of servers without extended security.
        const version2 = ["--option=client use spnego=no", "--option=client ntlmv2 auth=yes"];
        expect(await smb("ls", "NT1", ...version2)).toContain("big.img");
        const wrong = await smb("ls", "NT1", "-U", "zaphod%no");
        expect(wrong).toContain(needsUser ? "NT_STATUS_LOGON_FAILURE" : "big.img");
      });

      test("names", async () => {
        const { stdout } = await far.run("nmblookup", "-A", "10.0.0.1");
        const [, name = ""] = /^\t(\S+) +<20>/m.exec(stdout) ?? [];
        expect(name).not.toBe("");
        expect((await far.run("nmblookup", "-U", "10.0.0.1", name)).stdout).toContain(`10.0.0.1 ${name}<00>`);
        expect((await far.run("nmblookup", "-U", "10.0.0.1", "NOSUCH")).stdout).not.toContain("10.0.0.1 NOSUCH<00>");
      });
    },
  );
